"""Batch queries: the batches of a ledger, and their row counts by outcome."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import func, select, text

from pipeline.domain.lifecycle import MOVES, Event, State
from pipeline.domain.outcomes import ELSEWHERE, PREFLIGHT, outcome
from pipeline.domain.records import Approval, BatchInfo, Seal, Source
from pipeline.ledger import codec, tables
from pipeline.ledger.lineage import CORRECTABLE, corrected_in, fixed_rows
from pipeline.ledger.moves import NO_DAY
from pipeline.ledger.storage.database import Reads

IN = 500
"""Values in one IN (...): SQLite's oldest limit is 999."""
_MAY_BE_FOLLOWED = tuple(source for source, event in MOVES if event is Event.RETRY)


class Batches:
    """The batches of one environment, now or at one moment."""

    def __init__(self, reads: Reads, env: str) -> None:
        self._reads = reads
        self._env = env

    def find(self, sha256: str, sheet: str | None) -> BatchInfo | None:
        """The batch of this file, if it was taken in before."""
        query = select(tables.batch).where(
            tables.batch.c.env == self._env, tables.batch.c.sha256 == sha256, tables.batch.c.sheet == (sheet or "")
        )
        found = self._reads.read(query)
        return self._info(found[0]) if found else None

    def batch(self, batch_id: str) -> BatchInfo | None:
        """One batch by its id, or by a unique prefix of it."""
        query = select(tables.batch).where(
            tables.batch.c.env == self._env, tables.batch.c.id.startswith(batch_id, autoescape=True)
        )
        found = self._reads.read(query.limit(2))
        return self._info(found[0]) if len(found) == 1 else None

    def beginning(self, text: str) -> list[str]:
        """The ids that begin with ``text``, the newest first."""
        head = tables.batch.c
        query = select(head.id).where(head.env == self._env, head.id.startswith(text, autoescape=True))
        return [str(line.id) for line in self._reads.read(query.order_by(*tables.newest_first()))] if text else []

    def taken_in(self, origin: str) -> str:
        """The batch that a workbook names as its origin: where ``check`` wrote that, what was made of the file since;
        "" when there is none yet."""
        if not origin.startswith(NO_DAY):
            return origin
        head = tables.batch.c
        ends = head.id.endswith(origin.removeprefix(NO_DAY), autoescape=True)
        found = self._reads.read(select(head.id).where(head.env == self._env, ends).limit(2))
        return str(found[0].id) if len(found) == 1 else ""

    def heads(self, ids: Sequence[str]) -> dict[str, BatchInfo]:
        """The batches with exactly these ids as they were taken in, without the results of their rows."""
        found: dict[str, BatchInfo] = {}
        for start in range(0, len(ids), IN):
            these = tables.batch.c.id.in_(ids[start : start + IN])
            query = select(tables.batch).where(tables.batch.c.env == self._env, these)
            found |= {line.id: _head(line) for line in self._reads.read(query)}
        return found

    def of_content(self, sha256: str) -> list[BatchInfo]:
        """The batches made from a file with this content, one for each of its sheets, in the form of ``heads``."""
        query = select(tables.batch).where(tables.batch.c.env == self._env, tables.batch.c.sha256 == sha256)
        return [_head(line) for line in self._reads.read(query)]

    def leaders(self, ids: Sequence[str]) -> dict[str, set[str]]:
        """The other batches whose rows are repeated by rows of these."""
        row, found = tables.row.c, dict[str, set[str]]()
        for start in range(0, len(ids), IN):
            query = select(row.batch, row.leader_batch).distinct()
            these = row.batch.in_(ids[start : start + IN])
            for line in self._reads.read(query.where(these, row.leader_batch.is_not(None))):
                found.setdefault(line.batch, set()).add(line.leader_batch)
        return found

    def knows(self, batch: str) -> bool:
        """Whether there is a batch with exactly this id, in any environment."""
        return bool(self._reads.read(select(tables.batch.c.id).where(tables.batch.c.id == batch)))

    def env_of(self, batch: str) -> str | None:
        """The environment of the batch with exactly this id; None when this ledger does not hold it."""
        found = self._reads.read(select(tables.batch.c.env).where(tables.batch.c.id == batch))
        return str(found[0].env) if found else None

    def has(self, batch_id: str) -> bool:
        """Whether this ledger holds the batch with exactly this id."""
        query = select(tables.batch.c.id).where(tables.batch.c.env == self._env, tables.batch.c.id == batch_id)
        return bool(batch_id and self._reads.read(query))

    def batches(self) -> list[BatchInfo]:
        """All batches, newest first, with their counts by outcome."""
        query = select(tables.batch).where(tables.batch.c.env == self._env)
        return [self._info(line) for line in self._reads.read(query.order_by(*tables.newest_first()))]

    def counts(self, batch: str) -> dict[str, int]:
        """Row counts of ``batch`` by outcome."""
        return self._counts(tables.row.c.batch == batch, tables.attempt.c.batch == batch)

    def _counts(self, these_rows: Any, these_attempts: Any) -> dict[str, int]:
        """Of indexes alone, in their order (schema 0011): the rows of a large batch are not read."""
        row, attempt = tables.row, tables.attempt.c
        total: Counter[str] = Counter()
        without = select(row.c.state, func.count()).where(these_rows, text(tables.SET_ASIDE))
        for state, count in self._reads.read(without.group_by(row.c.state)):
            total[outcome(State(state)).value] += count
        marks = (attempt.state, attempt.source, attempt.estado, attempt.note, attempt.possible_duplicate)
        counted, followed = select(*marks, func.count()).group_by(*marks).where(these_attempts), _may_be_followed()
        for which in (~followed, followed & is_newest()):
            for state, source, estado, note, again, count in self._reads.read(counted.where(which)):
                alive = source == Source.QUERY.value and estado == 2
                told = {"unsent": note == PREFLIGHT, "again": bool(again), "elsewhere": note == ELSEWHERE}
                total[outcome(State(state), alive=alive, **told).value] += count
        return dict(total)

    def _info(self, line: Any) -> BatchInfo:
        return replace(
            _head(line),
            started=codec.to_time(first.utc) if (first := self._event(line.id, tables.event.c.seq)) else None,
            ended=codec.to_time(last.utc) if (last := self._event(line.id, tables.event.c.seq.desc())) else None,
            seal=Seal(last.seq, bytes(last.hash).hex()) if last else None,
            counts=self.counts(line.id),
            corrects_known=self.has(line.corrects or ""),
            corrected_in=(there := tuple(corrected_in(self._reads, line.id))),
            shift=self._shift(line.id) if there else {},
        )

    def _shift(self, batch: str) -> dict[str, int]:
        """How the counts of a corrected batch change by what became of its rows."""
        fixed, row = fixed_rows(self._reads, batch), tables.row.c
        states = [state.value for state in CORRECTABLE]
        total: Counter[str] = Counter()
        for line in self._reads.read(select(row.pos, row.state).where(row.batch == batch, row.state.in_(states))):
            if line.pos in fixed:
                told = fixed[line.pos][1]
                marks = {"unsent": told.note == PREFLIGHT, "again": told.again, "elsewhere": told.note == ELSEWHERE}
                alive = told.source is Source.QUERY and told.estado == 2
                total[outcome(told.state, alive=alive, **marks).value] += 1
                total[outcome(State(line.state)).value] -= 1
        return {word: number for word, number in total.items() if number}

    def _event(self, batch: str, order: Any) -> Any | None:
        """The first event of a row of ``batch`` in this order: an index look-up, for a log of any length."""
        event = tables.event.c
        query = select(event.seq, event.utc, event.hash).where(event.batch == batch, event.pos > 0)
        found = self._reads.read(query.order_by(order).limit(1))
        return found[0] if found else None

    def approvals(self, batch: str) -> tuple[Approval, ...]:
        """Approvals of held rows of ``batch``, oldest first. Reads all of the batch's events."""
        event = tables.event.c
        query = select(event.who, event.utc, func.count(), func.min(event.seq).label("first"))
        query = query.where(event.batch == batch, event.event == Event.APPROVED.value)
        found = self._reads.read(query.group_by(event.who, event.utc).order_by("first"))
        return tuple(Approval(who or "", codec.to_time(utc), rows) for who, utc, rows, _ in found)


def _head(line: Any) -> BatchInfo:
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
        issuers=tuple(json.loads(line.issuers)),
        notes=tuple(json.loads(line.notes)),
        deadline_hours=line.deadline_hours,
        corrects=line.corrects,
    )


def is_newest() -> Any:
    """Whether the attempt of the outer query is the newest of its row.

    Only an attempt that ended in one of a few states can have a successor; for all others, nearly all of a large
    batch, no look-up is needed.
    """
    attempt, other = tables.attempt, tables.attempt.alias()
    newest = (
        select(func.max(other.c.n))
        .where(other.c.batch == attempt.c.batch, other.c.pos == attempt.c.pos)
        .correlate(attempt)
        .scalar_subquery()
    )
    return ~_may_be_followed() | (attempt.c.n == newest)


def _may_be_followed() -> Any:
    """Whether the row of this attempt may have a later one."""
    return tables.attempt.c.state.in_([state.value for state in _MAY_BE_FOLLOWED])
