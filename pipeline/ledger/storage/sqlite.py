"""SQLite ledger: one file, fully durable and private, with one owner at a time; what an empty or half-made file
means."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from sqlalchemy import URL, Engine, StaticPool, create_engine, event, text
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import ArgumentError

from pipeline.domain.commands import order
from pipeline.domain.errors import StorageTrouble, WrongUsage
from pipeline.ledger.reserve_journal import reserve_path
from pipeline.ledger.scope import Scope
from pipeline.ledger.storage import wal
from pipeline.ledger.storage.database import Database
from pipeline.ledger.storage.driver import has_wal, sqlite3
from pipeline.ledger.storage.files import TROUBLES, free_name, locked, make_folder, reason_of, storage_errors
from pipeline.ledger.storage.schema import SCHEMA, is_half, mark_half, not_newest, schema_of, upgrade
from pipeline.ledger.storage.statements import OF_SQLITE
from pipeline.runtime.atomic_file import sync_folder
from pipeline.runtime.failpoints import crashpoint
from pipeline.runtime.file_address import file_address
from pipeline.runtime.patience import rename, replace

BUSY_MS = 10_000
_EXAMPLE = "sqlite:///C:/carpeta/registro.db" if os.name == "nt" else "sqlite:////home/usuario/registro.db"

# DELETE with EXTRA lost nothing in 1,000 simulated power cuts; DELETE with FULL lost 499 commits (reliability.md D10).
# In WAL, EXTRA is what FULL is. The first one is not for a connection to a ledger that somebody else may own.
PRAGMAS = (
    "PRAGMA journal_mode=DELETE",
    "PRAGMA synchronous=EXTRA",
    "PRAGMA fullfsync=ON",
    "PRAGMA foreign_keys=ON",
    "PRAGMA trusted_schema=OFF",
    f"PRAGMA busy_timeout={BUSY_MS}",
)
_RULES = ("event_no_update", "event_no_delete", "one_live", "one_batch_per_file")


def sqlite_path(url: str) -> Path:
    """The file of ``sqlite:///…``, with ``~`` expanded.

    Raises ``WrongUsage`` for anything that is not a SQLite file, and for a relative path: from each working directory
    it would lead to another ledger, which knows nothing of what was sent.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise WrongUsage("ANULAR_LEDGER no es la dirección de un historial de envíos.", code="ledger-url") from None
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
        raise WrongUsage(
            "El historial de envíos tiene que ser un archivo SQLite o una base de datos PostgreSQL.",
            code="ledger-url",
            remedy=f"Escriba {_EXAMPLE} o postgresql+psycopg://usuario@servidor/base",
        )
    try:
        path = Path(parsed.database).expanduser()
    except RuntimeError:  # no such user, or a service without a home
        path = Path(parsed.database)
    if not path.is_absolute():
        raise WrongUsage(
            f"La dirección del historial de envíos es relativa («{parsed.database}»): "
            "en cada carpeta de trabajo sería otro.",
            code="ledger-relative",
            remedy=f"Escriba la ruta completa: {file_address(path.absolute())}",
        )
    return path


def _key(path: Path) -> bytes:
    """Identifies a place on this machine, however its name is written where capitals do not count."""
    return os.fsencode(os.path.normcase(path.resolve()))


