"""Everything that reads the ledger: what is ready, what is followed, what the report shows. Changes nothing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, exists, func, select

from pipeline.domain.deadline import Deadline, Window
from pipeline.domain.lifecycle import FOLLOWED, MOVES, PERSON, RETRIED, Event, State
from pipeline.domain.outcomes import PREFLIGHT, outcome
from pipeline.domain.records import (
    BatchInfo,
    Cancellation,
    EventLine,
    Leader,
    Position,
    ResultLine,
    Seen,
    Source,
    Tracked,
    Waiting,
)
from pipeline.ledger import codec, tables
from pipeline.ledger.decisions import CLOSED, decided
from pipeline.ledger.engine import Database
from pipeline.ledger.extract import Extract

_IN = 500  # values in one IN (...): SQLite's oldest limit is 999
_MAY_BE_FOLLOWED = tuple(source for source, event in MOVES if event is Event.RETRY)
_UNSENT = frozenset({State.HELD, State.READY, State.WITHDRAWN, *RETRIED})


class Views:
    """Reads of one environment's rows."""

    def __init__(self, database: Database, env: str) -> None:
        self._database = database
        self._env = env

    def find(self, sha256: str, sheet: str | None) -> BatchInfo | None:
        """The batch that this very file became, if it was taken in before."""
        query = select(tables.batch).where(
            tables.batch.c.env == self._env, tables.batch.c.sha256 == sha256, tables.batch.c.sheet == (sheet or "")
        )
        found = self._database.read(query)
        return self._info(found[0]) if found else None

    def batch(self, batch_id: str) -> BatchInfo | None:
        """One batch by its id, or by the only id that starts so."""
        query = select(tables.batch).where(
            tables.batch.c.env == self._env, tables.batch.c.id.startswith(batch_id, autoescape=True)
        )
        found = self._database.read(query.limit(2))
        return self._info(found[0]) if len(found) == 1 else None

    def knows(self, batch: str) -> bool:
        """Whether there is a batch with this very id, in whatever environment."""
        return bool(self._database.read(select(tables.batch.c.id).where(tables.batch.c.id == batch)))

    def has(self, batch_id: str) -> bool:
        """Whether this ledger holds the batch with this very id."""
        query = select(tables.batch.c.id).where(tables.batch.c.env == self._env, tables.batch.c.id == batch_id)
        return bool(batch_id and self._database.read(query))

    def batches(self) -> list[BatchInfo]:
        """All batches, newest first, with their counts by outcome word."""
        query = select(tables.batch).where(tables.batch.c.env == self._env)
        return [self._info(line) for line in self._database.read(query.order_by(tables.batch.c.created_utc.desc()))]

    def seen(self, cufes: Sequence[str]) -> dict[str, Seen]:
        """The live attempts of these CUFEs: what would be a duplicate or a conflict."""
        found: dict[str, Seen] = {}
        for start in range(0, len(cufes), _IN):
            query = (
                tables.with_rows(
                    tables.attempt.c.cufe,
                    tables.attempt.c.batch,
                    tables.attempt.c.pos,
                    tables.attempt.c.state,
                    tables.row.c.line,
                    tables.row.c.payload_sha256,
                    tables.batch.c.sheet,
                )
                .join(tables.batch, tables.batch.c.id == tables.attempt.c.batch)
                .where(
                    tables.attempt.c.env == self._env,
                    tables.attempt.c.cufe.in_(cufes[start : start + _IN]),
                    tables.live(tables.attempt),
                )
            )
            for line in self._database.read(query):
                where = Position(line.sheet or None, line.line)
                found[line.cufe] = Seen(
                    line.cufe, line.batch, line.pos, where, line.payload_sha256 or "", State(line.state)
                )
        return found

    def ready(self, batch: str) -> list[Cancellation]:
        """The rows of ``batch`` that may be sent, in input order."""
        row = tables.row.c
        query = (
            tables.with_rows(tables.attempt, row.reason, row.email, row.hours_left, row.deadline_window)
            .where(tables.attempt.c.batch == batch, tables.attempt.c.state == State.READY.value)
            .order_by(tables.attempt.c.pos)
        )
        return [
            Cancellation(
                attempt=line.id,
                version=line.v,
                number=line.n,
                batch=line.batch,
                pos=line.pos,
                cufe=line.cufe,
                reason=line.reason,
                email=line.email,
                hours_left=line.hours_left,
                late=line.deadline_window == Window.LATE.value,
                possible_duplicate=bool(line.possible_duplicate),
                preflight=line.preflight,
            )
            for line in self._database.read(query)
        ]

    def unsent(self, batch: str) -> int:
        """How many rows of ``batch`` would be sent now: ready ones, and those that were proven unsent."""
        states = [State.READY.value, *(state.value for state in RETRIED)]
        return len(self._newest(batch, states))

    def cutoff(self, batch: str, first: int) -> int:
        """The position of the ``first``-th row that may be sent; always the same row, whatever was sent already."""
        row, attempt = tables.row, tables.attempt
        released = exists().where(
            attempt.c.batch == row.c.batch, attempt.c.pos == row.c.pos, attempt.c.state != State.HELD.value
        )
        sendable = (row.c.state == State.READY.value) | ((row.c.state == State.HELD.value) & released)
        query = select(row.c.pos).where(row.c.batch == batch, sendable).order_by(row.c.pos).limit(first)
        found = self._database.read(query)
        return found[-1].pos if found else 0

    def waiting(self, batch: str, code: str) -> list[Waiting]:
        """The rows of ``batch`` that were held on arrival for the reason ``code`` and that nobody has released."""
        attempt = tables.attempt
        query = (
            tables.with_rows(attempt.c.id, attempt.c.v, attempt.c.pos, tables.row.c.remarks)
            .where(attempt.c.batch == batch, attempt.c.state == State.HELD.value)
            .order_by(attempt.c.pos)
        )
        return [
            Waiting(line.id, line.v, batch, line.pos)
            for line in self._database.read(query)
            if any(problem.code == code for problem in codec.remarks_from_text(line.remarks)[0])
        ]

    def waiting_since(self, before: datetime) -> set[str]:
        """Batches that came before ``before`` and have a row that is still followed or waits for a person."""
        attempt, batch = tables.attempt, tables.batch
        states = [state.value for state in FOLLOWED | PERSON]
        query = (
            select(attempt.c.batch)
            .distinct()
            .join(batch, batch.c.id == attempt.c.batch)
            .where(attempt.c.env == self._env, attempt.c.state.in_(states))
            .where(batch.c.created_utc < codec.to_text(before))
        )
        return {line.batch for line in self._database.read(query)}

    def sent_for(self, who: str, since: datetime, *, besides: str = "") -> int:
        """How many rows of batches approved by ``who`` (or by a name that begins so) were sent since, or are about to
        be; ``besides`` is a batch that does not count. Batches of more than a week before are past every deadline."""
        attempt, batch = tables.attempt, tables.batch
        oldest = codec.to_text(since - timedelta(days=8))
        counted = (attempt.c.sent_utc >= codec.to_text(since)) | (attempt.c.state == State.READY.value)
        query = (
            select(func.count())
            .select_from(attempt)
            .join(batch, batch.c.id == attempt.c.batch)
            .where(batch.c.env == self._env, batch.c.approved_by.startswith(who, autoescape=True), counted)
            .where(batch.c.created_utc >= oldest, batch.c.id != besides)
        )
        return int(self._database.read(query)[0][0])

    def followed(self, batches: Iterable[str] | None = None) -> list[Tracked]:
        """The rows that polling follows, and those returned (15) that have not had their one query."""
        attempt = tables.attempt
        states = [state.value for state in FOLLOWED]
        unasked = (attempt.c.state == State.RETURNED.value) & (attempt.c.queries == 0)
        query = select(attempt).where(attempt.c.env == self._env, attempt.c.state.in_(states) | unasked)
        if batches is not None:
            query = query.where(attempt.c.batch.in_(list(batches)))
        return [_tracked(line) for line in self._database.read(query.order_by(attempt.c.next_due, attempt.c.id))]

    def lines(self, info: BatchInfo) -> list[ResultLine]:
        """Every row of a batch in input order, duplicates with the line that they mirror."""
        attempts = self._database.read(_attempts(info.id))
        newest = {line.pos: line for line in attempts}
        rows = self._database.read(select(tables.row).where(tables.row.c.batch == info.id).order_by(tables.row.c.pos))
        plain = [result_line(row, newest.get(row.pos), info.sheet) for row in rows]
        if any(line.state in CLOSED for line in attempts):
            made = decided(self._database, info.id)
            plain = [_signed(line, made[line.pos]) if line.pos in made else line for line in plain]
        by_pos = {line.pos: line for line in plain}
        return [self._mirror(line, row, by_pos) for line, row in zip(plain, rows, strict=True)]

    def log(self, info: BatchInfo) -> Log:
        """The log of a batch, oldest first; read again each time it is gone through."""
        return Log(self, info)

    def events(self, info: BatchInfo) -> Iterator[EventLine]:
        """One pass over the log of a batch, oldest first."""
        event, row = tables.event, tables.row
        query = (
            select(event, row.c.line, row.c.cufe)
            .join(row, (row.c.batch == event.c.batch) & (row.c.pos == event.c.pos), isouter=True)
            .where(event.c.batch == info.id)
            .order_by(event.c.seq)
        )
        for line in self._database.read(query):
            yield EventLine(
                seq=line.seq,
                at=codec.to_time(line.utc),
                pos=line.pos,
                position=Position(info.sheet, line.line),
                source=State(line.from_),
                target=State(line.to_),
                event=Event(line.event),
                cufe=line.cufe,
                http=line.http,
                estado=line.estado,
                message=line.message,
                note=line.note,
                who=line.who,
            )

    def extract(self, info: BatchInfo) -> Extract:
        """Every column that the ledger holds of a batch, for its evidence pack."""
        return Extract(self._database, info.id)

    def counts(self, batch: str) -> dict[str, int]:
        """How many rows of ``batch`` show which outcome word."""
        row, attempt = tables.row, tables.attempt
        total: Counter[str] = Counter()
        without = select(row.c.state, func.count()).where(
            row.c.batch == batch, row.c.state.not_in([State.READY.value, State.HELD.value])
        )
        for state, count in self._database.read(without.group_by(row.c.state)):
            total[outcome(State(state)).value] += count
        alive = (attempt.c.source == Source.QUERY.value) & (attempt.c.estado == 2)
        unsent = attempt.c.note == PREFLIGHT
        again = attempt.c.possible_duplicate
        with_attempt = (
            select(attempt.c.state, alive.label("alive"), unsent.label("unsent"), again, func.count())
            .where(attempt.c.batch == batch, _is_newest())
            .group_by(attempt.c.state, alive, unsent, again)
        )
        for state, is_alive, is_unsent, is_again, count in self._database.read(with_attempt):
            word = outcome(State(state), alive=bool(is_alive), unsent=bool(is_unsent), again=bool(is_again))
            total[word.value] += count
        return dict(total)

    def _newest(self, batch: str, states: list[str]) -> Sequence[Any]:
        attempt = tables.attempt
        query = select(attempt.c.pos).where(attempt.c.batch == batch, attempt.c.state.in_(states))
        return self._database.read(query.where(_is_newest()))

    def _info(self, line: Any) -> BatchInfo:
        return BatchInfo(
            id=line.id,
            file=line.file,
            folder=line.folder,
            sha256=line.sha256,
            env=line.env,
            sheet=line.sheet or None,
            rows=line.n_rows,
            headings=tuple(json.loads(line.headings)),
            created=codec.to_time(line.created_utc),
            approved_by=line.approved_by or None,
            started=self._moment(line.id, tables.event.c.seq),
            ended=self._moment(line.id, tables.event.c.seq.desc()),
            issuers=tuple(json.loads(line.issuers)),
            notes=tuple(json.loads(line.notes)),
            deadline_hours=line.deadline_hours,
            counts=self.counts(line.id),
            corrects=line.corrects,
            corrects_known=self.has(line.corrects or ""),
            corrected_in=self._corrected_in(line.id),
        )

    def _corrected_in(self, batch: str) -> tuple[str, ...]:
        head = tables.batch.c
        query = select(head.id).where(head.env == self._env, head.corrects == batch)
        return tuple(line.id for line in self._database.read(query.order_by(head.created_utc, head.id)))

    def _moment(self, batch: str, order: Any) -> datetime | None:
        """When the first event of ``batch`` in this order happened: two looks at an index, however long the log is."""
        query = select(tables.event.c.utc).where(tables.event.c.batch == batch).order_by(order).limit(1)
        found = self._database.read(query)
        return codec.to_time(found[0].utc) if found else None

    def _mirror(self, line: ResultLine, row: Any, by_pos: dict[int, ResultLine]) -> ResultLine:
        if row.leader_pos is None:
            return line
        if row.leader_batch is None:
            leader = by_pos[row.leader_pos]
            return replace(line, leader=Leader(None, leader.pos, leader.position), mirrored=leader)
        other = self._database.read(
            select(tables.row, tables.batch.c.sheet)
            .join(tables.batch, tables.batch.c.id == tables.row.c.batch)
            .where(tables.row.c.batch == row.leader_batch, tables.row.c.pos == row.leader_pos)
        )[0]
        attempts = self._database.read(_attempts(row.leader_batch).where(tables.attempt.c.pos == row.leader_pos))
        leader = result_line(other, attempts[-1] if attempts else None, other.sheet or None)
        return replace(line, leader=Leader(row.leader_batch, leader.pos, leader.position), mirrored=leader)


