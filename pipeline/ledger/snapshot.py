"""Snapshot: a batch as the report shows it: every row with its newest attempt, the log, the totals, at one moment.

Rows and events are read in parts, so that memory holds only what is shown, and so that no read lasts long: a SQLite
ledger cannot commit during a read. What a run moved meanwhile is read again, in one short transaction with the totals
(decision 0050).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from sqlalchemy import Column, Select, func, select

from pipeline.domain.deadline import Deadline, Window
from pipeline.domain.lifecycle import RETRIED, Event, State
from pipeline.domain.records import BatchInfo, Correction, EventLine, Leader, Position, ResultLine, Source
from pipeline.ledger import codec, tables
from pipeline.ledger.decisions import CLOSED, decided
from pipeline.ledger.storage.database import Reads

PART = 5_000
"""Lines per read."""

MOST_SHARED = 10_000
_IN = 500  # values in one IN (...): SQLite's oldest limit is 999
_UNSENT = frozenset({State.HELD, State.READY, State.WITHDRAWN, *RETRIED})
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Whole:
    """A batch at one moment: its totals, its rows in input order, its log up to then."""

    info: BatchInfo
    lines: list[ResultLine]
    log: Log


def in_parts(reads: Reads, query: Select[Any], column: Column[int]) -> Iterator[Sequence[Any]]:
    """The lines of ``query``, at most ``PART`` at a time, ordered by ``column``: unique values, none negative."""
    after, query = -1, query.order_by(column).limit(PART)
    while lines := reads.read(query.where(column > after)):
        yield lines
        after = getattr(lines[-1], column.name)


def last_event(reads: Reads, batch: str) -> int:
    """The number of the newest event of a row of ``batch``; every change has one, in the same transaction (R3)."""
    event = tables.event.c
    found = reads.read(select(func.max(event.seq)).where(event.batch == batch, event.pos > 0))
    return int(found[0][0] or 0)


class Gathering:
    """The rows of one batch while they are read: ``read`` is slow, ``catch_up`` brings them all to one moment."""

    def __init__(self, reads: Reads, info: BatchInfo) -> None:
        self._reads, self._info = reads, info
        self._shared = Shared()
        self._lines: list[ResultLine] = []
        self._repeating: list[tuple[int, str | None, int]] = []  # index of the line; batch and row that it repeats
        self._closed = False  # whether a person decided about any row
        self.held = False  # whether any row was held on arrival
        self._seen = last_event(reads, info.id)

    def read(self) -> None:
        """Reads all rows, a part at a time. A parallel run may move some of them meanwhile."""
        row = tables.row
        for part in in_parts(self._reads, select(row).where(row.c.batch == self._info.id), row.c.pos):
            for place, line in enumerate(part, start=len(self._lines)):
                if line.leader_pos is not None:
                    self._repeating.append((place, line.leader_batch, line.leader_pos))
            between = tables.attempt.c.pos.between(part[0].pos, part[-1].pos)
            self._lines += self._made(part, self._reads.read(attempts_of(self._info.id).where(between)))

    def catch_up(self, moment: Reads) -> int:
        """Reads the rows moved since, and people's decisions, as of ``moment``; returns its newest event."""
        event, batch = tables.event, self._info.id
        last = last_event(moment, batch)
        query = select(event.c.pos).distinct().where(event.c.batch == batch, event.c.seq > self._seen, event.c.pos > 0)
        moved = sorted(line.pos for line in moment.read(query)) if last != self._seen else []
        for start in range(0, len(moved), _IN):
            some = moved[start : start + _IN]
            rows = moment.read(select(tables.row).where(tables.row.c.batch == batch, tables.row.c.pos.in_(some)))
            for line in self._made(rows, moment.read(attempts_of(batch).where(tables.attempt.c.pos.in_(some)))):
                self._lines[bisect_left(self._lines, line.pos, key=lambda one: one.pos)] = line
        self._seen = last
        if self._closed:
            made = decided(moment, batch)
            self._lines = [signed(line, made[line.pos]) if line.pos in made else line for line in self._lines]
        return last

    def lines(self) -> list[ResultLine]:
        """Every row in input order; a row that repeats another has that one's line."""
        wanted = {pos for _, batch, pos in self._repeating if batch is None}
        leaders = {line.pos: line for line in self._lines if line.pos in wanted} if wanted else {}
        for place, batch, pos in self._repeating:
            leader = leaders[pos] if batch is None else line_of(self._reads, batch, pos)
            named = Leader(batch, leader.pos, leader.position)
            self._lines[place] = replace(self._lines[place], leader=named, mirrored=leader)
        return self._lines

    def _made(self, rows: Sequence[Any], attempts: Sequence[Any]) -> list[ResultLine]:
        newest = {attempt.pos: attempt for attempt in attempts}
        self._closed = self._closed or any(attempt.state in CLOSED for attempt in attempts)
        self.held = self.held or any(row.state == State.HELD.value for row in rows)
        return [result_line(row, newest.get(row.pos), self._info.sheet, self._shared) for row in rows]


