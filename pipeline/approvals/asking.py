"""Asking: what a person may ask the sender for, on a page that has no ledger to write into (approvals.md 7).

Each checks what can be seen now, so that a refusal comes at once; the sender checks it all again. Who has which role is
the page's to know.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pipeline import decide
from pipeline.approvals.decisions import check_step, reason
from pipeline.approvals.orders import Order, Orders, Wish
from pipeline.approvals.store import PROGRAM, RESEND, Proposal, Proposals
from pipeline.domain.approved_by import ApprovedBy, is_name
from pipeline.domain.errors import NotApproved, WrongUsage
from pipeline.domain.orders import Kind, OrderState
from pipeline.domain.proposals import Step
from pipeline.domain.records import BatchInfo, Correction
from pipeline.ledger.decisions import RowStatus

_STEPS = {Kind.STOP: Step.STOPPED, Kind.CONTINUE: Step.CONTINUED, Kind.END: Step.GIVEN_UP}


def ask_about_proposal(
    orders: Orders, kind: Kind, proposal: Proposal, now: datetime, *, who: str, why: str, address: str
) -> Order:
    """Order to stop a proposal, to continue it or to end it, as the person saw it. Raises ``NotApproved``,
    ``WrongUsage``."""
    words = reason(why)
    check_step(proposal, _STEPS[kind], who, two=False)
    if kind is Kind.STOP and proposal.source == RESEND:
        raise NotApproved("Un reenvío es de una sola factura: no se puede detener.", code="approval-state")
    wish = Wish(
        kind,
        who,
        words,
        address=address,
        proposal=proposal.id,
        batch=proposal.batch,
        data={"version": proposal.version},
    )
    return orders.add(wish, now)[0]


def ask_about_row(
    orders: Orders,
    kind: Kind,
    info: BatchInfo,
    row: RowStatus,
    now: datetime,
    *,
    who: str,
    address: str,
    two: bool,
    why: str = "",
    confirm: str = "",
    decision: decide.Decision | None = None,
    correction: Correction | None = None,
) -> Order:
    """Order about one row of ``info``: to withdraw it, to resolve it with ``decision``, to have it sent again (with
    ``correction``), or to ask eDoc about it, which needs no reason and no ``confirm`` (the end of its CUFE).

    Raises ``NotApproved`` where two people are asked for and it needs another one, ``WrongUsage`` for what cannot be
    done with the row.
    """
    if not is_name(who):
        raise NotApproved("No se sabe quién lo pide.", code="approval-nobody")
    words = reason(why) if kind is not Kind.ASK else ""
    if kind is not Kind.ASK and confirm.strip() != decide.confirmation(row.cufe):
        raise WrongUsage(
            f"No coincide con los últimos {decide.CODE_LENGTH} caracteres del CUFE. No se cambió nada.",
            code="wrong-confirmation",
        )
    data: dict[str, Any] = {"attempt": row.attempt, "state": row.state.value}
    if kind is Kind.WITHDRAW:
        decide.check_withdrawable(row)
    elif kind is Kind.RESOLVE:
        assert decision is not None, "who resolves says what was found out"
        decide.check_resolvable(row)
        check_another(info, who, two=two)
        data["decision"] = decision.value
    elif kind is Kind.RESEND:
        decide.check_resendable(row)
        data["correction"] = [correction.reason, correction.email] if correction is not None else None
    wish = Wish(kind, who, words, address=address, batch=info.id, line=row.position.line, data=data)
    return orders.add(wish, now)[0]


def ask_for_evidence(orders: Orders, batch: str, now: datetime, *, who: str, address: str) -> Order:
    """Order to make the evidence pack of a batch: an event of the ledger, which a page cannot write. Raises
    ``NotApproved``."""
    if not is_name(who):
        raise NotApproved("No se sabe quién lo pide.", code="approval-nobody")
    return orders.add(Wish(Kind.EVIDENCE, who, "", address=address, batch=batch), now)[0]


def check_another(info: BatchInfo, who: str, *, two: bool) -> None:
    """Raises ``NotApproved`` where ``two`` people are asked for and ``who`` prepared the batch."""
    texts = [info.approved_by or "", *(one.who for one in info.approvals)]
    prepared = {read.preparer if (read := ApprovedBy.read(text)) else text for text in texts}
    if two and who in prepared:
        raise NotApproved(
            f"Usted ({who}) preparó el lote {info.id}: sobre sus facturas decide otra persona (ANULAR_APPROVAL=two). "
            "No se cambió nada.",
            code="approval-own-batch",
            remedy="Pídaselo a otra persona de la oficina, con su propio usuario.",
        )


def correction_in(data: Mapping[str, Any]) -> Correction | None:
    """The other texts that a resend was asked with."""
    found = data.get("correction")
    return Correction(str(found[0]), found[1]) if found else None


def stopped_by(store: Proposals, proposal: Proposal, unlike: str = "") -> str:
    """Name of the last to stop ``proposal``: a person, or ``PROGRAM`` for one that stopped by itself; where several
    people asked for it, one ``unlike`` that name."""
    steps = [one for one in store.events(proposal.id) if one.event == Step.STOPPED.value]
    if not steps:
        return PROGRAM
    names = [steps[-1].who]
    for order in store.orders.of_proposal(proposal.id):
        if order.wish.kind is Kind.CONTINUE and order.state is not OrderState.REFUSED:
            break
        if order.wish.kind is Kind.STOP and order.state is not OrderState.REFUSED and order.changed >= steps[-1].at:
            names.append(order.wish.who)
    return next((name for name in names if name not in (unlike, PROGRAM)), names[0])
