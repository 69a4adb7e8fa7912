"""Messages about proposals: one for each step that a person waits for, by the channels of the company (approvals.md 6).

They are put into the outbox in the transaction of the step that they tell of, and sent by the command that took it, or
by the next one. No CUFE is in them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.domain.approved_by import short_digest
from pipeline.domain.commands import order
from pipeline.domain.deadline import PANAMA
from pipeline.domain.proposals import ProposalState, Step
from pipeline.domain.visible import one_line, thousands

if TYPE_CHECKING:
    from pipeline.approvals.store import Proposal

KEY = "propuesta "
"""Begins the key of each of these messages in the outbox."""


def message_of(proposal: Proposal, step: Step, who: str) -> dict[str, Any] | None:
    """Subject, text and data of the message about ``proposal`` after ``step``, which ``who`` took; None for a step of
    which nobody needs to hear."""
    found = _words(proposal, step, who)
    if found is None:
        return None
    subject, lines = found
    count = f"Facturas por anular: {thousands(proposal.to_send)} de {thousands(proposal.rows)} filas."
    data = {
        "proposal": proposal.id,
        "state": proposal.state.value,
        "file": proposal.file_name,
        "to_send": proposal.to_send,
        "prepared_by": proposal.people.submitted_by or proposal.people.prepared_by,
        "why": proposal.why,
    }
    told = [line for line in (lines[0], count, *lines[1:]) if line]
    return {"subject": f"{subject}: {one_line(proposal.file_name)}", "lines": told, "data": data}


def _words(proposal: Proposal, step: Step, who: str) -> tuple[str, list[str]] | None:
    about = f"La propuesta {proposal.id} ({one_line(proposal.file_name)})"
    why = f"Motivo: {one_line(proposal.why)}" if proposal.why else ""
    if step is Step.SUBMITTED:
        until = f"Caduca el {proposal.expires.astimezone(PANAMA):%d/%m/%Y %H:%M}." if proposal.expires else ""
        lines = [f"{about} la preparó {who} y espera la aprobación de otra persona.", until]
        lines += [f"Huella: {short_digest(proposal.digest)}", f"Revísela y apruébela: {order('approve', proposal.id)}"]
        return "Por aprobar", lines
    if step is Step.DECLINED:
        return "No se aprobó", [f"{about}: {who} no la aprobó. No se envía nada.", why]
    if proposal.state is ProposalState.EXPIRED:
        return "Caducó", [f"{about} caducó. No se envía nada más.", why]
    if step is Step.STOPPED:
        return "Se detuvo", [
            f"{about} se detuvo antes de terminar: lo que falta queda retenido.",
            why,
            f"Siga: {order('run', '--approved', proposal.id)}",
        ]
    if proposal.state is ProposalState.ENDED:
        return "Terminada", [f"{about} terminó.", why]
    return None
