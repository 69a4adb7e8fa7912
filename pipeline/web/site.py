"""Site: what a process of the page works with. Made once at its start and handed to Django as one setting."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pipeline.domain.ruc import bare
from pipeline.settings.load import load_settings, profile_names
from pipeline.settings.model import Env, Settings
from pipeline.web.latest import Latest
from pipeline.wiring.many import Ledgers

if TYPE_CHECKING:
    from pipeline.approvals.readers import Reading
    from pipeline.office.database import Office
    from pipeline.runtime.clock import Clock

AT_ONCE = 4
"""Requests that read a ledger on a server at the same time without waiting for a new connection."""


@dataclass(frozen=True)
class Mail:
    """A mail to one person."""

    to: str
    subject: str
    text: str


@dataclass(frozen=True)
class Site:
    """What a process of the page works with."""

    #: those without a profile: limits, mail, the office database
    settings: Settings
    #: settings of each company, by profile
    companies: Mapping[str, Settings]
    clock: Clock
    #: signing keys, the present one first
    keys: tuple[str, ...] = field(repr=False)
    #: address that people type, without a path
    url: str
    #: office database, open; closed by who opened it
    office: Office
    #: sends a mail, in the background; None where no mail is set up
    send: Callable[[Mail], None] | None = None
    #: takes a line of the technical log
    log: Callable[[str, Mapping[str, Any]], None] = lambda _event, _facts: None
    #: reader children, which read and write files; None where the page only lets people in
    readers: Reading | None = None
    #: ledgers, each opened once where it is on a server; closed by who opened the site
    ledgers: Ledgers = field(default_factory=lambda: Ledgers(AT_ONCE), repr=False)
    #: set when the settings file was written: the server ends, and begins again with what it says
    changed: Event = field(default_factory=Event, repr=False)
    #: looks at batches, shared by the pages that are open on them
    latest: Latest = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "latest", Latest(self.clock.monotonic))

    def now(self) -> datetime:
        return self.clock.now()

    @property
    def https(self) -> bool:
        return self.url.startswith("https://")

    @property
    def host(self) -> str:
        """Host name and port, as browsers send them."""
        return urlsplit(self.url).netloc

    @property
    def sandbox(self) -> bool:
        """Whether every company is in the sandbox."""
        return all(settings.env is Env.SANDBOX for settings in self.companies.values())

    @property
    def idle(self) -> timedelta:
        return timedelta(minutes=self.settings.web_idle_min)

    @property
    def longest(self) -> timedelta:
        return timedelta(hours=self.settings.web_session_h)

    def company_of(self, ruc: str) -> str | None:
        """Profile of the company with this RUC; None for a stranger."""
        wanted = bare(ruc)
        found = [name for name, one in self.companies.items() if wanted in {bare(own) for own in one.issuers}]
        return found[0] if found else None


def site() -> Site:
    """The site of this process."""
    from django.conf import settings

    found = settings.ANULAR_SITE
    assert isinstance(found, Site)
    return found


def company_settings() -> dict[str, Settings]:
    """Settings of every company of this machine: each profile, and those without one where there is no profile or they
    name RUCs of their own. Raises ``WrongUsage``."""
    names = profile_names()
    base = load_settings("")
    found = {name: load_settings(name) for name in names}
    return {"": base, **found} if not names or base.issuers else found
