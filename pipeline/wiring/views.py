"""Ledger opened for reading: what a person looks at, while a run may own it. Loads nothing of what writes or sends."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.domain.errors import WrongUsage
from pipeline.ledger.kept_counts import KeptCounts
from pipeline.ledger.scope import Scope, credential_mark
from pipeline.ledger.storage.location import Location, location_of
from pipeline.ledger.views import Views
from pipeline.runtime.folders import state_folder
from pipeline.settings.model import Settings
from pipeline.wiring.credentials import user_of

if TYPE_CHECKING:
    from pipeline.ledger.verify import Examination
    from pipeline.wiring.many import Ledgers


@contextmanager
def open_views(
    settings: Settings,
    *,
    alone: bool = False,
    mine: bool = False,
    kept: bool = False,
    ledgers: Ledgers | None = None,
) -> Iterator[Views | None]:
    """Ledger opened for reading, while a run may own it. None when there is no ledger yet.

    ``mine``: what is followed and what waits is that of these settings' credential. ``kept``: the counts of batches are
    for a person to look at, and those of batches that did not move since are taken from this user's file. ``ledgers``:
    those that this command opens once.

    ``alone``: everything that is read is of one moment. A file is locked meanwhile (raises ``AnotherRun``); a server
    reads a snapshot and lets the others work.
    """
    location = ledgers.location(settings.ledger) if ledgers is not None else location_of(settings.ledger)
    if not location.exists():
        yield None
        return
    with location.alone() if alone and not location.shared else nullcontext():
        database = location.open_to_read()
        counts = kept_counts(location) if kept else None
        try:
            with database.still() if alone else nullcontext():
                yield Views(database, settings.env, scope_of(settings) if mine else None, counts)
        finally:
            database.close()
        if counts is not None:
            counts.save()


def kept_counts(location: Location) -> KeptCounts:
    """Counts that this user's commands and pages kept of the ledger there; ``save`` writes what is new."""
    name = hashlib.sha256(location.key).hexdigest()[:32]
    return KeptCounts(state_folder() / "recuentos" / f"{name}.json")


def scope_of(settings: Settings) -> Scope:
    """Scope of who only looks or hands in: the rows of these settings' credential."""
    return Scope(credential_mark(settings.env, user_of(settings)), alone=False)


def ledger_exists(settings: Settings, ledgers: Ledgers | None = None) -> bool:
    """Whether there is a ledger at all. Raises ``StorageTrouble`` when that cannot be determined, ``WrongUsage``."""
    return (ledgers.location(settings.ledger) if ledgers is not None else location_of(settings.ledger)).exists()


def verify_ledger(url: str) -> Examination:
    """Examines a whole ledger as it is at one moment: locked, or, on a server, in a snapshot.

    Raises ``AnotherRun``, ``StorageTrouble``, ``WrongUsage``.
    """
    from pipeline.ledger.verify import examine

    location = location_of(url)
    if not location.exists():
        raise WrongUsage("No existe ese historial de envíos.", code="no-ledger", where=location.place)
    if not location.shared and not Path(location.place).is_file():
        raise WrongUsage("Ese archivo no es un historial de envíos.", code="no-ledger", where=location.place)
    with nullcontext() if location.shared else location.alone():
        database = location.open_as_it_is()
        try:
            return examine(database)
        finally:
            database.close()
