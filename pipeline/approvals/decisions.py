"""Decisions of people about a proposal: propose, submit, take back, approve, decline (approvals.md 2).

Each takes what it needs and returns the proposal after it; a refusal is a ``NotApproved`` with a code and a sentence of
its own, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from pipeline.approvals.certified import check_certificates
from pipeline.approvals.store import FOLDER, TERMINAL, Draft, Proposal, Proposals, check_clock, moved_on
from pipeline.domain.approval_digest import same_digest
from pipeline.domain.certificates import Finding
from pipeline.domain.commands import order
from pipeline.domain.errors import NotApproved, WrongUsage
from pipeline.domain.proposals import MOVES, ProposalState, Step, refusal
from pipeline.domain.visible import one_line, thousands
from pipeline.settings.model import Settings

WHY = (5, 500)
"""Characters of a reason."""


@dataclass(frozen=True, slots=True)
class Consent:
    """What a person says who approves: each part shows that they saw it."""

    #: rows to send, as typed; None where nothing was typed
    count: int | None
    #: the digest that they named; empty where they named none and were shown it
    digest: str = ""
    #: RUCs that they confirmed, where there are several
    issuers: Collection[str] = ()
    #: hidden rows, columns and cells that they confirmed
    hidden: int = 0
    #: the version of the proposal that they were shown
    version: int | None = None


def propose(
    store: Proposals, draft: Draft, now: datetime, *, who: str, address: str = TERMINAL
) -> tuple[Proposal, bool]:
    """Keeps ``draft`` and asks for its approval; True when it was not proposed before.

    What is open already is returned as it is; a draft of the same person, which a kill left behind, is submitted now.
    Raises ``NotApproved`` when there is nothing to send.
    """
    if not draft.content.to_send:
        raise NotApproved(
            f"{one_line(draft.file_name)}: ninguna factura se puede enviar, así que no hay nada que aprobar.",
            code="approval-nothing",
            remedy="Corrija el archivo y propóngalo otra vez.",
        )
    found, new = store.add(draft, now, who=who, address=address)
    if found.state is ProposalState.DRAFT and not refusal(Step.SUBMITTED, who, found.people, two=True):
        return submit(store, found, now, who=who, address=address), True
    return found, new


def submit(store: Proposals, proposal: Proposal, now: datetime, *, who: str, address: str = TERMINAL) -> Proposal:
    """Asks for the approval of a draft. Raises ``NotApproved``."""
    check_step(proposal, Step.SUBMITTED, who, two=True)
    return store.take(proposal, Step.SUBMITTED, now, who=who, address=address)


def approve(
    store: Proposals,
    proposal: Proposal,
    consent: Consent,
    now: datetime,
    settings: Settings,
    *,
    who: str,
    two: bool,
    address: str = TERMINAL,
) -> Proposal:
    """Approves exactly what the proposal holds; nothing changes unless all of it fits. Raises ``NotApproved``."""
    certificates = check_approvable(store, proposal, now, settings, who=who, two=two)
    content, number = proposal.content, proposal.id
    if consent.version is not None and consent.version != proposal.version:
        raise moved_on(proposal)
    if consent.digest and not same_digest(consent.digest, proposal.digest):
        raise NotApproved(
            f"La huella que usted indicó no es la de la propuesta {number}. No se aprobó nada.",
            code="approval-digest",
            remedy=f"Vea su huella: {order('proposals')}",
        )
    if consent.count != proposal.to_send:
        given = "no indicó cuántas" if consent.count is None else f"indicó {thousands(consent.count)}"
        raise NotApproved(
            f"La propuesta {number} anularía {thousands(proposal.to_send)} facturas y usted {given}. "
            "No se aprobó nada.",
            code="approval-count",
            remedy="Revise el archivo con quien lo preparó.",
        )
    issuers = content["issuers"]
    if len(issuers) > 1 and set(consent.issuers) != set(issuers):
        raise NotApproved(
            f"La propuesta {number} tiene facturas de {len(issuers)} emisores y hay que confirmar cada uno: "
            f"{', '.join(issuers)}. No se aprobó nada.",
            code="approval-issuers",
            remedy="Indique cada uno con --issuer.",
        )
    if consent.hidden != content["hidden"]:
        raise NotApproved(
            f"En el archivo de la propuesta {number} había {content['hidden']} filas, columnas o celdas ocultas y "
            f"usted confirmó {consent.hidden}. No se aprobó nada.",
            code="approval-hidden",
            remedy="Revise el archivo e indique cuántas con --hidden-count.",
        )
    data = {"digest": proposal.digest, "certificates": [one.words for one in certificates]}
    return store.take(proposal, Step.APPROVED, now, who=who, address=address, data=data)


def check_approvable(
    store: Proposals, proposal: Proposal, now: datetime, settings: Settings, *, who: str, two: bool
) -> list[Finding]:
    """Findings about the certificates of its issuers, which ``who`` approves with the rest. Raises ``NotApproved`` when
    they cannot approve the proposal now, whatever they would confirm."""
    check_clock(proposal, now)
    if proposal.state is ProposalState.WAITING and proposal.expires is not None and now >= proposal.expires:
        store.sweep(now)
        raise NotApproved(
            f"La propuesta {proposal.id} caducó: nadie la aprobó a tiempo. No se aprobó nada.",
            code="approval-expired",
            remedy=f"Propóngala otra vez: {order('propose', 'ARCHIVO')}",
        )
    check_step(proposal, Step.APPROVED, who, two=two)
    return check_certificates(proposal, settings, now)


def decline(
    store: Proposals,
    proposal: Proposal,
    now: datetime,
    *,
    who: str,
    why: str,
    two: bool,
    address: str = TERMINAL,
) -> Proposal:
    """Does not approve a proposal, or takes one's own back; ends an approved one of which nothing was sent.

    What was stopped halfway is ended with ``stopping.give_up``, which also takes its rows back. Raises ``NotApproved``.
    """
    why = reason(why)
    own = who in proposal.people.preparers
    if proposal.state in (ProposalState.DRAFT, ProposalState.WAITING) and own:
        step = Step.DISCARDED
    elif proposal.state in (ProposalState.APPROVED, ProposalState.ON_HOLD):
        step = Step.GIVEN_UP
    else:
        step = Step.DECLINED
    check_step(proposal, step, who, two=two)
    return store.take(proposal, step, now, who=who, why=why, address=address)


def reason(text: str) -> str:
    """A reason as it is recorded. Raises ``WrongUsage``."""
    words = " ".join(text.split())
    if not WHY[0] <= len(words) <= WHY[1] or not words.isprintable():
        raise WrongUsage(
            f"El motivo: escriba de {WHY[0]} a {WHY[1]} caracteres, sin caracteres de control.", code="signed"
        )
    return words


def check_step(proposal: Proposal, step: Step, who: str, *, two: bool) -> None:
    """Raises ``NotApproved`` when ``who`` may not take this ``step``, or the state does not allow it."""
    if (proposal.state, step) not in MOVES:
        about = f" ({proposal.why})" if proposal.why else ""
        raise NotApproved(
            f"La propuesta {proposal.id} está «{proposal.word}»{about}: eso ya no se puede hacer. No se cambió nada.",
            code="approval-state",
            remedy=f"Vea las que están abiertas: {order('proposals')}",
        )
    code = refusal(step, who, proposal.people, two=two)
    if code == "approval-own":
        verb = "preparó" if who == proposal.people.prepared_by else "pidió aprobar"
        raise NotApproved(
            f"Usted ({who}) {verb} la propuesta {proposal.id}: la tiene que aprobar otra persona. No se aprobó nada.",
            code="approval-own",
            remedy="Pídaselo a otra persona de la oficina, con su propio usuario de este equipo.",
        )
    if code == "approval-not-yours":
        raise NotApproved(
            f"La propuesta {proposal.id} la preparó {one_line(proposal.people.prepared_by)}: solo esa persona puede "
            "pedir su aprobación o descartarla.",
            code="approval-not-yours",
        )
    if code:
        raise NotApproved(f"No se sabe quién es usted en este equipo ({code}).", code="approval-nobody")


def is_folder(proposal: Proposal) -> bool:
    """Whether it is a batch that the drop folder held."""
    return proposal.source == FOLDER
