"""The composition root: settings -> clock, ledger, limiter, client. The only place that opens or starts anything."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess  # nosec B404 - starts this very program, no shell
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_state_path
from pydantic import SecretStr

from pipeline.clock import Clock
from pipeline.domain.errors import StoppedEarly, WrongUsage
from pipeline.edoc.client import EdocClient, Urls
from pipeline.edoc.limiter import Limiter
from pipeline.edoc.token import TokenKeeper
from pipeline.edoc.transport import Transport
from pipeline.ledger import identity
from pipeline.ledger.engine import Database, exclusive, locked, open_as_it_is, open_ledger, sqlite_path
from pipeline.ledger.store import Store
from pipeline.ledger.verify import Examination, examine, look_over
from pipeline.ledger.views import Views
from pipeline.poll import PollRules
from pipeline.read.limits import MEGABYTE, Limits
from pipeline.settings import CUFE_DIGIT, PROGRAM, Env, Settings, addresses
from pipeline.submit import SendRules
from pipeline.validate import Rules

SANDBOX_USER = SANDBOX_PASSWORD = "sandbox"  # noqa: S105 - the public credentials of the local double
START_SANDBOX_S = 20.0


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
    """The ledger, owned by this process until the block ends."""

    database: Database
    store: Store
    views: Views


def make_clock(settings: Settings) -> Clock:
    """The machine's clock; in the sandbox it may start at the demo's date."""
    return Clock() if settings.sandbox_now is None else Clock.starting_at(settings.sandbox_now)


@contextmanager
def open_memory(settings: Settings, *, sends: bool = True) -> Iterator[Memory]:
    """The ledger for writing: in a place that can be trusted, locked, whole, and this machine's.

    With ``sends`` the credential is owned as well, so that two ledgers cannot send under one at the same time. Raises
    ``AnotherRun``, ``StorageTrouble``, and ``WrongUsage`` when credentials are missing.
    """
    with _unchecked(settings, sends=sends) as memory:
        if settings.env is not Env.SANDBOX:
            now = make_clock(settings).now()
            identity.own(memory.database, now, host=identity.host_id(), name=platform.node())
        yield memory


def adopt_ledger(settings: Settings, *, who: str, why: str) -> None:
    """Makes the ledger this machine's. Raises like ``open_memory``, and ``WrongUsage`` when there is no ledger."""
    path = sqlite_path(settings.ledger)
    if not path.is_file():
        raise WrongUsage("No existe ese registro.", code="no-ledger", where=str(path))
    with _unchecked(settings, sends=False) as memory:
        now = make_clock(settings).now()
        identity.adopt(memory.database, now, host=identity.host_id(), name=platform.node(), who=who, why=why)


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
def _unchecked(settings: Settings, *, sends: bool) -> Iterator[Memory]:
    identity.check_place(sqlite_path(settings.ledger), strict=settings.env is not Env.SANDBOX)
    with exclusive(settings.ledger), one_credential(settings) if sends else nullcontext():
        database = open_ledger(settings.ledger)
        try:
            look_over(database)
            yield Memory(database, Store(database, settings.env), Views(database, settings.env))
        finally:
            database.close()


@contextmanager
def open_views(settings: Settings) -> Iterator[Views | None]:
    """The ledger for looking only, beside a run that may own it. None when there is no ledger yet."""
    if not sqlite_path(settings.ledger).exists():
        yield None
        return
    database = open_ledger(settings.ledger)
    try:
        yield Views(database, settings.env)
    finally:
        database.close()


def verify_ledger(url: str) -> Examination:
    """Goes through a whole ledger while nobody writes it. Raises ``AnotherRun``, ``StorageTrouble``, ``WrongUsage``."""
    if not sqlite_path(url).is_file():
        raise WrongUsage("No existe ese registro.", code="no-ledger", where=str(sqlite_path(url)))
    with exclusive(url):
        database = open_as_it_is(url)
        try:
            return examine(database)
        finally:
            database.close()


