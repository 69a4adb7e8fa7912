"""``anular run --approved``: an approved proposal is sent, or handed in to the workers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from pipeline.cli.context import Talk, observation_of, settings_for
from pipeline.cli.output import News, report_batches
from pipeline.cli.proposals import proposal_data, proposal_facts
from pipeline.cli.two_people import opened_proposals, person_here, two_asked
from pipeline.domain.commands import order
from pipeline.domain.errors import AnotherRun, NotApproved, WrongUsage

if TYPE_CHECKING:
    from pipeline.approvals.store import Proposal


def carry_approved(
    context: typer.Context,
    number: int,
    profile: str,
    ledger: str,
    *,
    queue: bool = False,
    no_poll: bool = False,
    as_json: bool = False,
) -> int:
    """Carries out one approved proposal; 0, or the exit code of its batch, or 7 when it may not be sent."""
    from pipeline.approvals import carry, sender
    from pipeline.approvals.store import RESEND
    from pipeline.domain.proposals import ProposalState
    from pipeline.wiring.ledger import open_memory
    from pipeline.wiring.rules import make_clock
    from pipeline.wiring.sandbox import running_sandbox

    settings, talk = settings_for(profile, ledger), Talk(as_json)
    clock, who = make_clock(settings), person_here(settings)
    bus = observation_of(context).bus(settings, "run")
    if queue:
        from pipeline.queue.app import check_server

        check_server(settings.ledger)
    with opened_proposals(settings, talk) as store:
        proposal = store.get(number)
        two = two_asked(settings, store.way(proposal))
        carry.check_proven(proposal, two=two)
        carry.check_time(proposal, store, clock.now())
        again = proposal.source == RESEND
        if queue and again:
            raise WrongUsage("Un reenvío se hace aquí mismo: no se usa con --queue.", code="resend-queue")
        if not again and proposal.state is ProposalState.SENDING and sender.with_workers(proposal, settings):
            queue = True
        try:
            with open_memory(settings, files=store.given(proposal), bus=bus, hands_in=queue) as memory:
                if queue:
                    done = sender.hand_in(proposal, store, memory, clock, who=who)
                    return _handed_in(done, talk)
                with running_sandbox(settings) as base:
                    done = sender.send_here(
                        proposal, store, memory, clock, base, talk.progress, who=who, two=two, follows=not no_poll
                    )
                for line in done.dropped:
                    talk.progress.warn(line)
                if done.info is None:
                    return _not_sent(done.proposal, talk)
                return report_batches([done.info], memory, talk, settings, done.trouble, news=News.ALL)
        except AnotherRun:
            sender.wait(proposal, store, clock.now())
            raise


def _handed_in(done: object, talk: Talk) -> int:
    from pipeline.approvals.carry import Carried

    assert isinstance(done, Carried)
    if done.info is None:
        return _not_sent(done.proposal, talk)
    talk.data(proposal_data(done.proposal))
    talk.out.print(
        f"Lote {done.info.id} en cola: lo envía un trabajador. Vea cómo va: {order('status', done.info.id)}",
        markup=False,
    )
    return 4


def _not_sent(proposal: Proposal, talk: Talk) -> int:
    from pipeline.cli import console
    from pipeline.domain.proposals import ProposalState

    talk.data(proposal_data(proposal))
    console.facts(talk.out, f"Propuesta {proposal.id}", proposal_facts(proposal))
    if proposal.state is ProposalState.ENDED:
        talk.out.print("No queda nada por enviar de lo que se aprobó.")
        return 0
    raise NotApproved(
        f"La propuesta {proposal.id} no se envió y está «{proposal.word}»: {proposal.why}.",
        code="approval-not-within",
        remedy=f"Revise el archivo y propóngalo otra vez: {order('propose', 'ARCHIVO')}",
    )
