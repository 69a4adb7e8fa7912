"""Extract: a batch column by column, for the evidence pack. Reads only; nothing is interpreted here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import merge
from typing import Any

from sqlalchemy import func, select

from pipeline.domain.records import BatchInfo, Leader, ResultLine
from pipeline.ledger import tables
from pipeline.ledger.chain import GENESIS, digest, walkable
from pipeline.ledger.lineage import fixed_rows
from pipeline.ledger.snapshot import line_of
from pipeline.ledger.storage.database import Database

_CHUNK = 5_000
_ROW, _EVENT = (tuple(table.c.keys()) for table in (tables.row, tables.event))


@dataclass(frozen=True, slots=True)
class Foreign:
    """An event of another batch between ours."""

    seq: int
    #: its digest; its hash when an older version chained it, which does not follow from a digest
    value: bytes
    #: False in that case
    walkable: bool


class Extract:
    """All that the ledger holds of one batch, and of the chain between its first and its last event.

    ``info`` is the batch as its workbook shows it; ``last`` the event that the extract ends with (None: the newest).
    """

    def __init__(self, database: Database, info: BatchInfo, last: int | None = None) -> None:
        self.database, self.info, self._batch, self._last = database, info, info.id, last

    def up_to(self, last: int) -> Extract:
        """The same up to the event with this number."""
        return Extract(self.database, self.info, last)

    def head(self) -> dict[str, Any]:
        """The columns of the batch, and what other batches of this ledger say of it."""
        (line,) = self.database.read(select(tables.batch).where(tables.batch.c.id == self._batch))
        lineage = {"corrects_known": self.info.corrects_known, "corrected_in": list(self.info.corrected_in)}
        return {**line._mapping, **lineage}

    def rows(self) -> Iterator[dict[str, Any]]:
        """The columns of every input row, in input order."""
        row, after = tables.row, 0
        query = select(row).where(row.c.batch == self._batch).order_by(row.c.pos).limit(_CHUNK)
        while lines := self.database.read(query.where(row.c.pos > after)):
            yield from (dict(zip(_ROW, line, strict=True)) for line in lines)
            after = lines[-1].pos

    def others(self) -> Iterator[tuple[int, Leader, ResultLine]]:
        """For each row that repeats one of another batch, or was corrected in one, in input order: ordinal, the row
        there, and its line now."""
        repeated = ((pos, (leader, line)) for pos, leader, line in self._repeated())
        fixed = sorted(fixed_rows(self.database, self._batch).items())
        for pos, (leader, line) in merge(repeated, fixed, key=lambda one: one[0]):
            yield pos, leader, line

    def _repeated(self) -> Iterator[tuple[int, Leader, ResultLine]]:
        row, after = tables.row.c, 0
        query = select(row.pos, row.leader_batch, row.leader_pos)
        query = query.where(row.batch == self._batch, row.leader_batch.is_not(None)).order_by(row.pos).limit(_CHUNK)
        while lines := self.database.read(query.where(row.pos > after)):
            for line in lines:
                found = line_of(self.database, line.leader_batch, line.leader_pos)
                yield line.pos, Leader(line.leader_batch, found.pos, found.position), found
            after = lines[-1].pos

    def span(self) -> tuple[int, int]:
        """The numbers of the batch's first and last event."""
        event = tables.event
        query = select(func.min(event.c.seq), func.max(event.c.seq)).where(event.c.batch == self._batch)
        first, last = self.database.read(query)[0]
        return first, last if self._last is None else self._last

    def before(self) -> bytes:
        """The hash before the batch's first event."""
        first, _ = self.span()
        found = self.database.read(select(tables.event.c.hash).where(tables.event.c.seq == first - 1))
        return bytes(found[0].hash) if found else GENESIS

    def events(self) -> Iterator[dict[str, Any] | Foreign]:
        """Every event from the batch's first to its last: its own and those about the ledger itself with all columns,
        those of other batches as ``Foreign``."""
        event, (first, last) = tables.event, self.span()
        after = first - 1
        query = select(event).where(event.c.seq <= last).order_by(event.c.seq).limit(_CHUNK)
        while lines := self.database.read(query.where(event.c.seq > after)):
            for line in lines:
                values = dict(zip(_EVENT, line, strict=True))
                if line.batch in (self._batch, ""):
                    yield values
                else:
                    known = walkable(line.prev, values, line.hash)
                    yield Foreign(line.seq, digest(values) if known else line.hash, known)
            after = lines[-1].seq
