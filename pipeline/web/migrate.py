"""Tables of accounts in the office database: made and brought up to date at the start, by one process at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management import call_command
from django.db import connection
from filelock import FileLock, Timeout

from pipeline.domain.errors import AnotherRun

PATIENCE_S = 60
LOCK = 0x616E756C6172
"""Number of the lock on a server: the word anular."""


def bring_up_to_date() -> None:
    """Takes the steps that are missing. The office database itself has to be there (``opened_office``).

    Raises ``AnotherRun`` when another process takes them for too long.
    """
    with _alone():
        call_command("migrate", verbosity=0, interactive=False)
    connection.close()


@contextmanager
def _alone() -> Iterator[None]:
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
