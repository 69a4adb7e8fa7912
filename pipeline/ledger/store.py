"""Everything that writes the ledger. Each method is one transaction: whole, durable, or not at all.

Every move is a compare-and-set on (id, state, version), fenced by the run's epoch, with its event in the same
transaction (reliability.md R3, R8). A compare-and-set that finds another state is a bug and changes nothing.
"""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import exists, func, insert, select, true
from sqlalchemy.engine import Connection

from pipeline.domain.errors import Bug, SendingStopped
from pipeline.domain.lifecycle import FOLLOWED, RETRIED, Event, State, move
from pipeline.domain.outcomes import BARRED, ELSEWHERE, STOPPED
from pipeline.domain.records import BatchInfo, CheckedRow, Correction, Source, Verdict, Waiting
from pipeline.ledger import codec, reserve_journal, tables
from pipeline.ledger.cap import Cap
from pipeline.ledger.chain import head_digest, row_digest
from pipeline.ledger.ledger_events import append
from pipeline.ledger.moves import Move, Moved
from pipeline.ledger.ownership import who_am_i
from pipeline.ledger.reserve_journal import Kept
from pipeline.ledger.scope import Scope
from pipeline.ledger.sent import Sending, Sent
from pipeline.ledger.statements import CLAIM, FIND, NEWEST, Fence
from pipeline.ledger.storage.database import Database
from pipeline.ledger.storage.files import storage_errors
from pipeline.ledger.values import (
    VALIDATED,
    batch_values,
    event_values,
    fresh_attempt,
    intake_event,
    move_event,
    move_facts,
    payload_of,
    row_values,
)
from pipeline.ledger.watermark import Keeping
from pipeline.runtime.failpoints import crashpoint
from pipeline.telemetry.events import SILENT, EventBus

_CHUNK = 5_000


