"""Ledger transfer (``anular ledger copy``): moves a whole ledger to another place, from a file to a server or back.

The order matters, because a kill may come at any moment and two ledgers that both send are the worst: the target is
first marked as half copied (unusable), then filled and compared while still hidden, then the source records that it
was moved (it no longer sends), and only then the target becomes a ledger. A kill leaves the source as it was, or both
unusable until the same command is given again.
"""

from __future__ import annotations

import platform
import uuid
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline.domain.commands import order
from pipeline.domain.errors import StorageTrouble, WrongUsage
from pipeline.ledger import copying, ownership, reserve_journal, watermark
from pipeline.ledger.ledger_events import append_deed, id_of, moved, moved_to
from pipeline.ledger.ownership import who_am_i
from pipeline.ledger.storage.database import Database
from pipeline.ledger.storage.location import Location, location_of
from pipeline.ledger.verify import examine
from pipeline.runtime.failpoints import crashpoint


@dataclass(frozen=True, slots=True)
class Transfer:
    """Result of a transfer."""

    #: its place; ``target`` the new one
    source: str
    target: str
    #: copied lines by table
    counts: dict[str, int]
    #: hash (hex) of the newest event: the seal of both ledgers
    head: str


def move(source_url: str, target_url: str, now: datetime, notes: Path) -> Transfer:
    """Moves the ledger at ``source_url`` to ``target_url``; ``notes`` is this machine's folder of watermarks.

    Raises ``WrongUsage`` (no ledger there, the same place, a target that is not empty), ``AnotherRun`` (one of them is
    in use), ``StorageTrouble``.
    """
    source, target = location_of(source_url), location_of(target_url)
    if source.key == target.key:
        raise WrongUsage("El historial de envíos ya está en ese lugar.", code="copy-same", where=source.place)
    if not source.exists():
        raise WrongUsage("No existe ese historial de envíos.", code="no-ledger", where=source.place)
    with source.alone(), target.alone():
        if not target.half() and (target.exists() or target.emptied()):
            raise WrongUsage(
                "El destino ya tiene un historial de envíos: solo se copia a un lugar vacío.",
                code="copy-not-empty",
                where=target.place,
                remedy="Indique otro archivo o una base de datos nueva.",
            )
        database = source.open()
        try:
            return _copied(database, source, target, now, notes)
        finally:
            database.close()


def _copied(database: Database, source: Location, target: Location, now: datetime, notes: Path) -> Transfer:
    _check(database, source, notes)
    ident, deed = _begun(database, target, now, notes)
    target.mark_half()
    crashpoint("copy-begun")
    made: list[copying.Replica] = []

    def fill(fresh: Database) -> None:
        made.append(copying.fill(database, fresh, ident, deed))
        if moved_to(database) is None:
            with database.write() as connection:
                append_deed(connection, dict(deed))
        crashpoint("copy-source-marked")
        if watermark.take(database).head != made[0].head.hex():
            raise StorageTrouble(
                "La copia y el historial de envíos no terminan igual.", code="copy-differs", where=target.place
            )

    target.fill(fill)
    crashpoint("copy-done")
    fresh = target.open()
    watermark.keep(notes, fresh, placed=True)
    watermark.keep(notes, database)
    fresh.close()
    return Transfer(source.place, target.place, made[0].counts, made[0].head.hex())


def _check(database: Database, source: Location, notes: Path) -> None:
    """Raises ``StorageTrouble`` for a faulty ledger: a copy would be no better."""
    found = examine(database)
    why = found.faults[0].words if found.faults else ""
    if not why and (doubts := watermark.doubts(notes, database)):
        why = f"{doubts[0]}."
    if why:
        raise StorageTrouble(
            f"El historial de envíos no está íntegro: {why} No se movió nada.",
            code="ledger-broken",
            where=source.place,
            remedy=f"Vea {order('verify')}",
        )
    if any(reserve_journal.read(reserve)[0] for reserve in database.reserves()):
        raise StorageTrouble(
            "Hay respuestas de eDoc en la reserva que el historial de envíos aún no tiene. No se movió nada.",
            code="copy-reserve",
            where=source.place,
            remedy=f"Ejecute {order('poll')} con ese historial y repita el comando.",
        )


def _begun(database: Database, target: Location, now: datetime, notes: Path) -> tuple[str, dict[str, Any]]:
    """The id of the new ledger and the event of the move: new ones, or those of an interrupted move.

    Raises ``WrongUsage`` for a ledger that was moved already, to another place or to one that was used since.
    """
    before = moved_to(database)
    if before is None:
        ident = uuid.uuid4().hex
        machine, host = platform.node(), ownership.host_id()
        told = {"before": id_of(database), "host": host, "machine": machine}
        return ident, moved(now, who=who_am_i(), place=target.place, ident=ident, **told)
    elsewhere = before.host not in ("", ownership.host_id())  # the same path on another machine is another place
    if before.place != target.place or elsewhere or watermark.knows(notes, before.ident):
        by = f", desde el equipo {before.machine}" if before.machine else ""
        raise WrongUsage(
            f"Este historial de envíos ya se movió a {before.place}{by}.",
            code="ledger-moved-already",
            where=database.place,
            remedy="Use ese; para llevarlo a otro lugar, cópielo desde allí.",
        )
    return before.ident, {}
