"""The rows of a batch from its events alone: what the ledger must say of each when nothing else is believed.

The same rules by which ``ledger/store.py`` writes an attempt, read from the chain. ``fecha_autorizacion`` and the next
query are not in the events (the first only inside the raw answer), so nothing is said of them here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

from pipeline.domain.lifecycle import Event, State
from pipeline.domain.records import Leader, ResultLine, Source
from pipeline.ledger.whole import Shared, result_line

_NO_ANSWER = frozenset({Event.CLAIMED, Event.RECOVERED, Event.RETRY, Event.OUT_OF_TIME, Event.RESOLVED})
_NO_ANSWER |= {Event.APPROVED, Event.WITHDRAWN}
"""Moves that rest on no answer of eDoc."""

_NUMBERS = ("estado", "http")


@dataclass(slots=True)
class _Attempt:
    """The columns of ``attempt`` that a report shows, as far as the events tell them."""

    state: str
    n: int = 1
    possible_duplicate: int = 0
    note: str = ""
    queries: int = 0
    sent_utc: str | None = None
    queried_utc: str | None = None
    estado: int | None = None
    source: str | None = None
    dgi: str | None = None
    message: str | None = None
    http: int | None = None
    authorised_at: None = None
    next_due: None = None


class Replay:
    """Hears the events of one batch in their order, then says what they made of its rows."""

    def __init__(self, batch: str) -> None:
        self._batch = batch
        self._newest: dict[int, _Attempt] = {}
        self._shared = Shared()

    def see(self, event: Mapping[str, Any]) -> None:
        """The next event. Raises ``ValueError`` for words that the program does not know."""
        if event["batch"] != self._batch:
            return
        pos = event["pos"]
        if event["attempt"] is None:
            if event["to_"] in (State.READY.value, State.HELD.value):
                self._newest[pos] = _Attempt(self._shared(event["to_"]))
        elif (attempt := self._newest.get(pos)) is not None:
            self._newest[pos] = _moved(attempt, event, self._shared)

    def lines(self, sheet: str, rows: Callable[[], Iterable[Mapping[str, Any]]]) -> Iterator[ResultLine]:
        """Every row of the batch in input order, as its events left it. ``sheet`` is "" for a CSV; ``rows`` gives the
        rows anew each time: they are gone through up to three times, so that only those that others repeat are held."""
        wanted = {row["leader_pos"] for row in rows() if _repeats(row)}
        leaders = {row["pos"]: self._line(sheet, row) for row in rows() if row["pos"] in wanted} if wanted else {}
        for row in rows():
            line = self._line(sheet, row)
            if _repeats(row):  # of a row in another batch it only shows that it repeats one
                leader = leaders[row["leader_pos"]]
                line = replace(line, leader=Leader(None, leader.pos, leader.position), mirrored=leader)
            yield line

    def _line(self, sheet: str, row: Mapping[str, Any]) -> ResultLine:
        return result_line(SimpleNamespace(**row), self._newest.get(row["pos"]), sheet or None)


def _repeats(row: Mapping[str, Any]) -> bool:
    """Whether ``row`` repeats another of the same batch."""
    return row["leader_pos"] is not None and row["leader_batch"] is None


def _moved(attempt: _Attempt, event: Mapping[str, Any], shared: Shared) -> _Attempt:
    kind, source = Event(event["event"]), State(event["from_"])
    if kind is Event.RETRY:
        again = 1 if source is State.CLOSED_RESEND else attempt.possible_duplicate
        return _Attempt(shared(event["to_"]), n=attempt.n + 1, possible_duplicate=again)
    attempt.state = shared(event["to_"])
    if kind is Event.CLAIMED:
        attempt.sent_utc = event["utc"]
        return attempt
    attempt.note = shared(event["note"])
    if event["to_"] == State.READY.value:  # the query before the sending: not an answer to it
        return attempt
    for name in ("estado", "dgi", "message", "http"):
        if event[name] is not None:
            setattr(attempt, name, event[name] if name in _NUMBERS else shared(event[name]))
    queried = source is not State.SENDING and kind not in _NO_ANSWER
    if event["estado"] is not None:
        attempt.source = (Source.QUERY if queried else Source.CANCELLATION).value
    if queried and source is not State.READY:
        attempt.queried_utc = event["utc"]
        attempt.queries += 1
    return attempt
