"""Batch queries: the batches of a ledger, and their row counts by outcome."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from sqlalchemy import bindparam, func, select

from pipeline.domain.lifecycle import Event, State
from pipeline.domain.outcomes import ELSEWHERE, PREFLIGHT, outcome
from pipeline.domain.records import Approval, BatchInfo, Seal, Source
from pipeline.ledger import codec, tables
from pipeline.ledger.counts import IN, Counts, count
from pipeline.ledger.kept_counts import KeptCounts
from pipeline.ledger.lineage import CORRECTABLE, corrected_in, fixed_rows
from pipeline.ledger.moves import NO_DAY
from pipeline.ledger.storage.database import Reads


class Batches:
    """The batches of one environment, now or at one moment. ``kept``: counts are for a person to look at, and may be
    those that were kept of the same newest event."""

    def __init__(self, reads: Reads, env: str, kept: KeptCounts | None = None) -> None:
        self._reads = reads
        self._env = env
        self._kept = kept

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
            found |= {line.id: head_of(line) for line in self._reads.read(query)}
        return found

    def of_content(self, sha256: str) -> list[BatchInfo]:
        """The batches made from a file with this content, one for each of its sheets, in the form of ``heads``."""
        query = select(tables.batch).where(tables.batch.c.env == self._env, tables.batch.c.sha256 == sha256)
        return [head_of(line) for line in self._reads.read(query)]

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

    def batches(self, most: int | None = None) -> list[BatchInfo]:
        """Batches, newest first, with their counts by outcome; ``most``: at most so many."""
        query = select(tables.batch).where(tables.batch.c.env == self._env).order_by(*tables.newest_first())
        return self._infos(self._reads.read(query if most is None else query.limit(most)))

    def how_many(self) -> int:
        """How many batches there are."""
        return int(self._reads.read(select(func.count()).where(tables.batch.c.env == self._env))[0][0])

    def counts(self, batch: str) -> dict[str, int]:
        """Row counts of ``batch`` by outcome, counted now."""
        return count(self._reads, [batch])[batch].by_outcome()

    def _info(self, line: Any) -> BatchInfo:
        return self._infos([line])[0]

    def _infos(self, lines: Sequence[Any]) -> list[BatchInfo]:
        """Batches with their first and last events, counts and corrections; many at once, in a few queries."""
        ends = self._ends([line.id for line in lines])
        counted = self._counted({line.id: line.n_rows for line in lines}, ends)
        corrected = self._corrected([line.id for line in lines])
        there_too = self._there([line.corrects for line in lines if line.corrects])
        found = []
        for line in lines:
            first, last = ends.get(line.id, (None, None))
            info = replace(
                head_of(line),
                started=codec.to_time(first.utc) if first else None,
                ended=codec.to_time(last.utc) if last else None,
                seal=_seal(last) if last else None,
                counts=counted[line.id].by_outcome(),
                corrects_known=line.corrects in there_too,
            )
            if line.id in corrected:
                there = tuple(corrected_in(self._reads, line.id))
                info = replace(info, corrected_in=there, shift=self._shift(line.id) if there else {})
            found.append(info)
        return found

    def _counted(self, rows: Mapping[str, int], ends: Mapping[str, tuple[Any, Any]] | None = None) -> dict[str, Counts]:
        """Counts of the batches that ``rows`` gives with their number of rows: kept ones where they are of the newest
        event, all others counted now. ``ends``: their first and last events, if they were read before."""
        kept = self._kept
        if kept is None:
            return count(self._reads, list(rows))
        ends = self._ends(list(rows)) if ends is None else ends
        seals = {batch: _seal(last) for batch, (_, last) in ends.items()}
        known = ((batch, kept.of(batch, seal, rows[batch])) for batch, seal in seals.items())
        found = {batch: counts for batch, counts in known if counts is not None}
        if missing := [batch for batch in rows if batch not in found]:
            found |= (fresh := count(self._reads, missing))
            now = self._ends(missing)  # what was moved while it was counted is counted again next time
            for batch in missing:
                if batch in seals and fresh[batch].rows == rows[batch] and _seal(now[batch][1]) == seals[batch]:
                    kept.add(batch, seals[batch], fresh[batch])
        return found

    def _corrected(self, batches: Sequence[str]) -> set[str]:
        """Which of ``batches`` are named by another one as what it corrects."""
        head, found = tables.batch.c, set[str]()
        for start in range(0, len(batches), IN):
            query = select(head.corrects).distinct().where(head.corrects.in_(batches[start : start + IN]))
            found |= {line.corrects for line in self._reads.read(query)}
        return found

    def _there(self, batches: Sequence[str]) -> set[str]:
        """Which of ``batches`` this ledger holds."""
        head, found = tables.batch.c, set[str]()
        for start in range(0, len(batches), IN):
            query = select(head.id).where(head.env == self._env, head.id.in_(batches[start : start + IN]))
            found |= {line.id for line in self._reads.read(query)}
        return found

    def _ends(self, batches: Sequence[str]) -> dict[str, tuple[Any, Any]]:
        """The first and the last event of a row of each of ``batches``: index look-ups, for a log of any length."""
        event, places = tables.event.c, list[Any]()
        for start in range(0, len(batches), IN):
            places += self._reads.read(_edges().params({"batches": batches[start : start + IN]}))
        wanted = sorted({seq for line in places for seq in (line.first, line.last) if seq is not None})
        events: dict[int, Any] = {}
        for start in range(0, len(wanted), IN):
            query = select(event.seq, event.utc, event.hash).where(event.seq.in_(wanted[start : start + IN]))
            events |= {line.seq: line for line in self._reads.read(query)}
        return {line.id: (events[line.first], events[line.last]) for line in places if line.last is not None}

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

    def approvals(self, batch: str) -> tuple[Approval, ...]:
        """Approvals of held rows of ``batch``, oldest first. Reads all of the batch's events."""
        event = tables.event.c
        query = select(event.who, event.utc, func.count(), func.min(event.seq).label("first"))
        query = query.where(event.batch == batch, event.event == Event.APPROVED.value)
        found = self._reads.read(query.group_by(event.who, event.utc).order_by("first"))
        return tuple(Approval(who or "", codec.to_time(utc), rows) for who, utc, rows, _ in found)


def head_of(line: Any) -> BatchInfo:
    """A batch as it was taken in, without the results of its rows."""
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


def _seal(event: Any) -> Seal:
    return Seal(event.seq, bytes(event.hash).hex())


@cache
def _edges() -> Any:
    """The numbers of the first and the last event of a row of each batch."""
    event, batch = tables.event.c, tables.batch

    def edge(order: Any) -> Any:
        return (
            select(event.seq)
            .where(event.batch == batch.c.id, event.pos > 0)
            .order_by(order)
            .limit(1)
            .correlate(batch)
            .scalar_subquery()
        )

    columns = (batch.c.id, edge(event.seq).label("first"), edge(event.seq.desc()).label("last"))
    return select(*columns).where(batch.c.id.in_(bindparam("batches", expanding=True)))
