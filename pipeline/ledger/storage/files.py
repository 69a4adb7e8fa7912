"""Files next to a ledger, or in its place: locks, free names, and texts for disk errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import DatabaseError

from pipeline.domain.errors import AnotherRun, StorageTrouble
from pipeline.ledger.storage.driver import office_sqlite3, sqlite3
from pipeline.runtime.failpoints import crashpoint
from pipeline.runtime.os_error import os_words

TROUBLES = (OSError, sqlite3.Error, office_sqlite3.Error, DatabaseError, UnicodeDecodeError)
"""Errors of a disk or of SQLite; the last one is the driver's error for damaged text."""


@contextmanager
def locked(path: Path, taken: str) -> Iterator[None]:
    """Holds the lock file ``path`` until the end of the block. Raises ``AnotherRun`` with ``taken`` at once."""
    from filelock import FileLock, Timeout  # who only looks takes no lock

    with storage_errors(path):
        make_folder(path.parent)
        lock = FileLock(path, mode=0o600)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise AnotherRun(taken, remedy="Espere a que termine y vuelva a intentarlo.") from None
    crashpoint("lock-taken")
    try:
        yield
    finally:
        lock.release()


def free_name(path: Path) -> Path:
    """``path`` with the first free number after it: evidence is never overwritten."""
    return next(name for n in range(1, 1_000_000) if not (name := path.with_name(f"{path.name}.{n}")).exists())


def make_folder(folder: Path) -> None:
    folder.mkdir(parents=True, mode=0o700, exist_ok=True)  # another run may make it at the same moment


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turns errors of the disk or SQLite into one sentence (P17)."""
    try:
        yield
    except TROUBLES as error:
        raise StorageTrouble(
            f"No se pudo usar el historial de envíos ({reason_of(error)}).",
            code="ledger",
            where=str(path),
            remedy="Revise permisos, espacio en disco y que el archivo no esté dañado.",
        ) from error


def reason_of(error: BaseException) -> str:
    """A short Spanish text for a storage error; never the statement or its values."""
    if isinstance(error, OSError):
        return os_words(error)
    if isinstance(error, UnicodeDecodeError):
        return "el archivo está dañado"
    words = str(getattr(error, "orig", None) or error).splitlines()[0]
    known = {
        "disk is full": "el disco está lleno",
        "readonly": "solo lectura",
        "locked": "otro programa lo tiene bloqueado",
        "malformed": "el archivo está dañado",
        "not a database": "no es un historial de envíos de anular",
        "disk I/O": "error de lectura o escritura del disco",
        "unable to open": "no se puede abrir",
    }
    return next((spanish for english, spanish in known.items() if english in words), words)
