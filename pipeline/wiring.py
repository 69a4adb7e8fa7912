"""The composition root: settings -> clock, ledger, limiter, client. The only place that opens or starts anything."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess  # nosec B404 - starts this very program, no shell
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

from platformdirs import user_state_path
from pydantic import SecretStr

from pipeline import traces
from pipeline.domain.commands import order
from pipeline.domain.deadline import PANAMA
from pipeline.domain.edoc_states import QueryDescribes
from pipeline.domain.errors import AnularError, StoppedEarly, StorageTrouble, WrongUsage
from pipeline.domain.records import BatchInfo
from pipeline.edoc.client import EdocClient, Urls
from pipeline.edoc.limiter import Limiter
from pipeline.edoc.token import TokenKeeper
from pipeline.edoc.transport import Transport
from pipeline.ledger import ownership, watermark
from pipeline.ledger.ledger_events import (
    continued,
    id_of,
    moved_to,
    newest_word,
    settle_down,
    sited,
    start_anew,
    started_anew,
)
from pipeline.ledger.scope import Scope, credential_mark
from pipeline.ledger.sent import Sent
from pipeline.ledger.storage import integrity_cache
from pipeline.ledger.storage.database import Database
from pipeline.ledger.storage.files import locked
from pipeline.ledger.storage.location import Location, location_of
from pipeline.ledger.store import Store, who_am_i
from pipeline.ledger.transfer import Moved, move
from pipeline.ledger.verify import Examination, examine, look_over
from pipeline.ledger.views import Views
from pipeline.poll import PollRules
from pipeline.runtime.clock import Clock
from pipeline.settings import CUFE_DIGIT, PROGRAM, Env, Settings, addresses, limits, load_settings, profile_names
from pipeline.submit import SendRules
from pipeline.telemetry.events import SILENT, Journal
from pipeline.traces import Input
from pipeline.domain.eligibility import Rules

SANDBOX_USER = SANDBOX_PASSWORD = "sandbox"  # noqa: S105 - the public credentials of the local double
START_SANDBOX_S = 20.0
ASKED_AFTER = timedelta(days=31)
"""How long after a lost ledger the issue date of a document has to be for it to be sent without being asked about."""


@dataclass(frozen=True, slots=True)
class Service:
    """eDoc under one credential: one transport, one limiter for everything, the tokens in memory only."""

    client: EdocClient
    limiter: Limiter
    tokens: TokenKeeper
    transport: Transport
    urls: Urls


@dataclass(frozen=True, slots=True)
class Memory:
    """The ledger, owned by this process until the block ends. ``anew``: when a person last said that the one before
    it is lost; None for a ledger that remembers everything. ``sent``: what this machine sent, whatever the ledger; None
    where it is not asked."""

    database: Database
    store: Store
    views: Views
    anew: datetime | None = None
    sent: Sent | None = None

    @property
    def journal(self) -> Journal:
        """Where this run is told of."""
        return self.store.journal


def make_clock(settings: Settings) -> Clock:
    """The machine's clock; in the sandbox it may start at the demo's date."""
    return Clock() if settings.sandbox_now is None else Clock.starting_at(settings.sandbox_now)


@contextmanager
def open_memory(
    settings: Settings,
    *,
    sends: bool = True,
    files: Iterable[tuple[Path, str]] = (),
    new_ledger: bool = False,
    journal: Journal = SILENT,
    hands_in: bool = False,
) -> Iterator[Memory]:
    """The ledger for writing: in a place that can be trusted, locked, whole, this machine's, and the one that knows
    what was sent; the run is registered, and what an earlier one left undecided is recovered.

    With ``sends`` the credential is owned as well, so that two ledgers cannot send under one at the same time.
    ``files`` are the inputs with their SHA-256, whose earlier results would be traces of another memory.
    ``new_ledger`` is a person's word that such a memory is lost. ``journal`` is told what became durable. ``hands_in``:
    batches are taken in for others to send, beside a run that may own the credential; nothing is recovered and nothing
    can be sent. Raises ``AnotherRun``, ``StorageTrouble``, and ``WrongUsage`` when credentials are missing.
    """
    now, site, bound = make_clock(settings).now(), location_of(settings.ledger), settings.env is not Env.SANDBOX
    inputs = [Input(file, sha256, settings.out or file.parent) for file, sha256 in files] if bound else []
    notes = _notes()
    with ExitStack() as stack:
        scope = stack.enter_context(_visited(settings, site) if hands_in else _owned(settings, site, sends=sends))
        lost = ["el registro estaba vacío"] if site.emptied() else []
        there = site.exists()
        if bound and not there:
            lost = traces.of_missing(site, notes) or traces.of_inputs(inputs, settings.env, _nothing, limits(settings))
            if lost and not new_ledger:
                raise traces.refusal(site, lost, settings.profile)  # none is made: the old one may be brought back
        fresh = not there or bool(lost)

        def begin_anew(database: Database) -> None:
            why = "; ".join(lost) or "sin rastros del registro anterior"
            _say_anew(database, site, now, who=who_am_i(), why=why)

        database = stack.enter_context(_opened(settings, site, begin_anew if new_ledger else None))
        views = Views(database, settings.env, scope)
        sent = _sent(settings, database)
        if sent is not None:
            stack.callback(sent.close)
            sent.heed(database, continued(database), newest_word(database))
        if bound and not site.shared:
            ownership.own(database, now, host=ownership.host_id(), name=platform.node())
        if not fresh:
            lost = sent.doubts(database) if sent is not None else []
            if bound:
                lost += _elsewhere(database) + watermark.doubts(notes, database)
                lost += traces.of_inputs(inputs, settings.env, views.knows, limits(settings), _day(database))
            if lost and not new_ledger:
                raise traces.refusal(site, lost, settings.profile)
        if new_ledger and not fresh:
            begin_anew(database)
        if sent is not None and new_ledger:
            sent.heed(database, continued(database), newest_word(database))
        if bound and site.shared and sited(database) is None:
            settle_down(database, now, who=who_am_i())
        keeping = watermark.Keeping(notes, database, time.monotonic) if bound else None
        store = Store(database, settings.env, scope, journal, sent, keeping)
        store.begin_run(now)
        if not hands_in:
            store.recover(now)
        if keeping is not None:
            keeping.renew()
            stack.callback(keeping.renew)
        stack.callback(journal.ledger, None)
        journal.ledger(views.tally)
        yield Memory(database, store, views, started_anew(database), sent)


def _say_anew(database: Database, site: Location, now: datetime, *, who: str, why: str) -> None:
    """A person's word, for every machine: what may have been sent is asked about from now on."""
    before = watermark.used_there(_notes(), site.key)
    start_anew(database, now, who=who, why=why, site=database.site, lost={before} - {"", id_of(database)})


