"""Certificates of the issuers of a proposal: looked at before it is approved, and again before it is sent (C8)."""

from __future__ import annotations

from datetime import datetime

from pipeline.approvals.store import Proposal
from pipeline.certificates.check import blocking, check_before_run
from pipeline.domain.certificates import Finding
from pipeline.domain.commands import order
from pipeline.domain.errors import NotApproved
from pipeline.settings.model import Settings


def check_certificates(proposal: Proposal, settings: Settings, now: datetime) -> list[Finding]:
    """Findings about the issuers of ``proposal`` if it were sent at ``now``. Raises ``NotApproved`` for one that
    blocks, and like ``check_before_run``."""
    found = check_before_run(settings, proposal.content["issuers"], proposal.to_send, now)
    if stopped := blocking(settings, found):
        raise NotApproved(
            f"Propuesta {proposal.id}: el certificado digital no se puede usar: "
            f"{'; '.join(one.words.rstrip('.') for one in stopped)}. No se aprobó ni se envió nada.",
            code="approval-certificate",
            remedy=f"Renueve el certificado y anótelo, o corrija lo anotado: {order('certs', 'list')}",
        )
    return found
