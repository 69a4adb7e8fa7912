"""PostgreSQL ledger: the server's durability, the locks that its sessions hold, and one moment for many reads.

A run holds two session locks on a connection of its own: its credential's alone, and the ledger's together with other
runs. The server lets go of both when that connection ends, however it ends. Every transaction that may write first
takes the ledger's write lock, so that writers come one after the other as on a SQLite file: each then reads what all
before it have committed (isolation ``READ COMMITTED``: with a snapshot from before the wait it would not).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine, func, select, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from pipeline.domain.errors import StorageTrouble
from pipeline.ledger import tables
from pipeline.ledger.storage import postgres_errors
from pipeline.ledger.storage.database import Database
from pipeline.ledger.storage.files import make_folder
from pipeline.ledger.storage.postgres_session import FIND_UNLOGGED, TROUBLES, Holding, holds, number_of
from pipeline.runtime.folders import data_folder

if TYPE_CHECKING:
    from pipeline.ledger.storage.postgres_location import PostgresLocation

_RULES = ("event_no_update", "event_no_delete", "event_no_truncate", "one_live", "one_batch_per_file")


class PostgresLedger(Database):
    """An open ledger on a server. ``inside``: a transaction that others began and end; ``kept``: others go on with its
    connections when it is closed."""

    shared = True

    def __init__(
        self,
        engine: Engine,
        location: PostgresLocation,
        *,
        holding: Holding | None = None,
        inside: Connection | None = None,
        kept: bool = False,
    ) -> None:
        super().__init__(engine, place=location.place, name=location.name, key=location.key)
        self._holding, self._inside, self._stays_open = holding, inside, kept
        self._snapshot: Connection | None = None
        self._id = self._site = ""

    @property
    def server(self) -> str:  # type: ignore[override]
        """The server's own number, its timeline (another one after each failover) and the database's. A server that
        does not tell the first is known by the other two."""
        if not self._site:
            with self._engine.connect() as connection:
                self._site = site_of(connection)
                connection.rollback()
        return self._site

    def close(self) -> None:
        if not self._stays_open:
            super().close()

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
            connection = of_one_moment(self._engine.connect())
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
                "Se perdió el bloqueo de esta credencial en el servidor del historial de envíos: otra ejecución puede "
                "haber empezado. Se dejó de enviar por seguridad.",
                code="ledger-lock-lost",
                where=self.place,
                remedy="Ejecute el mismo comando otra vez; nada se envía dos veces.",
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
        self._id = self._id or str(self.read(select(tables.ledger.c.id))[0].id)
        folder = data_folder() / "reserva"
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
            yield connection if one else of_one_moment(connection)
            connection.rollback()

    def _begun(self, connection: Connection) -> None:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": number_of("escritura")})

    def _troubles(self) -> tuple[type[BaseException], ...]:
        return TROUBLES

    def _not_written(self, error: BaseException) -> StorageTrouble:
        found = postgres_errors.refusal_of(error)
        return StorageTrouble(
            f"No se pudo guardar en el historial de envíos {self.name}: {found.words}. "
            "Se dejó de enviar por seguridad.",
            code="ledger-taken" if found.taken else "ledger-write",
            remedy=found.remedy,
        )

    def _not_read(self, error: BaseException) -> StorageTrouble:
        found = postgres_errors.refusal_of(error)
        return StorageTrouble(
            f"No se pudo leer el historial de envíos {self.name}: {found.words}.",
            code="ledger-read",
            remedy=found.remedy,
        )


def of_one_moment(connection: Connection) -> Connection:
    return connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def site_of(connection: Connection) -> str:
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
