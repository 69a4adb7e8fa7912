"""SQLite ledger: one file, fully durable and private, with one owner at a time; what an empty or half-made file
means."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, StaticPool, create_engine, event, text
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import ArgumentError

from pipeline.domain.errors import StorageTrouble, WrongUsage
from pipeline.ledger.reserve_journal import reserve_path
from pipeline.ledger.scope import Scope
from pipeline.ledger.storage.database import Database
from pipeline.ledger.storage.files import TROUBLES, free_name, locked, make_folder, reason_of, storage_errors
from pipeline.ledger.storage.schema import SCHEMA, is_half, mark_half, not_newest, schema_of, upgrade
from pipeline.runtime.atomic_file import sync_folder
from pipeline.runtime.failpoints import crashpoint
from pipeline.runtime.file_address import file_address
from pipeline.runtime.patience import rename, replace

BUSY_MS = 10_000
_EXAMPLE = "sqlite:///C:/carpeta/registro.db" if os.name == "nt" else "sqlite:////home/usuario/registro.db"

# DELETE with EXTRA lost nothing in 1,000 simulated power cuts; DELETE with FULL lost 499 commits (reliability.md D10).
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
    """An open SQLite ledger."""

    def __init__(self, engine: Engine, path: Path) -> None:
        super().__init__(engine, place=str(path), name=path.name, key=_key(path))
        self.path = path

    def reserve(self, credential: str | None) -> Path:  # noqa: ARG002 - one run owns the file, whatever its credential
        return reserve_path(self.path)

    def reserves(self) -> list[Path]:
        return [reserve for reserve in (reserve_path(self.path),) if reserve.exists()]

    def structure(self, pages: str) -> list[tuple[str, str]]:
        with self.write() as connection:
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
        return self.path.exists()

    def emptied(self) -> bool:
        """Whether the ledger's file has no bytes."""
        return is_empty(self.path)

    def half(self) -> bool:
        """Whether a copy to this place was started and not finished."""
        if not self.path.is_file() or self.emptied():
            return False
        with storage_errors(self.path):
            engine = connect(self.path)
            try:
                with engine.connect().execution_options(reading=True) as connection:
                    return is_half(connection)
            finally:
                engine.dispose()

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

    def open(self, anew: Callable[[Database], None] | None = None) -> SqliteLedger:
        """The ledger, created if missing, or migrated to the newest schema.

        Only a missing file is a new ledger: a file of 0 bytes was emptied, and its content is lost. With ``anew`` a
        person accepts that and an empty file is replaced; what ``anew`` writes is in the new ledger before the file
        gets its name. Raises ``StorageTrouble`` when the file cannot be used, is empty, or is of a newer version.
        """
        path = self.path
        with storage_errors(path):
            make_folder(path.parent)
            if not path.exists() or (is_empty(path) and anew is not None):
                create(path, anew)
            if is_empty(path):
                raise StorageTrouble(
                    "El historial de envíos está vacío (0 bytes): alguien lo vació o una copia quedó a medias. "
                    "No se envió nada.",
                    code="ledger-empty",
                    where=str(path),
                    remedy="Si existe el bueno, póngalo en su lugar. Si se perdió, ejecute run con --new-ledger: sigue "
                    "y consulta en eDoc cada documento antes de anularlo.",
                )
            engine = connect(path)
            _bring_up_to_date(engine, path)
        return SqliteLedger(engine, path)

    def open_as_it_is(self) -> SqliteLedger:
        """The ledger for examination: nothing is created, and the schema stays what it is.

        Raises ``StorageTrouble`` when there is none, or when its schema is not the newest.
        """
        with storage_errors(self.path):
            engine = connect(self.path)
            found = _schema(engine, self.path)
        if found != SCHEMA:
            raise not_newest(self.place)
        return SqliteLedger(engine, self.path)


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


def place_file(path: Path, begin: Callable[[Engine], None]) -> None:
    """Creates a file with ``begin`` under a temporary name and renames it when it is complete."""
    fresh = path.with_name(f"{path.name}.nuevo")
    for left in (fresh, journal_of(fresh)):  # of a run that was killed here; nothing was sent under that name
        left.unlink(missing_ok=True)
    os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    crashpoint("ledger-created")
    engine = connect(fresh)
    try:
        begin(engine)
    finally:
        engine.dispose()
    if journal_of(path).exists():  # of the lost ledger: SQLite would roll it back into the new one
        rename(journal_of(path), free_name(journal_of(path)))
    replace(fresh, path)


def _in_one(engine: Engine, work: Callable[[Connection], None]) -> None:
    with engine.begin() as connection:
        work(connection)


def connect(path: Path) -> Engine:
    """The one connection to the file, with everything that durability needs."""
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        poolclass=StaticPool,
        connect_args={"check_same_thread": False, "timeout": BUSY_MS / 1000},
    )
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


def _configure(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we execute BEGIN ourselves
    for pragma in PRAGMAS:
        connection.execute(pragma)


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