def go_on_for(memory: Memory, lost: Iterable[str], now: datetime, *, who: str, why: str) -> Memory:
    """The same memory after a person's word that it takes the place of the ledgers ``lost`` (ids)."""
    database = memory.database
    start_anew(database, now, who=who, why=why, site=database.site, lost=lost)
    if memory.sent is not None:
        memory.sent.heed(database, continued(database), newest_word(database))
    return replace(memory, anew=started_anew(database))


def _elsewhere(database: Database) -> list[str]:
    """What its own events say against the place where a shared ledger is: a machine without notes sees it too."""
    where = sited(database) if database.shared else None
    if where is None or where == database.site:
        return []
    return ["está en otro servidor o en otra base de datos que ayer (¿una réplica ascendida, un respaldo restaurado?)"]


def _sent(settings: Settings, database: Database) -> Sent | None:
    """This machine's memory of what was sent: not for a sandbox that a run starts for itself, which nobody shares."""
    if settings.env is Env.SANDBOX and not settings.base_url:
        return None
    return Sent(user_state_path(PROGRAM) / "enviados.db", settings.env, id_of(database))


def _notes() -> Path:
    """Where this machine notes what it knows of ledgers, outside of them."""
    return user_state_path(PROGRAM) / "registros"


def _nothing(_batch: str) -> bool:
    return False


def _day(database: Database) -> date | None:
    """The Panamanian day on which a person last said that the memory is lost."""
    anew = started_anew(database)
    return anew.astimezone(PANAMA).date() if anew is not None else None


