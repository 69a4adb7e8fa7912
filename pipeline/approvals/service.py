"""The sender as a service: looks for work once a second and takes a turn for each company that has some.

Each turn is a process of its own (``turn.py``), one at a time for a credential and a few at once: what goes wrong for
one company keeps no other waiting, and this process knows no password and opens no ledger for writing. It needs no
page: a web server and the command line put their work into the office database.
"""

from __future__ import annotations

import json
import os
import platform
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from pipeline.approvals import sender
from pipeline.approvals.work import Work, certified, sign, work_of
from pipeline.domain.commands import order
from pipeline.domain.deadline import PANAMA
from pipeline.domain.errors import AnularError, WrongUsage
from pipeline.ledger.scope import credential_mark
from pipeline.ledger.storage.location import location_of
from pipeline.office.database import Office
from pipeline.runtime.clock import Clock
from pipeline.runtime.own_process import NO_WINDOW, own_module, with_our_code
from pipeline.runtime.shutdown import SIGNALS, Ending, handled
from pipeline.settings.load import load_settings, profile_names
from pipeline.settings.model import Settings, whose
from pipeline.wiring.credentials import user_of
from pipeline.wiring.office import opened_office

LOOK_S = 0.5
"""Seconds between two looks; it takes as long until a request to end is noticed."""
RETRY_S = 15.0
"""Seconds until what could not be done is tried again: another run had the ledger, or the turn died; and between two
looks at a batch on a server that workers have."""
NOTICE_S = 60.0
"""Seconds at most between two looks into a ledger for rows that are to be asked about; on a server, between two tries
of a message."""
SIGN_S = 15.0
AT_ONCE = 4
"""Turns of different companies at once."""


@dataclass(frozen=True, slots=True)
class Company:
    """A company that the sender serves."""

    settings: Settings
    #: of its credential: two profiles with the same one take turns
    mark: str

    @property
    def key(self) -> tuple[str, str]:
        return self.settings.profile, str(self.settings.env)


class Running(Protocol):
    """A turn that was started."""

    def ended(self) -> tuple[int, Sequence[str]] | None:
        """Its exit code and sentences; None while it is at work."""
        ...

    def ask_to_end(self) -> None:
        """Asks it to finish what is in flight; a second time to give that up."""
        ...


Start = Callable[[Company], Running]


@dataclass
class _State:
    """What the service remembers of a company."""

    running: Running | None = None
    #: the work that its last turn began with
    begun: Work = field(default_factory=Work)
    #: of the work that its last turn left behind
    left: Work = field(default_factory=Work)
    #: when that ended, by the monotonic clock; None before the first
    ended: float | None = None
    failed: bool = False
    looked: float | None = None
    day: date | None = None
    said: tuple[str, ...] = ()


class Service:
    """The loop. Clock, waiting, starting and saying are passed in."""

    def __init__(
        self,
        companies: Sequence[Company],
        clock: Clock,
        start: Start,
        say: Callable[[str], None],
        wait: Callable[[float], None],
        ending: Ending,
    ) -> None:
        self._companies, self._clock, self._start = companies, clock, start
        self._say, self._wait, self._ending = say, wait, ending
        self._states = {company.key: _State() for company in companies}
        self._offices: dict[str, Office] = {}
        self._stack = ExitStack()
        self._signed: float | None = None
        self._trouble = ""
        self._certified: set[tuple[str, str]] = set()
        self._certified_on: date | None = None

    def serve(self) -> None:
        """Serves until it is asked to end, then until every turn has ended."""
        with self._stack:
            while not self._ending.asked:
                self._look()
                self._wait(LOOK_S)
            self._finish()

    def _finish(self) -> None:
        running = [state.running for state in self._states.values() if state.running is not None]
        for one in running:
            one.ask_to_end()
        while any(state.running is not None for state in self._states.values()):
            self._collect()
            self._wait(LOOK_S)

    def hurry(self) -> None:
        """A second request to end: what is in flight is given up, and asked about at the next start."""
        for state in self._states.values():
            if state.running is not None:
                state.running.ask_to_end()

    def _look(self) -> None:
        ended = self._collect()
        try:
            works = self._works()
            self._trouble = ""
        except AnularError as trouble:  # the office cannot be read now: said once, tried again
            if trouble.sentence != self._trouble:
                self._say(f"✗ {trouble.sentence}")
            self._trouble = trouble.sentence
            return
        for company in ended:
            state = self._states[company.key]
            state.left = _of(works, company).among(state.begun)  # what came meanwhile is new
        busy = {one.mark for one in self._companies if self._states[one.key].running is not None}
        for company in self._companies:
            state = self._states[company.key]
            if self._ending.asked or len(busy) >= AT_ONCE:
                return
            if company.mark not in busy and self._is_due(company, state, _of(works, company)):
                state.day, state.begun = self._today(), _of(works, company)
                state.running = self._start(company)
                busy.add(company.mark)

    def _collect(self) -> list[Company]:
        """Companies whose turn has ended since the last look; what it said is said."""
        found = []
        for company in self._companies:
            state = self._states[company.key]
            done = state.running.ended() if state.running is not None else None
            if done is None:
                continue
            found.append(company)
            state.running, state.ended, state.failed = None, self._clock.monotonic(), done[0] != 0
            state.left = Work()
            told = tuple(done[1]) or ((f"El turno terminó con el código {done[0]}.",) if done[0] else ())
            if told != state.said:  # the same trouble every 15 seconds is said once
                name = f"[{company.settings.company}] " if company.settings.company else ""
                for words in told:
                    self._say(f"{name}{words}")
            state.said = told
        return found

    def _is_due(self, company: Company, state: _State, work: Work) -> bool:
        now = self._clock.monotonic()
        if state.ended is None:
            return bool(work.all) or self._looks_into_ledger(company, state, now)
        since = now - state.ended
        if work.all - state.left.all:
            return True
        if (work.urgent or state.failed) and since >= RETRY_S:
            return True
        if work.patient and since >= self._patience(company, work):
            return True
        return self._looks_into_ledger(company, state, now)

    @staticmethod
    def _patience(company: Company, work: Work) -> float:
        """Seconds between two tries of what is not urgent. On a server the sender asks eDoc about nothing: it looks
        whether workers are done."""
        if not location_of(company.settings.ledger).shared:
            return company.settings.queue_poll
        return RETRY_S if any(kind == "proposal" for kind, _, _ in work.patient) else NOTICE_S

    def _looks_into_ledger(self, company: Company, state: _State, now: float) -> bool:
        """Whether there are certificates to look after today, or rows to ask about, which is looked at now and then."""
        if company.key in self._certified and state.day != self._today():
            return True
        if state.looked is not None and now - state.looked < min(NOTICE_S, company.settings.queue_poll):
            return False
        state.looked = now
        try:
            return sender.has_open(company.settings, self._clock.now())
        except AnularError:  # the turn says why
            return True

    def _today(self) -> date:
        return self._clock.now().astimezone(PANAMA).date()

    def _works(self) -> Mapping[tuple[str, str], Work]:
        found: dict[tuple[str, str], Work] = {}
        for company in self._companies:
            url = company.settings.office
            if url not in self._offices:
                self._offices[url] = self._stack.enter_context(opened_office(company.settings))
        for office in self._offices.values():
            found |= work_of(office)
        if self._certified_on != self._today():
            self._certified = {key for office in self._offices.values() for key in certified(office)}
            self._certified_on = self._today()
        now = self._clock.monotonic()
        if self._signed is None or now - self._signed >= SIGN_S:
            self._signed = now
            for office in self._offices.values():
                sign(office, f"{platform.node()} {os.getpid()}"[:100], self._clock.now())
        return found


