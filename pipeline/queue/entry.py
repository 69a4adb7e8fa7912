"""Handing a file in: into the ledger as approved, beside whoever sends under its credential, and into the queue."""

from __future__ import annotations

from pathlib import Path

from pipeline import run
from pipeline.clock import Clock
from pipeline.crash import crashpoint
from pipeline.domain.errors import StorageTrouble
from pipeline.domain.records import BatchInfo
from pipeline.queue import jobs
from pipeline.queue.crew import post_of
from pipeline.read.sheet import Sheet
from pipeline.run import QUEUED, Plan
from pipeline.settings import Settings
from pipeline.validate import Rules
from pipeline.wiring import Memory

TRIES = 5
"""How often a plan is made anew because others took in the same file or the same CUFEs meanwhile."""


def plan(sheet: Sheet, memory: Memory, rules: Rules, clock: Clock, *, release: bool = True) -> Plan:
    """What would be done with a file now. Raises ``InputRefused``."""
    return run.make_plan(sheet, memory.views, rules, clock.now(), release=release)


def hand_in(
    approved: Plan,
    memory: Memory,
    rules: Rules,
    clock: Clock,
    settings: Settings,
    *,
    who: str,
    folder: Path,
    note: str = "",
    release: bool = True,
) -> BatchInfo:
    """Takes an approved plan in and gives it a job.

    Somebody else may have taken in the same file, or some of its CUFEs, since the plan was made: the ledger's unique
    indexes decide, and the plan is made anew. It can only have fewer rows to send then. Raises ``StorageTrouble``.
    """
    for left in reversed(range(TRIES)):
        try:
            info = run.take_in(
                approved,
                memory.store,
                memory.views,
                env=settings.env,
                who=who,
                folder=folder,
                hours=settings.deadline_hours,
                note=f"{QUEUED} por {who}. {note}".strip(),
            )
            break
        except StorageTrouble as trouble:
            if trouble.code != "ledger-taken" or not left:
                raise
            approved = plan(approved.sheet, memory, rules, clock, release=release)
    crashpoint("queue-taken-in")
    jobs.hand_in(settings.ledger, info.id, post_of(settings), again=True)
    crashpoint("queue-handed-in")
    return info
