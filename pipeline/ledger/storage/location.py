"""Ledger location: the address decides which database holds it. ``Database`` is what both offer; ``sqlite.py`` is
specific to a file, ``postgres.py`` to a server."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from pipeline.domain.errors import WrongUsage
from pipeline.ledger.scope import Scope
from pipeline.ledger.storage.database import Database
from pipeline.ledger.storage.sqlite import SqliteLocation

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "Database",
    "Location",
    "exclusive",
    "is_on_a_server",
    "location_of",
    "open_as_it_is",
    "open_ledger",
    "shown",
]


class Location(Protocol):
    """The place of a ledger, which may not exist yet. ``place`` shows a person where it is, without a secret."""

    @property
    def shared(self) -> bool: ...
    @property
    def place(self) -> str: ...
    @property
    def key(self) -> bytes: ...
    @property
    def request_log(self) -> Path: ...
    def exists(self) -> bool: ...
    def emptied(self) -> bool: ...
    def half(self) -> bool: ...
    def mark_half(self) -> None: ...
    def fill(self, fill: Callable[[Database], None]) -> None: ...
    def alone(self) -> AbstractContextManager[None]: ...
    def working(self, env: str, credential: str | None) -> AbstractContextManager[Scope]: ...
    def visited(self, credential: str) -> AbstractContextManager[Scope]: ...
    def open(self, anew: Callable[[Database], None] | None = None, *, restored: bool = False) -> Database: ...
    def open_to_read(self) -> Database: ...
    def open_as_it_is(self) -> Database: ...


def is_on_a_server(url: str) -> bool:
    """Whether the address is a PostgreSQL one."""
    try:
        return make_url(url).get_backend_name() == "postgresql"
    except (ArgumentError, ValueError):
        return url.partition(":")[0].partition("+")[0] in ("postgresql", "postgres")


def shown(url: str) -> str:
    """``url`` for people: without anything that may be a password."""
    try:
        return location_of(url).place if is_on_a_server(url) else url
    except WrongUsage:
        return "(no válida)"


def location_of(url: str) -> Location:
    """The location of ``url``. Raises ``WrongUsage`` for an address of neither kind."""
    if not is_on_a_server(url):
        return SqliteLocation(url)
    from pipeline.ledger.storage.postgres_location import (
        PostgresLocation,  # 0.1 s to import the driver: only where it is used
    )

    return PostgresLocation(url)


def exclusive(url: str) -> AbstractContextManager[None]:
    """Holds the whole ledger until the end of the block. Raises ``AnotherRun``."""
    return location_of(url).alone()


def open_ledger(url: str, *, anew: Callable[[Database], None] | None = None) -> Database:
    """The ledger at ``url``, created if missing, or migrated to the newest schema. Raises ``StorageTrouble``."""
    return location_of(url).open(anew)


def open_as_it_is(url: str) -> Database:
    """The ledger at ``url`` for examination: nothing is created or changed. Raises ``StorageTrouble``."""
    return location_of(url).open_as_it_is()