def _signed(line: ResultLine, decision: tuple[str, str]) -> ResultLine:
    return replace(line, decided_by=decision[0], decided_why=decision[1].rstrip("."))


class Log:
    """A batch's events as a collection that can be gone through more than once."""

    def __init__(self, views: Views, info: BatchInfo) -> None:
        self._views, self._info = views, info

    def __iter__(self) -> Iterator[EventLine]:
        return self._views.events(self._info)


def _is_newest() -> Any:
    """Whether the attempt that the outer query looks at is the newest of its row.

    Only what ended in one of few states can have been followed by another attempt; for all others, nearly all of a
    large batch, nothing has to be looked up.
    """
    attempt, other = tables.attempt, tables.attempt.alias()
    newest = (
        select(func.max(other.c.n))
        .where(other.c.batch == attempt.c.batch, other.c.pos == attempt.c.pos)
        .correlate(attempt)
        .scalar_subquery()
    )
    return attempt.c.state.not_in([state.value for state in _MAY_BE_FOLLOWED]) | (attempt.c.n == newest)


def _attempts(batch: str) -> Select[Any]:
    """Attempts of a batch, oldest first: in a dict by row the newest stays."""
    return (
        select(tables.attempt).where(tables.attempt.c.batch == batch).order_by(tables.attempt.c.pos, tables.attempt.c.n)
    )