class Log:
    """A batch's events as a collection that can be iterated repeatedly, read again each time.

    ``last`` is its last event; None: the newest.
    """

    def __init__(self, reads: Reads, info: BatchInfo, last: int | None = None) -> None:
        self._reads, self._info, self._last = reads, info, last

    def __iter__(self) -> Iterator[EventLine]:
        event = tables.event
        query = events_with_rows().where(event.c.batch == self._info.id, event.c.pos > 0)
        if self._last is not None:
            query = query.where(event.c.seq <= self._last)
        for part in in_parts(self._reads, query, event.c.seq):
            for line in part:
                yield event_line(line, self._info.sheet)


def events_with_rows() -> Select[Any]:
    """What the log shows of events, each joined with the line and the code of its row."""
    event, row = tables.event, tables.row
    of_row = (row.c.batch == event.c.batch) & (row.c.pos == event.c.pos)
    told = (event.c[name] for name in _TOLD)
    return select(*told, row.c.line, row.c.cufe).join(row, of_row, isouter=True)


_TOLD = ("seq", "utc", "pos", "from_", "to_", "event", "http", "estado", "message", "note", "more", "who")


def event_line(line: Any, sheet: str | None) -> EventLine:
    """One of them as the report sees it."""
    return EventLine(
        seq=line.seq,
        at=codec.to_time(line.utc),
        pos=line.pos,
        position=Position(sheet, line.line),
        source=State(line.from_),
        target=State(line.to_),
        event=Event(line.event),
        cufe=line.cufe,
        http=line.http,
        estado=line.estado,
        message=line.message,
        note=codec.note_of(line.note, line.more),
        who=line.who,
    )


class Shared:
    """Cache of equal texts as one object: most of a batch has the same few texts. Its size is limited, for a batch in
    which everything differs."""

    def __init__(self) -> None:
        self._known: dict[Any, Any] = {}

    def __call__(self, value: T) -> T:
        """``value``, or an earlier equal one. Only for values of one type: ``1 == True == 1.0``."""
        if len(self._known) < MOST_SHARED:
            return self._known.setdefault(value, value)  # type: ignore[no-any-return]
        return self._known.get(value, value)  # type: ignore[no-any-return]


def attempts_of(batch: str) -> Select[Any]:
    """Attempts of a batch, oldest first: in a dict by row the newest remains."""
    attempt = tables.attempt
    return select(attempt).where(attempt.c.batch == batch).order_by(attempt.c.pos, attempt.c.n)


def line_of(reads: Reads, batch: str, pos: int) -> ResultLine:
    """The line of a row in another batch."""
    row = tables.row
    query = select(row, tables.batch.c.sheet).join(tables.batch, tables.batch.c.id == row.c.batch)
    (found,) = reads.read(query.where(row.c.batch == batch, row.c.pos == pos))
    attempts = reads.read(attempts_of(batch).where(tables.attempt.c.pos == pos))
    return result_line(found, attempts[-1] if attempts else None, found.sheet or None)


def signed(line: ResultLine, decision: tuple[str, str]) -> ResultLine:
    """``line`` with a person's decision."""
    return replace(line, decided_by=decision[0], decided_why=decision[1].rstrip("."))


def result_line(row: Any, attempt: Any | None, sheet: str | None, shared: Shared | None = None) -> ResultLine:
    """A row with its newest attempt as the report sees it; both have the attributes of their tables."""
    problems, repairs, warnings = codec.remarks_from_text(row.remarks)
    cufe, deadline = row.cufe, None
    if row.deadline_window:
        deadline = Deadline(Window(row.deadline_window), row.hours_left)
    cells, reason, email = codec.cells_from_text(row.cells), row.reason, row.email
    if shared is not None:
        cells = tuple(cufe if cell == cufe else shared(cell) if type(cell) is str else cell for cell in cells)
        reason, email, deadline = shared(reason), shared(email), shared(deadline)
    position = Position(sheet, row.line)
    if attempt is None:
        return ResultLine(
            pos=row.pos,
            position=position,
            cells=cells,
            state=State(row.state),
            cufe=cufe,
            reason=reason,
            email=email,
            problems=problems,
            repairs=repairs,
            warnings=warnings,
            deadline=deadline,
        )
    state = State(attempt.state)
    was_sent = state not in _UNSENT and attempt.sent_utc is not None
    message, note, authorised = attempt.message, attempt.note, attempt.authorised_at
    if shared is not None:
        message, note, authorised = shared(message), shared(note), shared(authorised)
    return ResultLine(
        pos=row.pos,
        position=position,
        cells=cells,
        state=state,
        cufe=cufe,
        sent_cufe=cufe if was_sent else None,
        reason=reason,
        email=email,
        problems=problems,
        repairs=repairs,
        warnings=warnings,
        deadline=deadline,
        attempts=attempt.n,
        again=bool(attempt.possible_duplicate),
        correction=Correction(attempt.reason, attempt.email) if attempt.reason is not None else None,
        estado=attempt.estado,
        source=Source(attempt.source) if attempt.source else None,
        dgi=attempt.dgi if shared is None else shared(attempt.dgi),
        message=message,
        authorised_at=authorised,
        http=attempt.http,
        note=note,
        sent_at=codec.maybe_time(attempt.sent_utc) if was_sent else None,
        queried_at=codec.maybe_time(attempt.queried_utc),
        queries=attempt.queries,
        next_due=codec.maybe_time(attempt.next_due),
    )
