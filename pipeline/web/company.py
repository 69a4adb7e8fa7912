"""Company as one person may see it. Every query for a company's data goes through this object (web.md 3)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.http import Http404

from pipeline.approvals.store import Proposal, Proposals
from pipeline.domain.errors import NotApproved
from pipeline.domain.records import BatchInfo
from pipeline.ledger.pages import Pages
from pipeline.ledger.scope import Scope, credential_mark
from pipeline.ledger.views import Views
from pipeline.notify import has_recipients
from pipeline.settings.model import Settings
from pipeline.web.models import Person
from pipeline.web.roles import May, Role, allowed
from pipeline.web.site import site
from pipeline.web.texts import frame as words
from pipeline.wiring.credentials import user_of
from pipeline.wiring.views import kept_counts


@dataclass(frozen=True)
class Company:
    """Company ``profile`` for ``person``, who has ``roles`` in it. Made by ``company_for`` alone."""

    person: Person
    profile: str
    settings: Settings
    roles: frozenset[Role]

    @property
    def name(self) -> str:
        """Name on screen."""
        return self.settings.company or self.profile or words.NO_NAME

    @property
    def role_words(self) -> str:
        """Roles of the person, in words."""
        return ", ".join(words.ROLES[role] for role in Role if role in self.roles)

    def may(self, what: May, *, own: bool = True) -> bool:
        """Whether the person may do ``what`` here; ``own``: with something that they prepared themselves."""
        return allowed(self.roles, what, own=own)

    @property
    def two(self) -> bool:
        """Whether two people are asked for: on the page unless the office says that it is one person."""
        return self.settings.approval != "none"

    @contextmanager
    def ledger(self) -> Iterator[Views | None]:
        """Ledger of the company, for reading; None where there is none yet. What is followed and what waits is that of
        its own credential; of other batches on a shared ledger ask ``owns``.

        Nothing is created or changed. Raises ``StorageTrouble``.
        """
        location = site().ledgers.location(self.settings.ledger)
        if not location.exists():
            yield None
            return
        database, kept = location.open_as_it_is(), kept_counts(location)
        try:
            yield Views(database, self.settings.env, self._scope, kept)
        finally:
            database.close()
        kept.save()

    @contextmanager
    def pages(self) -> Iterator[Pages | None]:
        """Batches and rows of this company by pages, with counts that were kept where a batch did not move; None where
        there is no ledger yet. Raises like ``ledger``."""
        location = site().ledgers.location(self.settings.ledger)
        if not location.exists():
            yield None
            return
        database, kept = location.open_as_it_is(), kept_counts(location)
        try:
            yield Pages(database, self.settings.env, self._scope, kept)
        finally:
            database.close()
        kept.save()

    @property
    def _scope(self) -> Scope:
        """Rows of this company's own credential. Raises ``WrongUsage``."""
        user = user_of(self.settings, keyring=False)
        return Scope(credential_mark(self.settings.env, user), alone=False)

    def batch(self, views: Views | None, number: str) -> BatchInfo:
        """Batch with exactly this number, if it is this company's. Raises ``Http404`` for any other, as for none."""
        found = views.batch(number) if views is not None else None
        if views is None or found is None or found.id != number or views.is_foreign(number):
            raise Http404
        return found

    @property
    def proposals(self) -> Proposals:
        """Proposals of this company and no other."""
        one = self.settings
        mails = has_recipients(one)
        return Proposals(site().office, one.profile, str(one.env), hours=one.web_proposal_h, mails=mails)

    def batch_of(self, proposal: Proposal) -> str:
        """Number of the batch that a proposal has become; empty while the ledger has none: the sender names it before
        it takes it in, and a kill may come in between. Raises like ``ledger``."""
        if not proposal.batch:
            return ""
        with self.ledger() as views:
            return proposal.batch if views is not None and views.has(proposal.batch) else ""

    def proposal(self, number: int) -> Proposal:
        """Proposal with this number, if it is this company's. Raises ``Http404`` for any other, as for none."""
        try:
            return self.proposals.get(number)
        except NotApproved:
            raise Http404 from None


def company_for(person: Any, profile: str) -> Company:
    """Company ``profile`` for ``person``. Raises ``Http404`` for one where they have no role, as for none."""
    found = companies_of(person)
    for one in found:
        if one.profile == profile:
            return one
    raise Http404


def companies_of(person: Any) -> list[Company]:
    """Companies in which ``person`` has a role, by name; roles count from this request on."""
    roles: dict[str, set[Role]] = {}
    for profile, role in person.memberships.filter(waits=False).values_list("profile", "role"):
        roles.setdefault(profile, set()).add(Role(role))
    known = site().companies
    found = [Company(person, name, known[name], frozenset(roles[name])) for name in roles if name in known]
    return sorted(found, key=lambda one: (one.name, one.profile))
