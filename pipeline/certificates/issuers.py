"""Issuers of a company: every RUC of its settings and of the batches in its ledger."""

from __future__ import annotations

from pipeline.domain.certificates import Certificate
from pipeline.domain.ruc import bare
from pipeline.ledger.storage.location import is_on_a_server
from pipeline.settings.model import Settings
from pipeline.wiring.views import open_views


def issuers_of(settings: Settings) -> list[str]:
    """RUCs of the issuers, sorted, without padding. Of a ledger that companies share, those of this credential.

    Raises like ``open_views``.
    """
    found = {bare(ruc) for ruc in settings.issuers}
    with open_views(settings, mine=is_on_a_server(settings.ledger)) as views:
        if views is not None:
            found |= {bare(ruc) for ruc in views.issuers()}
    return sorted(found)


def without_record(issuers: list[str], records: list[Certificate]) -> list[str]:
    """Those of ``issuers`` of which there is no record."""
    known = {bare(one.ruc) for one in records}
    return [ruc for ruc in issuers if ruc not in known]
