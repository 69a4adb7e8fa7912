"""Circuit breaker with canary and ramp: how many requests may be sent now (reliability.md P8, D11, D14).

Pure: it receives every finding in order and returns what may happen next. One row goes first. The window
grows (1, 2, 4 … up to the maximum) only on answers that are understood. Three answers in a row that are not, or five
unknown outcomes in a row of any kind, open the breaker: wait, then one canary again. The third opening ends the run.
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
    #: the breaker opened: pause sending
    WAIT = "wait"
    STOP = "stop"


class Caution:
    """The circuit breaker. ``window`` is how many requests may be in flight now, at most ``most``."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.window = 1
        self._first = True  # no answer has been understood yet
        self._unclear_answers = 0
        self._unknown = 0
        self._canary = False  # the breaker has opened, and nothing that left since then has been understood
        self.openings = 0

    @property
    def doubting(self) -> bool:
        """Whether the breaker has opened and nothing that left since then has been understood."""
        return self._canary

    def seen(self, finding: Finding, sent_under: int | None = None) -> Advice:
        """Records one finding of a cancellation request and returns what to do next.

        ``sent_under`` is the value of ``openings`` when the request left. A request that was in flight when the breaker
        opened says nothing about the service after the wait, so it is ignored.
        """
        if sent_under is not None and sent_under < self.openings:
            return Advice.GO
        if finding.event in (Event.NOTHING_LEFT, Event.STALE, Event.THROTTLED, Event.UNAUTHORISED):
            return Advice.GO  # proof that nothing was applied: says nothing about what answers mean
        if finding.event is not Event.UNCLEAR:
            self._first = self._canary = False
            self._unclear_answers = self._unknown = 0
            self.window = min(self._most, self.window * 2)
            return Advice.GO
        answered = finding.http is not None
        if self._first and answered:
            return Advice.STOP
        self._unknown += 1
        self._unclear_answers += answered
        if not self._canary and self._unclear_answers < NOT_UNDERSTOOD and self._unknown < UNKNOWN:
            return Advice.GO
        return self._open()

    def _open(self) -> Advice:
        self.openings += 1
        self._unclear_answers = self._unknown = 0
        self.window = 1
        self._canary = True  # the next request is the canary: if it is not understood, the breaker opens again
        return Advice.STOP if self.openings >= OPENINGS else Advice.WAIT
