"""Check before a run (C8): whether the certificates of a batch's issuers can be used until it ends.

Without an office database there is nothing to check: it is not made, and none of its libraries is loaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pipeline.domain.certificates import Finding, findings
from pipeline.domain.commands import order
from pipeline.domain.errors import AnularError, InputRefused
from pipeline.settings.model import Settings
from pipeline.wiring.office import office_if_any

if TYPE_CHECKING:
    from pipeline.office.database import Office

NOTE = "Certificado digital"
"""Begins the note of a batch that was sent in spite of a finding."""


def certificate_findings(
    office: Office, settings: Settings, issuers: Iterable[str], now: datetime, until: datetime
) -> list[Finding]:
    """Findings about the certificates of ``issuers`` for a batch from ``now`` to ``until``, at most one an issuer; none
    with the policy ``off``. Raises ``StorageTrouble``."""
    if settings.cert_policy == "off":
        return []
    from pipeline.certificates.registry import Registry

    return findings(issuers, Registry(office, settings, "").all(), now, until)


def check_before_run(settings: Settings, issuers: Sequence[str], rows: int, now: datetime) -> list[Finding]:
    """The same for a plan that sends ``rows`` from ``now`` on; none where nothing is sent, or no office database is
    there.

    With ``warn`` a database that cannot be read is a finding: invoices have a deadline, and eDoc judges the certificate
    itself. With ``block`` it raises ``StorageTrouble``, ``WrongUsage`` or ``AnotherRun``: what must not be sent unseen
    is not sent.
    """
    if settings.cert_policy == "off" or not rows or not issuers:
        return []
    try:
        with office_if_any(settings) as office:
            if office is None:
                return []
            return certificate_findings(office, settings, issuers, now, ends_at(now, rows, settings.rate))
    except AnularError as trouble:
        if settings.cert_policy == "block":
            raise
        return [Finding("", "certificado-no-revisado", f"No se pudo revisar los certificados: {trouble.sentence}")]


def ends_at(now: datetime, rows: int, rate: float) -> datetime:
    """When a batch has been sent, by estimate."""
    return now + timedelta(seconds=rows / rate)


def blocking(settings: Settings, found: Iterable[Finding]) -> list[Finding]:
    """Those of the findings for which nothing is sent."""
    return [one for one in found if one.blocks] if settings.cert_policy == "block" else []


def refuse_blocked(settings: Settings, found: Iterable[Finding], where: str) -> None:
    """Raises ``InputRefused`` when a finding keeps a batch from being sent; ``where`` is its file."""
    if stopped := blocking(settings, found):
        raise InputRefused(
            f"El certificado digital no se puede usar: {'; '.join(one.words.rstrip('.') for one in stopped)}. No se "
            "envió nada.",
            code="certificado-vencido",
            where=where,
            remedy=f"Renueve el certificado y anótelo, o corrija lo anotado: {order('certs', 'list')}",
        )


def note_of(found: Sequence[Finding]) -> str:
    """Note for a batch that is sent all the same; empty without findings."""
    return f"{NOTE}: {' '.join(one.words for one in found)}" if found else ""


def in_note(notes: Iterable[str]) -> str:
    """What such a note among the ``notes`` of a batch says; empty without one."""
    return next((words for note in notes if (words := note.partition(f"{NOTE}: ")[2])), "")
