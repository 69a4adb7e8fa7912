"""Ledger backup: a finished, verified copy in a SQLite file, made beside a run that may go on.

A file is copied page by page within one read, as SQLite's own backup does: all of one moment. In WAL a run goes on
meanwhile. Without it a run cannot commit, and waits for at most ``BUSY_MS``; so a copy beside others gives up well
before that, and one that takes longer is made while nobody else uses the ledger. A ledger on a server is copied line by
line in one snapshot, which holds nobody up. The copy keeps the id of the ledger: put in its place, it is the same
ledger of then (``adopt --restored``).
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import func, select

from pipeline.domain.deadline import PANAMA
from pipeline.domain.errors import AnotherRun, StorageTrouble, WrongUsage
from pipeline.ledger import copying, tables
from pipeline.ledger.ledger_events import id_of
from pipeline.ledger.storage import wal
from pipeline.ledger.storage.database import Database
from pipeline.ledger.storage.driver import sqlite3
from pipeline.ledger.storage.files import TROUBLES, reason_of
from pipeline.ledger.storage.location import Location
from pipeline.ledger.storage.sqlite import BUSY_MS, SqliteLedger, SqliteLocation, connect, create
from pipeline.ledger.verify import Examination, examine
from pipeline.runtime.atomic_file import sync_file, sync_folder
from pipeline.runtime.patience import rename

BESIDE_OTHERS_S = BUSY_MS / 1000 / 2
_PAGES = 2_000


@dataclass(frozen=True, slots=True)
class Backup:
    """A finished copy."""

    path: Path
    #: of the ledger that it is a copy of
    place: str
    ident: str
    #: what was verified in the copy
    events: int
    rows: int
    #: hash (hex) of its newest event: the seal that ``verify`` prints
    head: str
    #: of the copy's bytes (hex)
    sha256: str
    #: copies of the reserve journals: answers that the ledger could not record
    reserves: tuple[Path, ...]


class _TakesLong(Exception):
    """The copy would hold others up for too long."""


def back_up(
    database: Database,
    location: Location,
    folder: Path,
    now: datetime,
    *,
    seconds: Callable[[], float] = time.monotonic,
) -> Backup:
    """Copies ``database`` into a new file in ``folder`` and verifies the copy.

    Raises ``WrongUsage`` for a folder that cannot be one, ``AnotherRun`` when a large ledger is in use,
    ``StorageTrouble``; then no copy is left over. Nothing is ever overwritten.
    """
    check_folder(folder)
    local = location if isinstance(location, SqliteLocation) else None
    stem = local.path.stem if local is not None else _plain(database.name)
    name = f"{stem}-{now.astimezone(PANAMA):%Y%m%d-%H%M%S}"
    fresh = folder / f".{name}.{os.getpid()}.nuevo"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        if local is not None:
            _copy_file(local, fresh, seconds)
        else:
            _copy_lines(database, fresh)
        found = _verified(database, fresh)
        digest = synced(fresh)
        path = placed(fresh, folder, name)
        reserves = tuple(_copy_reserve(one, path, local) for one in _reserves(database, local))
        sync_folder(folder)
    except TROUBLES as error:
        raise StorageTrouble(
            f"No se pudo guardar la copia ({reason_of(error)}).",
            code="backup",
            where=str(folder),
            remedy="Revise el espacio y los permisos de esa carpeta, o indique otra.",
        ) from error
    finally:
        for left in (fresh, *(fresh.with_name(f"{fresh.name}{end}") for end in ("-journal", "-wal", "-shm", ".nuevo"))):
            with suppress(OSError):
                left.unlink(missing_ok=True)
    return Backup(path, database.place, id_of(database), found.events, found.rows, found.head.hex(), digest, reserves)


def check_folder(folder: Path) -> None:
    """Raises ``WrongUsage`` for a folder in which no copy can be made."""
    if folder.is_dir():
        return
    if folder.exists():
        raise WrongUsage(
            f"«{folder}» no es una carpeta.",
            code="backup-folder",
            remedy="Indique la carpeta donde se guarda la copia.",
        )
    if not folder.parent.is_dir():
        raise WrongUsage(
            f"No existe la carpeta «{folder.parent}».",
            code="backup-folder",
            remedy="Revise la ruta, y que el disco esté conectado.",
        )


def _copy_file(location: SqliteLocation, fresh: Path, seconds: Callable[[], float]) -> None:
    start = seconds()

    def in_time(_status: int, _remaining: int, _total: int) -> None:
        if seconds() - start > BESIDE_OTHERS_S and not wal.log_of(location.path).exists():
            raise _TakesLong

    try:
        _copy_pages(location.path, fresh, in_time)
    except _TakesLong:
        try:
            with location.alone():
                _copy_pages(location.path, fresh, None)
        except AnotherRun:
            raise AnotherRun(
                "El historial de envíos es grande y está en uso: la copia haría esperar demasiado a esa ejecución.",
                code="backup-busy",
                remedy="No se guardó nada. Repita el comando cuando termine.",
            ) from None


def _copy_pages(source: Path, fresh: Path, progress: Callable[[int, int, int], None] | None) -> None:
    """All pages of one moment: the read that is begun here lasts until the end."""
    fresh.unlink(missing_ok=True)
    os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    logged = wal.log_of(source).exists()
    there = sqlite3.connect(wal.read_only(source) if logged else source, uri=logged, timeout=BUSY_MS / 1000)
    with closing(sqlite3.connect(fresh)) as here, _closing(there, source):
        here.execute("PRAGMA journal_mode=OFF")
        here.execute("PRAGMA synchronous=OFF")  # it is synchronised once, when it is whole
        there.isolation_level = None
        there.execute("BEGIN")
        there.execute("SELECT count(*) FROM sqlite_master").fetchall()
        there.backup(here, pages=_PAGES, progress=progress)
    with closing(sqlite3.connect(fresh, isolation_level=None)) as here:
        wal.leave(here)


@contextmanager
def _closing(connection: sqlite3.Connection, path: Path) -> Iterator[None]:
    try:
        yield
    finally:
        if wal.is_logged(connection):
            connection.rollback()
            wal.close_beside(path, connection.close)
        connection.close()


def _copy_lines(database: Database, fresh: Path) -> None:
    """All lines of one moment of a server, in a new file with the same tables."""
    with database.still():
        ident = id_of(database)

        def fill(target: Database) -> None:
            copying.fill(database, target, ident, {})

        create(fresh, fill)


def _verified(database: Database, fresh: Path) -> Examination:
    """What a whole verification of the copy found. Raises ``StorageTrouble`` when it is not sound, or when its newest
    event is not one of the ledger's."""
    copy = SqliteLedger(connect(fresh), fresh)
    try:
        found = examine(copy)
        last = copy.read(select(func.max(tables.event.c.seq)))[0][0] or 0
    finally:
        copy.close()
    same = database.read(select(tables.event.c.hash).where(tables.event.c.seq == last))
    why = found.faults[0].words if found.faults else ""
    if not why and last and (not same or bytes(same[0].hash) != found.head):
        why = "no termina con un evento del historial de envíos."
    if why:
        raise StorageTrouble(
            f"La copia no está íntegra: {why} No se guardó.",
            code="backup-broken",
            where=database.place,
            remedy="Compruebe primero el historial de envíos con el comando verify.",
        )
    return found


