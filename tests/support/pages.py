"""The page of two companies without a server: sample people, a ledger with a sent batch of sample_data and a proposal
that waits, a clock that a test moves, and Django's client.

Everything is made once in a process and copied for each test: files, or, with ``ANULAR_TEST_PG``, one database on that
server, with the ledger of both companies and the office with its accounts.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from pipeline.approvals.places import Places
from pipeline.approvals.readers import Work
from pipeline.ledger.storage.location import is_on_a_server
from pipeline.office.place import place_of
from pipeline.settings.model import Env, Settings
from pipeline.web.conf import configure, database
from pipeline.web.site import Mail, Site
from pipeline.wiring.many import Ledgers
from tests.support import ledgers
from tests.support.desk import NOW, Desk, FixedClock, settings_of

SAMPLES = Path(__file__).resolve().parents[2] / "sample_data"
KEY = "k" * 20 + "0123456789abcdefghijklmnopqrstuvwxyz"
URL = "http://localhost:8420"
HOST = "localhost:8420"
ISTMO, CANAL = "istmo", "canal"
COUNTER = int(NOW.timestamp()) // 30
"""Of the code that an application shows, for as long as a test takes."""
PASSWORD = "cuatro palabras sin sentido"
"""Of every sample person."""
PEOPLE: dict[str, tuple[str, dict[str, list[str]]]] = {
    "ana": ("Ana Pérez", {ISTMO: ["preparador"]}),
    "luis": ("Luis Gómez", {ISTMO: ["aprobador"]}),
    "marta": ("Marta Ríos", {ISTMO: ["consulta"]}),
    "admin": ("Elena Paz", {ISTMO: ["administrador"]}),
    "olga": ("Olga Díaz", {CANAL: ["preparador", "aprobador"]}),
    "nadie": ("Noé Díaz", {}),
}
"""User name: name, and roles by company."""
TEMPLATES: dict[tuple[bool, bool], Template] = {}
"""The templates of this process: with people alone and with batches too, in files and on a server."""


@dataclass(frozen=True)
class Template:
    """What each test copies."""

    #: with the uploads, and the ledgers and the office database that are files
    folder: Path
    #: address of the database on a server; "" where there are files
    server: str = ""


class AtOnce:
    """Reader children in this very process, done when they are asked for."""

    def __init__(self, clock: FixedClock) -> None:
        self._clock, self.works = clock, dict[tuple[str, ...], Work]()

    def ask(self, settings: Settings, job: str, *arguments: str) -> None:
        from pipeline.approvals import reader

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(reader, "make_clock", lambda _settings: self._clock)
            reader.run_job(settings, job, arguments, Places.of(settings), lambda _phase, _rows: None)

    def work(self, settings: Settings, job: str, *arguments: str) -> Work | None:
        return self.works.get((settings.profile, job, *arguments))


@dataclass
class House:
    """The page as one test has it."""

    folder: Path
    site: Site
    clock: FixedClock
    #: of the company ``istmo``: takes files in, prepares, approves, sends (with a double of the sending)
    desk: Desk
    mails: list[Mail] = field(default_factory=list)
    #: lines of the technical log
    lines: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def person(self, name: str) -> Any:
        from pipeline.web.models import Person

        return Person.objects.get(username=name)

    def client(self, name: str = "", *, profile: str | None = None, csrf: bool = False) -> Any:
        """Django's client, logged in as ``name`` (confirmed just now) unless "" is given; ``csrf``: forms are checked
        for the page's token, as a browser's are."""
        from django.test import Client

        made = Client(HTTP_HOST=HOST, enforce_csrf_checks=csrf, raise_request_exception=False)
        if name:
            self.enter(made, name, profile)
        return made

    def enter(self, client: Any, name: str, profile: str | None = None) -> None:
        from pipeline.web.access import sessions
        from pipeline.web.middleware import CHOSEN

        client.force_login(self.person(name), sessions.BACKEND)
        session, now = client.session, self.clock.now().isoformat()
        session.update({sessions.BEGAN: now, sessions.LAST: now, sessions.CONFIRMED: now})
        if profile is not None:
            session[CHOSEN] = profile
        session.save()

    def later(self, **more: float) -> None:
        self.clock.moment += timedelta(**more)

    def audit(self, event: str = "") -> list[Any]:
        """Lines of the log of accesses, in order; with ``event`` those of this kind."""
        from pipeline.web.models import AuditEvent

        found = AuditEvent.objects.order_by("id")
        return list(found.filter(event=event) if event else found)


@contextmanager
def house(
    folder: Path,
    patch: pytest.MonkeyPatch,
    *,
    batches: bool = True,
    in_files: bool = False,
    clock: FixedClock | None = None,
    **changes: Any,
) -> Iterator[House]:
    """The page with a copy of the template in ``folder``; ``changes`` are settings of every company. Without
    ``batches`` there are people alone: no ledger, no proposal. ``in_files``: whatever the tests run on."""
    made_once = template(batches=batches, on_a_server=ledgers.on_a_server() and not in_files)
    shutil.copytree(made_once.folder, folder / "house")
    patch.setenv("XDG_STATE_HOME", str(folder / "state"))
    patch.setenv("XDG_DATA_HOME", str(folder / "data"))
    with ExitStack() as stack:
        if made_once.server:
            there = stack.enter_context(ledgers.copied(made_once.server))
            changes = {"office": there, "ledger": there, **changes}
        yield stack.enter_context(_opened(folder / "house", patch, changes, clock))


@contextmanager
def filled(folder: Path, patch: pytest.MonkeyPatch, **changes: Any) -> Iterator[House]:
    """The page made anew, as for an office database on a server."""
    patch.setenv("XDG_STATE_HOME", str(folder / "state"))
    patch.setenv("XDG_DATA_HOME", str(folder / "data"))
    with _opened(folder, patch, changes) as made:
        _people()
        _batches(made.desk)
        yield made


@contextmanager
def at(folder: Path, patch: pytest.MonkeyPatch, **changes: Any) -> Iterator[House]:
    """The page with what is in ``folder`` of another one, as after a move (``office`` names the new place)."""
    with _opened(folder / "house", patch, changes) as made:
        yield made


@contextmanager
def _opened(
    folder: Path, patch: pytest.MonkeyPatch, changes: dict[str, Any], clock: FixedClock | None = None
) -> Iterator[House]:
    from django.db import connections
    from django.test import override_settings

    companies = _companies(folder, changes)
    istmo, clock = companies[ISTMO], clock or FixedClock(NOW)
    mails: list[Mail] = []
    lines: list[tuple[str, dict[str, Any]]] = []
    with _office(istmo.office) as office, Ledgers(1) as kept_open:
        base = istmo.model_copy(update={"profile": "", "company": ""})
        send = mails.append if istmo.mail_host else None
        log = lambda event, facts: lines.append((event, dict(facts)))  # noqa: E731
        site = Site(base, companies, clock, (KEY,), istmo.web_url or URL, office, send, log, AtOnce(clock), kept_open)
        _configure_once(site)
        near = (COUNTER, COUNTER - 1, COUNTER + 1)  # by the real clock a code would be late on a slow machine
        patch.setattr("pipeline.web.access.factors.yield_hotp_counters_from_time", lambda: iter(near))
        _use(database(istmo.office))
        desk = Desk(folder, istmo, patch, clock)
        try:
            with override_settings(ANULAR_SITE=site):
                yield House(folder, site, clock, desk, mails, lines)
        finally:
            desk.close()
            connections["default"].close()


def _use(address: dict[str, Any]) -> None:
    """From now on Django works on this database."""
    from django.db import connections

    connections["default"].close()
    del connections["default"]
    connections.settings["default"] = connections.configure_settings({"default": address})["default"]


@contextmanager
def _office(url: str) -> Iterator[Any]:
    office = place_of(url).open(NOW)
    try:
        yield office
    finally:
        office.close()


def _companies(folder: Path, changes: dict[str, Any]) -> dict[str, Settings]:
    office = f"sqlite:///{folder / 'office' / 'anular-office.db'}"
    common = {"office": office, "approval": None, "env": Env.SANDBOX, "sandbox_now": NOW, **changes}

    def company(profile: str, name: str, *rucs: str) -> Settings:
        url = f"sqlite:///{folder / profile / 'registro.db'}"
        own = {"profile": profile, "company": name, "issuers": frozenset(rucs)}
        if is_on_a_server(str(changes.get("ledger", ""))):
            own["user"] = profile  # in one ledger the user is what tells companies apart
        return settings_of(folder, url, **{**own, **common})

    return {
        ISTMO: company(ISTMO, "Distribuidora Istmo, S.A.", "155999991-2-2026", "155999992-2-2026"),
        CANAL: company(CANAL, "Ferretería Canal, S.A.", "155999993-2-2026"),
    }


@cache
def _configured() -> list[bool]:
    return []


def _configure_once(site: Site) -> None:
    if not _configured():
        configure(site)
        _configured().append(True)


def template(*, batches: bool, on_a_server: bool) -> Template:
    """What each test copies, made when it is asked for first."""
    if (batches, on_a_server) not in TEMPLATES:
        import tempfile

        folder = Path(tempfile.mkdtemp(prefix="anular-pages-"))
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("XDG_STATE_HOME", str(folder / "state"))
            patch.setenv("XDG_DATA_HOME", str(folder / "data"))
            office = ledgers.empty() if on_a_server else ""
            with _opened(folder, patch, {"office": office, "ledger": office} if office else {}) as made:
                _people()
                if batches:
                    _batches(made.desk)
        TEMPLATES[batches, on_a_server] = Template(folder, office)
    return TEMPLATES[batches, on_a_server]


def forget() -> None:
    """At the end of the session: nothing stays on the disk."""
    while TEMPLATES:
        shutil.rmtree(TEMPLATES.popitem()[1].folder, ignore_errors=True)


def _people() -> None:
    from django.contrib.auth.hashers import make_password

    from pipeline.web.migrate import bring_up_to_date
    from pipeline.web.models import Membership, Person, PersonState

    bring_up_to_date()
    password, when = make_password(PASSWORD), datetime.fromisoformat("2026-11-01T08:00:00-05:00")
    for user, (name, companies) in PEOPLE.items():
        person = Person.objects.create(
            username=user,
            name=name,
            email=f"{user}@empresa.example",
            state=PersonState.ACTIVE,
            password=password,
            made_at=when,
            changed_at=when,
        )
        for profile, roles in companies.items():
            for role in roles:
                Membership.objects.create(person=person, profile=profile, role=role, given_by="admin", given_at=when)


def _batches(desk: Desk) -> None:
    sent = desk.propose(SAMPLES / "lote_mensual.csv", "ana")
    desk.carry(desk.approve(sent, "luis", issuers=tuple(sent.content["issuers"])), "luis")
    desk.propose(SAMPLES / "lote_con_errores.xlsx", "ana")
