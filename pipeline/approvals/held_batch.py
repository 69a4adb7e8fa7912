"""Held batch: what the drop folder held, as the draft of a proposal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pipeline.approvals import content as contents
from pipeline.approvals.store import FOLDER, Draft
from pipeline.domain.errors import NotApproved
from pipeline.domain.records import BatchInfo
from pipeline.ledger.views import Views
from pipeline.settings.model import Settings


def draft_of_batch(
    info: BatchInfo, views: Views, settings: Settings, ledger: str, now: datetime, shown: Mapping[str, Any]
) -> Draft:
    """Draft of a batch that the drop folder held: over the ledger's rows, nothing is read again.

    Raises ``NotApproved`` when no row of it waits.
    """
    held = contents.held_on_arrival(views, info.id)
    if not held:
        raise NotApproved(
            f"El lote {info.id} no tiene facturas retenidas por la carpeta: no hay nada que aprobar.",
            code="approval-nothing",
        )
    content = contents.of_held(info, held, settings, ledger, now)
    return Draft(content, FOLDER, info.file, b"", shown, batch=info.id)
