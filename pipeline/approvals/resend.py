"""Resend under two people: one asks to send a row again, another approves it, and eDoc is asked before it leaves."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pipeline import decide
from pipeline.approvals import content as contents
from pipeline.approvals.carry import Carried, check_approved, check_proven, check_time, text_of
from pipeline.approvals.certified import check_certificates
from pipeline.approvals.store import RESEND, Draft, Proposal, Proposals
from pipeline.domain.approval_digest import Content, payload_hash
from pipeline.domain.commands import order
from pipeline.domain.cufe import Cufe
from pipeline.domain.errors import StoppedEarly, WrongUsage
from pipeline.domain.proposals import ProposalState, Step
from pipeline.domain.records import BatchInfo, Correction, Finding
from pipeline.ledger.decisions import RowStatus, standing
from pipeline.run.progress import Progress
from pipeline.run.resend import ask_before, send_one
from pipeline.runtime.clock import Clock
from pipeline.runtime.failpoints import crashpoint
from pipeline.settings.model import Settings
from pipeline.wiring.ledger import Memory
from pipeline.wiring.rules import check_rules, send_rules


def draft_of_resend(
    info: BatchInfo,
    row: RowStatus,
    correction: Correction | None,
    why: str,
    settings: Settings,
    ledger: str,
    now: datetime,
) -> Draft:
    """Request to send one row again, with what it would send and why."""
    code = Cufe.parse(row.cufe, allow_bad_check_digit=True)
    content = Content(
        company=settings.company,
        env=str(settings.env),
        ledger=ledger,
        sha256=info.sha256,
        sheet=info.sheet,
        options={
            "attempt": row.attempt,
            "line": row.position.line,
            "correction": [correction.reason, correction.email] if correction is not None else None,
            "why": why,
        },
        rows=1,
        verdicts={},
        issuers=(code.ruc,),
        first_issue=code.issued_on,
        last_issue=code.issued_on,
        late=int(contents.is_late(row.cufe, now, settings.deadline_hours)),
        hidden=0,
        deadline_hours=settings.deadline_hours,
        payloads=(_payload(row, correction),),
    )
    facts = [
        ["Reenvío", f"de una sola factura: lote {info.id}, {row.position}"],
        ["CUFE", row.cufe],
        ["Resultado hasta hoy", row.outcome.value],
        ["Motivo de anulación", correction.reason if correction is not None else row.reason],
        ["Correo", (correction.email if correction is not None else row.email) or "ninguno"],
        ["Por qué", why],
    ]
    facts += [[name, words] for name, words in decide.correction_facts(row, correction) if name == decide.DOUBT]
    if content.late:
        facts.append(["Aviso", "El plazo legal venció: lo seguro es una nota de crédito (tipo 04)."])
    return Draft(content, RESEND, info.file, b"", {"facts": facts, "problems": [], "folder": info.folder}, info.id)


def carry_resend(
    proposal: Proposal,
    store: Proposals,
    memory: Memory,
    clock: Clock,
    base: str,
    progress: Progress,
    *,
    two: bool,
) -> Carried:
    """Carries an approved resend out: asks eDoc first, and sends only what that answer and today's rules allow.

    Idempotent: a kill anywhere leaves a row that is not sent yet, or one whose outcome is queried. Raises
    ``NotApproved``.
    """
    proposal = store.get(proposal.id)  # as it is now that the ledger is ours
    check_proven(proposal, two=two)
    check_time(proposal, store, clock.now())
    info = memory.views.batch(proposal.batch)
    if words := check_approved(proposal, store, memory):
        return _ended(proposal, store, clock, words)
    if info is None:
        return _ended(proposal, store, clock, "el lote no está en este historial de envíos")
    options = dict(proposal.options)
    row = standing(memory.database, info, int(options["line"]))
    if proposal.state in (ProposalState.SENDING, ProposalState.FOLLOWING) and row.attempt != options["attempt"]:
        return _sent(proposal, row, info, store, memory, clock, base, progress)
    correction = _correction(options)
    if row.attempt != options["attempt"] or _payload(row, correction) not in store.hashes(proposal.id):
        return _ended(proposal, store, clock, "otra persona decidió sobre esa factura mientras tanto")
    try:
        decide.check_resendable(row)
    except WrongUsage as refusal:
        if proposal.state is ProposalState.SENDING:  # it left before a kill: its outcome is the ledger's
            return Carried(_finished(proposal, store, clock), info)
        return _ended(proposal, store, clock, refusal.sentence)
    try:
        decide.check_allowed(row, check_rules(memory.settings), clock.now())
    except WrongUsage as refusal:
        return _ended(proposal, store, clock, refusal.sentence)
    if not proposal.content["late"] and contents.is_late(row.cufe, clock.now(), memory.settings.deadline_hours):
        return _ended(proposal, store, clock, "pasó el plazo legal desde que se aprobó: requiere nota de crédito")
    check_certificates(proposal, memory.settings, clock.now())
    answer, trouble = ask_before(row.cufe, memory, clock, base)
    if answer is None or trouble is not None:
        return Carried(proposal, info, trouble or StoppedEarly())
    return _after(answer, row, correction, proposal, info, store, memory, clock, base, progress)


def _after(
    answer: Finding,
    row: RowStatus,
    correction: Correction | None,
    proposal: Proposal,
    info: BatchInfo,
    store: Proposals,
    memory: Memory,
    clock: Clock,
    base: str,
    progress: Progress,
) -> Carried:
    before, now = decide.read_before(answer, row.state), clock.now()
    if before is decide.Before.CANCELLED:
        decide.found_cancelled(memory.store, row, answer, now)
        if proposal.state is ProposalState.SENDING:
            return Carried(_finished(proposal, store, clock), info)
        return Carried(store.take(proposal, Step.NOTHING_LEFT, now, why="eDoc ya la tiene anulada"), info)
    if before is decide.Before.IN_FLIGHT:
        again = order("poll", info.id)
        waits = StoppedEarly(
            f"{decide.in_flight_words(answer)}: todavía no se reenvía.",
            code="resend-in-flight",
            remedy=f"Vuelva a consultar ({again}) y repita el comando.",
        )
        return Carried(proposal, info, waits)
    if correction is not None:
        try:
            decide.check_not_accepted(row, answer)
        except WrongUsage as refusal:
            return _ended(proposal, store, clock, refusal.sentence)
    if proposal.state is not ProposalState.SENDING:
        proposal = store.take(proposal, Step.BEGUN, now)
    crashpoint("approval-resend-begun")
    why = str(proposal.options["why"])
    decide.authorise(memory.store, row, answer, who=text_of(proposal), why=why, now=now, correction=correction)
    crashpoint("approval-resend-authorised")
    fresh = standing(memory.database, info, row.position.line)
    return _sent(proposal, fresh, info, store, memory, clock, base, progress)


def _sent(
    proposal: Proposal,
    row: RowStatus,
    info: BatchInfo,
    store: Proposals,
    memory: Memory,
    clock: Clock,
    base: str,
    progress: Progress,
) -> Carried:
    """Sends the authorised attempt if it did not leave yet; a later one is not this proposal's any more."""
    trouble = None
    if decide.interrupted_resend(row):
        if proposal.state is not ProposalState.SENDING:
            return Carried(proposal, info)
        rules = send_rules(memory.settings)
        trouble = send_one(row.attempt, row.pos, info, memory, clock, base, progress, rules, folder=memory.settings.out)
        if trouble is not None and decide.interrupted_resend(standing(memory.database, info, row.position.line)):
            return Carried(proposal, info, trouble)  # it is authorised and did not leave: the next time goes on
    return Carried(_finished(proposal, store, clock), info, trouble)


def _finished(proposal: Proposal, store: Proposals, clock: Clock) -> Proposal:
    if proposal.state is ProposalState.SENDING:
        proposal = store.take(proposal, Step.ALL_SENT, clock.now())
    return store.take(proposal, Step.FOLLOWED, clock.now())


def _ended(proposal: Proposal, store: Proposals, clock: Clock, why: str) -> Carried:
    words = f"no se reenvió: {why}"
    if proposal.state is ProposalState.FOLLOWING:
        return Carried(_finished(proposal, store, clock), None)
    return Carried(store.take(proposal, Step.CHANGED, clock.now(), why=words), None)


def _correction(options: Mapping[str, Any]) -> Correction | None:
    found = options.get("correction")
    return Correction(str(found[0]), found[1]) if found else None


def _payload(row: RowStatus, correction: Correction | None) -> bytes:
    if correction is not None:
        return payload_hash(row.cufe, correction.reason, correction.email)
    return payload_hash(row.cufe, row.reason, row.email)
