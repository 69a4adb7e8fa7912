"""Stopping: an approved proposal that is being sent ends early, by itself or because a person says so (approvals.md 4).

A stop is an event of the ledger: what was not claimed is held there first, so that no run, worker or folder goes on,
and then in the office. A person who continues releases it (``carry.begin``); one who ends it takes it back.
"""

from __future__ import annotations

from dataclasses import replace

from pipeline.approvals.store import PROGRAM, TERMINAL, Proposal, Proposals, way_of
from pipeline.domain.eligibility import barred
from pipeline.domain.errors import AnularError, Interrupted, SendingStopped
from pipeline.domain.lifecycle import Event, State
from pipeline.domain.orders import OrderState
from pipeline.domain.proposals import ProposalState, Step
from pipeline.domain.records import BatchInfo
from pipeline.domain.visible import thousands
from pipeline.ledger.moves import Move
from pipeline.ledger.views import Views
from pipeline.runtime.clock import Clock
from pipeline.runtime.failpoints import crashpoint
from pipeline.submit.submit import SendRules
from pipeline.wiring.ledger import Memory
from pipeline.wiring.rules import check_rules, send_rules

_CHUNK = 5_000


def rules_of(proposal: Proposal, memory: Memory) -> SendRules:
    """Rules of the sending. Where no late row was approved, one that becomes late on the way does not leave."""
    rules = send_rules(memory.settings, memory.anew, memory.sent)
    if proposal.content["late"] or rules.allowed is None:
        return rules
    return replace(rules, allowed=replace(rules.allowed, late="reject"))


def left(proposal: Proposal, info: BatchInfo, memory: Memory, clock: Clock) -> int:
    """How many rows of its batch could still be sent by today's rules."""
    rules, now = rules_of(proposal, memory).allowed or check_rules(memory.settings), clock.now()
    return sum(not barred(rules, code, now) for code in memory.views.unsent_codes(info.id))


def may_leave(batch: str, views: Views) -> bool:
    """Whether a row of ``batch`` could still leave: one that is unsent, held for whatever reason, or being sent, since
    what eDoc does not take then is tried again."""
    return bool(views.unsent(batch) or views.on_the_way(batch) or views.held(batch))


def stoppable(proposal: Proposal, store: Proposals, memory: Memory) -> Memory:
    """``memory`` whose sessions end when a person gives the order to stop ``proposal``, or when they end anyway."""
    before = memory.stop_when

    def stop_when() -> AnularError | None:
        why = before() if before is not None else None
        if why is None and store.orders.stop_of(proposal.id) is not None:
            return SendingStopped()
        return why

    return replace(memory, stop_when=stop_when)


def settle(
    proposal: Proposal,
    info: BatchInfo,
    store: Proposals,
    memory: Memory,
    clock: Clock,
    trouble: AnularError | None,
    *,
    who: str,
    followed: bool,
) -> Proposal:
    """``proposal`` after a session: stopped, with what is unsent held in the ledger; or sent; or ended.

    Where the program itself is asked to end (``who`` is no person) nothing was stopped: its next start goes on.
    """
    now = clock.now()
    if who == PROGRAM and isinstance(trouble, Interrupted):
        return proposal
    if proposal.state is ProposalState.SENDING:
        proposal = store.get(proposal.id)
        if proposal.state is not ProposalState.SENDING:  # on a server another process stopped it meanwhile
            return proposal
        if left(proposal, info, memory, clock) or memory.views.stopped(info.id):
            return _stopped(proposal, info, store, memory, clock, trouble, who=who)
        proposal = store.take(proposal, Step.ALL_SENT, now)
    if followed or not memory.views.followed([info.id]):
        return store.take(proposal, Step.FOLLOWED, now)
    return proposal


def _stopped(
    proposal: Proposal,
    info: BatchInfo,
    store: Proposals,
    memory: Memory,
    clock: Clock,
    trouble: AnularError | None,
    *,
    who: str,
) -> Proposal:
    """A person's order, which names who and why; or what ended the sending by itself."""
    asked = store.orders.stop_of(proposal.id)
    if asked is None:
        code, words = (trouble.code, trouble.sentence) if trouble is not None else ("stop", UNSENT)
        by_a_person = who != PROGRAM and isinstance(trouble, Interrupted)
        return hold(proposal, info, store, memory, clock, who=who if by_a_person else PROGRAM, note=code, why=words)
    wish = asked.wish
    after = hold(
        proposal,
        info,
        store,
        memory,
        clock,
        who=wish.who,
        note=wish.why,
        why=wish.why,
        address=wish.address or wish.way,
    )
    store.orders.take(asked, OrderState.DONE, clock.now(), held_words(info, memory))
    return after


UNSENT = "quedaron facturas sin enviar"


def hold(
    proposal: Proposal,
    info: BatchInfo,
    store: Proposals,
    memory: Memory,
    clock: Clock,
    *,
    who: str,
    note: str,
    why: str,
    address: str = TERMINAL,
) -> Proposal:
    """Stops ``proposal``: what was not claimed is held in the ledger, with ``note``, and then it is ``Detenida``.

    Also beside the worker that sends it. Killed in between, whoever looks next finds the rows held.
    """
    now = clock.now()
    memory.store.stop(info.id, now, who=who if who == PROGRAM else f"{way_of(address)}: {who}", why=note)
    crashpoint("approval-rows-held")
    return store.take(proposal, Step.STOPPED, now, who=who, why=why, address=address)


def held_words(info: BatchInfo, memory: Memory) -> str:
    """What a stop came to, for who asked for it."""
    count = len(memory.views.stopped(info.id))
    if not count:
        return "Se detuvo; no quedaba ninguna factura sin enviar"
    return "Se detuvo: 1 factura quedó RETENIDA" if count == 1 else f"Se detuvo: {thousands(count)} quedaron RETENIDAS"


def give_up(
    proposal: Proposal,
    store: Proposals,
    memory: Memory,
    clock: Clock,
    *,
    who: str,
    why: str,
    address: str = TERMINAL,
) -> Proposal:
    """Ends a stopped proposal: its unsent rows are taken back (RETIRADA), and their codes are free.

    The rows first: a kill in between leaves it stopped, and the same command ends it.
    """
    assert proposal.state is ProposalState.STOPPED
    now = clock.now()
    waiting = memory.views.stopped(proposal.batch)
    note, name = f"Retirada antes de enviarla [withdrawn]. Motivo: {why}", f"{way_of(address)}: {who}"
    moves = [Move.of(one, State.HELD, Event.WITHDRAWN, now, note=note, who=name) for one in waiting]
    for start in range(0, len(moves), _CHUNK):
        memory.store.apply(moves[start : start + _CHUNK])
    crashpoint("approval-rows-withdrawn")
    return store.take(proposal, Step.GIVEN_UP, now, who=who, why=why, address=address)