class SqliteLedger(Database):
    """An open SQLite ledger; ``owner``: this process may end its log when it closes it."""

    def __init__(self, engine: Engine, path: Path, *, owner: bool = False) -> None:
        super().__init__(engine, place=str(path), name=path.name, key=_key(path))
        self.path = path
        self._closed = False
        # Whatever ends a run without closing its ledger, a second Ctrl+C in the middle of that say, leaves its log.
        self._left = weakref.finalize(self, _close_at_the_end, engine, path, os.getpid()) if owner else None

    def close(self) -> None:
        with self._lock:
            if os.getpid() == self._process and not self._closed:
                _close(self._engine, self.path, owner=self._left is not None)
                self._closed = True
                if self._left is not None:
                    self._left.detach()

    def reserve(self, credential: str | None) -> Path:  # noqa: ARG002 - one run owns the file, whatever its credential
        return reserve_path(self.path)

    def reserves(self) -> list[Path]:
        return [reserve for reserve in (reserve_path(self.path),) if reserve.exists()]

    def structure(self, pages: str) -> list[tuple[str, str]]:
        with self._reading(one=False) as connection:
            words = [str(line[0]) for line in connection.execute(text(f"PRAGMA {pages}(5)"))] if pages else []
            names = {str(line[0]) for line in connection.execute(text("SELECT name FROM sqlite_master"))}
        damaged = [("integrity", f"el archivo está dañado ({word}).") for word in words if word != "ok"]
        gone = [name for name in _RULES if name not in names]
        return damaged + [("schema", f"falta la regla «{name}», que protege la bitácora.") for name in gone]

    def _troubles(self) -> tuple[type[BaseException], ...]:
        return TROUBLES

    def _not_written(self, error: BaseException) -> StorageTrouble:
        return StorageTrouble(
            f"No se pudo guardar en el historial de envíos {self.name} ({reason_of(error)}). "
            "Se dejó de enviar por seguridad.",
            code="ledger-write",
            remedy="Libere espacio o corrija el disco y ejecute el mismo comando otra vez.",
        )

    def _not_read(self, error: BaseException) -> StorageTrouble:
        return StorageTrouble(
            f"No se pudo leer el historial de envíos {self.name} ({reason_of(error)}).", code="ledger-read"
        )


