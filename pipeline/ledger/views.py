"""Views: everything that reads the ledger: rows ready or followed, and what the report shows. Changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, exists, func, select

from pipeline.domain.cufe import DAY, document_of
from pipeline.domain.deadline import Window, limit_of_day
from pipeline.domain.lifecycle import FOLLOWED, PERSON, RETRIED, TAKES_DOCUMENT, State
from pipeline.domain.outcomes import ELSEWHERE, STOPPED
from pipeline.domain.records import BatchInfo, Cancellation, Position, ResultLine, Seen, Source, Tally, Tracked, Waiting
from pipeline.ledger import codec, tables
from pipeline.ledger.batches import Batches, head_of
from pipeline.ledger.cap import Cap
from pipeline.ledger.counts import IN, count_where, is_newest
from pipeline.ledger.decisions import RowStatus, standing
from pipeline.ledger.extract import Extract
from pipeline.ledger.ledger_events import id_of
from pipeline.ledger.lineage import fixed_rows
from pipeline.ledger.scope import Scope
from pipeline.ledger.snapshot import Gathering, Log, Shared, Whole, in_parts
from pipeline.ledger.storage.database import Database
from pipeline.ledger.values import payload_of

if TYPE_CHECKING:
    from pipeline.ledger.kept_counts import KeptCounts
    from pipeline.ledger.pages import Pages
    from pipeline.ledger.search import Search

_PREFIX = 32  # FE, type, issuer and branch
_NUMBER = slice(-13, -3)  # of a document, which ends with its number and the point of invoicing
_ON_THE_WAY = (State.READY.value, State.SENDING.value)


class Views(Batches):
    """Reads of one environment's rows. ``scope`` limits which rows may be sent or followed; all rows are shown."""

    def __init__(
        self, database: Database, env: str, scope: Scope | None = None, kept: KeptCounts | None = None
    ) -> None:
        super().__init__(database, env, kept)
        self._database = database
        self._scope = scope or Scope()

    def under(self, env: str, scope: Scope) -> Views:
        """The same ledger for a run of another credential."""
        return Views(self._database, env, scope)

    def of(self, env: str) -> Views:
        """The same ledger for another environment, read only."""
        return Views(self._database, env, self._scope, self._kept)

    def ledger_id(self) -> str:
        """Id of the ledger, which an approval is bound to."""
        return id_of(self._database)

    def has_seal(self, batch: str, seq: int, hash_: str) -> bool:
        """Whether the event with this number is one of ``batch`` and has this hash (hex)."""
        event = tables.event.c
        found = self._database.read(select(event.hash).where(event.batch == batch, event.seq == seq, event.pos > 0))
        return bool(found) and bytes(found[0].hash).hex() == hash_

    def left_over(self, note: str) -> list[str]:
        """Batches with a note that contains this text, oldest first, in which a row of this scope is to be sent, or was
        being sent by a process that may have ended."""
        attempt, batch = tables.attempt, tables.batch
        query = (
            select(batch.c.id)
            .where(batch.c.env == self._env, batch.c.notes.contains(note, autoescape=True))
            .where(
                exists().where(
                    attempt.c.batch == batch.c.id, attempt.c.state.in_(_ON_THE_WAY), self._scope.rows(attempt)
                )
            )
            .order_by(batch.c.created_utc, batch.c.id)
        )
        return [line.id for line in self._database.read(query)]

    def holding(self) -> list[str]:
        """Batches of this scope with a row that waits for a person before it may be sent, oldest first."""
        attempt, batch = tables.attempt, tables.batch
        waits = exists().where(
            attempt.c.batch == batch.c.id, attempt.c.state == State.HELD.value, self._scope.rows(attempt)
        )
        query = select(batch.c.id).where(batch.c.env == self._env, waits).order_by(batch.c.created_utc, batch.c.id)
        return [line.id for line in self._database.read(query)]

    def on_the_way(self, batch: str) -> bool:
        """Whether a row of ``batch`` is to be sent, or was being sent by a process that may have ended."""
        return bool(self._on_the_way([batch], self._scope))

    def all_on_the_way(self, batches: Sequence[str]) -> set[str]:
        """Which of ``batches`` have such a row, for any credential."""
        return self._on_the_way(batches, Scope())

    def _on_the_way(self, batches: Sequence[str], scope: Scope) -> set[str]:
        attempt, found = tables.attempt, set()
        for start in range(0, len(batches), IN):
            query = select(attempt.c.batch).distinct()
            these = attempt.c.batch.in_(batches[start : start + IN])
            query = query.where(these, attempt.c.state.in_(_ON_THE_WAY), scope.rows(attempt))
            found |= {line.batch for line in self._database.read(query)}
        return found

    def cut_off(self) -> set[str]:
        """Batches in which a row of this scope was being sent by a run that may have ended; the next run recovers
        it."""
        attempt = tables.attempt
        query = select(attempt.c.batch).distinct()
        query = query.where(attempt.c.env == self._env, attempt.c.state == State.SENDING.value)
        return {line.batch for line in self._database.read(query.where(self._scope.rows(attempt)))}

    def unasked_since(self, before: datetime) -> bool:
        """Whether a row of this scope is followed and was neither sent nor queried since ``before``."""
        attempt = tables.attempt
        last_exchange = func.coalesce(attempt.c.queried_utc, attempt.c.sent_utc)
        query = select(attempt.c.id).where(
            attempt.c.env == self._env,
            attempt.c.state.in_([state.value for state in FOLLOWED]),
            last_exchange < codec.to_text(before),
            self._scope.rows(attempt),
        )
        return bool(self._database.read(query.limit(1)))

    def of_another(self, batch: str) -> bool:
        """Whether rows of ``batch`` belong to another credential: then none is sent, queried or decided here."""
        attempt = tables.attempt
        query = select(attempt.c.id).where(attempt.c.batch == batch, ~self._scope.rows(attempt)).limit(1)
        return bool(not self._scope.everything and self._database.read(query))

    def is_foreign(self, batch: str) -> bool:
        """As ``of_another``, for who only looks: by the credential under which the batch was taken in. Only one from
        before there was such is told by its rows, of which there may be a hundred thousand."""
        query = select(tables.batch.c.credential).where(tables.batch.c.id == batch)
        marks = [line.credential for line in self._database.read(query)]
        if self._scope.everything or not marks or marks == [None]:
            return self.of_another(batch)
        return marks != [self._scope.credential]

    def lives(self, batch: str) -> bool:
        """Whether a row of ``batch`` keeps its CUFE: it waits, was sent, or may have been."""
        attempt = tables.attempt
        query = select(attempt.c.id).where(attempt.c.batch == batch, tables.live(attempt)).limit(1)
        return bool(self._database.read(query))

    def seen(self, cufes: Sequence[str]) -> dict[str, Seen]:
        """The live attempts of these CUFEs: possible duplicates or conflicts."""
        found: dict[str, Seen] = {}
        for start in range(0, len(cufes), IN):
            query = (
                tables.with_rows(
                    tables.attempt.c.cufe,
                    tables.attempt.c.batch,
                    tables.attempt.c.pos,
                    tables.attempt.c.state,
                    tables.attempt.c.reason,
                    tables.attempt.c.email,
                    tables.row.c.line,
                    tables.row.c.payload_sha256,
                    tables.batch.c.sheet,
                )
                .join(tables.batch, tables.OF_BATCH)
                .where(
                    tables.attempt.c.env == self._env,
                    tables.attempt.c.cufe.in_(cufes[start : start + IN]),
                    tables.live(tables.attempt),
                )
            )
            for line in self._database.read(query):
                where = Position(line.sheet or None, line.line)
                found[line.cufe] = Seen(line.cufe, line.batch, line.pos, where, payload_of(line), State(line.state))
        return found

    def taken(self, cufes: Sequence[str]) -> list[Seen]:
        """Codes of the same fiscal documents as ``cufes`` that were sent and not refused, these codes included."""
        attempt, batch = tables.attempt, tables.batch
        wanted: dict[str, set[str]] = {}
        for cufe in cufes:
            wanted.setdefault(cufe[:_PREFIX], set()).add(document_of(cufe))
        columns = (attempt.c.cufe, attempt.c.batch, attempt.c.pos, attempt.c.state, tables.row.c.line)
        query = (
            tables.with_rows(*columns, batch.c.sheet)
            .join(batch, tables.OF_BATCH)
            .where(attempt.c.env == self._env, tables.live(attempt))
            .where(attempt.c.state.in_([state.value for state in TAKES_DOCUMENT]))
            .where((attempt.c.sent_utc.is_not(None)) | (attempt.c.state == State.ALREADY_CANCELLED.value))
        )
        found: list[Seen] = []
        for prefix, documents in wanted.items():
            for name, places in self._same(prefix, documents).items():
                of_batch = query.where(attempt.c.batch == name)
                for start in range(0, len(places), IN):
                    for line in self._database.read(of_batch.where(attempt.c.pos.in_(places[start : start + IN]))):
                        where = Position(line.sheet or None, line.line)
                        found.append(Seen(line.cufe, line.batch, line.pos, where, "", State(line.state)))
        return found

    def _same(self, prefix: str, documents: set[str]) -> dict[str, list[int]]:
        """Rows of these documents of one issuer, by batch.

        By their numbers, which have an index: that costs the same with whatever past. On a server many issuers have
        the same numbers, so there, for many documents, all codes of the issuer are gone through, in the order of the
        index of live codes.
        """
        row, attempt, found = tables.row.c, tables.attempt.c, dict[str, list[int]]()
        if len(documents) > IN and self._database.shared:
            codes = select(attempt.id, attempt.batch, attempt.pos, attempt.cufe)
            codes = codes.where(attempt.env == self._env, tables.live(tables.attempt), self._begins(prefix))
            parts = in_parts(self._database, codes, attempt.id)
        else:
            numbers = sorted({document[_NUMBER] for document in documents})
            by_number = select(row.batch, row.pos, row.cufe)
            parts = (
                self._database.read(by_number.where(tables.number(row.cufe).in_(numbers[start : start + IN])))
                for start in range(0, len(numbers), IN)
            )
        for line in chain.from_iterable(parts):
            if line.cufe.startswith(prefix) and document_of(line.cufe) in documents:
                found.setdefault(line.batch, []).append(line.pos)
        return found

    def _begins(self, prefix: str) -> ColumnElement[bool]:
        """Codes that begin with ``prefix``. SQLite compares bytes and can use its index; a server compares by
        language."""
        cufe = tables.attempt.c.cufe
        if self._database.shared:
            return func.substr(cufe, 1, len(prefix)) == prefix
        return (cufe > prefix) & (cufe < f"{prefix}~")

    def ready(self, batch: str) -> list[Cancellation]:
        """The rows of ``batch`` that may be sent, in input order."""
        return self._with_texts(batch, State.READY)

    def held(self, batch: str) -> list[Cancellation]:
        """The rows of ``batch`` that wait for a person, for whatever reason, with what they would send."""
        return self._with_texts(batch, State.HELD)

    def _with_texts(self, batch: str, state: State) -> list[Cancellation]:
        row, shared = tables.row.c, Shared()
        texts = tables.SENT_REASON, tables.SENT_EMAIL
        query = tables.with_rows(tables.attempt, *texts, row.hours_left, row.deadline_window).where(
            tables.attempt.c.batch == batch,
            tables.attempt.c.state == state.value,
            self._scope.rows(tables.attempt),
        )
        return [
            Cancellation(
                attempt=line.id,
                version=line.v,
                number=line.n,
                batch=batch,
                pos=line.pos,
                cufe=line.cufe,
                reason=shared(line.sent_reason),
                email=shared(line.sent_email),
                hours_left=line.hours_left,
                late=line.deadline_window == Window.LATE.value,
                possible_duplicate=bool(line.possible_duplicate),
                preflight=line.preflight,
                corrected=line.reason is not None,
            )
            for part in in_parts(self._database, query, tables.attempt.c.pos)  # at most one such attempt per row
            for line in part
        ]

    def issuers(self) -> list[str]:
        """RUCs of the issuers in the batches of this environment and scope, sorted: of each batch one line is read."""
        batch = tables.batch
        query = select(batch.c.issuers).distinct().where(batch.c.env == self._env, self._scope.rows(batch))
        return sorted({ruc for line in self._database.read(query) for ruc in json.loads(line.issuers)})

    def newest(self) -> BatchInfo | None:
        """The batch of this environment and scope that was taken in last, as it was taken in; None without any."""
        batch = tables.batch
        query = select(batch).where(batch.c.env == self._env, self._scope.rows(batch))
        found = self._database.read(query.order_by(*tables.newest_first()).limit(1))
        return head_of(found[0]) if found else None

    def unsent(self, batch: str) -> int:
        """How many rows of ``batch`` would be sent now: ready ones, and those proven not sent."""
        return int(self._database.read(self._unsent(batch, func.count()))[0][0])

    def unsent_codes(self, batch: str) -> list[str]:
        """The codes of those rows."""
        return [line.cufe for line in self._database.read(self._unsent(batch, tables.attempt.c.cufe))]

    def _unsent(self, batch: str, what: Any) -> Any:
        states = [State.READY.value, *(state.value for state in RETRIED)]
        attempt = tables.attempt.c
        query = select(what).where(attempt.batch == batch, attempt.state.in_(states))
        elsewhere = (attempt.state == State.NOT_SENT.value) & (attempt.note == ELSEWHERE)
        return query.where(is_newest(), ~elsewhere)

    def elsewhere(self, batch: str) -> int:
        """How many rows of ``batch`` were not sent because another ledger of this machine had sent them."""
        return int(self._database.read(self._elsewhere(batch, func.count()))[0][0])

    def elsewhere_codes(self, batch: str) -> list[str]:
        """The codes of those rows."""
        return [line.cufe for line in self._database.read(self._elsewhere(batch, tables.attempt.c.cufe))]

    def _elsewhere(self, batch: str, what: Any) -> Any:
        attempt = tables.attempt.c
        query = select(what).where(attempt.batch == batch, attempt.state == State.NOT_SENT.value)
        return query.where(attempt.note == ELSEWHERE, is_newest())

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
        """The rows of ``batch`` that were held on arrival with the problem ``code`` and are not released yet."""
        attempt = tables.attempt
        query = (
            tables.with_rows(attempt.c.id, attempt.c.v, attempt.c.pos, attempt.c.cufe, tables.row.c.remarks)
            .where(attempt.c.batch == batch, attempt.c.state == State.HELD.value)
            .order_by(attempt.c.pos)
        )
        return [
            Waiting(line.id, line.v, batch, line.pos, line.cufe)
            for line in self._database.read(query)
            if any(problem.code == code for problem in codec.remarks_from_text(line.remarks)[0])
        ]

    def stopped(self, batch: str) -> list[Waiting]:
        """The rows of ``batch`` that validation accepted and that a stop of the sending holds now."""
        attempt = tables.attempt
        query = (
            tables.with_rows(attempt.c.id, attempt.c.v, attempt.c.pos, attempt.c.cufe)
            .where(attempt.c.batch == batch, attempt.c.state == State.HELD.value)
            .where(attempt.c.note.startswith(STOPPED, autoescape=True), self._scope.rows(attempt))
            .order_by(attempt.c.pos)
        )
        return [Waiting(line.id, line.v, batch, line.pos, line.cufe) for line in self._database.read(query)]

    def waiting_since(self, before: datetime) -> set[str]:
        """Batches from before ``before`` with a row that is still followed or waits for a person."""
        attempt, batch = tables.attempt, tables.batch
        states = [state.value for state in FOLLOWED | PERSON]
        query = (
            select(attempt.c.batch)
            .distinct()
            .join(batch, tables.OF_BATCH)
            .where(attempt.c.env == self._env, attempt.c.state.in_(states), self._scope.rows(attempt))
            .where(batch.c.created_utc < codec.to_text(before))
        )
        return {line.batch for line in self._database.read(query)}

    def sent_for(self, who: str, since: datetime, *, besides: str = "") -> int:
        """How many rows of batches approved by ``who`` (or by a name that starts with it) were sent since, or are about
        to be; ``besides`` is a batch that does not count. Batches older than a week are past every deadline."""
        query = Cap(who, since, besides=besides).query(self._env, self._scope)
        return int(self._database.read(query)[0][0])

    def followed(self, batches: Iterable[str] | None = None, *, by_answer: bool = False) -> list[Tracked]:
        """The rows that polling follows, and those returned (15) that have not had their one query.

        ``by_answer`` looks up in the log which of them had their cancellation answered with a state (``answered``).
        """
        attempt = tables.attempt
        states = [state.value for state in FOLLOWED]
        unasked = (attempt.c.state == State.RETURNED.value) & (attempt.c.queries == 0)
        query = select(attempt).where(attempt.c.env == self._env, attempt.c.state.in_(states) | unasked)
        query = query.where(self._scope.rows(attempt))
        if batches is not None:
            query = query.where(attempt.c.batch.in_(list(batches)))
        query = query.order_by(attempt.c.next_due.nulls_first(), attempt.c.id)
        lines = self._database.read(query)
        answered = self._answered({line.batch for line in lines}) if by_answer else frozenset()
        return [_tracked(line, line.id in answered) for line in lines]

    def _answered(self, batches: Iterable[str]) -> frozenset[int]:
        """The attempts of ``batches`` whose cancellation eDoc answered with a state that is followed."""
        event, found, names = tables.event, set(), sorted(batches)
        states = [State.PENDING.value, State.RETURNED.value]
        for start in range(0, len(names), IN):
            query = select(event.c.attempt).where(event.c.batch.in_(names[start : start + IN]))
            query = query.where(event.c.from_ == State.SENDING.value, event.c.to_.in_(states))
            found |= {line.attempt for line in self._database.read(query)}
        return frozenset(found)

    def tally(self) -> Tally:
        """Row counts of the whole ledger, for monitoring; of a shared ledger, the rows of this credential."""
        attempt, row, mine = tables.attempt, tables.row, self._scope.rows(tables.attempt)
        batches = select(tables.batch.c.id).where(tables.batch.c.env == self._env)
        if not self._scope.everything:
            batches = batches.where(tables.batch.c.id.in_(select(attempt.c.batch).where(mine)))
        states = [state.value for state in FOLLOWED]
        oldest = select(func.min(attempt.c.sent_utc)).where(
            attempt.c.env == self._env, attempt.c.state.in_(states), mine
        )
        since = self._database.read(oldest)[0][0]
        return Tally(
            count_where(self._database, row.c.batch.in_(batches), (attempt.c.env == self._env) & mine),
            codec.maybe_time(since),
            self._held_until(),
        )

    def _held_until(self) -> datetime | None:
        """The first legal limit of a row that waits for a person's approval."""
        attempt, batch = tables.attempt, tables.batch
        first = func.min(func.substr(attempt.c.cufe, DAY.start + 1, DAY.stop - DAY.start))
        query = (
            select(first.label("day"), batch.c.deadline_hours)
            .join(batch, tables.OF_BATCH)
            .where(attempt.c.env == self._env, attempt.c.state == State.HELD.value, self._scope.rows(attempt))
            .group_by(batch.c.deadline_hours)
        )
        limits = [limit_of_day(line.day, line.deadline_hours) for line in self._database.read(query)]
        return min((limit for limit in limits if limit is not None), default=None)

    def whole(self, info: BatchInfo) -> Whole:
        """A batch at one moment: its totals, its rows and its log agree, whatever a parallel run does."""
        gathering = Gathering(self._database, info)
        gathering.read()
        with self._database.moment() as moment:
            last = gathering.catch_up(moment)
            there = Batches(moment, self._env)
            fresh = there.batch(info.id)
            if fresh is not None and gathering.held:
                fresh = replace(fresh, approvals=there.approvals(info.id))
        lines = gathering.lines()
        for pos, (where, told) in fixed_rows(self._database, info.id).items():
            lines[pos - 1] = replace(lines[pos - 1], fixed_in=where, fixed=told)
        return Whole(fresh or info, lines, Log(self._database, info, last))

    def standing(self, info: BatchInfo, number: int) -> RowStatus:
        """The row of ``info`` that the results call row or line ``number``. Raises ``WrongUsage``."""
        return standing(self._database, info, number)

    def lines(self, info: BatchInfo) -> list[ResultLine]:
        """Every row of a batch in input order, duplicates with the line that they mirror."""
        return self.whole(info).lines

    def log(self, info: BatchInfo) -> Log:
        """The log of a batch, oldest first; read again on each iteration."""
        return Log(self._database, info)

    def search(self) -> Search:
        """Rows and batches by what a person has in hand."""
        from pipeline.ledger.search import Search

        return Search(self._database, self._env, self._kept)

    def pages(self) -> Pages:
        """What a page shows of this scope's batches."""
        from pipeline.ledger.pages import Pages

        return Pages(self._database, self._env, self._scope, self._kept)

    def extract(self, info: BatchInfo) -> Extract:
        """All columns of a batch, for its evidence pack."""
        return Extract(self._database, info)


def _tracked(line: Any, answered: bool) -> Tracked:
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
        answered=answered,
    )
