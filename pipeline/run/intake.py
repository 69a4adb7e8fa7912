"""Intake: an approved plan becomes a batch in the ledger, whole, before anything is sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from pipeline.domain.errors import StorageTrouble
from pipeline.domain.records import BatchInfo
from pipeline.ledger.cap import Cap
from pipeline.ledger.moves import batch_id
from pipeline.ledger.store import Store
from pipeline.read.sheet import Sheet
from pipeline.report.publish import check_folder
from pipeline.run.plan import Plan, of_columns, of_company
from pipeline.settings.model import Settings
from pipeline.validate.check import Checked
from pipeline.wiring.ledger import Memory

TRIES = 5
"""How often a file's plan is made again because another process took in the same file or CUFEs meanwhile."""
T = TypeVar("T")


def take_in(
    plan: Plan, memory: Memory, *, who: str, folder: Path, note: str = "", cap: Cap | None = None, name: str = ""
) -> BatchInfo:
    """Writes a file that ``who`` approved into the ledger, whole, with ``note`` among its notes, within the ``cap``;
    for a known one releases what was held and makes what was proven unsent ready again. ``name`` is the id of a new
    batch that was given before; else it gets one of today.

    Raises ``StorageTrouble``, also for a folder in which the results could not be written."""
    if plan.known is not None:
        return release(plan, memory.store, who=who, note=note)
    assert plan.checked is not None
    assert plan.sheet is not None
    if plan.to_send and not memory.store.at_the_desk:  # else another machine writes the results
        check_folder(folder, Path(plan.sheet.name).stem)
    info = batch_info(plan.sheet, plan.checked, memory.settings, who=who, folder=folder, now=plan.moment)
    info = replace(info, id=name or info.id)
    memory.store.intake(replace(info, notes=(*info.notes, *([note] if note else []))), plan.checked.rows, cap)
    taken = memory.views.find(plan.sheet.sha256, plan.sheet.sheet)
    assert taken is not None, "just written"
    return taken


def release(plan: Plan, store: Store, *, who: str, note: str = "") -> BatchInfo:
    """Continues a known batch: ``who`` approves what was held, with a ``note`` in its events, since those of a batch
    are as it was taken in; and what was proven unsent may be sent again."""
    assert plan.known is not None
    if plan.held:
        store.approve(plan.held, plan.moment, who=who, note=note)
    if not store.at_the_desk:  # else whoever carries the batch out does so
        store.reopen(plan.known.id, plan.moment, known_elsewhere_by=who if plan.known_elsewhere else "")
    return plan.known


def retry_if_taken(attempt: Callable[[], T]) -> T:
    """``attempt`` to take a file in, made again, from its plan on, when another process took in the same file, or
    some of its CUFEs, meanwhile: the ledger's unique indexes decide. Raises ``StorageTrouble``."""
    for left in reversed(range(TRIES)):
        try:
            return attempt()
        except StorageTrouble as trouble:
            if trouble.code != "ledger-taken" or not left:
                raise
    raise AssertionError("the last attempt returns or raises")


def batch_info(
    sheet: Sheet, checked: Checked, settings: Settings, *, who: str, folder: Path, now: datetime
) -> BatchInfo:
    """Head of a new batch of the company of ``settings``."""
    return BatchInfo(
        id=batch_id(settings.env, sheet.sha256, sheet.sheet, now),
        file=sheet.name,
        sha256=sheet.sha256,
        env=settings.env,
        sheet=sheet.sheet,
        rows=len(checked.rows),
        headings=sheet.headings,
        created=now,
        approved_by=who,
        issuers=checked.issuers,
        notes=(*of_company(settings.company), *sheet.notes, of_columns(sheet)),
        deadline_hours=settings.deadline_hours,
        folder=str(folder),
        corrects=sheet.corrects or None,
    )
