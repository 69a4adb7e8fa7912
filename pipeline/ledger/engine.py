"""Opens the ledger: SQLite file with full durability, private modes, the newest schema, one owner at a time."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from filelock import FileLock, Timeout
from sqlalchemy import Engine, Select, StaticPool, create_engine, event, inspect, text
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError

from pipeline.crash import crashpoint
from pipeline.domain.errors import AnotherRun, Bug, StorageTrouble, WrongUsage

SCHEMA = "0005"
BUSY_MS = 10_000
_TROUBLES = (OSError, sqlite3.Error, DatabaseError, UnicodeDecodeError)
"""What a disk or SQLite may say; the last one is how the driver meets damaged text."""

# DELETE with EXTRA lost nothing in 1,000 simulated power cuts; DELETE with FULL lost 499 commits (reliability.md D10).
PRAGMAS = (
    "PRAGMA journal_mode=DELETE",
    "PRAGMA synchronous=EXTRA",
    "PRAGMA fullfsync=ON",
    "PRAGMA foreign_keys=ON",
    "PRAGMA trusted_schema=OFF",
    f"PRAGMA busy_timeout={BUSY_MS}",
)


def sqlite_path(url: str) -> Path:
    """The file behind ``sqlite:///…``; raises ``WrongUsage`` for anything that is not a SQLite file."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise WrongUsage("ANULAR_LEDGER no es una dirección de registro válida.", code="ledger-url") from None
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
        raise WrongUsage(
            "El registro tiene que ser un archivo SQLite.",
            code="ledger-url",
            remedy="Escriba ANULAR_LEDGER=sqlite:///carpeta/registro.db",
        )
    return Path(parsed.database)


@contextmanager
def exclusive(url: str) -> Iterator[None]:
    """Owns the ledger until the end of the block; the kernel lets go of the lock when the process dies (R8).

    Raises ``AnotherRun`` at once when somebody else owns it.
    """
    path = sqlite_path(url)
    with locked(Path(f"{path}.lock"), f"Otra ejecución está usando el registro {path.name}."):
        yield


@contextmanager
def locked(path: Path, taken: str) -> Iterator[None]:
    """Owns the lock file ``path`` until the end of the block. Raises ``AnotherRun``, saying ``taken``, at once."""
    with storage_errors(path):
        _make_folder(path.parent)
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


class Reads(Protocol):
    """What queries are asked of: the ledger as it is with each, or as it was at one moment."""

    def read(self, query: Select[Any]) -> Sequence[Any]:
        """All lines of ``query``."""
        ...


class Moment:
    """A reading transaction: what its first query saw is what all others see."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def read(self, query: Select[Any]) -> Sequence[Any]:
        """All lines of ``query``."""
        return self._connection.execute(query).all()


class Database:
    """The one connection on the ledger. Transactions come one after the other, whichever thread asks."""

    def __init__(self, engine: Engine, path: Path) -> None:
        self._engine = engine
        self.path = path
        self.name = path.name
        self._lock = threading.Lock()
        self._process = os.getpid()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that holds the write lock from its start: what it read is still true when it writes.

        Raises ``StorageTrouble``; nothing of the transaction happened then.
        """
        self._check_process()
        try:
            with self._lock, self._engine.begin() as connection:
                yield connection
        except _TROUBLES as error:
            raise StorageTrouble(
                f"No se pudo guardar en el registro {self.name} ({reason_of(error)}). Se dejó de enviar por seguridad.",
                code="ledger-write",
                remedy="Libere espacio o corrija el disco y ejecute la misma orden otra vez.",
            ) from error

    def read(self, query: Select[Any]) -> Sequence[Any]:
        """All lines of ``query``. Raises ``StorageTrouble``."""
        with self.moment() as moment:
            return moment.read(query)

    @contextmanager
    def moment(self) -> Iterator[Reads]:
        """Reads that see the ledger at one moment, whatever is committed meanwhile. Raises ``StorageTrouble``.

        To be kept short: nobody can commit to a SQLite ledger while it lasts.
        """
        self._check_process()
        try:
            with self._lock, self._engine.connect() as connection:
                yield Moment(connection.execution_options(reading=True))
                connection.rollback()
        except _TROUBLES as error:
            raise StorageTrouble(
                f"No se pudo leer el registro {self.name} ({reason_of(error)}).", code="ledger-read"
            ) from error

    def close(self) -> None:
        if os.getpid() == self._process:
            self._engine.dispose()

    def _check_process(self) -> None:
        """SQLite's connection and locks belong to the process that opened them: a fork that used the inherited ones
        could damage the file, or write beside a run that believes itself alone (reliability.md F50)."""
        if os.getpid() != self._process:
            raise Bug("a forked process used the ledger of its parent")


def open_ledger(url: str, *, anew: Callable[[Database], None] | None = None) -> Database:
    """The ledger at ``url``, made when there is none, or brought to the newest schema.

    Only a missing file is a new ledger: one of 0 bytes was emptied by somebody, and what it knew is lost. With
    ``anew`` a person knows that and an empty one is replaced; what ``anew`` writes is in a new ledger before the file
    has its name. Raises ``StorageTrouble`` when the file cannot be used, is empty, or belongs to a newer version.
    """
    path = sqlite_path(url)
    with storage_errors(path):
        _make_folder(path.parent)
        if not path.exists() or (is_empty(path) and anew is not None):
            _create(path, anew)
        if is_empty(path):
            raise StorageTrouble(
                "El registro está vacío (0 bytes): alguien lo vació o una copia quedó a medias. No se envió nada.",
                code="ledger-empty",
                where=str(path),
                remedy="Restaure la última copia buena. Si se perdió para siempre: «anular run --new-ledger».",
            )
        engine = _engine(path)
        _bring_up_to_date(engine, path)
    return Database(engine, path)