def synced(fresh: Path) -> str:
    """Puts the file on the disk; its SHA-256."""
    with fresh.open("rb+") as stream:
        sync_file(stream.fileno())
        return hashlib.file_digest(stream, "sha256").hexdigest()


_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EACCES, errno.EINVAL})
"""Answers of disks on which a file has one name only; the last one is that of Windows for a stick."""


def placed(fresh: Path, folder: Path, name: str) -> Path:
    """Gives the copy its name, or the first free one after it; never that of another file."""
    for number in range(1, 10_000):
        path = folder / (f"{name}.db" if number == 1 else f"{name}-{number}.db")
        try:
            os.link(fresh, path)
        except FileExistsError:
            continue
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            if path.exists():  # a disk without links (FAT): nobody else writes such names
                continue
            rename(fresh, path)
        return path
    raise FileExistsError(errno.EEXIST, "no free name")


def _reserves(database: Database, location: SqliteLocation | None) -> list[Path]:
    """The reserve journals of the ledger on this machine; of a file also those that were read already."""
    if location is None:
        return database.reserves()
    return sorted(one for one in location.path.parent.iterdir() if one.name.startswith(f"{location.path.name}.reserve"))


def _copy_reserve(journal: Path, path: Path, location: SqliteLocation | None) -> Path:
    """A copy beside the backup, named after it as the journal is after the ledger."""
    ending = journal.name.removeprefix(location.path.name) if location is not None else f".{journal.name}"
    copy = path.with_name(f"{path.name}{ending}")
    handle = os.open(copy, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with journal.open("rb") as source, os.fdopen(handle, "wb") as target:
        shutil.copyfileobj(source, target)
        target.flush()
        sync_file(target.fileno())
    return copy


def _plain(name: str) -> str:
    return "".join(char if char.isalnum() or char in "-_" else "_" for char in name.strip("«»")) or "registro"
