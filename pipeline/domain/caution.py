"""How boldly to send: the canary, the ramp and the circuit breaker (reliability.md P8, D11, D14).

Pure: it is told every finding in the order they come and says what may happen next. One row goes first;
1, 2, 4 … up to the most open only on answers that are understood. Three answers in a row that are not, or five
unknown outcomes in a row of any kind, open the breaker: wait, then one canary again. The third opening ends it.
"""

from __future__ import annotations

from enum import Enum

from pipeline.domain.lifecycle import Event
from pipeline.domain.records import Finding

NOT_UNDERSTOOD = 3
UNKNOWN = 5
OPENINGS = 3


class Advice(Enum):
    GO = "go"
    WAIT = "wait"  # the breaker opened: nobody sends for a while
    STOP = "stop"


class Caution:
    """``window`` is how many requests may be in flight now, at most ``most``."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.window = 1
        self._first = True  # no answer has been understood yet
        self._unclear_answers = 0
        self._unknown = 0
        self.openings = 0

    def seen(self, finding: Finding) -> Advice:
        """Takes note of one finding of a cancellation request."""
        if finding.event in (Event.NOTHING_LEFT, Event.STALE, Event.THROTTLED, Event.UNAUTHORISED):
            return Advice.GO  # proof that nothing was applied: says nothing about what answers mean
        if finding.event is not Event.UNCLEAR:
            self._first = False
            self._unclear_answers = self._unknown = 0
            self.window = min(self._most, self.window * 2)
            return Advice.GO
        answered = finding.http is not None
        if self._first and answered:
            return Advice.STOP
        self._unknown += 1
        self._unclear_answers += answered
        if self._unclear_answers < NOT_UNDERSTOOD and self._unknown < UNKNOWN:
            return Advice.GO
        return self._open()

    def _open(self) -> Advice:
        self.openings += 1
        self._unclear_answers = self._unknown = 0
        self.window = 1
        # The canary after the wait has to be understood, but a lost one only opens the breaker again.
        return Advice.STOP if self.openings >= OPENINGS else Advice.WAIT