class Store:
    """Writes of one run. ``begin_run`` first; it fences every other run that still believes it owns these rows.

    ``scope``: whose rows the run may touch; without it, every row where one run owns the ledger, else those that bear
    no credential. ``sent`` remembers each claim on this machine; ``keeping`` notes how far the ledger has come.
    """

    def __init__(
        self,
        database: Database,
        env: str,
        scope: Scope | None = None,
        bus: EventBus = SILENT,
        sent: Sent | None = None,
        keeping: Keeping | None = None,
    ) -> None:
        self._database = database
        self._env = env
        self._scope = scope or Scope(alone=not database.shared)
        self._epoch = 0
        self._bus = bus
        self._sent, self._keeping = sent, keeping
        self._reserve = database.reserve(self._scope.credential)

    @property
    def at_the_desk(self) -> bool:
        """Whether batches are only handed in here, for a run to send."""
        return self._scope.desk

    def begin_run(self, now: datetime) -> int:
        """Registers this run; its number is the epoch of all its moves."""
        with self._database.write() as connection:
            self._database.check_owned(connection)
            values = {
                "started_utc": codec.to_text(now),
                "who": who_am_i(),
                "host": platform.node(),
                # The newest run of a credential fences those before it; handing in is no run and fences nobody.
                "credential": None if self._scope.desk else self._scope.credential,
            }
            key = connection.execute(insert(tables.run).values(values)).inserted_primary_key
            assert key is not None
            self._epoch = int(key[0])
            crashpoint("begin-run-before-commit")
        crashpoint("begin-run-after-commit")
        self._bus = self._bus.bind(run=self._epoch)
        self._bus.note("run_started")
        return self._epoch

    def intake(self, info: BatchInfo, rows: Sequence[CheckedRow], cap: Cap | None = None) -> None:
        """All rows of a file in one transaction, before anything is sent (R5). ``cap`` is weighed in it: what others
        took in meanwhile counts. Raises ``StorageTrouble`` (``ledger-taken``) when they no longer fit."""
        at = codec.to_text(info.created)
        head = batch_values(info, self._env, self._scope.credential)
        mark = head_digest(head)
        with self._database.write() as connection:
            self._begins(connection)
            if cap is not None:
                accepted = sum(row.verdict is Verdict.ACCEPTED for row in rows)
                before = int(connection.execute(cap.query(self._env, self._scope)).scalar_one())
                if accepted and before + accepted > cap.most:
                    raise cap.filled()
            connection.execute(insert(tables.batch).values(head))
            crashpoint("intake-batch-written")
            for start in range(0, len(rows), _CHUNK):
                chunk = rows[start : start + _CHUNK]
                values = [row_values(info.id, row) for row in chunk]
                connection.execute(insert(tables.row), values)
                live = [row for row in chunk if row.verdict in (Verdict.ACCEPTED, Verdict.HELD)]
                if live:
                    connection.execute(insert(tables.attempt), [self._attempt_values(info.id, row) for row in live])
                events = [
                    intake_event(info, row, at, row_digest(mark, one)) for row, one in zip(chunk, values, strict=True)
                ]
                self._append(connection, events)
            crashpoint("intake-before-commit")
        crashpoint("intake-after-commit")
        if self._keeping is not None:
            self._keeping.renew()
        if self._bus.has_listeners:
            verdicts = dict(Counter(row.verdict.value for row in rows))
            facts = {"batch": info.id, "file": info.file, "sha256": info.sha256, "corrects": info.corrects}
            self._bus.note("batch_taken", **facts, rows=len(rows), verdicts=verdicts)

    def apply(self, moves: Sequence[Move]) -> list[Moved]:
        """All moves in one transaction (group commit). Raises ``Bug`` when any compare-and-set fails.

        Who only hands in may release what was held on arrival, and move nothing else.
        """
        if self._scope.desk and any(wish.event is not Event.APPROVED for wish in moves):
            raise Bug("who hands batches in moves no row")
        if self._sent is not None and any(wish.event is Event.CLAIMED and not wish.cufe for wish in moves):
            raise Bug("a claim that does not say which document it is about")
        if any(wish.corrects_unproven for wish in moves):
            raise Bug("a resend with other texts of what may have been accepted")
        with self._database.write() as connection:
            if any(wish.event is Event.CLAIMED for wish in moves):
                self._database.check_owned(connection)  # an answer is recorded all the same: the epoch fences it
            self._compare_and_set(connection, moves)
            crashpoint("apply-moved")
            events = [move_event(wish) for wish in moves]
            self._append(connection, events)
            moved = [
                Moved(wish.version + 1, wish.target, self._add_attempt(connection, wish) if wish.retry else None)
                for wish in moves
            ]
            crashpoint("apply-before-commit")
        crashpoint("apply-after-commit")
        if any(wish.event is Event.CLAIMED for wish in moves):
            moved = self._remembered(moves, events, moved)
        if self._bus.has_listeners:
            for wish, done in zip(moves, moved, strict=True):
                self._bus.note("row_moved", **move_facts(wish, done))
        return moved

    def _remembered(
        self, moves: Sequence[Move], events: Sequence[Mapping[str, Any]], moved: Sequence[Moved]
    ) -> list[Moved]:
        """``moved`` with what the machine's memory says of its claims, which are durable and have not left yet."""
        claims = [number for number, wish in enumerate(moves) if wish.event is Event.CLAIMED]
        done = list(moved)
        if self._sent is not None:
            sendings = [
                Sending(moves[n].cufe, events[n]["seq"], events[n]["hash"], moves[n].batch, events[n]["utc"])
                for n in claims
            ]
            for n, other in zip(claims, self._sent.insert(sendings), strict=True):
                if other is not None:
                    done[n] = replace(done[n], elsewhere=other)
                    self._bus.note("sent_elsewhere", batch=moves[n].batch, row=moves[n].pos, other=other.batch)
        if self._keeping is not None:
            self._keeping.claimed()
        return done

    @property
    def bus(self) -> EventBus:
        """Event bus whose events have this run's number."""
        return self._bus

    def recover(self, now: datetime) -> int:
        """Rows found in "sending" at start: outcome unknown, to be queried, never sent again (2.4).

        First, what an earlier run learnt and could not write is written: those rows are no longer unknown.
        """
        self._replay(now)
        with self._database.write() as connection:
            found = connection.execute(
                select(tables.attempt).where(
                    tables.attempt.c.state == State.SENDING.value,
                    tables.attempt.c.env == self._env,
                    self._scope.rows(tables.attempt),
                )
            ).all()
        moves = [
            Move.of(_waiting(line.id, line), State.SENDING, Event.RECOVERED, now, note="recovered", next_due=now)
            for line in found
        ]
        crashpoint("recover-found")
        for start in range(0, len(moves), _CHUNK):
            self.apply(moves[start : start + _CHUNK])
        crashpoint("recover-done")
        return len(moves)

    def approve(self, waiting: Sequence[Waiting], now: datetime, *, who: str, note: str = "") -> None:
        """A person releases rows that were held: they may be sent; who, when and a ``note`` stand in their events."""
        moves = [Move.of(one, State.HELD, Event.APPROVED, now, note=note, who=who) for one in waiting]
        for start in range(0, len(moves), _CHUNK):
            self.apply(moves[start : start + _CHUNK])

    def stop(self, batch: str, now: datetime, *, who: str, why: str) -> int:
        """Holds every row of ``batch`` that may be sent and was not claimed, or would be tried again, and returns how
        many. No run, worker or folder sends any of them until a person releases them (``approve``).

        Also who only hands in may do this while a run sends: its next claim finds the row held (``SendingStopped``).
        """
        self.reopen(batch, now, barred=False)
        attempt, held, note = tables.attempt, 0, f"{STOPPED}: {why}"
        query = select(attempt.c.id, attempt.c.v, attempt.c.batch, attempt.c.pos).where(
            attempt.c.batch == batch, attempt.c.state == State.READY.value, self._scope.rows(attempt)
        )
        while True:
            with self._database.write() as connection:
                found = connection.execute(query.order_by(attempt.c.pos).limit(_CHUNK)).all()
                moves = [
                    Move.of(_waiting(line.id, line), State.READY, Event.STOPPED, now, note=note, who=who)
                    for line in found
                ]
                self._compare_and_set(connection, moves)
                self._append(connection, [move_event(wish) for wish in moves])
                crashpoint("stop-before-commit")
            if not moves:
                return held
            held += len(moves)
            if self._bus.has_listeners:
                for wish in moves:
                    self._bus.note("row_moved", **move_facts(wish, Moved(wish.version + 1, wish.target)))

    def keep_aside(self, moves: Sequence[Move]) -> None:
        """Outcomes that could not be committed go to the reserve journal. Where that fails too they are unknown."""
        outcomes = [
            Kept(wish.attempt, wish.version, wish.payload, wish.at, wish.finding)
            for wish in moves
            if wish.source is State.SENDING and wish.finding is not None
        ]
        if outcomes:
            with suppress(OSError):
                reserve_journal.keep(self._reserve, outcomes)

    def _replay(self, now: datetime) -> None:
        """Gives what the reserve journal holds to the rows that are still undecided; the journal stays as evidence."""
        with storage_errors(self._reserve):
            kept, bad = reserve_journal.read(self._reserve)
        for one in kept:
            wish = self._outcome_of(one, now)
            if wish is not None:
                self.apply([wish])
        crashpoint("reserve-replayed")
        if kept or bad:
            with storage_errors(self._reserve):
                reserve_journal.put_away(self._reserve, self._epoch)

    def _outcome_of(self, one: Kept, now: datetime) -> Move | None:
        """The move that ``one`` asks for, if its attempt is still undecided and is about the very same payload."""
        attempt, row = tables.attempt, tables.row
        found = self._database.read(
            tables.with_rows(
                *(attempt.c.batch, attempt.c.pos, attempt.c.state, attempt.c.v, attempt.c.cufe),
                *(attempt.c.reason, attempt.c.email, row.c.payload_sha256),
            ).where(attempt.c.id == one.attempt)
        )
        if not found:
            return None
        line, event = found[0], one.finding.event
        if (line.state, line.v, payload_of(line)) != (State.SENDING.value, one.version, one.payload):
            return None
        due = now if move(State.SENDING, event) in FOLLOWED else None
        note = f"reserve {one.finding.note}".strip()
        return Move.of(_waiting(one.attempt, line), State.SENDING, event, one.at, one.finding, note, next_due=due)

    def reopen(self, batch: str, now: datetime, *, known_elsewhere_by: str = "", barred: bool = True) -> int:
        """A further attempt for each row that an earlier run proved unsent, unless its CUFE lives elsewhere. Those that
        another ledger of this machine sent only when a person (their name) knows it; eDoc is asked before. ``barred``:
        also those that the rules of a day kept back, to be judged by today's."""
        attempt = tables.attempt.alias()
        other = tables.attempt.alias()
        newest = select(func.max(other.c.n)).where(other.c.batch == attempt.c.batch, other.c.pos == attempt.c.pos)
        live = exists().where(
            other.c.env == attempt.c.env,
            other.c.cufe == attempt.c.cufe,
            tables.live(other),
        )
        with self._database.write() as connection:
            self._begins(connection)
            found = connection.execute(
                select(attempt)
                .where(
                    attempt.c.batch == batch,
                    self._scope.rows(attempt),
                    attempt.c.state.in_([state.value for state in RETRIED]),
                    attempt.c.n == newest.scalar_subquery(),
                    true() if known_elsewhere_by else attempt.c.note != ELSEWHERE,
                    true() if barred else ~attempt.c.note.startswith(BARRED, autoescape=True),
                    ~live,
                )
                .order_by(attempt.c.id)
            ).all()
            for line in found:
                known = known_elsewhere_by if line.note == ELSEWHERE else ""
                self._insert_next(connection, line, codec.to_text(now), known=known)
            crashpoint("reopen-before-commit")
        crashpoint("reopen-after-commit")
        if self._sent is not None:
            self._sent.allow(line.cufe for line in found if line.note == ELSEWHERE)
        if found:
            self._bus.note("rows_reopened", batch=batch, rows=len(found))
        return len(found)

    def _begins(self, connection: Connection) -> None:
        """Guard of a transaction that a run begins only while it owns its rows and no newer run does.

        Raises ``StorageTrouble``, ``Bug``.
        """
        self._database.check_owned(connection)
        if self._scope.alone or self._scope.desk:
            return  # the kernel holds the lock of the file; or nothing is begun but a batch
        newest = connection.execute(select(NEWEST[False]), {"b_credential": self._scope.credential}).scalar()
        if newest != self._epoch:
            raise Bug("a newer run owns the ledger")

    def _compare_and_set(self, connection: Connection, moves: Sequence[Move]) -> None:
        claims = [self._claim_values(wish) for wish in moves if wish.event is Event.CLAIMED]
        others = [self._finding_values(wish) for wish in moves if wish.event is not Event.CLAIMED]
        statements = CLAIM[self._fence], FIND[self._fence]
        for statement, values in zip(statements, (claims, others), strict=True):
            if values and connection.execute(statement, values).rowcount != len(values):
                if self._stopped(connection, moves):
                    raise SendingStopped
                raise Bug("a compare-and-set found another state, or a newer run owns the ledger")

    def _stopped(self, connection: Connection, moves: Sequence[Move]) -> bool:
        """Whether one of ``moves``, of a row that was to be sent, finds it held by a stop: on a server another
        process may ask for one while a run sends."""
        attempt = tables.attempt
        wanted = [wish.attempt for wish in moves if wish.source is State.READY and wish.event is not Event.STOPPED]
        query = select(attempt.c.id).where(attempt.c.id.in_(wanted), attempt.c.state == State.HELD.value)
        return connection.execute(query.where(attempt.c.note.startswith(STOPPED, autoescape=True))).first() is not None

    def _claim_values(self, wish: Move) -> dict[str, Any]:
        return {
            **self._whose(),
            "b_id": wish.attempt,
            "b_v": wish.version,
            "b_from": wish.source.value,
            "b_to": wish.target.value,
            "b_epoch": self._epoch,
            "b_sent": codec.to_text(wish.at),
        }

    @property
    def _fence(self) -> Fence:
        if self._scope.desk:
            return Fence.DESK
        if not self._scope.alone:
            return Fence.SERVER
        return Fence.EVERYTHING if self._scope.everything else Fence.FILE

    def _whose(self) -> dict[str, Any]:
        if self._scope.everything:
            return {}
        return {"b_credential": self._scope.credential, "b_orphans": self._scope.orphans}

    def _finding_values(self, wish: Move) -> dict[str, Any]:
        finding = wish.finding
        queried = finding is not None and finding.source is Source.QUERY
        first = queried and wish.source is State.READY  # before the sending: not one of the queries that follow it
        preflight = finding.estado if finding is not None and first else None
        if wish.target is State.READY:
            finding = None  # what was true before the sending must not look like an answer to it
        return {
            **self._whose(),
            "b_id": wish.attempt,
            "b_v": wish.version,
            "b_from": wish.source.value,
            "b_to": wish.target.value,
            "b_epoch": self._epoch,
            "b_estado": finding.estado if finding else None,
            "b_source": finding.source.value if finding else None,
            "b_dgi": finding.dgi if finding else None,
            "b_message": finding.message if finding else None,
            "b_authorised": finding.authorised_at if finding else None,
            "b_http": finding.http if finding else None,
            "b_note": wish.note or (finding.note if finding else ""),
            "b_due": codec.to_text(wish.next_due) if wish.next_due else None,
            "b_queried": codec.to_text(wish.at) if queried and not first else None,
            "b_query": int(queried and not first),
            "b_preflight": preflight,
            "b_miss": int(wish.miss),
        }

    def _append(self, connection: Connection, events: list[dict[str, Any]]) -> None:
        append(connection, self._epoch, events)

    def _add_attempt(self, connection: Connection, wish: Move) -> int:
        line = connection.execute(select(tables.attempt).where(tables.attempt.c.id == wish.attempt)).one()
        agreed = wish.finding.estado if wish.event is Event.RESEND and wish.finding is not None else None
        return self._insert_next(connection, line, codec.to_text(wish.at), agreed, correction=wish.correction)

    def _insert_next(
        self,
        connection: Connection,
        line: Any,
        at: str,
        preflight: int | None = None,
        known: str = "",
        correction: Correction | None = None,
    ) -> int:
        source = State(line.state)
        target = move(source, Event.RETRY)
        fresh = fresh_attempt(line.env, line.cufe, line.batch, line.pos, target, line.n + 1, self._epoch)
        fresh["credential"] = line.credential
        texts = correction or line  # what was corrected once stays corrected
        fresh.update(reason=texts.reason, email=texts.email)
        if source is State.CLOSED_RESEND:
            fresh.update(possible_duplicate=1, preflight=preflight)
        else:
            fresh.update(possible_duplicate=line.possible_duplicate, preflight=line.preflight)
        key = connection.execute(insert(tables.attempt).values(fresh)).inserted_primary_key
        assert key is not None
        number = int(key[0])
        note = f"attempt-{line.n + 1}{' known-elsewhere' if known else ''}"
        values = event_values(line.batch, line.pos, number, source, Event.RETRY, at, who=known, note=note)
        self._append(connection, [values])
        crashpoint("next-attempt-before-commit")
        return number

    def _attempt_values(self, batch: str, row: CheckedRow) -> dict[str, Any]:
        assert row.cufe is not None
        state = move(State.RECEIVED, VALIDATED[row.verdict])
        fresh = fresh_attempt(self._env, row.cufe, batch, row.pos, state, 1, self._epoch)
        return {**fresh, "credential": self._scope.credential}


def _waiting(attempt: int, line: Any) -> Waiting:
    """The handle of ``attempt``, from a line of the ledger that has its version and its row."""
    return Waiting(attempt, line.v, line.batch, line.pos)
