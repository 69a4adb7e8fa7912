"""Copies of the office database: a backup in a file, and the move to another place.

A move marks the old place in the transaction in which its lines were read, and commits that after the new place has
them all: a kill leaves the old one as it was, and the same command given again finishes it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Row, Table, func, insert, select, update
from sqlalchemy.engine import Connection

from pipeline.domain.deadline import PANAMA
from pipeline.domain.errors import StorageTrouble, WrongUsage
from pipeline.ledger.backup import placed, synced
from pipeline.ledger.storage.files import TROUBLES, reason_of
from pipeline.office import accounts, tables
from pipeline.office.database import Office
from pipeline.office.place import FilePlace, Place
from pipeline.runtime.atomic_file import sync_folder
from pipeline.runtime.failpoints import crashpoint
from pipeline.runtime.file_address import file_address

_AT_ONCE = 500
"""Lines of a table in memory, at most; of pieces of files, one."""


@dataclass(frozen=True, slots=True)
class Moved:
    """Result of a move."""

    #: the old place; ``target`` the new one
    source: str
    target: str
    #: copied lines by table
    counts: dict[str, int]


def back_up(office: Office, folder: Path, now: datetime) -> Path:
    """A finished copy in a new file in ``folder``, created if missing. Raises ``StorageTrouble``; then no copy is
    left."""
    name = f"oficina-{now.astimezone(PANAMA):%Y%m%d-%H%M%S}"
    fresh = folder / f".{name}.{os.getpid()}.nuevo"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        copy = FilePlace(file_address(fresh)).open(now)
        try:
            with office.moment() as source, copy.write() as target:
                _fill(source, target)
                _fill_accounts(source, target)
        finally:
            copy.close()
        synced(fresh)
        path = placed(fresh, folder, name)
        sync_folder(folder)
    except TROUBLES as error:
        raise StorageTrouble(
            f"No se pudo guardar la copia de la base de datos de la oficina ({reason_of(error)}).",
            code="backup",
            where=str(folder),
            remedy="Revise el espacio y los permisos de esa carpeta, o indique otra.",
        ) from error
    finally:
        for left in (fresh, *(fresh.with_name(f"{fresh.name}{end}") for end in ("-journal", ".nuevo", ".lock"))):
            with suppress(OSError):
                left.unlink(missing_ok=True)
    return path


def move(source: Place, target: Place, now: datetime, prepare: Callable[[], None] | None = None) -> Moved:
    """Moves the office database to ``target``, which has none, or only what an interrupted move put there.

    ``prepare`` makes the tables of the page's accounts at both places; it is called where there are accounts and one of
    the places is a server. Raises ``WrongUsage`` (none here, the same place, one with other lines there),
    ``StorageTrouble``.
    """
    if source.place == target.place:
        raise WrongUsage("La base de datos de la oficina ya está en ese lugar.", code="copy-same", where=source.place)
    if not source.exists():
        raise WrongUsage("No existe esa base de datos de la oficina.", code="no-office", where=source.place)
    before, after = source.open(now, moved=True), target.open(now)
    files = isinstance(source, FilePlace) and isinstance(target, FilePlace)
    try:
        with before.moment() as here:
            people = not files and accounts.has_accounts(here)
        if people:
            _prepared(prepare)
        with before.write() as old:
            _check_not_elsewhere(old, before.place, target.place)
            with after.write() as new:
                if _is_empty(new) and (files or accounts.are_none(new)):
                    counts = _fill(old, new)
                    if files:
                        _fill_accounts(old, new)
                    elif people:
                        counts |= accounts.copy(old, new)
                        crashpoint("office-accounts-filled")
                elif _same(old, new) and (files or accounts.are_same(old, new)):
                    counts = _counts(old) | (accounts.counts(old) if people else {})
                else:
                    raise WrongUsage(
                        "El destino ya tiene otra base de datos de la oficina.",
                        code="copy-not-empty",
                        where=target.place,
                        remedy="Indique un lugar sin propuestas, certificados ni cuentas.",
                    )
            crashpoint("office-copied")
            old.execute(update(tables.office).values(moved_to=target.place))
    finally:
        after.close()
        before.close()
    return Moved(source.place, target.place, counts)


def _prepared(prepare: Callable[[], None] | None) -> None:
    if prepare is None:
        raise WrongUsage(
            "Esta base de datos tiene cuentas de la página, que este programa no puede llevar.", code="copy-accounts"
        )
    prepare()


def _check_not_elsewhere(old: Connection, place: str, target: str) -> None:
    moved = old.execute(select(tables.office.c.moved_to)).scalar_one()
    if moved and moved != target:
        raise WrongUsage(
            f"Esta base de datos de la oficina ya se movió a {moved}.",
            code="office-moved",
            where=place,
            remedy="Use esa; para llevarla a otro lugar, cópiela desde allí.",
        )


def _lines(connection: Connection, table: Table) -> Iterator[Sequence[Row[Any]]]:
    at_once = 1 if table is tables.upload_chunk else _AT_ONCE
    query = select(table).order_by(*table.primary_key.columns)
    yield from connection.execute(query, execution_options={"yield_per": at_once}).partitions()


def _fill(source: Connection, target: Connection) -> dict[str, int]:
    """Every line of every table, read back and compared, under the same id. Raises ``StorageTrouble``."""
    line = source.execute(select(tables.office)).one()
    target.execute(update(tables.office).values(id=line.id, made_at=line.made_at))
    for table in _COPIED:
        for part in _lines(source, table):
            target.execute(insert(table), [dict(one._mapping) for one in part])
        if target.dialect.name == "postgresql" and "id" in table.c:
            newest = func.max(table.c.id)
            name = f"anular_office.{table.name}"
            sequence = func.pg_get_serial_sequence(name, "id")
            target.execute(select(func.setval(sequence, func.greatest(newest, 1), newest.is_not(None))))
    crashpoint("office-filled")
    if not _same(source, target):
        raise StorageTrouble("La copia y la base de datos de la oficina no son iguales.", code="copy-differs")
    return _counts(source)


def _fill_accounts(source: Connection, target: Connection) -> None:
    """Tables of the page's accounts, which are not ours but Django's: with their rules, from a file to a file. Those of
    a server are in its own backups; a move between a file and a server has ``accounts.py``."""
    if source.dialect.name != "sqlite" or target.dialect.name != "sqlite":
        return
    listed = "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
    known = {name for (name,) in target.exec_driver_sql("SELECT name FROM sqlite_master")}
    found = [line for line in source.exec_driver_sql(listed) if line.name not in known]
    for line in found:
        if line.type == "table":
            target.exec_driver_sql(line.sql)
            _copy_lines(source, target, line.name)
    for line in found:
        if line.type != "table":
            target.exec_driver_sql(line.sql)


def _copy_lines(source: Connection, target: Connection, table: str) -> None:
    lines = source.exec_driver_sql(f'SELECT * FROM "{table}"')  # noqa: S608 # nosec B608 - its own name
    places = ", ".join("?" * len(lines.keys()))
    for part in lines.partitions(_AT_ONCE):
        target.exec_driver_sql(f'INSERT INTO "{table}" VALUES ({places})', [tuple(one) for one in part])  # noqa: S608 # nosec B608


def _same(one: Connection, other: Connection) -> bool:
    """Whether both have the same id and the same lines."""
    ids = [connection.execute(select(tables.office.c.id)).scalar_one() for connection in (one, other)]
    if ids[0] != ids[1] or _counts(one) != _counts(other):
        return False
    return all(
        left == right for table in _COPIED for left, right in zip(_lines(one, table), _lines(other, table), strict=True)
    )


def _is_empty(connection: Connection) -> bool:
    return not any(_counts(connection).values())


def _counts(connection: Connection) -> dict[str, int]:
    counted = {table.name: select(func.count()).select_from(table) for table in _COPIED}
    return {name: int(connection.execute(query).scalar_one()) for name, query in counted.items()}


_COPIED = tuple(table for table in tables.metadata.tables.values() if table is not tables.office)
