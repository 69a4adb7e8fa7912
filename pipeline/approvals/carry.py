"""Carrying out: an approved proposal goes through the ledger, within what was approved and once.

Between the approval and the sending everything may have changed: the stored file is read again, its hash is the
approved one, and what would be sent is a subset of what was approved; anything else ends the proposal (``Caducada``).
The order of what is written makes every kill harmless: the step in the office first, then the batch in the ledger, then
the sending; whoever comes next finds out from the ledger how far it came (approvals.md 4).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pipeline.approvals import content as contents
from pipeline.approvals.certified import check_certificates
from pipeline.approvals.decisions import is_folder
from pipeline.approvals.prepare import read_stored
from pipeline.approvals.stopping import left, rules_of, settle, stoppable
from pipeline.approvals.store import PROGRAM, TERMINAL, Proposal, Proposals, check_clock
from pipeline.certificates.check import note_of
from pipeline.domain.approval_digest import FIXED, FORMAT, Content, beyond, departure, digest_of
from pipeline.domain.approved_by import ApprovedBy
from pipeline.domain.commands import order
from pipeline.domain.errors import AnularError, InputRefused, NotApproved, SendingStopped
from pipeline.domain.proposals import MAY_SEND, ProposalState, Step, proven
from pipeline.domain.records import BatchInfo, Cancellation, Waiting
from pipeline.domain.visible import one_line, thousands
from pipeline.ledger.ledger_events import continued
from pipeline.ledger.moves import batch_id
from pipeline.read.sheet import Sheet
from pipeline.run import session
from pipeline.run.intake import retry_if_taken, take_in
from pipeline.run.plan import Plan, make_plan
from pipeline.run.progress import Progress
from pipeline.runtime.clock import Clock
from pipeline.runtime.failpoints import crashpoint
from pipeline.settings.model import Settings
from pipeline.wiring.companies import elsewhere
from pipeline.wiring.ledger import Memory
from pipeline.wiring.rules import check_rules


@dataclass(frozen=True, slots=True)
class Carried:
    """How far a proposal was carried."""

    proposal: Proposal
    #: its batch; None while the ledger has none
    info: BatchInfo | None
    #: what ended it early
    trouble: AnularError | None = None
    #: rows that dropped out since the approval, as sentences
    dropped: tuple[str, ...] = ()


class _Changed(Exception):
    """What would be sent is not within what was approved; its text is why."""


class _NothingLeft(Exception):
    """Nothing of what was approved is to be sent any more."""


def text_of(proposal: Proposal) -> str:
    """What the ledger records of its approval, where the chain covers it."""
    people = proposal.people
    preparer = people.submitted_by or people.prepared_by
    return str(ApprovedBy(proposal.way, people.approved_by, preparer, proposal.digest))


def check_proven(proposal: Proposal, *, two: bool) -> None:
    """Raises ``NotApproved`` for a proposal whose approval is not enough to send, or that is in no state for it."""
    if proposal.state not in _CARRIED:
        about = f" ({proposal.why})" if proposal.why else ""
        remedy = order("approve", proposal.id) if proposal.state is ProposalState.WAITING else order("proposals")
        raise NotApproved(
            f"La propuesta {proposal.id} está «{proposal.word}»{about}: no se puede enviar. No se envió nada.",
            code="approval-missing",
            remedy=f"Siga con: {remedy}",
        )
    if not proven(proposal.people, two=two):
        raise NotApproved(
            f"La propuesta {proposal.id} la aprobó quien la preparó ({one_line(proposal.people.approved_by)}), y aquí "
            "se pide la aprobación de otra persona (ANULAR_APPROVAL=two). No se envió nada.",
            code="approval-alone",
            remedy=f"Termínela ({order('reject', proposal.id, '--reason', 'POR QUÉ')}) y proponga el archivo otra vez.",
        )


_CARRIED = frozenset(
    {
        ProposalState.APPROVED,
        ProposalState.ON_HOLD,
        ProposalState.SENDING,
        ProposalState.STOPPED,
        ProposalState.FOLLOWING,
    }
)


def carry_out(
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
    """Carries ``proposal`` as far as it goes: into the ledger, to eDoc, to its answers. Idempotent: what another
    process did, or was killed in the middle of, is found in the ledger and not done again.

    ``who`` lets a stopped one go on. An order to stop it, which a person may give at any time in the office database,
    ends the sending. ``base`` is the running sandbox's address. Raises ``NotApproved``.
    """
    proposal = store.get(proposal.id)  # as it is now that the ledger is ours
    check_proven(proposal, two=two)
    check_time(proposal, store, clock.now())
    begun = begin(proposal, store, memory, clock, who=who, note=certificates_note(proposal, memory, clock))
    info, proposal = begun.info, begun.proposal
    if info is None or proposal.state not in (ProposalState.SENDING, ProposalState.FOLLOWING):
        return begun
    trouble: AnularError | None = None
    if proposal.state in MAY_SEND and store.orders.stop_of(proposal.id) is not None:
        trouble = SendingStopped()
    elif proposal.state in MAY_SEND and (memory.views.ready(info.id) or memory.views.followed([info.id])):
        sending = stoppable(proposal, store, memory)
        work = session.send_and_follow([info], sending, progress, follows=follows)
        trouble = session.carry_out(sending, clock, base, work, rules_of(proposal, memory))
    elif follows and memory.views.followed([info.id]):
        trouble = session.carry_out(memory, clock, base, session.follow_all([info], memory, progress))
    crashpoint("approval-session-ended")
    after = settle(proposal, info, store, memory, clock, trouble, who=who, followed=follows and trouble is None)
    return Carried(after, info, trouble, begun.dropped)


def certificates_note(proposal: Proposal, memory: Memory, clock: Clock) -> str:
    """What is noted with the batch about the certificates of its issuers. Raises ``NotApproved`` for one that blocks
    what is not on its way yet; a sending that was begun is not left halfway for it."""
    if proposal.state in (ProposalState.SENDING, ProposalState.FOLLOWING):
        return ""
    return note_of(check_certificates(proposal, memory.settings, clock.now()))


def check_time(proposal: Proposal, store: Proposals, now: datetime) -> None:
    """Raises ``NotApproved`` when nothing of the proposal was begun in time, or the clock went back."""
    check_clock(proposal, now)
    begun = proposal.state not in (ProposalState.APPROVED, ProposalState.ON_HOLD)
    if begun or proposal.expires is None or now < proposal.expires:
        return
    store.sweep(now)
    raise NotApproved(
        f"La propuesta {proposal.id} caducó: se aprobó y no se empezó a enviar a tiempo. No se envió nada.",
        code="approval-expired",
        remedy=f"Propóngala otra vez: {order('propose', 'ARCHIVO')}",
    )


def begin(
    proposal: Proposal,
    store: Proposals,
    memory: Memory,
    clock: Clock,
    *,
    who: str,
    note: str = "",
    address: str = TERMINAL,
    resumed: bool = False,
) -> Carried:
    """Brings an approved proposal into the ledger, with ``note``, or finds it there; nothing is sent yet.

    ``who`` lets a stopped one go on, from ``address``; ``resumed``: they did, and a kill came before its rows were
    released.

    Ends it, with the reason, when it is not within what was approved. Raises ``NotApproved`` when somebody else took a
    step meanwhile.
    """
    dropped: list[str] = []
    try:
        approved = _approved_hashes(proposal, store)
        info = _known(proposal, memory)
        if proposal.state is ProposalState.STOPPED or resumed:
            if info is None or proposal.ledger not in {contents.ledger_of(memory), *continued(memory.database)}:
                raise NotApproved(
                    f"El lote de la propuesta {proposal.id} no está en este historial de envíos. No se envió nada.",
                    code="approval-batch",
                    remedy="Use el historial de envíos con el que se empezó a enviar.",
                )
            held = contents.held_by_a_stop(memory.views, info.id)
            if not held and not resumed and not left(proposal, info, memory, clock):
                raise _NothingLeft("no queda nada por enviar")
            if not resumed:
                proposal = store.take(proposal, Step.CONTINUED, clock.now(), who=who, address=address)
            crashpoint("approval-continued")
            dropped += _release(proposal, held, approved, memory, clock, note)
            if not memory.store.at_the_desk:
                memory.store.reopen(info.id, clock.now())
        elif proposal.state in (ProposalState.APPROVED, ProposalState.ON_HOLD, ProposalState.SENDING):
            _check_begun(proposal, info, store, memory, clock)
            proposal, info = _into_ledger(proposal, approved, info, store, memory, clock, dropped, note)
        if info is None:
            raise _Changed("el lote ya no está en el historial de envíos")
        _check_ready(info, approved, memory)
    except _NothingLeft as nothing:
        ended = store.take(store.get(proposal.id), Step.NOTHING_LEFT, clock.now(), why=str(nothing))
        return Carried(ended, None, None, tuple(dropped))
    except _Changed as changed:
        ended = _ended_changed(store.get(proposal.id), store, memory, clock, str(changed))
        return Carried(ended, None, None, tuple(dropped))
    return Carried(proposal, info, None, tuple(dropped))


# --- what is approved, and what is there now


def check_approved(proposal: Proposal, store: Proposals, memory: Memory) -> str:
    """Why what is stored is not what was approved, or is for another ledger, company or environment; "" if it is."""
    try:
        _approved_hashes(proposal, store)
    except _Changed as changed:
        return str(changed)
    said, settings = proposal.content, memory.settings
    here: dict[str, object] = {
        "ledger": contents.ledger_of(memory),
        "env": str(settings.env),
        "company": settings.company,
    }
    here |= {"deadline_hours": settings.deadline_hours, "format": FORMAT}
    return next((FIXED[name] for name, value in here.items() if said.get(name) != value), "")


def _approved_hashes(proposal: Proposal, store: Proposals) -> tuple[bytes, ...]:
    """Payload hashes that were approved, after the digest was computed again from what is stored."""
    hashes = store.hashes(proposal.id)
    said = proposal.content
    if (
        digest_of(proposal.canonical) != proposal.digest
        or said["payloads"] != hashlib.sha256(b"".join(hashes)).hexdigest()
    ):
        raise _Changed("lo guardado de la propuesta ya no corresponde a su huella")
    if store.signed(proposal.id) != (proposal.people, proposal.digest, proposal.way):
        raise _Changed("lo guardado de la propuesta no es lo que dicen sus eventos")
    return hashes


def _known(proposal: Proposal, memory: Memory) -> BatchInfo | None:
    """Batch of the proposal in the ledger. Raises ``_Changed`` when another approval, or none, took the file in."""
    if is_folder(proposal):
        return memory.views.batch(proposal.batch)
    info = memory.views.find(proposal.sha256, proposal.sheet)
    if info is not None and info.approved_by != text_of(proposal):
        raise _Changed(f"el archivo ya se procesó, con otra aprobación, en el lote {info.id}")
    return info


def _check_begun(proposal: Proposal, info: BatchInfo | None, store: Proposals, memory: Memory, clock: Clock) -> None:
    """An approval that was begun by force of a kill, and of which no row was ever claimed, lapses like any other."""
    if proposal.state is not ProposalState.SENDING or clock.now() < proposal.changed + store.lasting:
        return
    if info is None or not any(line.sent_at for line in memory.views.lines(info)):
        raise _Changed("no se envió ninguna factura a tiempo después de la aprobación")


def _into_ledger(
    proposal: Proposal,
    approved: Sequence[bytes],
    info: BatchInfo | None,
    store: Proposals,
    memory: Memory,
    clock: Clock,
    dropped: list[str],
    note: str,
) -> tuple[Proposal, BatchInfo]:
    if is_folder(proposal):
        if info is None:
            raise _Changed("el lote ya no está en el historial de envíos")
        held = contents.held_on_arrival(memory.views, info.id)
        _check_held(proposal, info, held, approved, memory, clock)
        fresh = proposal.state is not ProposalState.SENDING
        if fresh and not held:
            raise _NothingLeft("nadie dejó facturas retenidas en el lote")
        if fresh:
            proposal = store.take(proposal, Step.BEGUN, clock.now())
        crashpoint("approval-begun")
        dropped += _release(proposal, held, approved, memory, clock, note)
        return proposal, info
    if info is None:
        folder = store.folder(proposal.id)
        sheet = _read_again(proposal, store.file(proposal.id), memory.settings)
        plan = _plan(proposal, sheet, approved, memory, clock, dropped)
        if proposal.state is not ProposalState.SENDING:
            name = batch_id(memory.settings.env, proposal.sha256, proposal.sheet, plan.moment)
            proposal = store.take(proposal, Step.BEGUN, clock.now(), batch=name)
        crashpoint("approval-begun")
        plans = [plan]

        def attempt() -> BatchInfo:
            one = plans.pop() if plans else _plan(proposal, sheet, approved, memory, clock, dropped)
            out, name = memory.settings.out or folder, proposal.batch  # as it was begun, though it be the next day
            return take_in(one, memory, who=text_of(proposal), folder=out, note=note, name=name)

        info = retry_if_taken(attempt)
        crashpoint("approval-taken-in")
    elif proposal.state is not ProposalState.SENDING:
        proposal = store.take(proposal, Step.BEGUN, clock.now(), batch=info.id)
    return proposal, info


def _read_again(proposal: Proposal, data: bytes, settings: Settings) -> Sheet:
    """The stored bytes as a table, read as they were when they were proposed."""
    if hashlib.sha256(data).hexdigest() != proposal.sha256:
        raise _Changed("el archivo guardado no es el que se aprobó")
    try:
        return read_stored(data, proposal.file_name, proposal.sheet, dict(proposal.options), settings)
    except InputRefused as refusal:
        raise _Changed(f"el archivo ya no se puede leer: {refusal.sentence}") from refusal


def _plan(
    proposal: Proposal,
    sheet: Sheet,
    approved: Sequence[bytes],
    memory: Memory,
    clock: Clock,
    dropped: list[str],
) -> Plan:
    """Plan of the approved file as of now, within what was approved. Raises ``_Changed``, ``_NothingLeft``."""
    settings, options = memory.settings, dict(proposal.options)
    if elsewhere(settings, memory.views, sheet.sha256) is not None:
        raise _Changed("el archivo ya se procesó en otro historial de envíos de este equipo")
    rules = check_rules(
        settings,
        allow_bad_check_digit=bool(options.get("allow_bad_check_digit")),
        accept_formulas=bool(options.get("accept_formulas")),
    )
    try:
        plan = make_plan(sheet, memory.views, rules, clock.now())
    except InputRefused as refusal:
        raise _Changed(refusal.sentence) from refusal
    if plan.known is not None:
        raise _Changed(f"el archivo ya se procesó en el lote {plan.known.id}")
    plan, late = contents.without_newly_late(plan, proposal.created, settings.deadline_hours)
    now = contents.of_plan(plan, settings, contents.ledger_of(memory), options)
    if words := departure(proposal.content, approved, now):
        raise _Changed(words)
    dropped.clear()
    dropped += _dropped(len(approved) - now.to_send - late, late)
    if not now.to_send:
        raise _NothingLeft("; ".join(dropped) or "no queda nada por enviar")
    return plan


def _dropped(others: int, late: int) -> list[str]:
    told = []
    if others:
        told.append(f"{_invoices(others)} de las aprobadas ya no se envían: se repiten en otro lote, o ya no cumplen")
    if late:
        told.append(
            f"{_invoices(late)} de las aprobadas pasaron el plazo legal desde entonces: requieren nota de crédito"
        )
    return told


def _invoices(count: int) -> str:
    return "1 factura" if count == 1 else f"{thousands(count)} facturas"


def _check_held(
    proposal: Proposal,
    info: BatchInfo,
    held: Sequence[Cancellation],
    approved: Sequence[bytes],
    memory: Memory,
    clock: Clock,
) -> None:
    now: Content = contents.of_held(info, held, memory.settings, contents.ledger_of(memory), clock.now())
    if words := departure(proposal.content, approved, now):
        raise _Changed(words)


def _release(
    proposal: Proposal, held: Sequence[Cancellation], approved: Sequence[bytes], memory: Memory, clock: Clock, note: str
) -> list[str]:
    """Lets held rows of the batch be sent, with ``note`` in their events, but for those that became late since; these
    stay held."""
    if beyond(approved, contents.payloads_of(held)):
        raise _Changed("hay facturas retenidas que no están entre las aprobadas")
    now, hours = clock.now(), memory.settings.deadline_hours
    good = [one for one in held if not contents.became_late(one.cufe, proposal.created, now, hours)]
    waiting = [Waiting(one.attempt, one.version, one.batch, one.pos, one.cufe) for one in good]
    memory.store.approve(waiting, now, who=text_of(proposal), note=note)
    crashpoint("approval-released")
    return _dropped(0, len(held) - len(good))


def _check_ready(info: BatchInfo, approved: Sequence[bytes], memory: Memory) -> None:
    """The last look before the sending: whatever may leave of this batch was approved."""
    if beyond(approved, contents.payloads_of(memory.views.ready(info.id))):
        raise _Changed("en el lote hay facturas por enviar que no están entre las aprobadas")


def _ended_changed(proposal: Proposal, store: Proposals, memory: Memory, clock: Clock, why: str) -> Proposal:
    """``Caducada``; of one that was begun and is in the ledger, ``Detenida`` with all of it held: some may be sent."""
    now, words = clock.now(), f"no se envió: el lote ya no es el que se aprobó: {why}"
    if proposal.state in (ProposalState.SENDING, ProposalState.STOPPED) and proposal.batch:
        info = memory.views.batch(proposal.batch)
        if info is not None:
            memory.store.stop(info.id, now, who=PROGRAM, why="approval-changed")
            return (
                store.take(proposal, Step.STOPPED, now, why=words)
                if proposal.state is ProposalState.SENDING
                else proposal
            )
    if proposal.state is ProposalState.FOLLOWING:
        return proposal
    return store.take(proposal, Step.CHANGED, now, why=words)
