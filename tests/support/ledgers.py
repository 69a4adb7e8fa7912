"""The database that the tests keep their ledgers in: a SQLite file each, or, with ``ANULAR_TEST_PG``, a database each
on that server. A new one is a copy of one that has all tables (``CREATE DATABASE … TEMPLATE``, 0.2 to 0.5 s); one whose
test is over is emptied and used again (0.05 s), unless its test changed the tables themselves.

``fresh`` gives one, with its tables or without; ``lines``, ``tables`` and ``change`` go past the program.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, NullPool, create_engine, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from pipeline.ledger.storage import wal
from pipeline.ledger.storage.driver import sqlite3
from pipeline.ledger.storage.sqlite import url_to_read

SERVER = "ANULAR_TEST_PG"
_NUMBERS = itertools.count(1)
_TEMPLATE = f"anular_plantilla_{os.getpid()}"
_made: set[str] = set()
_at_rest: dict[bool, list[str]] = {True: [], False: []}
"""Databases of this process that nobody uses, by whether they have tables."""


def on_a_server() -> bool:
    return bool(os.environ.get(SERVER))


@contextmanager
def fresh(folder: Path, *, tables: bool = True) -> Iterator[str]:
    """The address of a new ledger until the end of the block; without ``tables`` nothing is there yet."""
    if not on_a_server():
        yield f"sqlite:///{folder / 'ledger' / 'registro.db'}"
        return
    name = _at_rest[tables].pop() if _at_rest[tables] else _make(tables)
    try:
        if tables:  # a ledger of its own, not a copy of one
            change(address(name), "UPDATE ledger SET id = replace(gen_random_uuid()::text, '-', '')")
        yield address(name)
    finally:
        if _emptied(address(name), tables):
            _at_rest[tables].append(name)
        else:
            _drop(name)


def forget() -> None:
    """At the end of the session: nothing stays on the server."""
    for name in list(_made):
        _drop(name)


@contextmanager
def copied(template: str) -> Iterator[str]:
    """The address of a new database with everything in that of ``template`` (an address too) until the end of the
    block. Nobody may be in the template meanwhile."""
    name = _named()
    tell_server(f"CREATE DATABASE {name} TEMPLATE {make_url(template).database}")
    try:
        yield address(name)
    finally:
        _drop(name)


def empty() -> str:
    """The address of a new database without tables, which is there until the end of the session."""
    name = _named()
    tell_server(f"CREATE DATABASE {name}")
    return address(name)


def _named() -> str:
    name = f"anular_{os.getpid()}_{next(_NUMBERS)}"
    _made.add(name)
    return name


def _make(tables: bool) -> str:
    name = _named()
    if tables and _TEMPLATE not in _made:
        from pipeline.ledger.storage.location import open_ledger

        tell_server(f"CREATE DATABASE {_TEMPLATE}")
        _made.add(_TEMPLATE)
        open_ledger(address(_TEMPLATE)).close()
    tell_server(f"CREATE DATABASE {name}" + (f" TEMPLATE {_TEMPLATE}" if tables else ""))
    return name


def _drop(name: str) -> None:
    _made.discard(name)
    tell_server(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _emptied(url: str, tables: bool) -> bool:
    """Whether the database is as good as new again: without lines, its tables as they were; or without tables."""
    engine = past_the_program(url)
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql(_EVERYBODY_OUT)
            connection.exec_driver_sql("DROP SCHEMA IF EXISTS anular_office CASCADE")
            if not tables:
                connection.exec_driver_sql("DROP SCHEMA public CASCADE")
                connection.exec_driver_sql("CREATE SCHEMA public")
                return True
            rules = connection.exec_driver_sql(_RULES).scalar()
            connection.exec_driver_sql("SET session_replication_role = replica")
            connection.exec_driver_sql("TRUNCATE run, owner, batch, row, attempt, event RESTART IDENTITY")
        (whole,) = lines(address(_TEMPLATE), _RULES)
        return rules == next(iter(whole.values())) and len(lines(url, "SELECT id FROM ledger")) == 1
    except DBAPIError:
        return False
    finally:
        engine.dispose()


_EVERYBODY_OUT = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
_RULES = (
    "SELECT concat((SELECT version_num FROM alembic_version), (SELECT count(*) FROM information_schema.columns "
    "WHERE table_schema = 'public'), ' ', (SELECT string_agg(relname || relpersistence, ' ' ORDER BY relname) "
    "FROM pg_class WHERE relnamespace = 'public'::regnamespace), ' ', (SELECT string_agg(tgname || tgenabled, ' ' "
    "ORDER BY tgname) FROM pg_trigger WHERE NOT tgisinternal), (SELECT string_agg(prosrc, '') FROM pg_proc "
    "WHERE pronamespace = 'public'::regnamespace))"
)


def address(database: str, **more: Any) -> str:
    """The URL of a database on the server; ``more`` replaces parts of the URL, as ``URL.set`` takes them."""
    url = make_url(os.environ[SERVER]).set(database=database, **more)
    return url.render_as_string(hide_password=False)


def tell_server(order: str, database: str = "postgres") -> None:
    """One statement outside of any transaction."""
    engine = create_engine(address(database), isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text(order))
    engine.dispose()


def end_sessions(url: str) -> None:
    """Ends everybody's session in this database, as a server does that is started again."""
    engine = past_the_program(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(_EVERYBODY_OUT)
    engine.dispose()


def past_the_program(url: str) -> Engine:
    """A connection each time, without a word of ours. A file's folder is made; one with a log may only be read, or a
    killed run's would be gone with it."""
    if not url.startswith("sqlite"):
        return create_engine(url, poolclass=NullPool)
    path = Path(make_url(url).database or "")
    path.parent.mkdir(parents=True, exist_ok=True)
    logged = wal.log_of(path).exists()
    return create_engine(url_to_read(path) if logged else url, module=sqlite3, poolclass=NullPool)


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Somebody who is in the middle of a read, past the program, until the end of the block."""
    logged = wal.log_of(path).exists()
    connection = sqlite3.connect(
        wal.read_only(path) if logged else path, uri=logged, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM event").fetchone()
        yield connection
    finally:
        connection.close()


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """A file to write into, past the program. It is left in DELETE, unless somebody has it open."""
    connection = sqlite3.connect(path)
    try:
        if not wal.end(connection):
            wal.close_beside(path, connection.close)
            connection = sqlite3.connect(path)
        with connection:
            yield connection
    finally:
        connection.close()


def lines(url: str, query: str) -> list[dict[str, Any]]:
    """What ``query`` says, read past the program."""
    engine = past_the_program(url)
    with engine.connect() as connection:
        found = [dict(line._mapping) for line in connection.execute(text(query))]
    engine.dispose()
    return found


def tables(url: str) -> set[str]:
    """The tables that there are; none where there is no file or no database yet."""
    if url.startswith("sqlite") and not Path(make_url(url).database or "").exists():
        return set()
    engine = past_the_program(url)
    found = set(inspect(engine).get_table_names())
    engine.dispose()
    return found


def change(url: str, *statements: str) -> None:
    """Writes past the program, as somebody with all rights on the database can. ``x'00'`` is a blob on either."""
    if url.startswith("sqlite"):
        _change_file(Path(make_url(url).database or ""), statements)
        return
    engine = past_the_program(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("SET session_replication_role = replica")  # no triggers, no foreign keys
        for statement in statements:
            connection.exec_driver_sql(re.sub(r"(?<!['\w])x'([0-9a-f]+)'", r"'\\x\1'", statement))
    engine.dispose()


def _change_file(path: Path, statements: tuple[str, ...]) -> None:
    with opened(path) as connection:
        connection.execute("PRAGMA foreign_keys=OFF")
        connection.execute("BEGIN")  # a statement that is refused leaves the rules as they were
        triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type='trigger'").fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)
        for _, sql in triggers:
            connection.execute(sql)


_EVENT = (
    *("seq", "batch", "pos", "attempt", "from_", "to_", "event", "utc", "run", "who", "http", "estado", "dgi"),
    *("message", "note"),
)
_HEAD = ("id", "env", "sha256", "sheet", "file", "n_rows", "created_utc", "approved_by")
_ROW = (
    *("batch", "pos", "line", "cells", "state", "cufe", "reason", "email", "payload_sha256"),
    *("leader_batch", "leader_pos", "remarks", "deadline_window"),
)


def as_before_0007(url: str) -> None:
    """Makes a ledger what schema 0006 would have written: events without ``more``, rows under the fingerprint of then,
    no marks of a credential, and the chain made anew. Spelled out here, so that the program's own way is not what
    judges it."""
    marks = {}
    for head, line in _taken_in(url):
        values = [*(head[name] for name in _HEAD), *(line[name] for name in _ROW)]
        values += [head["corrects"]] if head["corrects"] else []
        marks[line["batch"], line["pos"]] = hashlib.sha256(_json(values)).digest()
    _chain_anew(url, marks, more=False)
    change(url, "UPDATE batch SET credential=NULL", "UPDATE attempt SET credential=NULL")


def as_before_0010(url: str) -> None:
    """Makes a ledger what schema 0009 would have written: batches without a credential, rows under the digest of then,
    and the chain made anew. The next who opens it brings it up to date."""
    more = ("headings", "issuers", "notes", "deadline_hours", "corrects")
    marks = {}
    for head, line in _taken_in(url):
        whole = hashlib.sha256(_json([head[name] for name in (*_HEAD, *more)])).hexdigest()
        values = [whole, *(line[name] for name in (*_ROW, "hours_left"))]
        marks[line["batch"], line["pos"]] = hashlib.sha256(_json(values)).digest()
    _chain_anew(url, marks, more=True)
    newer = ("DROP INDEX ix_attempt_counts", "DROP INDEX ix_row_set_aside", "ALTER TABLE batch DROP COLUMN credential")
    change(url, *newer, "UPDATE alembic_version SET version_num='0009'")


def _taken_in(url: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Every row with its batch."""
    heads = {line["id"]: line for line in lines(url, "SELECT * FROM batch")}
    for line in lines(url, "SELECT * FROM row"):
        yield heads[line["batch"]], line


def _chain_anew(url: str, marks: dict[tuple[str, int], bytes], *, more: bool) -> None:
    """Writes the chain again with these first events of the rows."""
    prev, changes = bytes(32), []
    for line in lines(url, "SELECT * FROM event ORDER BY seq"):
        body = bytes(line["body"] or b"")
        if line["from_"] == "RECEIVED":
            body = marks[line["batch"], line["pos"]]
        told = [line[name] for name in _EVENT] + ([line["more"]] if more else [])
        content = hashlib.sha256(_json(told) + hashlib.sha256(body).digest()).digest()
        now = hashlib.sha256(prev + content).digest()
        kept = f"x'{body.hex()}'" if body else "NULL"
        links = f"prev=x'{prev.hex()}', hash=x'{now.hex()}'" + ("" if more else ", more=NULL")
        changes.append(f"UPDATE event SET body={kept}, {links} WHERE seq={line['seq']}")
        prev = now
    change(url, *changes)


def _json(values: list[Any]) -> bytes:
    return json.dumps(values, ensure_ascii=True, separators=(",", ":")).encode("ascii")
