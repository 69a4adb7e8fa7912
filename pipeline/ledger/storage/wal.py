"""Write-ahead log of a ledger (docs/decisions/0110): a ledger is in WAL only while its owner has it open.

What was committed is in ``<ledger>-wal`` first, so the ledger's file alone may have forgotten claims. The file says so
itself: before anything is acknowledged, its owner puts a mark into it (``user_version``) that is on the disk, and takes
it away when the file is whole again. A file in WAL with the mark, and no log beside it, is a copy without its log.

SQLite removes the log when the last connection that may write is closed. While the mark is in the file only its owner
may be that one, after ``end``: who merely looks may not write, and whoever cannot do so closes with ``close_beside``.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from pipeline.domain.commands import order
from pipeline.domain.errors import StorageTrouble
from pipeline.ledger.storage.driver import sqlite3
from pipeline.runtime.failpoints import crashpoint

MARK = 1
PATIENCE_MS = 2_000
"""How long the end of a run waits for readers of an older state."""
_NOTHING = 32
"""Bytes of a log's head: with no more than that there is nothing in it."""
_VERSIONS, _MARK = slice(18, 20), slice(60, 64)
"""Where the head of a SQLite file says that it is in WAL, and where its ``user_version`` is."""


def log_of(path: Path) -> Path:
    """The log of a file in WAL."""
    return path.with_name(f"{path.name}-wal")


def index_of(path: Path) -> Path:
    """The index of the log, which SQLite makes again whenever it is missing."""
    return path.with_name(f"{path.name}-shm")


def read_only(path: Path, *, past_log: bool = False) -> str:
    """The URI under which a connection may only read; ``past_log``: the file alone, as it is, without its log."""
    return f"{path.absolute().as_uri()}?mode=ro{'&immutable=1' if past_log else ''}"


def check_log(path: Path, *, alone: bool = False, restored: bool = False) -> None:
    """Raises ``StorageTrouble`` for a ledger without the log that belongs to it, or beside one that does not; an error
    of the driver for one that is damaged: a connection that may write would take its log along when it fails.

    ``alone``: nobody else has it open, in this process neither. ``restored``: its log may be missing.
    """
    fault = _fault(path, alone, restored)
    if fault is not None and (fault := _fault(path, alone, restored)) is not None:  # its owner may be ending it now
        raise fault
    if _filled(path):
        _looked_at(path, "SELECT count(*) FROM sqlite_master").close()


def _fault(path: Path, alone: bool, restored: bool) -> StorageTrouble | None:
    marked, filled = _mark_in(path) == MARK, _filled(path)
    if marked == filled and not (filled and alone):  # so it is beside a run, where the head must not be looked at
        return None
    in_wal = _is_in_wal(path)
    if marked and in_wal and not filled and not restored:
        return StorageTrouble(
            f"A este historial de envíos le falta «{log_of(path).name}», donde está lo último que se envió: es una "
            "copia hecha a medias, o alguien quitó ese archivo o abrió el historial con otro programa. No se envió "
            "nada.",
            code="ledger-log",
            where=str(path),
            remedy=f"Si ese archivo existe, póngalo otra vez a su lado. Si no: "
            f"{order('adopt', '--restored', '--by', 'QUIÉN', '--reason', 'MOTIVO')} sigue con lo que hay y consulta en "
            "eDoc cada documento antes de anularlo.",
        )
    if filled and not in_wal:
        return StorageTrouble(
            f"Junto a este historial de envíos está «{log_of(path).name}», que no es suyo y lo dañaría: es de otro que "
            "estuvo en este lugar. No se envió nada.",
            code="ledger-log",
            where=str(path),
            remedy="Guarde ese archivo aparte, es evidencia, y repita el comando.",
        )
    return None