class SqliteLocation:
    """The place of a SQLite ledger, which may not exist yet. Raises ``WrongUsage`` for anything but a file address."""

    shared = False

    def __init__(self, url: str) -> None:
        self.path = sqlite_path(url)
        self.place = str(self.path)

    @property
    def key(self) -> bytes:
        """Identifies this place among all others on this machine."""
        return _key(self.path)

    @property
    def request_log(self) -> Path:
        """Path of the sandbox's request log for this ledger."""
        return Path(f"{self.path}.sandbox.jsonl")

    def exists(self) -> bool:
        """Whether there is a file. Raises ``StorageTrouble`` when that cannot be determined."""
        with storage_errors(self.path):
            return self.path.exists()

    def emptied(self) -> bool:
        """Whether the ledger's file has no bytes."""
        return is_empty(self.path)

    def half(self) -> bool:
        """Whether a copy to this place was started and not finished."""
        if not self.path.is_file() or self.emptied():
            return False
        with storage_errors(self.path):
            engine = connect_to_read(self.path)
            try:
                with engine.connect().execution_options(reading=True) as connection:
                    return is_half(connection)
            finally:
                _close(engine, self.path)

    def mark_half(self) -> None:
        """Marks this place: it may not be used for a new ledger until ``fill`` has ended."""
        if not self.half():
            with storage_errors(self.path):
                make_folder(self.path.parent)
                place_file(self.path, lambda engine: _in_one(engine, mark_half))

    def fill(self, fill: Callable[[Database], None]) -> None:
        """A new ledger with what ``fill`` writes into it, in place of the mark, at once or not at all."""
        with storage_errors(self.path):
            create(self.path, fill)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Holds the ledger until the end of the block; the kernel releases the lock when the process dies (R8).

        Raises ``AnotherRun`` at once when another run holds it.
        """
        with locked(Path(f"{self.path}.lock"), f"Otra ejecución está usando el historial de envíos {self.path.name}."):
            yield

    def visited(self, credential: str) -> AbstractContextManager[Scope]:  # noqa: ARG002 - a server's
        """Raises ``WrongUsage``: on a file one run at a time does everything."""
        raise without_a_server()

    @contextmanager
    def working(self, env: str, credential: str | None) -> Iterator[Scope]:  # noqa: ARG002 - the file has one owner
        """The same for a run: every row is its own."""
        with self.alone():
            yield Scope(credential)

    def open(self, anew: Callable[[Database], None] | None = None, *, restored: bool = False) -> SqliteLedger:
        """The ledger for its owner, created if missing, or migrated to the newest schema.

        Only a missing file is a new ledger: a file of 0 bytes was emptied, and its content is lost. With ``anew`` a
        person accepts that and an empty file is replaced; what ``anew`` writes is in the new ledger before the file
        gets its name. ``restored``: a person says that it may have forgotten something, so its log may be missing.
        Raises ``StorageTrouble`` when the file cannot be used, is empty, lacks its log, or is of a newer version.
        """
        path = self.path
        with storage_errors(path):
            make_folder(path.parent)
            if not path.exists() or (is_empty(path) and anew is not None):
                create(path, anew)
            _check_not_emptied(path)
            wal.check_log(path, alone=True, restored=restored)
            engine = connect(path, PRAGMAS[1:])
            with _closed_when_it_fails(engine, path):
                if not has_wal():
                    wal.leave(_driver(engine))
                _bring_up_to_date(engine, path)
                if has_wal():
                    wal.begin(_driver(engine), path)
        return SqliteLedger(engine, path, owner=True)

    def open_to_read(self) -> SqliteLedger:
        """The ledger beside a run that may own it; one of an older schema is brought to the newest.

        Raises like ``open``.
        """
        with storage_errors(self.path):
            _check_not_emptied(self.path)
            wal.check_log(self.path)
            engine = connect_to_read(self.path)
            with _closed_when_it_fails(engine, self.path):
                if _schema(engine, self.path) == SCHEMA:
                    return SqliteLedger(engine, self.path)
        _close(engine, self.path)
        return self._brought_up_to_date()

    def _brought_up_to_date(self) -> SqliteLedger:
        with storage_errors(self.path):
            engine = connect(self.path, PRAGMAS[1:])
            with _closed_when_it_fails(engine, self.path):
                if wal.is_logged(_driver(engine)):  # its next owner ends what the killed one began, and nobody else
                    raise StorageTrouble(
                        "Este historial de envíos es de una versión anterior de anular y la última ejecución se "
                        "interrumpió: todavía no se puede consultar.",
                        code="ledger-version",
                        where=self.place,
                        remedy=f"Ejecute {order('poll')}: lo pone al día y sigue donde quedó.",
                    )
                _bring_up_to_date(engine, self.path)
        return SqliteLedger(engine, self.path)

    def open_as_it_is(self) -> SqliteLedger:
        """The ledger for examination: nothing is created, and the schema stays what it is.

        Raises ``StorageTrouble`` when there is none, or when its schema is not the newest.
        """
        with storage_errors(self.path):
            wal.check_log(self.path)
            engine = connect_to_read(self.path)
            with _closed_when_it_fails(engine, self.path):
                found = _schema(engine, self.path)
        if found != SCHEMA:
            _close(engine, self.path)
            raise not_newest(self.place)
        return SqliteLedger(engine, self.path)


def _check_not_emptied(path: Path) -> None:
    if is_empty(path):
        raise StorageTrouble(
            "El historial de envíos está vacío (0 bytes): alguien lo vació o una copia quedó a medias. "
            "No se envió nada.",
            code="ledger-empty",
            where=str(path),
            remedy="Si existe el bueno, póngalo en su lugar. Si se perdió, ejecute run con --new-ledger: sigue "
            "y consulta en eDoc cada documento antes de anularlo.",
        )


def is_empty(path: Path) -> bool:
    """Whether the ledger's file has no bytes."""
    return path.is_file() and path.stat().st_size == 0


def journal_of(path: Path) -> Path:
    """SQLite's own rollback journal."""
    return path.with_name(f"{path.name}-journal")


def create(path: Path, fill: Callable[[Database], None] | None) -> None:
    """A new ledger, complete before it gets its name: a kill on the way leaves none, and never an empty one.

    ``fill`` writes into it while it still has no name.
    """

    def begin(engine: Engine) -> None:
        _bring_up_to_date(engine, path)
        if fill is not None:
            fill(SqliteLedger(engine, path))

    place_file(path, begin)
    crashpoint("ledger-in-place")
    sync_folder(path.parent)


