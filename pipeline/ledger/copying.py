"""Copying: the same ledger in another place: every line of every table, read back and compared, under a new id.

Copy and original each get one more event: that the ledger was moved, to which place and under which id. An original
is a ledger whose newest such event names another id than its own (``ledger_events.moved_to``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Select, Table, func, insert, select, update

from pipeline.domain.errors import StorageTrouble
from pipeline.ledger import tables
from pipeline.ledger.ledger_events import append_deed
from pipeline.ledger.snapshot import in_parts
from pipeline.ledger.storage.database import Database
from pipeline.ledger.verify import examine
from pipeline.runtime.failpoints import crashpoint

_NUMBERED: tuple[tuple[Table, Column[Any]], ...] = (
    (tables.run, tables.run.c.id),
    (tables.owner, tables.owner.c.id),
    (tables.attempt, tables.attempt.c.id),
    (tables.event, tables.event.c.seq),
)


@dataclass(frozen=True, slots=True)
class Replica:
    """Result of a copy."""

    #: lines by table
    counts: dict[str, int]
    #: hash of the newest event of both ledgers
    head: bytes


def fill(source: Database, target: Database, ident: str, deed: dict[str, Any]) -> Replica:
    """Copies ``source`` into the empty ``target``, gives it the id ``ident`` and the event ``deed`` (empty: it has it
    already), and compares.

    ``source`` is not changed. Raises ``StorageTrouble`` when both differ in any line.
    """
    with target.write() as connection:
        connection.execute(update(tables.ledger).values(id=ident))
        for table, query, column in _parts(source):
            for part in _lines(source, query, column):
                connection.execute(insert(table), [dict(line._mapping) for line in part])
        target.renumber(connection)
        crashpoint("copy-filled")
        for table, query, column in _parts(source):  # before the deed: until now both have the same events
            for part in _lines(source, query, column):
                if not _same(part, connection.execute(_between(query, column, part)).all(), table):
                    raise _differs(target, table.name)
        counts = {}
        for table in _ALL:
            counted = select(func.count()).select_from(table)
            counts[table.name] = int(connection.execute(counted).scalar_one())
            if counts[table.name] != source.read(counted)[0][0]:
                raise _differs(target, table.name)
        if deed:
            append_deed(connection, dict(deed))
    found = examine(target)
    if not found.good:
        raise _differs(target, found.faults[0].words)
    return Replica({**counts, "event": found.events}, found.head)


_ALL = (tables.run, tables.owner, tables.batch, tables.row, tables.attempt, tables.event)


def _parts(source: Database) -> Iterator[tuple[Table, Select[Any], Column[Any] | None]]:
    """Every table, parents before children, in parts by a numeric column (None: read at once)."""
    yield tables.batch, select(tables.batch), None
    for (batch,) in source.read(select(tables.batch.c.id)):
        yield tables.row, select(tables.row).where(tables.row.c.batch == batch), tables.row.c.pos
    for table, column in _NUMBERED:
        yield table, select(table), column


def _lines(source: Database, query: Select[Any], column: Column[Any] | None) -> Iterator[Sequence[Any]]:
    if column is not None:
        yield from in_parts(source, query, column)
    elif found := source.read(query):
        yield found


def _between(query: Select[Any], column: Column[Any] | None, part: Sequence[Any]) -> Select[Any]:
    if column is None:
        return query
    first, last = (getattr(part[place], column.name) for place in (0, -1))
    return query.where(column.between(first, last)).order_by(column)


def _same(ours: Sequence[Any], theirs: Sequence[Any], table: Table) -> bool:
    if table is tables.batch:  # two databases may sort texts differently
        return {line.id: tuple(line) for line in ours} == {line.id: tuple(line) for line in theirs}
    return [tuple(line) for line in ours] == [tuple(line) for line in theirs]


def _differs(target: Database, what: str) -> StorageTrouble:
    return StorageTrouble(
        f"La copia no coincide con el historial de envíos ({what}). No se movió nada.",
        code="copy-differs",
        where=target.place,
        remedy="Repita el comando; si vuelve a ocurrir, avise a soporte.",
    )