def begin(connection: Any, path: Path) -> None:
    """Puts the ledger in WAL, and the mark into its file. For its owner, before anything is acknowledged.

    Where WAL is not to be had the ledger stays as it is. Raises an error of the driver.
    """
    if _mode(connection) != "wal":
        if _version(connection):  # of another program, which took the ledger out of WAL and knows of no mark
            connection.execute("PRAGMA user_version=0")
        if connection.execute("PRAGMA journal_mode=WAL").fetchone()[0] != "wal":
            return
        crashpoint("wal-begun")
    if _mark_in(path) == MARK == _version(connection) and _filled(path):
        # A run was killed, and this one goes on. Its mark may not be on the disk yet, and somebody may be reading.
        connection.execute(f"PRAGMA user_version={MARK}")
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        return
    connection.execute(f"PRAGMA user_version={MARK}")
    crashpoint("wal-mark-logged")
    if not _checkpointed(connection):
        raise sqlite3.OperationalError("database is locked")
    crashpoint("wal-marked")


def end(connection: Any) -> bool:
    """Writes everything into the file, takes the mark away and leaves WAL; whether the log is not needed any more.

    Somebody who reads may make it wait for a while, and then the log stays, and the mark with it; the next owner goes
    on from there. Who only has it open keeps it in WAL, whole and without the mark.
    """
    try:
        if _mode(connection) != "wal":
            return True
        patience = connection.execute("PRAGMA busy_timeout").fetchone()[0]
        connection.execute(f"PRAGMA busy_timeout={PATIENCE_MS}")
        if not _checkpointed(connection):
            return False
        crashpoint("wal-written")
        connection.execute("PRAGMA user_version=0")
        crashpoint("wal-unmark-logged")
        if not _checkpointed(connection):
            return False
        crashpoint("wal-unmarked")
    except sqlite3.Error:
        return False
    with suppress(sqlite3.Error):
        connection.execute("PRAGMA busy_timeout=0")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # a log that cannot be removed has nothing in it
        connection.execute("PRAGMA journal_mode=DELETE")
    with suppress(sqlite3.Error):
        connection.execute(f"PRAGMA busy_timeout={patience}")
    crashpoint("wal-ended")
    return True


def leave(connection: Any) -> None:
    """Leaves WAL with all that the log has, where SQLite is too old for it. Raises an error of the driver, also while
    somebody else has the ledger open."""
    if not end(connection) or _mode(connection) != "delete":
        raise sqlite3.OperationalError("database is locked")
    if _version(connection):  # of another program, as in ``begin``
        connection.execute("PRAGMA user_version=0")


def close_beside(path: Path, close: Callable[[], None]) -> None:
    """Calls ``close`` for a connection that must not remove the log: one that may only read is there until after."""
    beside = None
    try:
        with suppress(sqlite3.Error):
            beside = _looked_at(path, "PRAGMA user_version")
        close()
    finally:
        if beside is not None:
            beside.close()


def is_logged(connection: Any) -> bool:
    """Whether the connection reads a file in WAL."""
    try:
        return _mode(connection) == "wal"
    except sqlite3.Error:
        return True


def _looked_at(path: Path, query: str) -> Any:
    """A connection that may only read, and has."""
    connection = sqlite3.connect(read_only(path), uri=True, timeout=PATIENCE_MS / 1000)
    try:
        connection.execute(query).fetchone()
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _mode(connection: Any) -> str:
    return str(connection.execute("PRAGMA journal_mode").fetchone()[0])


def _version(connection: Any) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _checkpointed(connection: Any) -> bool:
    """Writes all of the log into the file, on the disk; False when an older state is being read."""
    busy, logged, written = connection.execute("PRAGMA wal_checkpoint(FULL)").fetchone()
    return not busy and logged == written


def _filled(path: Path) -> bool:
    log = log_of(path)
    return log.is_file() and log.stat().st_size > _NOTHING


def _mark_in(path: Path) -> int:
    """The mark in the file itself. Through SQLite: closing a file that was opened in any other way would drop the locks
    that this process has on it; where SQLite cannot read it at once, this one is."""
    connection = sqlite3.connect(read_only(path, past_log=True), uri=True)
    try:
        return _version(connection)
    except sqlite3.DatabaseError:
        return int.from_bytes(_head(path)[_MARK], "big")
    finally:
        connection.close()


def _is_in_wal(path: Path) -> bool:
    """Whether the file's head says WAL. Read past SQLite, which has no word for it: whatever locks this process has on
    the file are gone. So only its owner looks, before it has any, and who finds a log that is not as it should be."""
    return 2 in _head(path)[_VERSIONS]


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(100)
