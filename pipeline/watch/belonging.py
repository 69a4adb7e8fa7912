"""Ledger of a drop folder: its id in ``DIR/.anular-ledger``, for each inbox, and in every claimed file.

Two ledgers that take their files from one folder would each send what the other had started. With the id, a folder on
a network disk, or synchronised between machines, does no harm: another ledger is refused.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Sequence
from contextlib import suppress

from pipeline.domain.commands import order
from pipeline.domain.errors import StorageTrouble
from pipeline.domain.visible import one_line
from pipeline.runtime.failpoints import crashpoint
from pipeline.watch.claim import Claim, write_whole
from pipeline.watch.places import Lane, folder_errors

NAME = ".anular-ledger"


def others(lane: Lane, claims: Sequence[Claim], mine: Collection[str]) -> set[str]:
    """Ids of ledgers that own the folder, or one of the claimed files, and are not ``mine``: this ledger's own id and
    those that it continues. Raises ``StorageTrouble``."""
    told = {_recorded(lane), *(one.ledger for one in claims)}
    return told - {"", *mine}


def settle(lane: Lane, ledger: str) -> None:
    """Makes the folder this ledger's. Raises ``StorageTrouble``."""
    with folder_errors(lane.root):
        known = _read(lane)
        if known.get(lane.below) != ledger:
            write_whole(lane.root / NAME, json.dumps({**known, lane.below: ledger}).encode(), "registro")
    crashpoint("watch-settled")


def refusal(lane: Lane) -> StorageTrouble:
    """The error for another ledger's folder: why nothing is taken from it, and what to do."""
    return StorageTrouble(
        "Esta carpeta es de otro historial de envíos: con él puede haberse enviado lo que hay en ella. "
        "No se envió nada.",
        code="watch-other-ledger",
        where=one_line(str(lane.inbox)),
        remedy="Indique aquel historial en ANULAR_LEDGER. Si se perdió, o ya nadie lo usa: "
        f"{order('watch', lane.root, '--take-over')}, que consulta en eDoc cada documento antes de anularlo.",
    )


def _recorded(lane: Lane) -> str:
    with folder_errors(lane.root):
        return _read(lane).get(lane.below, "")


def _read(lane: Lane) -> dict[str, str]:
    """The content of the file; empty when it is missing or invalid."""
    path = lane.root / NAME
    if not os.path.lexists(path):
        return {}
    with suppress(ValueError, AttributeError):
        return {str(key): str(value) for key, value in json.loads(path.read_bytes()[:100_000]).items()}
    return {}
