"""Office database of one command: opened where the settings say, in a place that can be trusted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.domain.commands import order
from pipeline.domain.errors import StorageTrouble
from pipeline.ledger import ownership
from pipeline.ledger.storage.location import is_on_a_server
from pipeline.settings.model import Env, Settings, without_password
from pipeline.wiring.rules import make_clock

if TYPE_CHECKING:
    from datetime import datetime

    from pipeline.office.copying import Moved
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


def back_up_office(settings: Settings, folder: Path) -> Path | None:
    """A copy of the office database in ``folder``; None where there is none. Raises ``StorageTrouble``."""
    with office_if_any(settings) as office:
        if office is None:
            return None
        from pipeline.office.copying import back_up

        return back_up(office, folder, make_clock(settings).now())


def move_office(source: str, target: str, now: datetime, make_accounts: Callable[[str], None]) -> Moved:
    """Moves the office database to another place; ``make_accounts`` makes the tables of the page's accounts at an
    address, where there are accounts. Raises like ``copying.move``."""
    from pipeline.office.copying import move
    from pipeline.office.place import place_of

    def prepare() -> None:
        for url in (source, target):
            make_accounts(url)

    return move(place_of(source), place_of(target), now, prepare)


def _check(settings: Settings) -> None:
    """Raises ``StorageTrouble`` for a place that cannot be trusted, and for one on a server while this machine has
    another one in a file: proposals of before would be out of sight."""
    if is_on_a_server(settings.office):
        _check_none_left_behind(settings)
        return
    from pipeline.ledger.storage.sqlite import sqlite_path

    path, strict = Path(sqlite_path(settings.office)), settings.env is not Env.SANDBOX
    ownership.check_place(path, strict=strict, what=ownership.OFFICE)


def _check_none_left_behind(settings: Settings) -> None:
    from pipeline.office.place import FilePlace
    from pipeline.settings.load import default_office

    here = default_office([])
    if not FilePlace(here).in_use():
        return
    home = order("ledger", "copy", "--office", "--from", here, "--to", without_password(settings.office))
    raise StorageTrouble(
        "La base de datos de la oficina está en el servidor, y en este equipo hay otra que todavía no se llevó allí: "
        "sus propuestas y certificados no se verían.",
        code="office-left-behind",
        where=str(FilePlace(here).path),
        remedy=f"Llévela: {home}. Si ya no vale, guarde ese archivo en otro lugar.",
    )
