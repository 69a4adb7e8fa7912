"""Schema version, and the migrations (``migrations/``) that bring a ledger to it: the same on every database."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import inspect, text
from sqlalchemy.engine import Connection

from pipeline.domain.commands import order
from pipeline.domain.errors import StorageTrouble
from pipeline.runtime.failpoints import crashpoint

SCHEMA = "0012"
HALF = "copia"
"""Replaces the version while a ledger is being copied to this place; greater than every version."""


def schema_of(connection: Connection, place: str) -> str | None:
    """The schema version; None where there is no table yet. Raises ``StorageTrouble`` for tables that are not ours."""
    known = _tables(connection)
    ours = "alembic_version" in known
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar() if ours else None
    if found == HALF:
        raise StorageTrouble(
            "Aquí quedó a medias la copia de un historial de envíos: todavía no se puede usar.",
            code="ledger-half-copied",
            where=place,
            remedy="Repita el comando ledger copy que se interrumpió.",
        )
    other = (known and not ours) or "office" in known  # the office database has versions of its own
    if other or (found is not None and found > SCHEMA):
        raise StorageTrouble(
            "El historial de envíos es de otro programa o de una versión más nueva de anular.",
            code="ledger-version",
            where=place,
            remedy="Actualice anular o indique otro historial.",
        )
    return None if found is None else str(found)


def _tables(connection: Connection) -> list[str]:
    """The tables of the database without those of the job queue, which may be in the same database."""
    return [name for name in inspect(connection).get_table_names() if not name.startswith("procrastinate_")]


def is_half(connection: Connection) -> bool:
    """Whether a copy to this place was started and not finished."""
    if _tables(connection) != ["alembic_version"]:
        return False
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == [HALF]


def mark_half(connection: Connection) -> None:
    """Marks an empty place: it holds no ledger yet."""
    connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
    connection.execute(text("INSERT INTO alembic_version VALUES (:half)"), {"half": HALF})


def not_newest(place: str) -> StorageTrouble:
    """The error for a ledger that cannot be examined as it is."""
    return StorageTrouble(
        "El historial de envíos está vacío o no tiene la forma de esta versión de anular.",
        code="ledger-version",
        where=place,
        remedy=f"Si es de una versión anterior, {order('status')} lo pone al día; luego verifíquelo de nuevo.",
    )


def upgrade(connection: Connection) -> None:
    """Runs every missing step, in the transaction of ``connection``."""
    run_steps(connection, Path(__file__).parent / "migrations")
    crashpoint("schema-before-commit")


def run_steps(connection: Connection, folder: Path) -> None:
    """Runs every step of ``folder`` that is missing."""
    from alembic import command  # 0.2 s to import: only when there is something to do
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