def _of(works: Mapping[tuple[str, str], Work], company: Company) -> Work:
    own, mails = works.get(company.key, Work()), works.get((company.key[0], ""), Work())
    return Work(own.urgent, own.patient | mails.patient)


def companies(profile: str, ledger: str, on_left_out: Callable[[AnularError], None]) -> list[Company]:
    """Companies of ``profile`` alone, or of the settings without a name and all profiles. No password is read.

    ``on_left_out`` is called with the reason when one is left out. Raises ``WrongUsage`` when none is left.
    """
    found = []
    for name in [profile] if profile else ["", *profile_names()]:
        try:
            settings = load_settings(name, ledger)
            found.append(Company(settings, credential_mark(settings.env, user_of(settings))))
        except AnularError as trouble:
            if name or profile or not profile_names():
                trouble.where = trouble.where or (f"perfil {name}" if name else "")
                on_left_out(whose(name, ledger).complete_error(trouble))
    if not found:
        raise WrongUsage(
            "No hay ningún perfil con credenciales: no hay nada que enviar.",
            code="sender-without-credentials",
            remedy=f"Ejecute {order('login')}, o escriba user y password_file en la configuración.",
        )
    return found


class Child:
    """A turn in its own process and session: a Ctrl-C reaches only the sender, which passes it on."""

    def __init__(self, company: Company, ledger: str, clock: Clock) -> None:
        # The demo's clock starts anew with each process: a turn goes on where the sender is.
        demo = company.settings.sandbox_now is not None
        now = {"ANULAR_SANDBOX_NOW": clock.now().isoformat()} if demo else {}
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - a pipe that nobody reads meanwhile would fill up
        self._process = subprocess.Popen(  # noqa: S603 - this program itself
            own_module("pipeline.approvals.turn", company.settings.profile, ledger),
            stdin=subprocess.PIPE,
            stdout=self._said,
            stderr=subprocess.DEVNULL,
            env=with_our_code({**os.environ, **now}),
            start_new_session=True,
            creationflags=NO_WINDOW,
        )
        self._asked = False

    def ended(self) -> tuple[int, Sequence[str]] | None:
        code = self._process.poll()
        if code is None:
            return None
        self._said.seek(0)
        said = self._said.read().decode("utf-8", "replace").strip()
        self._said.close()
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            return code, [str(one) for one in json.loads(said.splitlines()[-1])] if said else []
        except ValueError:
            return code, []

    def ask_to_end(self) -> None:
        if self._asked:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGTERM)
        elif self._process.stdin is not None:
            self._process.stdin.close()
        self._asked = True


@contextmanager
def hurrying(ending: Ending, service: Service) -> Iterator[None]:
    """Ctrl-C, SIGTERM and a closed terminal ask for the end; a second one gives up what is in flight."""

    def asked(_number: int, _frame: object) -> None:
        if ending.asked:
            service.hurry()
        ending.asked = True

    with handled(dict.fromkeys(SIGNALS, asked)):
        yield
