"""Accounts of the page, moved between a file and a server: tables beside the office's own, which are another library's
and so found by reflection. Whoever moves them has made them at the target (``pipeline/web/migrate.py``).

Sessions do not go along: people log in again. Neither do the counted tries, and what the tables' own steps have made.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, Boolean, Column, DateTime, MetaData, Table, func, insert, inspect, null, select
from sqlalchemy.engine import Connection

from pipeline.domain.errors import StorageTrouble
from pipeline.office import tables

SPACE = "anular_office"
PEOPLE = "web_person"
_LEFT = frozenset(
    {
        "alembic_version",
        "django_migrations",
        "django_content_type",
        "auth_permission",
        "web_attempt",
        "web_session",
        *tables.metadata.tables,
    }
)
_AT_ONCE = 500


def has_accounts(connection: Connection) -> bool:
    """Whether the page ever had accounts here."""
    return bool(inspect(connection).has_table(PEOPLE, schema=_space(connection)))


def are_none(connection: Connection) -> bool:
    """Whether no person, and nothing of any, is here."""
    return not has_accounts(connection) or not any(counts(connection).values())


def counts(connection: Connection) -> dict[str, int]:
    """Lines by table."""
    found = _found(connection)
    return {one.name: int(connection.execute(select(func.count()).select_from(one)).scalar_one()) for one in found}


def copy(source: Connection, target: Connection) -> dict[str, int]:
    """Every line of every table into the empty ones of ``target``, under the same number, read back and compared;
    returns how many by table. Raises ``StorageTrouble``."""
    for table, other in _pairs(source, target):
        for part in _lines(source, table, other):
            target.execute(insert(other), [_written(other, one) for one in part])
        if target.dialect.name == "postgresql" and "id" in other.c:
            newest = func.max(other.c.id)
            sequence = func.pg_get_serial_sequence(f"{SPACE}.{other.name}", "id")
            target.execute(select(func.setval(sequence, func.greatest(newest, 1), newest.is_not(None))))
    if not are_same(source, target):
        raise StorageTrouble("La copia de las cuentas y las cuentas no son iguales.", code="copy-differs")
    return counts(source)


def are_same(source: Connection, target: Connection) -> bool:
    """Whether both have the same lines."""
    if not has_accounts(source) or not has_accounts(target):
        return has_accounts(source) == has_accounts(target)
    if counts(source) != counts(target):
        return False
    return all(
        left == right
        for table, other in _pairs(source, target)
        for left, right in zip(_lines(source, table, other), _lines(target, other, table), strict=True)
    )


def _pairs(source: Connection, target: Connection) -> list[tuple[Table, Table]]:
    """The tables of both, in an order in which each follows those that it points to. Raises ``StorageTrouble``."""
    here, there = ({one.name: one for one in _found(connection)} for connection in (source, target))
    if here.keys() != there.keys():
        raise StorageTrouble(
            f"Las tablas de las cuentas no son las mismas en los dos lugares: {', '.join(here.keys() ^ there.keys())}.",
            code="copy-differs",
        )
    return [(here[name], there[name]) for name in here]


def _found(connection: Connection) -> list[Table]:
    space, metadata = _space(connection), MetaData()
    names = [one for one in inspect(connection).get_table_names(schema=space) if one not in _LEFT]
    metadata.reflect(connection, schema=space, only=names)
    return [one for one in metadata.sorted_tables if one.name in names]


def _lines(connection: Connection, table: Table, other: Table) -> Iterator[Sequence[dict[str, Any]]]:
    """Lines by their number, as values that are the same whatever database they come from."""
    query = select(table).order_by(*table.primary_key.columns)
    for part in connection.execute(query, execution_options={"yield_per": _AT_ONCE}).partitions():
        yield [
            {column.name: _value(line[column.name], column, other.c[column.name]) for column in table.c}
            for line in (one._mapping for one in part)
        ]


def _value(value: Any, column: Column[Any], other: Column[Any]) -> Any:
    if value is None:
        return None
    kinds = (column.type, other.type)
    if any(isinstance(one, DateTime) for one in kinds):
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        return moment.astimezone(UTC) if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    if any(isinstance(one, JSON) for one in kinds):
        return json.loads(value) if isinstance(value, str) else value
    return bool(value) if any(isinstance(one, Boolean) for one in kinds) else value


def _written(table: Table, line: dict[str, Any]) -> dict[str, Any]:
    """A line as the columns of ``table`` take it: a file has moments without a zone, and JSON as text."""
    found = dict(line)
    for name, value in line.items():
        kind = table.c[name].type
        if isinstance(kind, JSON):
            found[name] = null() if value is None else value
        elif isinstance(value, datetime) and not getattr(kind, "timezone", False):
            found[name] = value.replace(tzinfo=None)
        elif isinstance(value, dict | list):
            found[name] = json.dumps(value)
    return found


def _space(connection: Connection) -> str | None:
    return SPACE if connection.dialect.name == "postgresql" else None
