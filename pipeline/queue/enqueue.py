"""Enqueue: takes a file into the ledger as approved, in parallel with the run of its credential, and into the queue."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.domain.batch_notes import queued_by, was_queued
from pipeline.domain.eligibility import Rules
from pipeline.domain.records import BatchInfo
from pipeline.ledger.views import Views
from pipeline.queue import jobs
from pipeline.queue.app import Connect, connected
from pipeline.queue.profiles import post_of
from pipeline.read.sheet import Sheet
from pipeline.run.intake import retry_if_taken, take_in
from pipeline.run.plan import Plan, make_plan
from pipeline.runtime.clock import Clock
from pipeline.runtime.failpoints import crashpoint
from pipeline.settings.model import Settings
from pipeline.wiring.ledger import Memory


def plan(sheet: Sheet, memory: Memory, rules: Rules, clock: Clock) -> Plan:
    """Plan of a file as of now. Raises ``InputRefused``."""
    return make_plan(sheet, memory.views, rules, clock.now())


def hand_in(
    approved: Plan, memory: Memory, rules: Rules, clock: Clock, *, who: str, folder: Path, note: str = ""
) -> BatchInfo:
    """Takes in a plan that a person approved, with ``note`` among the notes of its batch, and creates its job.

    A plan that is made again can only have fewer rows to send. Raises ``StorageTrouble``.
    """
    plans, sheet, settings = [approved], approved.sheet, memory.settings
    assert sheet is not None

    def attempt() -> BatchInfo:
        one = plans.pop() if plans else plan(sheet, memory, rules, clock)
        return take_in(one, memory, who=who, folder=folder, note=f"{queued_by(who)} {note}".rstrip())

    if approved.known is not None:
        # Its note was written when it was taken in; the job comes first, so that a release that is killed midway still
        # has one.
        jobs.hand_in(settings.ledger, approved.known.id, post_of(settings), again=True)
    info = retry_if_taken(attempt)
    give_job(info, settings, again=True)
    return info


def give_job(info: BatchInfo, settings: Settings, *, again: bool, connect: Connect = connected) -> None:
    """Creates a job for a batch in the ledger; ``again`` as in ``jobs.hand_in``. Raises ``StorageTrouble``."""
    crashpoint("queue-taken-in")
    jobs.hand_in(settings.ledger, info.id, post_of(settings), again=again, connect=connect)
    crashpoint("queue-handed-in")


def in_work(infos: Sequence[BatchInfo], views: Views, settings: Settings, connect: Connect = connected) -> set[str]:
    """Which of these batches workers still have to finish: those with a job; those handed in with rows still to be
    sent, for any state of the job and any credential; and those that repeat rows of such a batch and show its results.
    Raises ``StorageTrouble``."""
    busy = _carried(infos, views, settings, connect)
    repeats = views.leaders([info.id for info in infos if info.id not in busy])
    others = views.heads(sorted(set().union(*repeats.values()))) if repeats else {}
    busy_too = _carried(list(others.values()), views, settings, connect)
    return busy | {batch for batch, leaders in repeats.items() if leaders & busy_too}


def _carried(infos: Sequence[BatchInfo], views: Views, settings: Settings, connect: Connect) -> set[str]:
    if not infos:
        return set()
    # The ledger first: a job that ends between the two reads has left its results there.
    left = views.all_on_the_way([info.id for info in infos if was_queued(info)])
    return left | jobs.having(settings.ledger, [info.id for info in infos], connect)
