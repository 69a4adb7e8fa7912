"""Place of the office database: a SQLite file, or a schema of a PostgreSQL server; made, brought up to date, opened."""

from __future__ import annotations

import uuid
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from filelock import FileLock, Timeout
from sqlalchemy import Engine, event, insert, inspect, select, text
from sqlalchemy.engine import URL, Connection

from pipeline.domain.errors import AnotherRun, StorageTrouble
from pipeline.ledger.codec import to_text
from pipeline.ledger.storage.driver import office_sqlite3
from pipeline.ledger.storage.files import TROUBLES, make_folder, reason_of
from pipeline.ledger.storage.location import is_on_a_server
from pipeline.ledger.storage.schema import run_steps
from pipeline.ledger.storage.sqlite import connect, is_empty, place_file, sqlite_path
from pipeline.office import tables
from pipeline.office.database import Kind, Office, office_errors
from pipeline.runtime.atomic_file import sync_folder
from pipeline.runtime.failpoints import crashpoint

SCHEMA = "0002"
SPACE = "anular_office"
"""Name of its schema on a server."""
PATIENCE_MS = 20_000
"""How long one process waits for another that is writing."""

_REMEDY = "Revise permisos, espacio en disco y que el archivo no esté dañado."


class Place(Protocol):
    """Where an office database is, or will be; ``place`` shows it to a person, without a secret."""

    @property
    def place(self) -> str: ...
    def exists(self) -> bool: ...
    def open(self, now: datetime, *, moved: bool = False) -> Office: ...


def place_of(url: str) -> Place:
    """The place that ``url`` names. Raises ``WrongUsage`` for an address of neither kind."""
    return ServerPlace(url) if is_on_a_server(url) else FilePlace(url)


class FilePlace:
    """A SQLite file, private to its owner. Raises ``WrongUsage`` for anything but a file address."""

    def __init__(self, url: str) -> None:
        self.path = sqlite_path(url)
        self.place = str(self.path)

    def exists(self) -> bool:
        with office_errors("usar", self.place, FILE):
            return self.path.exists()

    def in_use(self) -> bool:
        """Whether it is there, and no other place took over from it."""
        if not self.exists() or is_empty(self.path):
            return False
        with office_errors("leer", self.place, FILE):
            engine = connect(self.path, driver=office_sqlite3)
            try:
                with engine.connect().execution_options(reading=True) as connection:
                    if version_of(connection, self.place) is None:
                        return False
                    return connection.execute(select(tables.office.c.moved_to)).scalar_one() is None
            finally:
                engine.dispose()

    def open(self, now: datetime, *, moved: bool = False) -> Office:
        """The database, created if missing, or brought to the newest schema; ``now`` (aware) is when.

        Raises ``StorageTrouble`` when it cannot be used, is empty, is of a newer version, or, unless ``moved``, when
        another place took over from it.
        """
        with office_errors("usar", self.place, FILE):
            make_folder(self.path.parent)
            if not self.path.exists():
                self._create(now)
            if is_empty(self.path):
                raise StorageTrouble(
                    "La base de datos de la oficina está vacía (0 bytes): alguien la vació o una copia quedó a medias.",
                    code="office-empty",
                    where=self.place,
                    remedy="Ponga en su lugar el último respaldo. Si no hay ninguno, quite el archivo: se hace otra, "
                    "sin propuestas ni certificados.",
                )
            engine = connect(self.path, driver=office_sqlite3)
            event.listen(engine, "connect", _wait_longer)
            return _opened(Office(_up_to_date(engine, self.place, now), FILE, self.place), moved)

    def _create(self, now: datetime) -> None:
        """One of several processes makes it, complete before it gets its name."""
        try:
            with FileLock(f"{self.path}.lock", mode=0o600, timeout=PATIENCE_MS / 1000):
                if not self.path.exists():
                    place_file(self.path, lambda engine: _make(engine, now), office_sqlite3)
                    crashpoint("office-in-place")
                    sync_folder(self.path.parent)
        except Timeout:
            raise AnotherRun(
                "Otro proceso está creando la base de datos de la oficina.", remedy="Vuelva a intentarlo."
            ) from None


