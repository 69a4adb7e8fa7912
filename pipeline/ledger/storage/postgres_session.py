"""Sessions of a PostgreSQL server: addresses, timeouts, advisory locks, and whether the server is durable."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import Any

import psycopg
from sqlalchemy import URL, Engine, create_engine, event, text
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from pipeline.domain.errors import AnotherRun, StorageTrouble, WrongUsage

UNSAFE = "ANULAR_TEST_UNSAFE_SERVER"
"""For tests alone: ``1`` accepts a server that would lose commits in a power cut."""
WAIT = "60s"
"""How long a writer waits for the others, and how long one may stand still in a transaction."""
PATIENCE = "1s"
"""How long a starting run waits for a lock: the server needs a moment to see that a killed run is gone."""
CONNECT_S = 10
SILENCE_S = 25
"""After so many seconds without a sign of the other side a connection counts as broken, on either side."""

SIGNS = {
    "application_name": "anular",
    "client_encoding": "utf8",
    "connect_timeout": CONNECT_S,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": SILENCE_S * 1000,
}
"""What this side does of its own accord to notice that the other one is gone; ``_SESSION`` is the server's part."""

TROUBLES = (OSError, DBAPIError, psycopg.Error)
_DRIVERS = ("postgresql", "postgresql+psycopg")
_SESSION = {
    "lock_timeout": WAIT,
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": WAIT,
    "idle_session_timeout": "0",  # from version 14 on
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": str(SILENCE_S * 1000),
}


@dataclass(frozen=True, slots=True)
class Holding:
    """The session that holds a run's locks: its process on the server, and the number of the credential's lock."""

    pid: int
    number: int


def driver_arguments(url: str) -> dict[str, Any]:
    """Arguments of the driver for a connection to ``url``, a password included; ``configure`` does the rest.

    Raises ``WrongUsage``.
    """
    parsed = parse_address(url)
    _, arguments = parsed.get_dialect()().create_connect_args(parsed)
    return {**arguments, **SIGNS}


def number_of(*names: str) -> int:
    """The 64-bit number of an advisory lock, the same on every machine."""
    told = "\0".join(("anular", *names)).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.sha256(told).digest()[:8], "big", signed=True)


def holds(connection: Connection, holding: Holding) -> bool:
    """Whether that session still has that lock. Any connection to the server may ask."""
    unsigned = holding.number % 2**64
    values = {"pid": holding.pid, "high": unsigned >> 32, "low": unsigned % 2**32}
    return bool(connection.execute(_HELD, values).scalar())


_HELD = text(
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND mode = 'ExclusiveLock' AND pid = :pid "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
    "AND classid::bigint = :high AND objid::bigint = :low AND objsubid = 1"
)
FIND_UNLOGGED = text(
    "SELECT relname AS name FROM pg_class JOIN unnest(CAST(:names AS text[])) AS name ON oid = to_regclass(name) "
    "WHERE relpersistence <> 'p'"
).bindparams(names=["run", "owner", "ledger", "batch", "row", "attempt", "event"])


def take_lock(connection: Connection, function: str, number: int, taken: str) -> None:
    """Takes a session lock. Raises ``AnotherRun``, saying ``taken``, when it is not to be had within a moment."""
    try:
        connection.execute(text("SELECT set_config('lock_timeout', :wait, false)"), {"wait": PATIENCE})
        connection.execute(text(f"SELECT {function}(:key)"), {"key": number})
    except DBAPIError as error:
        if isinstance(error.orig, psycopg.errors.LockNotAvailable):
            raise AnotherRun(taken, remedy="Espere a que termine y vuelva a intentarlo.") from None
        raise


def make_engine(url: URL, **more: Any) -> Engine:
    """An engine whose sessions are durable and notice that the other side is gone; ``more`` are its own arguments."""
    engine = create_engine(
        url, connect_args=SIGNS, hide_parameters=True, **{"isolation_level": "READ COMMITTED", **more}
    )
    event.listen(engine, "connect", lambda connection, _record: configure(connection))
    event.listen(engine, "after_cursor_execute", _count_again)
    return engine


def _count_again(_of: Any, cursor: Any, _statement: str, _values: Any, _context: Any, many: bool) -> None:
    """After many at once (a pipeline of the driver's) the server no longer counts how long a transaction stands idle,
    until something else is asked."""
    if many:
        cursor.connection.execute("SELECT 1")


def configure(connection: Any) -> None:
    """A session in which nothing that was acknowledged can be lost, and which ends when the other side is gone."""
    was = connection.autocommit
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(_CONFIGURE, (list(_SESSION), list(_SESSION.values())))
    connection.autocommit = was


async def configure_async(connection: psycopg.AsyncConnection[Any]) -> None:
    """As ``configure``."""
    was = connection.autocommit
    await connection.set_autocommit(True)
    await connection.execute(_CONFIGURE, (list(_SESSION), list(_SESSION.values())))
    await connection.set_autocommit(was)


_CONFIGURE = """
    SELECT set_config(name, wanted.value, false)
    FROM pg_settings JOIN unnest(%s::text[], %s::text[]) AS wanted(name, value) USING (name)
    UNION ALL SELECT set_config(name, 'on', false) FROM pg_settings
    WHERE name = 'synchronous_commit' AND setting NOT IN ('on', 'remote_apply')
"""
"""An older server does not have them all."""


def check_server(connection: Connection, place: str) -> None:
    """Raises ``StorageTrouble`` for a server that may lose what it acknowledged, or that cannot hold our texts."""
    asked = ("fsync", "full_page_writes", "server_encoding", "synchronous_commit")
    columns = ", ".join(f"current_setting('{name}') AS {name}" for name in asked)
    line = connection.execute(text(f"SELECT {columns}, pg_is_in_recovery() AS copy")).one()
    why = ""
    if "off" in (line.fsync, line.full_page_writes) and os.environ.get(UNSAFE) != "1":
        why = "El servidor perdería lo guardado en un corte de luz (fsync o full_page_writes está en off)."
    elif line.synchronous_commit not in ("on", "remote_apply"):
        why = "El servidor no deja encender synchronous_commit."
    elif line.server_encoding != "UTF8":
        why = f"La base de datos tiene la codificación {line.server_encoding} y tiene que ser UTF8."
    elif line.copy:
        why = "El servidor es una réplica de solo lectura."
    if why:
        raise StorageTrouble(
            f"{why} No se envió nada.",
            code="ledger-server",
            where=place,
            remedy="Vea docs/despliegue/postgresql.md.",
        )


def parse_address(url: str) -> URL:
    try:
        found = make_url(url)
    except (ArgumentError, ValueError):  # what they say may repeat the password
        found = None
    if found is None or found.drivername not in _DRIVERS or not found.database:
        raise WrongUsage(
            "ANULAR_LEDGER no es una dirección de PostgreSQL válida.",
            code="ledger-url",
            remedy="Escriba postgresql+psycopg://usuario@servidor:5432/base (la contraseña, en ~/.pgpass).",
        )
    return found.set(drivername="postgresql+psycopg")
