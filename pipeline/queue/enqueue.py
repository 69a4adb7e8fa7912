"""Handing a file in: into the ledger as approved, beside whoever sends under its credential, and into the queue."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.domain.eligibility import Rules
from pipeline.domain.records import BatchInfo
from pipeline.ledger.views import Views
from pipeline.queue import jobs
from pipeline.queue.profiles import post_of
from pipeline.read.sheet import Sheet
from pipeline.run.intake import queued_by, retry_if_taken, take_in, was_queued
from pipeline.run.plan import Plan, make_plan
from pipeline.runtime.clock import Clock
from pipeline.runtime.failpoints import crashpoint
from pipeline.settings.model import Settings
from pipeline.wiring.ledger import Memory


def plan(sheet: Sheet, memory: Memory, rules: Rules, clock: Clock) -> Plan:
    """What would be done with a file now. Raises ``InputRefused``."""
    return make_plan(sheet, memory.views, rules, clock.now())


def hand_in(
    approved: Plan, memory: Memory, rules: Rules, clock: Clock, settings: Settings, *, who: str, folder: Path
) -> BatchInfo:
    """Takes a plan in that a person approved, and gives it a job.

    A plan that is made anew can only have fewer rows to send. Raises ``StorageTrouble``.
    """
    plans, sheet = [approved], approved.sheet
    assert sheet is not None

    def attempt() -> BatchInfo:
        one = plans.pop() if plans else plan(sheet, memory, rules, clock)
        return take_in(
            one,
            memory.store,
            memory.views,
            env=settings.env,
            who=who,
            folder=folder,
            hours=settings.deadline_hours,
            company=settings.company,
            note=queued_by(who),
        )

    if approved.known is not None:
        # What it says of itself was written when it came: a release that is killed midway leaves a job all the same.
        jobs.hand_in(settings.ledger, approved.known.id, post_of(settings), again=True)
    info = retry_if_taken(attempt)
    give_job(info, settings, again=True)
    return info


def give_job(info: BatchInfo, settings: Settings, *, again: bool) -> None:
    """A job for a batch that is in the ledger; ``again`` as in ``jobs.hand_in``. Raises ``StorageTrouble``."""
    crashpoint("queue-taken-in")
    jobs.hand_in(settings.ledger, info.id, post_of(settings), again=again)
    crashpoint("queue-handed-in")


def in_work(infos: Sequence[BatchInfo], views: Views, settings: Settings) -> set[str]:
    """Which of these batches workers still have to carry through: those with a job, those that were handed in and have
    rows on the way, whatever became of the job and whoever may send them, and those that repeat rows of such a batch
    and show what becomes of it. Raises ``StorageTrouble``."""
    busy = _carried(infos, views, settings)
    repeats = views.leaders([info.id for info in infos if info.id not in busy])
    others = views.heads(sorted(set().union(*repeats.values()))) if repeats else {}
    busy_too = _carried(list(others.values()), views, settings)
    return busy | {batch for batch, leaders in repeats.items() if leaders & busy_too}


def _carried(infos: Sequence[BatchInfo], views: Views, settings: Settings) -> set[str]:
    if not infos:
        return set()
    # The ledger first: a job that ends between the two looks has left it all there.
    left = views.all_on_the_way([info.id for info in infos if was_queued(info)])
    return left | jobs.having(settings.ledger, [info.id for info in infos])