class ServerPlace:
    """The schema ``anular_office`` of a PostgreSQL database. Raises ``WrongUsage`` for another address."""

    def __init__(self, url: str) -> None:
        from pipeline.ledger.storage.postgres_location import PostgresLocation

        self._url = _parsed(url)
        self.place = f"{PostgresLocation(url).place} ({SPACE})"

    def exists(self) -> bool:
        kind = _server()
        with office_errors("usar", self.place, kind):
            engine = _engine(self._url)
            try:
                with engine.connect() as connection:
                    return version_of(connection, self.place) is not None
            finally:
                engine.dispose()

    def open(self, now: datetime, *, moved: bool = False) -> Office:
        """As for a file."""
        kind = _server()
        with office_errors("usar", self.place, kind):
            engine = _engine(self._url)
            try:
                return _opened(Office(_up_to_date(engine, self.place, now, kind), kind, self.place), moved)
            except BaseException:
                engine.dispose()
                raise


def _opened(office: Office, moved: bool) -> Office:
    line = office.read(select(tables.office.c.moved_to))[0]
    if line.moved_to and not moved:
        office.close()
        raise StorageTrouble(
            f"Esta base de datos de la oficina se movió a {line.moved_to}.",
            code="office-moved",
            where=office.place,
            remedy="Indique el nuevo lugar en ANULAR_OFFICE.",
        )
    return office


def version_of(connection: Connection, place: str) -> str | None:
    """Version of the schema; None where there is none yet. Raises ``StorageTrouble`` for tables that are not ours."""
    space = _space(connection)
    found = inspect(connection).get_table_names(schema=space)
    if "alembic_version" not in found:
        if found:
            raise _not_ours(place)
        return None
    name = f"{space}.alembic_version" if space else "alembic_version"
    version = connection.execute(text(f"SELECT version_num FROM {name}")).scalar()  # noqa: S608  # nosec B608 - a constant
    if version is not None and (tables.office.name not in found or str(version) > SCHEMA):
        raise _not_ours(place)
    return None if version is None else str(version)


def _not_ours(place: str) -> StorageTrouble:
    return StorageTrouble(
        "La base de datos de la oficina es de otro programa o de una versión más nueva de anular.",
        code="office-version",
        where=place,
        remedy="Actualice anular o indique otra en ANULAR_OFFICE.",
    )


def _up_to_date(engine: Engine, place: str, now: datetime, kind: Kind | None = None) -> Engine:
    with engine.connect().execution_options(reading=True) as connection:
        found = version_of(connection, place)
        connection.rollback()
    if found != SCHEMA:
        _make(engine, now, place, kind)
    return engine


def _make(engine: Engine, now: datetime, place: str = "", kind: Kind | None = None) -> None:
    """All steps that are missing, in one transaction; a new database gets its id."""
    with engine.begin() as connection:
        if kind is not None:
            kind.begun(connection)
            connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SPACE}"))
        found = version_of(connection, place)
        if found == SCHEMA:  # another process was first
            return
        run_steps(connection, Path(__file__).parent / "migrations")
        if found is None:
            connection.execute(insert(tables.office).values(id=uuid.uuid4().hex, made_at=to_text(now)))
        crashpoint("office-before-commit")


def _space(connection: Connection) -> str | None:
    return SPACE if connection.dialect.name == "postgresql" else None


def _wait_longer(connection: Any, _record: Any) -> None:
    connection.execute(f"PRAGMA busy_timeout={PATIENCE_MS}")


def _file_words(error: BaseException) -> tuple[str, str]:
    return reason_of(error), _REMEDY


FILE = Kind(
    troubles=TROUBLES,
    words=_file_words,
    begun=lambda _connection: None,
    still=lambda connection: connection,  # every reading transaction of a file is
)


def _server() -> Kind:
    from pipeline.ledger.storage.postgres import of_one_moment
    from pipeline.ledger.storage.postgres_errors import refusal_of
    from pipeline.ledger.storage.postgres_session import TROUBLES as SERVER_TROUBLES
    from pipeline.ledger.storage.postgres_session import number_of

    def words(error: BaseException) -> tuple[str, str]:
        found = refusal_of(error)
        return found.words, found.remedy

    def begun(connection: Connection) -> None:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": number_of("oficina")})

    return Kind(troubles=SERVER_TROUBLES, words=words, begun=begun, still=of_one_moment)


def _parsed(url: str) -> URL:
    from pipeline.ledger.storage.postgres_session import parse_address

    return parse_address(url)


def _engine(url: URL) -> Engine:
    """Its tables are named with their schema, so that nothing depends on a session's search path."""
    from pipeline.ledger.storage.postgres_session import make_engine

    return make_engine(url, pool_pre_ping=True, execution_options={"schema_translate_map": {None: SPACE}})