@asynccontextmanager
async def open_service(settings: Settings, clock: Clock, base: str) -> AsyncIterator[Service]:
    """eDoc at the configured addresses (``base``: the running sandbox's). Connects when first used."""
    _no_core_dump()
    user, password = credentials(settings)
    limiter = Limiter(settings.rate, clock)
    urls = Urls(*addresses(settings, base))
    async with Transport(
        concurrency=settings.concurrency,
        clock=clock,
        connect_s=settings.connect_timeout,
        read_s=settings.read_timeout,
        total_s=settings.connect_timeout + settings.read_timeout,
    ) as transport:
        tokens = TokenKeeper(transport, limiter, clock, urls.auth, user, password)
        client = EdocClient(
            transport,
            tokens,
            limiter,
            urls,
            integration_name=settings.integration_name,
            describes=settings.query_describes,
            resend_after_429=settings.resend_after_429,
        )
        try:
            yield Service(client, limiter, tokens, transport, urls)
        finally:
            tokens.forget()


def _no_core_dump() -> None:
    """From here on secrets are in memory: a crash must not write them to the disk (reliability.md P12)."""
    try:
        import resource
    except ImportError:  # Windows writes none unless it was told to
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def credentials(settings: Settings) -> tuple[str, SecretStr]:
    """User and password: settings, then the keyring; the sandbox has its own. Raises ``WrongUsage`` when missing."""
    from pipeline.vault import stored

    user, password = settings.user, settings.password
    if settings.env is Env.SANDBOX:
        return user or SANDBOX_USER, password if password.get_secret_value() else SecretStr(SANDBOX_PASSWORD)
    if not user or not password.get_secret_value():
        kept = stored(settings.env, settings.profile)
        if kept is None or (user and kept[0] != user):
            raise WrongUsage(
                f"Faltan el usuario o la contraseña de eDoc para el ambiente {settings.env}.",
                code="credentials-missing",
                remedy="Ejecute «anular login», o defina ANULAR_USER y ANULAR_PASSWORD_FILE.",
            )
        user, password = kept
    return user, password


@contextmanager
def running_sandbox(settings: Settings) -> Iterator[str]:
    """The base address to use: a local eDoc started for this run, or "" where an address is configured.

    It is a child of this program and ends with it, also when this program is killed: its standard input closes.
    """
    if settings.env is not Env.SANDBOX or settings.base_url:
        yield ""
        return
    journal = settings.sandbox_journal or Path(f"{sqlite_path(settings.ledger)}.sandbox.jsonl")
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


def send_rules(settings: Settings) -> SendRules:
    """``ahead``: what the limiter lets go within a second, so that no intent waits longer than that."""
    return SendRules(
        concurrency=settings.concurrency,
        ahead=max(1, min(settings.concurrency, int(settings.rate))),
        breaker_wait=settings.breaker_wait,
        preflight=settings.preflight == "on",
        first_query=settings.poll_every,
    )


def poll_rules(settings: Settings, *, now: bool = False) -> PollRules:
    return PollRules(every=settings.poll_every, lasting=settings.poll_for, concurrency=settings.concurrency, now=now)


def check_rules(settings: Settings, *, allow_bad_check_digit: bool = False) -> Rules:
    return Rules(
        env_digit=CUFE_DIGIT[settings.env],
        issuers=settings.issuers,
        deadline_hours=settings.deadline_hours,
        late=settings.late_rows,
        allow_bad_check_digit=allow_bad_check_digit,
        notify_email=settings.notify_email or None,
    )


def limits(settings: Settings) -> Limits:
    return Limits(
        size=int(settings.max_file_mb * MEGABYTE),
        rows=settings.max_rows,
        columns=settings.max_columns,
        unpacked=int(settings.max_unpacked_mb * MEGABYTE),
    )
