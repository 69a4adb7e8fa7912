"""Sender: goes over the proposals in which something is to be done and does it, one after the other.

Called again and again, by a person's command or by a process of its own; what was done before is known from the ledger
and not done again. On a SQLite ledger it sends itself; on a server it hands in to the queue, and workers send.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from pipeline.approvals import carry
from pipeline.approvals.carry import Carried
from pipeline.approvals.resend import carry_resend
from pipeline.approvals.store import PROGRAM, RESEND, Proposal, Proposals
from pipeline.domain.errors import AnotherRun, AnularError, NotApproved
from pipeline.domain.proposals import DUE, ProposalState, Step
from pipeline.ledger.storage.location import location_of
from pipeline.run.intake import queued_by, was_queued
from pipeline.run.progress import Progress, Unseen
from pipeline.runtime.clock import Clock
from pipeline.runtime.failpoints import crashpoint
from pipeline.settings.model import Settings
from pipeline.telemetry.events import SILENT, EventBus
from pipeline.wiring.ledger import Memory, open_memory
from pipeline.wiring.sandbox import running_sandbox
from pipeline.wiring.views import open_views


def carry_all(
    store: Proposals,
    settings: Settings,
    clock: Clock,
    *,
    two: bool,
    progress: Progress | None = None,
    bus: EventBus = SILENT,
) -> list[Carried]:
    """Every proposal that is approved, on hold, being sent or followed, carried as far as it goes now.

    What another run keeps busy waits (``En espera``); what may not be sent is passed over. Never raises for one of
    them: its trouble stands in its ``Carried``.
    """
    store.sweep(clock.now())
    return [
        _carried(one, store, settings, clock, progress or Unseen(), bus, two=two)
        for one in store.open()
        if one.state in DUE
    ]


def _carried(
    proposal: Proposal,
    store: Proposals,
    settings: Settings,
    clock: Clock,
    progress: Progress,
    bus: EventBus,
    *,
    two: bool,
) -> Carried:
    queue = location_of(settings.ledger).shared and proposal.source != RESEND
    try:
        carry.check_proven(proposal, two=two)
        carry.check_time(proposal, store, clock.now())
        with open_memory(settings, files=store.given(proposal), bus=bus, hands_in=queue) as memory:
            if queue:
                return hand_in(proposal, store, memory, clock, who=PROGRAM)
            with running_sandbox(settings) as base:
                return send_here(proposal, store, memory, clock, base, progress, who=PROGRAM, two=two)
    except AnotherRun as busy:
        return Carried(wait(proposal, store, clock.now()), None, busy)
    except AnularError as trouble:
        return Carried(store.get(proposal.id), None, trouble)


def send_here(
    proposal: Proposal,
    store: Proposals,
    memory: Memory,
    clock: Clock,
    base: str,
    progress: Progress,
    *,
    who: str,
    two: bool,
    follows: bool = True,
) -> Carried:
    """Carries a file, a held batch or the resend of a row out in this process. Raises ``NotApproved``."""
    if proposal.source == RESEND:
        return carry_resend(proposal, store, memory, clock, base, progress, two=two)
    return carry.carry_out(proposal, store, memory, clock, base, progress, who=who, two=two, follows=follows)


def wait(proposal: Proposal, store: Proposals, now: datetime) -> Proposal:
    """``proposal`` on hold, where another run keeps the ledger or the credential busy before it was begun."""
    if proposal.state is not ProposalState.APPROVED:
        return proposal
    try:
        return store.take(proposal, Step.BUSY, now, why="otra ejecución está usando el historial de envíos")
    except NotApproved:  # somebody was quicker
        return store.get(proposal.id)


def with_workers(proposal: Proposal, settings: Settings) -> bool:
    """Whether its batch was handed in to the queue before, so that workers have it."""
    if not proposal.batch or not location_of(settings.ledger).shared:
        return False
    with open_views(settings) as views:
        info = views.batch(proposal.batch) if views is not None else None
    return info is not None and was_queued(info)


def hand_in(proposal: Proposal, store: Proposals, memory: Memory, clock: Clock, *, who: str) -> Carried:
    """Brings an approved proposal into the ledger and its batch into the queue; notices when workers are done with it.
    Raises ``NotApproved``, ``StorageTrouble``."""
    from pipeline.queue import enqueue

    proposal = store.get(proposal.id)
    if proposal.state is ProposalState.FOLLOWING:
        info = memory.views.batch(proposal.batch)
        return Carried(_noticed(proposal, store, memory, clock), info)
    note = f"{queued_by(carry.text_of(proposal))} {carry.certificates_note(proposal, memory, clock)}".rstrip()
    begun = carry.begin(proposal, store, memory, clock, who=who, note=note)
    if begun.info is None:
        return begun
    if memory.views.all_on_the_way([begun.info.id]):
        enqueue.give_job(begun.info, memory.settings, again=True)
        crashpoint("approval-handed-in")
        return begun
    if enqueue.in_work([begun.info], memory.views, memory.settings):
        return begun
    sent = store.take(begun.proposal, Step.ALL_SENT, clock.now())
    return replace(begun, proposal=_noticed(sent, store, memory, clock))


def _noticed(proposal: Proposal, store: Proposals, memory: Memory, clock: Clock) -> Proposal:
    if memory.views.followed([proposal.batch]):
        return proposal
    return store.take(proposal, Step.FOLLOWED, clock.now())
