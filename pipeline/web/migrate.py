"""Tables of accounts in the office database: made and brought up to date at the start, by one process at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management import call_command
from django.db import connection
from filelock import FileLock, Timeout

from pipeline.domain.errors import AnotherRun

PATIENCE_S = 60
ELSEWHERE = "traslado"
"""Django's name of a database that is not the page's."""
LOCK = 0x616E756C6172
"""Number of the lock on a server: the word anular."""


def bring_up_to_date() -> None:
    """Takes the steps that are missing. The office database itself has to be there (``opened_office``).

    Raises ``AnotherRun`` when another process takes them for too long.
    """
    with _alone(connection):
        call_command("migrate", verbosity=0, interactive=False)
    connection.close()


def make_tables(url: str) -> None:
    """Takes them in the office database at ``url``, for who moves accounts there; the page itself is not opened.

    Raises ``AnotherRun``.
    """
    from django.conf import settings
    from django.db import connections

    from pipeline.web.conf import configure_tables, database

    if not settings.configured:
        configure_tables(url)
    connections.settings[ELSEWHERE] = connections.configure_settings({"default": database(url)})["default"]
    try:
        there = connections[ELSEWHERE]
        with _alone(there):
            call_command("migrate", verbosity=0, interactive=False, database=ELSEWHERE)
        there.close()
        del connections[ELSEWHERE]
    finally:
        del connections.settings[ELSEWHERE]


@contextmanager
def _alone(connection: Any) -> Iterator[None]:
    if connection.vendor == "sqlite":
        try:
            with FileLock(f"{connection.settings_dict['NAME']}.lock", mode=0o600, timeout=PATIENCE_S):
                yield
        except Timeout:
            raise AnotherRun("Otro proceso está preparando las cuentas de la página.") from None
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