def adopt_ledger(settings: Settings, *, who: str, why: str, restored: bool = False) -> None:
    """Makes the ledger this machine's; ``restored``: it went back (a backup, a standby), and every machine is to accept
    it as it is. Raises like ``open_memory``, and ``WrongUsage`` when there is no ledger."""
    site = location_of(settings.ledger)
    if site.shared and not restored:
        raise WrongUsage(
            "Un registro en PostgreSQL no pertenece a un equipo: no hay nada que adoptar.",
            code="adopt-shared",
            remedy="Después de restaurar un respaldo o ascender una réplica: --restored.",
        )
    if not site.exists():
        raise WrongUsage("No existe ese registro.", code="no-ledger", where=site.place)
    if not site.shared:
        ownership.check_place(Path(site.place), strict=settings.env is not Env.SANDBOX)
    with site.alone(), _opened(settings, site) as database:
        now = make_clock(settings).now()
        if not site.shared and not (restored and ownership.is_owner(database, ownership.host_id())):
            ownership.adopt(database, now, host=ownership.host_id(), name=platform.node(), who=who, why=why)
        if restored:
            _say_anew(database, site, now, who=who, why=why)


@contextmanager
def one_credential(settings: Settings) -> Iterator[None]:
    """Owns the credential on this machine until the end of the block. Raises ``AnotherRun``.

    A sandbox that this run starts for itself has its own: nothing is shared.
    """
    if settings.env is Env.SANDBOX and not settings.base_url:
        yield
        return
    user, _ = credentials(settings)
    mark = hashlib.sha256(f"{addresses(settings)[0]}\n{user}".encode()).hexdigest()[:32]
    path = user_state_path(PROGRAM) / "credenciales" / f"{mark}.lock"
    with locked(path, "Otra ejecución está usando la misma credencial de eDoc con otro registro."):
        yield


@contextmanager
def _owned(settings: Settings, site: Location, *, sends: bool) -> Iterator[Scope]:
    """The place of the ledger can be trusted, and nobody else uses it (on PostgreSQL: the rows of this credential) or,
    with ``sends``, the credential."""
    if not site.shared:
        ownership.check_place(Path(site.place), strict=settings.env is not Env.SANDBOX)
    mark = credential_mark(settings.env, credentials(settings)[0])
    with site.working(settings.env, mark) as scope, one_credential(settings) if sends else nullcontext():
        yield scope


def _visited(settings: Settings, site: Location) -> AbstractContextManager[Scope]:
    return site.visited(credential_mark(settings.env, credentials(settings)[0]))


@contextmanager
def _opened(settings: Settings, site: Location, anew: Callable[[Database], None] | None = None) -> Iterator[Database]:
    notes, now = _notes(), make_clock(settings).now()
    file = None if site.shared else Path(site.place)
    known = integrity_cache.sound_since(notes, file, now) if file is not None else None
    database = site.open(anew)
    try:
        look_over(database, sound=known is not None)
        if (gone := moved_to(database)) is not None:
            raise StorageTrouble(
                f"Este registro se movió a {gone.place}: aquí solo se puede consultar. No se envió nada.",
                code="ledger-moved",
                where=site.place,
                remedy="Indique el nuevo lugar en ANULAR_LEDGER.",
            )
        yield database
    finally:
        database.close()
    # After a clean end only: whatever broke it off, the file is checked next time.
    if file is not None:
        integrity_cache.keep(notes, file, known or now)


@contextmanager
def open_views(settings: Settings, *, alone: bool = False, mine: bool = False) -> Iterator[Views | None]:
    """The ledger for looking only, beside a run that may own it. None when there is no ledger yet.

    ``mine``: what is followed and what waits is that of these settings' credential.

    ``alone``: everything that is read belongs together. Nobody writes a file meanwhile (raises ``AnotherRun``); a
    server shows one moment and lets the others work.
    """
    site = location_of(settings.ledger)
    if not site.exists():
        yield None
        return
    with site.alone() if alone and not site.shared else nullcontext():
        database = site.open()
        try:
            with database.still() if alone else nullcontext():
                yield Views(database, settings.env, _scope_of(settings) if mine else None)
        finally:
            database.close()


def _scope_of(settings: Settings) -> Scope:
    return Scope(credential_mark(settings.env, credentials(settings)[0]), alone=False)


