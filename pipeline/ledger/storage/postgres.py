"""What is PostgreSQL's own: the server's durability, the locks that its sessions hold, and one moment for many reads.

A run holds two session locks on a connection of its own: its credential's alone, and the ledger's together with other
runs. The server lets go of both when that connection ends, however it ends. Every transaction that may write first
takes the ledger's write lock, so that writers come one after the other as on a SQLite file: each then reads what all
before it have committed (isolation ``READ COMMITTED``: with a snapshot from before the wait it would not).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Engine, NullPool, create_engine, event, func, select, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from pipeline.domain.errors import StorageTrouble
from pipeline.ledger import tables
from pipeline.ledger.scope import Scope
from pipeline.ledger.storage import postgres_errors
from pipeline.ledger.storage.database import Database
from pipeline.ledger.storage.files import make_folder
from pipeline.ledger.storage.postgres_session import (
    FIND_UNLOGGED,
    SIGNS,
    TROUBLES,
    Holding,
    check_server,
    configure,
    holds,
    number_of,
    parse_address,
    take_lock,
)
from pipeline.ledger.storage.schema import SCHEMA, is_half, mark_half, not_newest, schema_of, upgrade
from pipeline.runtime.failpoints import crashpoint

T = TypeVar("T")
_MOVING = "El registro se está moviendo a otro lugar."
_RULES = ("event_no_update", "event_no_delete", "event_no_truncate", "one_live", "one_batch_per_file")


class PostgresLedger(Database):
    """An open ledger on a server. ``inside``: a transaction that others began and end."""

    shared = True

    def __init__(
        self,
        engine: Engine,
        site: PostgresLocation,
        *,
        holding: Holding | None = None,
        inside: Connection | None = None,
    ) -> None:
        super().__init__(engine, place=site.place, name=site.name, key=site.key)
        self._holding, self._inside = holding, inside
        self._snapshot: Connection | None = None
        self._id = self._site = ""

    @property
    def site(self) -> str:  # type: ignore[override]
        """The server's own number, its timeline (another one after each failover) and the database's. A server that
        does not tell the first is known by the other two."""
        if not self._site:
            with self._engine.connect() as connection:
                self._site = _site_of(connection)
                connection.rollback()
        return self._site

    @contextmanager
    def write(self) -> Iterator[Connection]:
        if self._inside is not None:
            yield self._inside
            return
        with super().write() as connection:
            yield connection

    @contextmanager
    def still(self) -> Iterator[None]:
        if self._snapshot is not None or self._inside is not None:  # of one moment already
            yield
            return
        try:
            connection = _of_one_moment(self._engine.connect())
            # Whoever writes a workbook of what is read may take a while between two reads, and holds nobody up.
            connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
        except TROUBLES as error:
            raise self._not_read(error) from error
        try:
            self._snapshot = connection
            yield
        finally:
            self._snapshot = None
            connection.close()

    def check_owned(self, connection: Connection) -> None:
        if self._holding is not None and not holds(connection, self._holding):
            raise StorageTrouble(
                "Se perdió el bloqueo de esta credencial en el servidor del registro: otra ejecución puede haber "
                "empezado. Se dejó de enviar por seguridad.",
                code="ledger-lock-lost",
                where=self.place,
                remedy="Ejecute la misma orden otra vez; nada se envía dos veces.",
            )

    def reserves(self) -> list[Path]:
        folder = self.reserve(None)
        return sorted(folder.parent.glob(f"{folder.name.partition('.')[0]}*.reserve.jsonl"))

    def renumber(self, connection: Connection) -> None:
        for table in (tables.run, tables.owner, tables.attempt):
            newest = func.max(table.c.id)
            sequence = func.pg_get_serial_sequence(table.name, "id")
            connection.execute(select(func.setval(sequence, func.greatest(newest, 1), newest.is_not(None))))

    def reserve(self, credential: str | None) -> Path:
        from platformdirs import user_data_path

        self._id = self._id or str(self.read(select(tables.ledger.c.id))[0].id)
        folder = user_data_path("anular") / "reserva"
        make_folder(folder)
        whose = f"-{credential}" if credential else ""
        return folder / f"{self._id}{whose}.reserve.jsonl"

    def structure(self, pages: str) -> list[tuple[str, str]]:  # noqa: ARG002 - the server reads its own pages
        there = {line.name for line in self.read(_FIND_RULES)}
        fleeting = [line.name for line in self.read(FIND_UNLOGGED)]
        gone = [name for name in _RULES if name not in there]
        return [("schema", f"falta la regla «{name}», que protege la bitácora.") for name in gone] + [
            ("schema", f"la tabla «{name}» no sobrevive a una caída del servidor (UNLOGGED).") for name in fleeting
        ]

    @contextmanager
    def _to_read(self, one: bool) -> Iterator[Connection]:
        if (given := self._inside or self._snapshot) is not None:
            yield given
            return
        with self._engine.connect() as connection:
            yield connection if one else _of_one_moment(connection)
            connection.rollback()

    def _begun(self, connection: Connection) -> None:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": number_of("escritura")})

    def _troubles(self) -> tuple[type[BaseException], ...]:
        return TROUBLES

    def _not_written(self, error: BaseException) -> StorageTrouble:
        found = postgres_errors.understood(error)
        return StorageTrouble(
            f"No se pudo guardar en el registro {self.name}: {found.words}. Se dejó de enviar por seguridad.",
            code="ledger-taken" if found.taken else "ledger-write",
            remedy=found.remedy,
        )

    def _not_read(self, error: BaseException) -> StorageTrouble:
        found = postgres_errors.understood(error)
        return StorageTrouble(
            f"No se pudo leer el registro {self.name}: {found.words}.", code="ledger-read", remedy=found.remedy
        )


class PostgresLocation:
    """The place of a ledger on a server, whether there is one or not.

    Raises ``WrongUsage`` for an address that cannot be one; no message ever holds the address itself, which may have a
    password in it.
    """

    shared = True

    def __init__(self, url: str) -> None:
        self._url = parse_address(url)
        self.name = f"«{self._url.database}»"
        user = f"{self._url.username}@" if self._url.username else ""
        query = self._url.query.get("host", "")
        host = self._url.host or (query if isinstance(query, str) else ",".join(query)) or "local"
        where = f"{host}:{self._url.port or self._url.query.get('port', 5432)}/{self._url.database}"
        self.place = f"postgresql://{user}{where}"
        self.key = f"postgresql://{where}".encode("utf-8", "surrogatepass")
        self._holding: Holding | None = None

    @property
    def journal(self) -> Path:
        """Where the sandbox of this ledger notes what it received."""
        from platformdirs import user_data_path

        folder = user_data_path("anular")
        make_folder(folder)
        return folder / f"{hashlib.sha256(self.key).hexdigest()[:16]}.sandbox.jsonl"

    def exists(self) -> bool:
        """Whether the database has a ledger in it. Raises ``StorageTrouble`` when nobody can tell."""
        return self._asked(lambda connection: schema_of(connection, self.place)) is not None

    def emptied(self) -> bool:
        """A database without tables is a new one; one whose lines were deleted fails its chain."""
        return False

    def half(self) -> bool:
        """Whether a copy was begun here and not finished."""
        return self._asked(is_half)

    def mark_half(self) -> None:
        """Nobody may take this place for that of a new ledger until ``fill`` has ended."""
        if not self.half():
            self._asked(mark_half)

    def fill(self, fill: Callable[[Database], None]) -> None:
        """A new ledger with what ``fill`` writes into it, in place of the mark, in one transaction."""
        with self._errors(), self._kept() as engine:
            with engine.begin() as connection:
                check_server(connection, self.place)
                connection.execute(text("DROP TABLE alembic_version"))
                upgrade(connection)
                fill(PostgresLedger(engine, self, inside=connection))
            engine.dispose()

    def _asked(self, work: Callable[[Connection], T]) -> T:
        """What ``work`` says in a transaction of its own."""
        with self._errors():
            engine = self._engine()
            try:
                with engine.begin() as connection:
                    return work(connection)
            finally:
                engine.dispose()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """No run works on this ledger until the end of the block. Raises ``AnotherRun``."""
        with self._session() as connection:
            with self._errors():
                take_lock(
                    connection, "pg_advisory_lock", number_of("registro"), "Otra ejecución está usando el registro."
                )
            yield

    @contextmanager
    def working(self, env: str, credential: str | None) -> Iterator[Scope]:
        """Owns one credential until the end of the block, beside runs that own others.

        Raises ``AnotherRun`` when somebody has it, or the whole ledger.
        """
        with self._session() as connection:
            with self._errors():
                holding, orphans = self._own(connection, env, number_of("credencial", env, credential or ""))
            crashpoint("lock-taken")
            self._holding = holding
            try:
                yield Scope(credential, alone=False, orphans=orphans)
            finally:
                self._holding = None

    @contextmanager
    def visited(self, credential: str) -> Iterator[Scope]:
        """Batches of one credential may be handed in until the end of the block, beside the run that owns it.

        Raises ``AnotherRun`` when the whole ledger is somebody's.
        """
        with self._session() as connection:
            with self._errors():
                take_lock(connection, "pg_advisory_lock_shared", number_of("registro"), _MOVING)
            yield Scope(credential, alone=False, desk=True)

    def _own(self, connection: Connection, env: str, mine: int) -> tuple[Holding, bool]:
        """Takes a run's locks; whether the rows that bear no credential are its own too, for whoever comes first."""
        ledger = number_of("registro")
        take_lock(connection, "pg_advisory_lock_shared", ledger, _MOVING)
        take_lock(connection, "pg_advisory_lock", mine, "Otra ejecución está usando el registro con esta credencial.")
        free = text("SELECT pg_try_advisory_lock(:key), pg_backend_pid()")
        orphans, pid = connection.execute(free, {"key": number_of("sin credencial", env)}).one()
        holding = Holding(int(pid), mine)
        if not holds(connection, holding) or self._is_shared(holding.pid):
            raise StorageTrouble(
                "El servidor del registro no mantiene los bloqueos de una conexión (¿hay un pgbouncer por medio?).",
                code="ledger-server",
                where=self.place,
                remedy="Conéctese directamente a PostgreSQL. Vea docs/despliegue/postgresql.md.",
            )
        return holding, bool(orphans)

    def _is_shared(self, pid: int) -> bool:
        """Whether a second connection is given the very session that the first one holds its locks on: something in
        between hands sessions around (pgbouncer in transaction mode), and locks would be anybody's."""
        with self._session() as another:
            return int(another.execute(text("SELECT pg_backend_pid()")).scalar_one()) == pid

    def open(self, anew: Callable[[Database], None] | None = None) -> PostgresLedger:
        """The ledger, made in the database when there is none, or brought to the newest schema, in one transaction.

        What ``anew`` writes is part of it. Raises ``StorageTrouble``.
        """
        with self._errors(), self._kept() as engine:
            with engine.begin() as connection:
                check_server(connection, self.place)
                found = schema_of(connection, self.place)
            if found != SCHEMA:
                self._bring_up_to_date(engine, anew)
        return PostgresLedger(engine, self, holding=self._holding)

    def _bring_up_to_date(self, engine: Engine, anew: Callable[[Database], None] | None) -> None:
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": number_of("forma")})
            found = schema_of(connection, self.place)
            if found != SCHEMA:  # another run may have done it meanwhile
                upgrade(connection)
            if found is None and anew is not None:
                anew(PostgresLedger(engine, self, inside=connection))
        crashpoint("schema-after-commit")

    def open_as_it_is(self) -> PostgresLedger:
        """The ledger for examination. Raises ``StorageTrouble`` when there is none of the newest schema."""
        with self._errors(), self._kept() as engine:
            with engine.begin() as connection:
                found = schema_of(connection, self.place)
            if found != SCHEMA:
                raise not_newest(self.place)
        return PostgresLedger(engine, self)

    @contextmanager
    def _kept(self) -> Iterator[Engine]:
        """An engine that stays open, unless the block fails."""
        engine = self._engine()
        try:
            yield engine
        except BaseException:
            engine.dispose()
            raise

    def _engine(self, **more: Any) -> Engine:
        engine = create_engine(
            self._url, connect_args=SIGNS, hide_parameters=True, **{"isolation_level": "READ COMMITTED", **more}
        )
        event.listen(engine, "connect", lambda connection, _record: configure(connection))
        return engine

    @contextmanager
    def _session(self) -> Iterator[Connection]:
        """A connection of its own, which nobody else gets and which ends with the block."""
        engine, process = self._engine(poolclass=NullPool, isolation_level="AUTOCOMMIT"), os.getpid()
        with self._errors():
            connection = engine.connect()
        try:
            yield connection
        finally:
            if os.getpid() == process:  # a fork that leaves the block would say goodbye in its parent's name
                connection.invalidate()  # closes it, and with it every lock: also when it was broken long ago
                connection.close()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """What the server or the way to it says, as one sentence without a secret."""
        try:
            yield
        except TROUBLES as error:
            found = postgres_errors.understood(error)
            raise StorageTrouble(
                f"No se pudo usar el registro: {found.words}.", code="ledger", where=self.place, remedy=found.remedy
            ) from error


def _of_one_moment(connection: Connection) -> Connection:
    return connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def _site_of(connection: Connection) -> str:
    try:
        with connection.begin_nested():
            system = connection.execute(text("SELECT system_identifier FROM pg_control_system()")).scalar()
    except DBAPIError:
        system = "?"
    # The timeline that is being written, and not the one of the last checkpoint: true at once after a promotion.
    line = connection.execute(
        text(
            "SELECT substring(pg_walfile_name(pg_current_wal_lsn()) FOR 8) AS timeline, oid::bigint AS oid "
            "FROM pg_database WHERE datname = current_database()"
        )
    ).one()
    return f"{system}/{line.timeline}/{line.oid}"


_FIND_RULES = text(
    "SELECT tgname AS name FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid WHERE tgrelid = to_regclass('event') "
    "AND tgenabled IN ('O', 'A') AND prosrc LIKE '% RAISE EXCEPTION %append-only%' UNION ALL "
    "SELECT relname FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid "
    "WHERE indisunique AND indisvalid AND indrelid IN (to_regclass('attempt'), to_regclass('batch'))"
)