def _tracked(line: Any) -> Tracked:
    since: datetime | None = codec.maybe_time(line.sent_utc)
    assert since is not None, "a followed row always had its intent recorded"
    return Tracked(
        attempt=line.id,
        version=line.v,
        batch=line.batch,
        pos=line.pos,
        cufe=line.cufe,
        state=State(line.state),
        since=since,
        queries=line.queries,
        misses=line.misses,
        next_due=codec.maybe_time(line.next_due),
        queried_at=codec.maybe_time(line.queried_utc),
        last_estado=line.estado,
        last_source=Source(line.source) if line.source else None,
        preflight=line.preflight,
    )


def result_line(row: Any, attempt: Any | None, sheet: str | None) -> ResultLine:
    """A row with its newest attempt as the report sees it; both have the attributes of their tables."""
    problems, repairs, warnings = codec.remarks_from_text(row.remarks)
    window = Window(row.deadline_window) if row.deadline_window else None
    line = ResultLine(
        pos=row.pos,
        position=Position(sheet, row.line),
        cells=codec.cells_from_text(row.cells),
        state=State(row.state),
        cufe=row.cufe,
        reason=row.reason,
        email=row.email,
        problems=problems,
        repairs=repairs,
        warnings=warnings,
        deadline=Deadline(window, row.hours_left) if window else None,
    )
    if attempt is None:
        return line
    state = State(attempt.state)
    was_sent = state not in _UNSENT and attempt.sent_utc is not None
    return replace(
        line,
        state=state,
        sent_cufe=row.cufe if was_sent else None,
        attempts=attempt.n,
        again=bool(attempt.possible_duplicate),
        estado=attempt.estado,
        source=Source(attempt.source) if attempt.source else None,
        dgi=attempt.dgi,
        message=attempt.message,
        authorised_at=attempt.authorised_at,
        http=attempt.http,
        note=attempt.note,
        sent_at=codec.maybe_time(attempt.sent_utc) if was_sent else None,
        queried_at=codec.maybe_time(attempt.queried_utc),
        queries=attempt.queries,
        next_due=codec.maybe_time(attempt.next_due),
    )
