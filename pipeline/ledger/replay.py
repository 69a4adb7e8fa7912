"""Replay: reads the events of a ledger in order and rebuilds each row's attempts (reliability.md P15).

Every column of ``attempt`` that is printed or compared follows from the events alone. Events of schema 0006 and older
do not contain ``NOT_TOLD``: comparisons skip these columns where ``Stand.old`` is True.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

from pipeline.domain.edoc_states import may_correct
from pipeline.domain.lifecycle import Event, State
from pipeline.domain.records import Correction, Leader, ResultLine, Source
from pipeline.ledger import codec
from pipeline.ledger.decisions import DECISIONS
from pipeline.ledger.lineage import CORRECTABLE
from pipeline.ledger.snapshot import Shared, result_line, signed

NOT_TOLD = ("authorised_at", "next_due", "misses")
"""Columns that an event stores in ``more``."""

Other = tuple[Leader, ResultLine] | None
"""The row of another batch that a row repeats, or in which it was corrected, and its line."""

_NO_ANSWER = frozenset({Event.CLAIMED, Event.RECOVERED, Event.RETRY, Event.OUT_OF_TIME, Event.RESOLVED})
_NO_ANSWER |= {Event.APPROVED, Event.BARRED, Event.STOPPED, Event.WITHDRAWN}
"""Moves that rest on no answer of eDoc."""

_KEPT = ("estado", "dgi", "message", "http")
"""The values of an answer stay until another answer replaces them."""


@dataclass(slots=True)
class Stand:
    """An attempt after its events: the columns of ``attempt``."""

    batch: str
    pos: int
    state: str
    epoch: int
    n: int = 1
    v: int = 1
    sent_utc: str | None = None
    queried_utc: str | None = None
    queries: int = 0
    misses: int = 0
    next_due: str | None = None
    estado: int | None = None
    source: str | None = None
    dgi: str | None = None
    message: str | None = None
    authorised_at: str | None = None
    http: int | None = None
    note: str = ""
    possible_duplicate: int = 0
    preflight: int | None = None
    reason: str | None = None
    email: str | None = None
    #: the state to which a person agreed with a resend
    agreed: int | None = None
    #: what that resend sends instead of the texts of its row
    corrected: Correction | None = None
    #: whether an event of schema 0006 or older was among them
    old: bool = False


class Replay:
    """Replay of one batch, or of all (``batch`` None): ``see`` takes each event in order, then the rows can be read."""

    def __init__(self, batch: str | None = None) -> None:
        self._batch = batch
        self._shared = Shared()
        self.newest: dict[str, dict[int, Stand]] = {}
        self.known: dict[int, Stand] = {}
        self.decided: dict[int, tuple[str, str]] = {}
        self.approved: dict[tuple[str, str], int] = {}  # who, when -> how many held rows
        self.held = False  # whether any row was held on arrival
        self.first: Mapping[str, Any] | None = None  # event of a row of the batch
        self.last: Mapping[str, Any] | None = None

    def see(self, event: Mapping[str, Any]) -> None:
        """Applies the next event. Raises ``ValueError`` for values that the program does not know."""
        batch, pos, number = event["batch"], event["pos"], event["attempt"]
        if not pos or (self._batch is not None and batch != self._batch):
            return
        if self._batch is not None and pos > 0:
            self.first, self.last = self.first or event, event
        rows = self.newest.get(batch)
        if rows is None:
            rows = self.newest[self._shared(batch)] = {}
        stand = rows.get(pos)
        if number is None:
            if event["to_"] in (State.READY.value, State.HELD.value):
                rows[pos] = Stand(self._shared(batch), pos, self._shared(event["to_"]), event["run"])
                rows[pos].old = event.get("more") is None
                self.held = self.held or event["to_"] == State.HELD.value
        elif stand is not None:
            if event["event"] == Event.RETRY.value:
                stand = rows[pos] = self._next(stand, event)
            else:
                self._move(stand, event)
            if self._batch is None:
                self.known[number] = stand
        if self._batch is None:
            return
        if event["event"] == Event.APPROVED.value:
            signature = event["who"] or "", event["utc"]
            self.approved[signature] = self.approved.get(signature, 0) + 1
        elif event["event"] in DECISIONS:
            self.decided[pos] = (self._shared(event["who"] or ""), self._shared(event["note"]))

    @property
    def has_old_events(self) -> bool:
        """Whether an old event is among those that led to the current rows."""
        return any(stand.old for rows in self.newest.values() for stand in rows.values())

    def of(self, number: int, batch: str, pos: int) -> Stand | None:
        """The attempt with this number; None when its row has no event since it was taken in."""
        stand = self.known.get(number)
        if stand is None:
            stand = self.newest.get(batch, {}).get(pos)
            return stand if stand is not None and stand.v == 1 and stand.n == 1 else None
        return stand

    def whole_line(
        self, sheet: str, row: Mapping[str, Any], leaders: Mapping[int, ResultLine], other: Callable[[int], Other]
    ) -> ResultLine:
        """One row after its events, with the row that it repeats: one of ``leaders``, by ordinal, or of another batch.
        ``sheet`` is "" for a CSV; ``other`` returns the row of another batch that a row repeats, or in which it was
        corrected, with its line."""
        line = self.line(sheet, row)
        return following(line, leaders[row["leader_pos"]]) if repeats(row) else mirroring(line, other(row["pos"]))

    def line(self, sheet: str, row: Mapping[str, Any]) -> ResultLine:
        """One row after its events, without the row that it repeats."""
        pos = row["pos"]
        line = result_line(SimpleNamespace(**row), self.newest.get(self._batch or "", {}).get(pos), sheet or None)
        return signed(line, self.decided[pos]) if pos in self.decided else line

    def _next(self, stand: Stand, event: Mapping[str, Any]) -> Stand:
        """The attempt after ``stand``; a resend keeps what the person agreed to."""
        fresh = Stand(stand.batch, stand.pos, self._shared(event["to_"]), event["run"], n=stand.n + 1)
        fresh.possible_duplicate, fresh.preflight = stand.possible_duplicate, stand.preflight
        texts = stand.corrected or stand  # what was corrected once stays corrected
        fresh.reason, fresh.email = texts.reason, texts.email
        if State(event["from_"]) is State.CLOSED_RESEND:
            fresh.possible_duplicate, fresh.preflight = 1, stand.agreed
        fresh.old = event.get("more") is None
        return fresh

    def _move(self, stand: Stand, event: Mapping[str, Any]) -> None:
        kind, source, shared = Event(event["event"]), State(event["from_"]), self._shared
        stand.state = shared(event["to_"])
        stand.v += 1
        stand.epoch = event["run"]
        if kind is Event.CLAIMED:
            stand.sent_utc = event["utc"]
            return
        text = event.get("more")
        more = codec.more_from_text(text or "")
        queried = bool(more.get("query"))
        if text is None:  # an old event does not contain it, but each kind comes from one service
            queried = source is not State.SENDING and kind not in _NO_ANSWER
        stand.old = stand.old or text is None
        stand.note = shared(event["note"])
        stand.next_due = more.get("due")
        stand.misses += bool(more.get("miss"))
        first = queried and source is State.READY  # before sending: not one of the queries that follow it
        if first and event["estado"] is not None:
            stand.preflight = event["estado"]
        stand.corrected = codec.correction_of(more)
        if stand.corrected is not None and not may_correct(source, kind, event["estado"], event["dgi"]):
            raise ValueError("other texts of what may have been accepted")
        if kind is Event.RESEND:
            stand.agreed = event["estado"]
        if event["to_"] == State.READY.value:  # a result from before sending is no answer to it
            return
        for name in _KEPT:
            if event[name] is not None:
                setattr(stand, name, event[name] if name in ("estado", "http") else shared(event[name]))
        if more.get("authorised_at") is not None:
            stand.authorised_at = shared(more["authorised_at"])
        if event["estado"] is not None:
            stand.source = (Source.QUERY if queried else Source.CANCELLATION).value
        if queried and not first:
            stand.queried_utc = event["utc"]
            stand.queries += 1


def following(line: ResultLine, leader: ResultLine) -> ResultLine:
    """``line``, which repeats another row of its batch."""
    return replace(line, leader=Leader(None, leader.pos, leader.position), mirrored=leader)


def mirroring(line: ResultLine, other: Other) -> ResultLine:
    """``line``, which may repeat a row of another batch, or have been corrected in one."""
    if other is None:
        return line
    if line.state in CORRECTABLE:
        return replace(line, fixed_in=other[0], fixed=other[1])
    return replace(line, leader=other[0], mirrored=other[1])


def repeats(row: Mapping[str, Any]) -> bool:
    """Whether ``row`` repeats another of the same batch."""
    return row["leader_pos"] is not None and row["leader_batch"] is None
