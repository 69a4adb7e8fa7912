"""Office database of one command: opened where the settings say, in a place that can be trusted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.ledger import ownership
from pipeline.ledger.storage.location import is_on_a_server
from pipeline.settings.model import Env, Settings
from pipeline.wiring.rules import make_clock

if TYPE_CHECKING:
    from pipeline.office.database import Office


@contextmanager
def opened_office(settings: Settings) -> Iterator[Office]:
    """Office database, created if missing. Raises ``StorageTrouble``, ``WrongUsage``, ``AnotherRun``."""
    from pipeline.office.place import place_of

    place = place_of(settings.office)
    _check(settings)
    office = place.open(make_clock(settings).now())
    try:
        yield office
    finally:
        office.close()


@contextmanager
def office_if_any(settings: Settings) -> Iterator[Office | None]:
    """The same; None where there is none yet, and none is made. Imports nothing of it then, if it would be a file."""
    if not office_exists(settings):
        yield None
        return
    with opened_office(settings) as office:
        yield office


def office_exists(settings: Settings) -> bool:
    """Whether there is an office database. Raises ``StorageTrouble``, ``WrongUsage``."""
    if not is_on_a_server(settings.office):
        from pipeline.ledger.storage.sqlite import sqlite_path

        return sqlite_path(settings.office).exists()
    from pipeline.office.place import place_of

    return place_of(settings.office).exists()


def _check(settings: Settings) -> None:
    if is_on_a_server(settings.office):
        return
    from pipeline.ledger.storage.sqlite import sqlite_path

    path, strict = Path(sqlite_path(settings.office)), settings.env is not Env.SANDBOX
    ownership.check_place(path, strict=strict, what=ownership.OFFICE)