def is_empty(path: Path) -> bool:
    """A file without a single byte in the place of the ledger."""
    return path.is_file() and path.stat().st_size == 0


def _create(path: Path, anew: Callable[[Database], None] | None) -> None:
    """A new ledger, whole before it has its name: a kill on the way leaves none, and never an empty one."""
    fresh = path.with_name(f"{path.name}.nuevo")
    for left in (fresh, journal_of(fresh)):  # of a run that was killed here; nothing was sent under that name
        left.unlink(missing_ok=True)
    os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    crashpoint("ledger-created")
    engine = _engine(fresh)
    try:
        _bring_up_to_date(engine, fresh)
        if anew is not None:
            anew(Database(engine, path))
    finally:
        engine.dispose()
    if journal_of(path).exists():  # of the lost ledger: SQLite would roll it back into the new one
        journal_of(path).rename(free_name(journal_of(path)))
    fresh.replace(path)
    crashpoint("ledger-in-place")
    _sync_folder(path.parent)


def journal_of(path: Path) -> Path:
    """SQLite's own rollback journal."""
    return path.with_name(f"{path.name}-journal")


def free_name(path: Path) -> Path:
    """``path`` with the first number behind it that nobody uses: evidence is never overwritten."""
    return next(name for n in range(1, 1_000_000) if not (name := path.with_name(f"{path.name}.{n}")).exists())


def open_as_it_is(url: str) -> Database:
    """The ledger at ``url`` for examination: nothing is made, and the schema stays what it is.

    Raises ``StorageTrouble`` when there is none, or when its schema is not the newest.
    """
    path = sqlite_path(url)
    with storage_errors(path):
        engine = _engine(path)
        found = _schema_of(engine, path)
    if found != SCHEMA:
        raise StorageTrouble(
            "El registro está vacío o no tiene la forma de esta versión de anular.",
            code="ledger-version",
            where=str(path),
            remedy="Si es de una versión anterior, «anular status» lo pone al día; luego verifíquelo de nuevo.",
        )
    return Database(engine, path)


def _engine(path: Path) -> Engine:
    engine = create_engine(
        f"sqlite:///{path}",
        poolclass=StaticPool,
        connect_args={"check_same_thread": False, "timeout": BUSY_MS / 1000},
    )
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turns what the disk or SQLite say into one sentence (P17)."""
    try:
        yield
    except _TROUBLES as error:
        raise StorageTrouble(
            f"No se pudo usar el registro ({reason_of(error)}).",
            code="ledger",
            where=str(path),
            remedy="Revise permisos, espacio en disco y que el archivo no esté dañado.",
        ) from error


def reason_of(error: BaseException) -> str:
    """A few Spanish words for a storage error; never the statement or its values."""
    if isinstance(error, OSError):
        return _ERRNO.get(error.errno or 0, error.strerror or type(error).__name__)
    if isinstance(error, UnicodeDecodeError):
        return "el archivo está dañado"
    words = str(getattr(error, "orig", None) or error).splitlines()[0]
    known = {
        "disk is full": "el disco está lleno",
        "readonly": "solo lectura",
        "locked": "otro programa lo tiene bloqueado",
        "malformed": "el archivo está dañado",
        "not a database": "no es un registro de anular",
        "disk I/O": "error de lectura o escritura del disco",
        "unable to open": "no se puede abrir",
    }
    return next((spanish for english, spanish in known.items() if english in words), words)


_ERRNO = {
    errno.ENOSPC: "el disco está lleno",
    errno.EDQUOT: "se alcanzó la cuota de disco",
    errno.EACCES: "no hay permiso",
    errno.EPERM: "no hay permiso",
    errno.EROFS: "el disco es de solo lectura",
    errno.EIO: "error de lectura o escritura del disco",
    errno.ENOENT: "no existe",
    errno.ENOTDIR: "una parte de la ruta no es una carpeta",
    errno.EISDIR: "es una carpeta",
}


def _configure(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    for pragma in PRAGMAS:
        connection.execute(pragma)


def _begin(connection: Connection) -> None:
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _schema_of(engine: Engine, path: Path) -> str | None:
    """The schema's number; None for a new, empty file. Raises ``StorageTrouble`` for what is not ours."""
    with engine.connect().execution_options(reading=True) as connection:
        known = inspect(connection).get_table_names()
        ours = "alembic_version" in known
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar() if ours else None
        connection.rollback()
    if (known and not ours) or (found is not None and found > SCHEMA):
        raise StorageTrouble(
            "El registro es de otro programa o de una versión más nueva de anular.",
            code="ledger-version",
            where=str(path),
            remedy="Actualice anular o indique otro registro.",
        )
    return None if found is None else str(found)


def _bring_up_to_date(engine: Engine, path: Path) -> None:
    if _schema_of(engine, path) == SCHEMA:
        return
    from alembic import command  # 0.2 s to import: only when there is something to do
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        crashpoint("schema-before-commit")
    crashpoint("schema-after-commit")


def _make_folder(folder: Path) -> None:
    folder.mkdir(parents=True, mode=0o700, exist_ok=True)  # another run may make it at the same moment


def _sync_folder(folder: Path) -> None:
    # Where folders cannot be opened (Windows) the file system keeps its own journal of names.
    with contextlib.suppress(PermissionError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
