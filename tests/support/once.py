"""What every test makes anew though it is the same each time, made once in a process: the tables of a new SQLite
ledger, the certificates of the authorities."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import inspect
from sqlalchemy.engine import Connection


def replacements() -> Iterator[tuple[object, str, Any]]:
    """Where the program gets it, the name there, and what stands there from now on."""
    from pipeline.edoc import transport
    from pipeline.ledger.storage import schema, sqlite

    yield sqlite, "upgrade", remembering(schema.upgrade)
    yield transport, "client_context", functools.cache(vars(transport)["client_context"])


def remembering(upgrade: Callable[[Connection], None]) -> Callable[[Connection], None]:
    """``upgrade`` of the schema, which for an empty SQLite file writes at once what the steps wrote the first time:
    thousands of tests begin with one. A ledger of before goes through the steps as always."""
    from pipeline.ledger.storage import schema

    written: list[str] = []

    def at_once(connection: Connection) -> None:
        if connection.dialect.name != "sqlite" or inspect(connection).get_table_names():
            upgrade(connection)
        elif not written:
            upgrade(connection)
            found = connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid")
            written.extend(sql for (sql,) in found if not sql.startswith("CREATE TABLE sqlite_"))
        else:
            for statement in written:
                connection.exec_driver_sql(statement)
            connection.exec_driver_sql("INSERT INTO alembic_version VALUES (?)", (schema.SCHEMA,))
            connection.exec_driver_sql("INSERT INTO ledger (id) VALUES (?)", (uuid.uuid4().hex,))
            vars(schema)["crashpoint"]("schema-before-commit")  # the one that a test may have put there

    return at_once