def ledger_exists(settings: Settings) -> bool:
    """Whether there is a ledger at all. Raises ``StorageTrouble`` when nobody can tell, ``WrongUsage``."""
    return location_of(settings.ledger).exists()


def check_own(views: Views, info: BatchInfo) -> None:
    """Raises ``WrongUsage`` when ``info`` was taken in under another credential, which alone may go on with it."""
    if views.of_another(info.id):
        raise WrongUsage(
            f"El lote {info.id} es de otra credencial de eDoc.",
            code="other-credential",
            remedy="Continúelo con el perfil que lo recibió (--profile).",
        )


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A file that is a batch of another company of this machine: whose, which, and how it is continued there."""

    company: str
    batch: str
    order: str


def elsewhere(settings: Settings, views: Views, sha256: str) -> Elsewhere | None:
    """Whether another profile of this machine holds the file with this content, with a row that is not free; None
    where this ledger holds it for these settings' own credential, or nobody does.

    A profile whose settings or ledger cannot be read now is passed over: the memory of what was sent and the ledger's
    own indexes still stand between a document and a second request.
    """
    known = views.of_content(sha256)
    if known and not any(views.of_another(info.id) for info in known):
        return None
    looked = {settings.ledger} if not known else set()
    for name in ["", *profile_names()]:
        if name == settings.profile:
            continue
        try:
            other = load_settings(name)
            if other.env is not settings.env or other.ledger in looked:
                continue
            with open_views(other, mine=True) as theirs:
                for info in theirs.of_content(sha256) if theirs is not None else ():
                    if theirs is not None and theirs.lives(info.id) and not theirs.of_another(info.id):
                        return Elsewhere(other.company, info.id, other.here.complete(order("release", info.id)))
        except AnularError:
            continue
    return None


def move_ledger(source: str, target: str, now: datetime) -> Moved:
    """A whole ledger to another place. Raises like ``moving.move``."""
    return move(source, target, now, _notes())


def verify_ledger(url: str) -> Examination:
    """Goes through a whole ledger as it is at one moment: while nobody writes it, or, on a server, in a snapshot.

    Raises ``AnotherRun``, ``StorageTrouble``, ``WrongUsage``.
    """
    site = location_of(url)
    if not site.exists():
        raise WrongUsage("No existe ese registro.", code="no-ledger", where=site.place)
    if not site.shared and not Path(site.place).is_file():
        raise WrongUsage("Ahí no hay un archivo de registro.", code="no-ledger", where=site.place)
    with nullcontext() if site.shared else site.alone():
        database = site.open_as_it_is()
        try:
            return examine(database)
        finally:
            database.close()


@asynccontextmanager
async def open_service(
    settings: Settings, clock: Clock, base: str, journal: Journal = SILENT
) -> AsyncIterator[Service]:
    """eDoc at the configured addresses (``base``: the running sandbox's). Connects when first used."""
    _no_core_dump()
    user, password = credentials(settings)
    limiter = Limiter(settings.rate, clock, journal)
    urls = Urls(*addresses(settings, base))
    async with Transport(
        concurrency=settings.concurrency,
        clock=clock,
        connect_s=settings.connect_timeout,
        read_s=settings.read_timeout,
        total_s=settings.connect_timeout + settings.read_timeout,
    ) as transport:
        tokens = TokenKeeper(transport, limiter, clock, urls.auth, user, password, journal=journal)
        client = EdocClient(
            transport,
            tokens,
            limiter,
            urls,
            integration_name=settings.integration_name,
            describes=settings.query_describes,
            resend_after_429=settings.resend_after_429,
            journal=journal,
        )
        try:
            yield Service(client, limiter, tokens, transport, urls)
        finally:
            tokens.forget()


def _no_core_dump() -> None:
    """From here on secrets are in memory: a crash must not write them to the disk (reliability.md P12)."""
    if sys.platform != "win32":  # where none is written unless it was told to
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def credentials(settings: Settings) -> tuple[str, SecretStr]:
    """User and password, whole from one place (eyes.md 2); the sandbox has its own. Raises ``WrongUsage``."""
    from pipeline.vault import stored

    if settings.user and settings.password.get_secret_value():
        return settings.user, settings.password
    if settings.env is Env.SANDBOX:
        return settings.spare or (settings.user or SANDBOX_USER, SecretStr(SANDBOX_PASSWORD))
    found = stored(settings.env, settings.profile) or settings.spare
    if found is None:
        raise WrongUsage(
            f"Faltan el usuario o la contraseña de eDoc para el ambiente {settings.env}.",
            code="credentials-missing",
            remedy=f"Ejecute {order('login')}, o escriba user y password_file en la configuración.",
        )
    return found


@contextmanager
def running_sandbox(settings: Settings) -> Iterator[str]:
    """The base address to use: a local eDoc started for this run, or "" where an address is configured.

    It is a child of this program and ends with it, also when this program is killed: its standard input closes.
    """
    if settings.env is not Env.SANDBOX or settings.base_url:
        yield ""
        return
    journal = settings.sandbox_journal or location_of(settings.ledger).journal
    command = [sys.executable, "-m", "pipeline", "sandbox", "--port", "0", "--child", "--journal", str(journal)]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("ANULAR_")}
    if settings.sandbox_now is not None:
        environment["ANULAR_SANDBOX_NOW"] = settings.sandbox_now.isoformat()
    child = subprocess.Popen(  # noqa: S603 # nosec B603 - our own interpreter and module
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    )
    try:
        assert child.stdout is not None
        base = child.stdout.readline().strip()
        if not base:
            raise StoppedEarly("El sandbox local no arrancó.", code="sandbox-start", remedy="Nada se envió.")
        yield base
    finally:
        if child.stdin is not None:
            child.stdin.close()
        try:
            child.wait(timeout=START_SANDBOX_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        if child.stdout is not None:
            child.stdout.close()


def send_rules(settings: Settings, anew: datetime | None = None, sent: Sent | None = None) -> SendRules:
    """``ahead``: what the limiter lets go within a second, so that no intent waits longer than that.

    ``anew`` of a ``Memory``: what was issued up to a month after that moment may have been sent by the lost ledger;
    ``sent`` of it lists what this machine sent for certain. Raises ``WrongUsage`` like ``check_rules``: nothing is sent
    by settings that do not say whose documents.
    """
    return SendRules(
        concurrency=settings.concurrency,
        ahead=max(1, min(settings.concurrency, int(settings.rate))),
        breaker_wait=settings.breaker_wait,
        preflight=settings.preflight == "on",
        ask_until=anew.astimezone(PANAMA).date() + ASKED_AFTER if anew is not None else None,
        first_query=settings.poll_every,
        sent_before=sent.asks if sent is not None else _nothing,
        allowed=check_rules(settings),
    )


def poll_rules(settings: Settings, *, now: bool = False) -> PollRules:
    return PollRules(
        every=settings.poll_every,
        lasting=settings.poll_for,
        concurrency=settings.concurrency,
        now=now,
        by_answer=settings.query_describes is QueryDescribes.CANCELLATION,
    )


def without_issuers(settings: Settings) -> WrongUsage | None:
    """What is wrong with settings that name no RUC outside the sandbox (eyes.md 2); None when nothing is."""
    if settings.env is Env.SANDBOX or settings.issuers:
        return None
    table = f"[profile.{settings.profile}]" if settings.profile else "el archivo de configuración"
    return WrongUsage(
        "Faltan los RUC de la empresa: fuera del sandbox no se revisa ni se envía nada sin ellos.",
        code="issuers-missing",
        remedy=f'Escriba issuers = "RUC, RUC" en {table}, o defina ANULAR_ISSUERS.',
    )


def check_rules(settings: Settings, *, allow_bad_check_digit: bool = False, accept_formulas: bool = False) -> Rules:
    """What may be sent, by these settings. Raises ``WrongUsage`` when they do not say whose documents."""
    if (missing := without_issuers(settings)) is not None:
        raise missing
    return Rules(
        env_digit=CUFE_DIGIT[settings.env],
        issuers=settings.issuers,
        deadline_hours=settings.deadline_hours,
        late=settings.late_rows,
        allow_bad_check_digit=allow_bad_check_digit,
        accept_formulas=accept_formulas,
        notify_email=settings.notify_email or None,
    )