def place_file(path: Path, begin: Callable[[Engine], None], driver: Any = sqlite3) -> None:
    """Creates a file with ``begin`` under a temporary name and renames it when it is complete."""
    fresh = path.with_name(f"{path.name}.nuevo")
    for left in (
        fresh,
        journal_of(fresh),
        wal.log_of(fresh),
        wal.index_of(fresh),
    ):  # of a run that was killed here; nothing was sent under that name
        left.unlink(missing_ok=True)
    os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    crashpoint("ledger-created")
    engine = connect(fresh, driver=driver)
    try:
        begin(engine)
    finally:
        engine.dispose()
    for left in (journal_of(path), wal.log_of(path)):  # of the lost ledger: SQLite would take it for the new one's
        if left.exists():
            rename(left, free_name(left))
    wal.index_of(path).unlink(missing_ok=True)
    replace(fresh, path)


def _in_one(engine: Engine, work: Callable[[Connection], None]) -> None:
    with engine.begin() as connection:
        work(connection)


def connect(path: Path, pragmas: Sequence[str] | None = None, driver: Any = sqlite3) -> Engine:
    """The one connection to the file, with everything that durability needs."""
    return _engine(URL.create("sqlite", database=str(path)), PRAGMAS if pragmas is None else pragmas, driver)


def connect_to_read(path: Path) -> Engine:
    """A connection that leaves the file in the mode in which it is; in WAL it may only read."""
    if wal.log_of(path).exists():
        return _engine(url_to_read(path), PRAGMAS[1:])
    return connect(path, PRAGMAS[1:])


def url_to_read(path: Path) -> URL:
    """The address of a connection that may only read."""
    file, _, how = wal.read_only(path).partition("?")
    return URL.create("sqlite", database=file, query={**dict(parse_qsl(how)), "uri": "true"})


def _engine(url: URL, pragmas: Sequence[str], driver: Any = sqlite3) -> Engine:
    def configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we execute BEGIN ourselves
        for pragma in pragmas:
            connection.execute(pragma)

    engine = create_engine(
        url,
        module=driver,
        poolclass=StaticPool,
        connect_args={"check_same_thread": False, "timeout": BUSY_MS / 1000},
        execution_options={"compiled_cache": OF_SQLITE},
    )
    event.listen(engine, "connect", configure)
    event.listen(engine, "begin", _begin)
    return engine


def _driver(engine: Engine) -> Any:
    """The driver's own connection: a mode is not changed within a transaction."""
    return engine.raw_connection().driver_connection


def _close(engine: Engine, path: Path, *, owner: bool = False) -> None:
    """Closes the connection without removing a log that the file needs."""
    try:
        connection = _driver(engine)
    except TROUBLES:
        engine.dispose()
        return
    if wal.end(connection) if owner else not wal.is_logged(connection):
        engine.dispose()
    else:
        wal.close_beside(path, engine.dispose)


def _close_at_the_end(engine: Engine, path: Path, process: int) -> None:
    if os.getpid() == process:
        _close(engine, path)


@contextmanager
def _closed_when_it_fails(engine: Engine, path: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        _close(engine, path)
        raise


def _begin(connection: Connection) -> None:
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _schema(engine: Engine, path: Path) -> str | None:
    with engine.connect().execution_options(reading=True) as connection:
        found = schema_of(connection, str(path))
        connection.rollback()
    return found


def _bring_up_to_date(engine: Engine, path: Path) -> None:
    if _schema(engine, path) == SCHEMA:
        return
    with engine.begin() as connection:
        upgrade(connection)
    crashpoint("schema-after-commit")


def without_a_server() -> WrongUsage:
    """The error that a ledger in a file can have no queue."""
    return WrongUsage(
        "La cola de trabajo necesita un historial de envíos en PostgreSQL, y este es un archivo.",
        code="queue-needs-server",
        remedy="Indique el de PostgreSQL en ANULAR_LEDGER, o trabaje sin --queue.",
    )
