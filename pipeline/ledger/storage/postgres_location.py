"""Place of a ledger on a PostgreSQL server: whether one is there, who may work on it, how it is opened and filled."""

from __future__ import annotations

import copy
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Engine, NullPool, text
from sqlalchemy.engine import Connection

from pipeline.domain.errors import StorageTrouble
from pipeline.ledger.scope import Scope
from pipeline.ledger.storage import postgres_errors
from pipeline.ledger.storage.database import Database
from pipeline.ledger.storage.files import make_folder
from pipeline.ledger.storage.postgres import PostgresLedger
from pipeline.ledger.storage.postgres_session import (
    TROUBLES,
    Holding,
    check_server,
    holds,
    make_engine,
    number_of,
    parse_address,
    take_lock,
)
from pipeline.ledger.storage.schema import SCHEMA, is_half, mark_half, not_newest, schema_of, upgrade
from pipeline.runtime.failpoints import crashpoint
from pipeline.runtime.folders import data_folder

T = TypeVar("T")
_MOVING = "El historial de envíos se está moviendo a otro lugar."
_ASKED = 4
"""How many times: a pooler that is just opening more sessions gives the right ones once by chance."""


@dataclass
class _Once:
    """What the companies of one command, or the requests to one page, have in common."""

    engine: Engine
    #: of the sessions that hold locks: each is its own
    sessions: Engine
    #: whether the ledger was found there, durable and of the newest schema
    there: bool = False
    #: whether nothing in between hands sessions around
    direct: bool = False


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
        self._once: _Once | None = None

    @contextmanager
    def kept_open(self, most: int) -> Iterator[Callable[[], PostgresLocation]]:
        """Until the end of the block the ledger is opened once for many companies or requests, ``most`` of them at
        the same time. What it gives makes this location again for each of them: the same connections, its own locks."""
        once = _Once(
            self._engine(pool_size=most, max_overflow=most, pool_pre_ping=True),  # a page outlives a server's restart
            self._engine(poolclass=NullPool, isolation_level="AUTOCOMMIT"),
        )

        def again() -> PostgresLocation:
            one = copy.copy(self)
            one._holding, one._once = None, once
            return one

        try:
            yield again
        finally:
            once.engine.dispose()
            once.sessions.dispose()

    @property
    def request_log(self) -> Path:
        """Path of the sandbox's request log for this ledger."""
        folder = data_folder()
        make_folder(folder)
        return folder / f"{hashlib.sha256(self.key).hexdigest()[:16]}.sandbox.jsonl"

    def exists(self) -> bool:
        """Whether the database has a ledger in it. Raises ``StorageTrouble`` when that cannot be determined."""
        if self._once is not None and self._once.there:
            return True
        return self._asked(lambda connection: schema_of(connection, self.place)) is not None

    def emptied(self) -> bool:
        """A database without tables is a new one; one whose lines were deleted fails its chain."""
        return False

    def half(self) -> bool:
        """Whether a copy was begun here and not finished."""
        return self._asked(is_half)

    def mark_half(self) -> None:
        """Marks the place as half filled: it is not a new ledger's until ``fill`` has ended."""
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
        """Result of ``work`` in a transaction of its own."""
        with self._errors():
            engine = self._engine() if self._once is None else self._once.engine
            try:
                with engine.begin() as connection:
                    return work(connection)
            finally:
                if self._once is None:
                    engine.dispose()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """No run works on this ledger until the end of the block. Raises ``AnotherRun``."""
        with self._kept_session() as connection:
            with self._errors():
                words = "Otra ejecución está usando el historial de envíos."
                take_lock(connection, "pg_advisory_lock", number_of("registro"), words)
            yield

    @contextmanager
    def working(self, env: str, credential: str | None) -> Iterator[Scope]:
        """Owns one credential until the end of the block, beside runs that own others.

        Raises ``AnotherRun`` when somebody has it, or the whole ledger.
        """
        with self._kept_session() as connection:
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
        with self._kept_session() as connection:
            with self._errors():
                take_lock(connection, "pg_advisory_lock_shared", number_of("registro"), _MOVING)
            yield Scope(credential, alone=False, desk=True)

    def _own(self, connection: Connection, env: str, mine: int) -> tuple[Holding, bool]:
        """Takes a run's locks; returns also whether it owns the rows without a credential, as the first run does."""
        ledger = number_of("registro")
        take_lock(connection, "pg_advisory_lock_shared", ledger, _MOVING)
        words = "Otra ejecución está usando el historial de envíos con esta credencial."
        take_lock(connection, "pg_advisory_lock", mine, words)
        free = text("SELECT pg_try_advisory_lock(:key), pg_backend_pid()")
        orphans, pid = connection.execute(free, {"key": number_of("sin credencial", env)}).one()
        holding = Holding(int(pid), mine)
        if not holds(connection, holding):
            raise self._handed_around()
        return holding, bool(orphans)

    @contextmanager
    def _kept_session(self) -> Iterator[Connection]:
        """A session for locks. Something in between may hand sessions around (pgbouncer in transaction mode): the next
        statement is given another one, or whoever connects is given the same one. Then none is locked: a lock would be
        anybody's, and stay with the pooler when this process has ended."""
        with self._session() as connection:
            if self._once is not None and self._once.direct:
                yield connection
                return
            mine: set[int] = set()
            theirs: set[int] = set()
            with self._errors(), self._session() as another:
                for _ in range(_ASKED):  # twice in a row: of two sessions in turn each would be given its own
                    mine |= {_session_of(connection), _session_of(connection)}
                    theirs.add(_session_of(another))
            if len(mine) > 1 or mine & theirs:
                raise self._handed_around()
            if self._once is not None:
                self._once.direct = True
            yield connection

    def _handed_around(self) -> StorageTrouble:
        return StorageTrouble(
            "El servidor del historial de envíos no mantiene los bloqueos de una conexión "
            "(¿hay un pgbouncer por medio?).",
            code="ledger-server",
            where=self.place,
            remedy="Conéctese directamente a PostgreSQL. Vea docs/despliegue/postgresql.md.",
        )

    def open(self, anew: Callable[[Database], None] | None = None, *, restored: bool = False) -> PostgresLedger:  # noqa: ARG002 - a file's
        """The ledger, made in the database when there is none, or brought to the newest schema, in one transaction.

        What ``anew`` writes is part of it. Raises ``StorageTrouble``.
        """
        once = self._once
        if once is not None and once.there and anew is None:
            return PostgresLedger(once.engine, self, holding=self._holding, kept=True)
        with self._errors(), self._kept() if once is None else nullcontext(once.engine) as engine:
            with engine.begin() as connection:
                check_server(connection, self.place)
                found = schema_of(connection, self.place)
            if found != SCHEMA:
                self._bring_up_to_date(engine, anew)
        if once is not None:
            once.there = True
        return PostgresLedger(engine, self, holding=self._holding, kept=once is not None)

    def open_to_read(self) -> PostgresLedger:
        """The ledger as for a run: on a server reading is no different."""
        return self.open()

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
        once = self._once
        with self._errors(), self._kept() if once is None else nullcontext(once.engine) as engine:
            with engine.begin() as connection:
                found = schema_of(connection, self.place)
            if found != SCHEMA:
                raise not_newest(self.place)
        return PostgresLedger(engine, self, kept=once is not None)

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
        return make_engine(self._url, **more)

    @contextmanager
    def _session(self) -> Iterator[Connection]:
        """Connection outside of the pool, which ends with the block."""
        once, process = self._once, os.getpid()
        engine = once.sessions if once is not None else self._engine(poolclass=NullPool, isolation_level="AUTOCOMMIT")
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
        """Translates errors of the server and of the connection into one sentence without a secret."""
        try:
            yield
        except TROUBLES as error:
            found = postgres_errors.refusal_of(error)
            raise StorageTrouble(
                f"No se pudo usar el historial de envíos: {found.words}.",
                code="ledger",
                where=self.place,
                remedy=found.remedy,
            ) from error


def _session_of(connection: Connection) -> int:
    driver: Any = connection.connection.driver_connection
    # Not prepared: the session may be another one by the next time, which does not know the statement, or has its own.
    return int(driver.execute("SELECT pg_backend_pid()", prepare=False).fetchone()[0])
