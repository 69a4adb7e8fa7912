"""Two people (``ANULAR_APPROVAL=two``): what a command may not do by one person alone, and what to do instead."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipeline.domain.commands import order
from pipeline.domain.errors import NotApproved
from pipeline.domain.proposals import asks_two

if TYPE_CHECKING:
    from pipeline.approvals.store import Proposals
    from pipeline.cli.context import Talk
    from pipeline.domain.records import BatchInfo
    from pipeline.settings.model import Settings


def two_asked(settings: Settings, way: str = "terminal") -> bool:
    """Whether the office asks for two people; where nothing is set, one is enough for what began at a terminal."""
    return asks_two(settings.approval, way)


def person_here(settings: Settings) -> str:
    """Name under which this person proposes and approves. Raises ``NotApproved`` like ``person_at_terminal``."""
    from pipeline.approvals.identity import person_at_terminal
    from pipeline.wiring.office import office_if_any

    with office_if_any(settings) as office:
        return person_at_terminal(office)


def need_two(settings: Settings, what: str, instead: str) -> None:
    """Raises ``NotApproved`` where two people are asked for; ``instead`` is the command that prepares it."""
    if two_asked(settings):
        raise NotApproved(
            f"Aquí cada envío lo prepara una persona y lo aprueba otra (ANULAR_APPROVAL=two): {what}. "
            "No se envió nada.",
            code="approval-two",
            remedy=f"Prepárelo con {instead}; otra persona lo aprueba con {order('approve', 'NUMERO')}.",
        )


def another_person(info: BatchInfo, settings: Settings, by: str) -> str:
    """Name for the record of who decides about a row of ``info``; raises ``NotApproved`` where two people are asked for
    and it is who prepared the batch."""
    if not two_asked(settings):
        return by
    from pipeline.approvals.asking import check_another

    who = person_here(settings)
    check_another(info, who, two=True)
    return f"terminal: {who} ({by})"


@contextmanager
def opened_proposals(settings: Settings, talk: Talk) -> Iterator[Proposals]:
    """Proposals of this company, after what is past its time was ended; the messages about what the block did are
    sent at its end. Raises like ``opened_office``."""
    from pipeline.approvals.messages import KEY
    from pipeline.approvals.store import Proposals
    from pipeline.notify import deliver, has_recipients
    from pipeline.wiring.office import opened_office
    from pipeline.wiring.rules import make_clock

    with opened_office(settings) as office:
        clock, mails = make_clock(settings), has_recipients(settings)
        store = Proposals(office, settings.profile, str(settings.env), hours=settings.web_proposal_h, mails=mails)
        store.sweep(clock.now())
        try:
            yield store
        finally:
            for warning in deliver(office, settings, KEY, clock.now())[1] if mails else ():
                talk.progress.warn(warning)
