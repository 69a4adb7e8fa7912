"""Tables of accounts in the office database: made and brought up to date when the page starts."""

from __future__ import annotations

from django.core.management import call_command
from django.db import connection


def bring_up_to_date() -> None:
    """Takes the steps that are missing. The office database itself has to be there (``opened_office``)."""
    call_command("migrate", verbosity=0, interactive=False)
    connection.close()
