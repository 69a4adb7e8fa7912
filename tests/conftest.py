"""Virtual time, and a provider that answers from a function: no socket, no waiting."""

from __future__ import annotations

import asyncio
import gc
import os
import random
import selectors
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from hypothesis import settings

import tests.support.own_sqlite  # noqa: F401 - before the program
from pipeline.domain.records import Cancellation
from pipeline.edoc.client import EdocClient, Urls
from pipeline.edoc.limiter import Limiter
from pipeline.edoc.token import TokenKeeper
from pipeline.edoc.transport import Transport
from pipeline.runtime.clock import Clock
from tests.support import ledgers, needs, once
from tests.support.long import thin_out
from tests.support.warm import Warm

T = TypeVar("T")
START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
CUFE = "FE0120000155668001-2-2018-3707892023061300000002050060120035300326"
USER = "usuario-Ñandú"
PASSWORD = "cláve+secreta/77=="
BASE = "https://edoc.example"

# What is tried is the same at every run; `make test-all` tries other things, with a seed that is shown. How long one
# takes is no part of any test: machines differ.
settings.register_profile("fixed", deadline=None, derandomize=True)
settings.register_profile("random", deadline=None, print_blob=True)
settings.load_profile("fixed")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """One seed for all that is random; the worker processes of a run inherit it."""
    os.environ.setdefault("SEED", str(random.SystemRandom().randrange(10**9)))
    if config.option.hypothesis_seed is None:
        config.option.hypothesis_seed = os.environ["SEED"]


def pytest_report_header(config: pytest.Config) -> list[str]:
    return [] if config.option.markexpr == "not long" else [_the_seed()]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if config.option.markexpr != "not long" and terminalreporter.stats.get("failed"):
        terminalreporter.write_line(_the_seed())


def _the_seed() -> str:
    return f"what is random has SEED={os.environ['SEED']}: give it again, and this run does the same again"


@pytest.fixture(scope="session")
def seed() -> int:
    """Another one at every run, shown at its beginning; ``SEED=…`` repeats one. Only for tests marked ``long``."""
    return int(os.environ["SEED"])


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of a test with ``one_in(n)`` some cases are always tried (``support/long.py``). Tests of what only one kind of
    database has are not asked of the other (``support/ledgers.py``)."""
    thin_out(items)
    other = "sqlite" if ledgers.on_a_server() else "postgres"
    foreign = [item for item in items if item.get_closest_marker(other)]
    if foreign:
        config.hook.pytest_deselected(items=foreign)
        items[:] = [item for item in items if item not in foreign]


def pytest_collection_finish() -> None:
    """Thousands of tests are no garbage; who looks for some need not look through them each time."""
    gc.collect()
    gc.freeze()


def pytest_sessionfinish() -> None:
    ledgers.forget()


@pytest.fixture(scope="session", autouse=True)
def _once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for where, name, value in once.replacements():
            patch.setattr(where, name, value)
        yield


@pytest.fixture(scope="session")
def warm() -> Iterator[Warm]:
    """Starts commands of the program without the seconds that imports take."""
    warm = Warm()
    yield warm
    warm.end()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Below everything else of the report."""
    report = config.pluginmanager.get_plugin("terminalreporter")
    if report is not None and not hasattr(config, "workerinput"):
        for line in needs.lines(report.stats.get("skipped", [])):
            report.write_line(line, red=True, bold=True)


@pytest.fixture
def ledger_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a new ledger of this test's own: a file, or a database with all tables on the test server."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))  # where a server's reserve journals lie
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))  # what this machine notes
    with ledgers.fresh(tmp_path) as url:
        yield url


class _Skipping(selectors.DefaultSelector):
    """Does not wait for a timer: moves the loop's time to it."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events = super().select(0)
        if not events:
            assert timeout is not None, "everybody waits and nothing will ever happen"
            self.now += timeout
        return events


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time passes only when nobody has anything left to do."""

    def __init__(self) -> None:
        self._skipping = _Skipping()
        super().__init__(self._skipping)

    def time(self) -> float:
        return self._skipping.now


class VirtualClock(Clock):
    """The clocks of a ``VirtualLoop``; ``late`` is how much longer than asked each sleep takes."""

    def __init__(self, late: Callable[[], float] = lambda: 0.0) -> None:
        super().__init__()
        self._late = late
        self.jump = timedelta(0)

    def now(self) -> datetime:
        return START + timedelta(seconds=self.monotonic()) + self.jump

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    def since_boot(self) -> float:
        return self.monotonic()

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds + self._late())

    @staticmethod
    def stall(seconds: float) -> None:
        """The loop stands still for so long: all that was to happen meanwhile happens at once, afterwards."""
        asyncio.get_running_loop()._skipping.now += seconds  # type: ignore[attr-defined]


def run_virtually(main: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


@pytest.fixture(scope="session")
def virtually() -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """Runs a coroutine in virtual time."""
    return run_virtually


@pytest.fixture(scope="session")
def virtual_clock() -> type[VirtualClock]:
    return VirtualClock


class Password:
    """Like pydantic's SecretStr."""

    def get_secret_value(self) -> str:
        return PASSWORD

    def __repr__(self) -> str:
        return "Password('**********')"


Handler = Callable[[httpx.Request], Awaitable[httpx.Response]]


class Provider:
    """A scripted eDoc: ``on(path, *answers)``; the last answer of a path stays. An exception is raised instead."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Any]] = {}
        self.requests: list[httpx.Request] = []
        self.times: list[float] = []
        self.on("/Auth/ServicioEDOC", lambda n: token_answer(f"token-{n}"))

    def on(self, path: str, *answers: Any) -> None:
        self.answers[path] = list(answers)

    def to(self, path: str) -> list[httpx.Request]:
        return [request for request in self.requests if request.url.path == path]

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self.times.append(asyncio.get_running_loop().time())
        script = self.answers[request.url.path]
        answer = script.pop(0) if len(script) > 1 else script[0]
        if callable(answer):
            answer = answer(len(self.to(request.url.path)))
        if isinstance(answer, Exception):
            raise answer
        await request.extensions["trace"]("http11.send_request_headers.started", {})
        await asyncio.sleep(0.05)
        assert isinstance(answer, httpx.Response)
        # A fresh one, unread: the transport reads the raw stream as it would from a socket.
        stream = httpx.ByteStream(answer.content)
        return httpx.Response(answer.status_code, headers=answer.headers, stream=stream)


def token_answer(token: Any, seconds: float = 3600.0, **more: Any) -> httpx.Response:
    """The token service's 200 with a lifetime, times as the real one writes them."""
    ends = (START + timedelta(seconds=seconds)).isoformat()
    body = {"token": token, "expedido": START.isoformat(), "expira": ends, "codigoError": None, **more}
    return httpx.Response(200, json=body)


class World:
    """Everything of the package put together over a ``Provider``."""

    def __init__(self, provider: Provider, rate: float | None = None, **client: Any) -> None:
        self.provider = provider
        self.clock = VirtualClock()
        self.limiter = Limiter(rate, self.clock)
        self.transport = Transport(
            concurrency=8, clock=self.clock, make_pool=lambda _n, _keep: httpx.MockTransport(provider)
        )
        self.tokens = TokenKeeper(
            self.transport, self.limiter, self.clock, f"{BASE}/Auth", USER, Password(), jitter=lambda: 1.0
        )
        urls = Urls(f"{BASE}/Auth", f"{BASE}/Eventos", f"{BASE}/Consulta")
        client = {"integration_name": "anular 0.1", "jitter": lambda: 0.0, **client}
        self.client = EdocClient(self.transport, self.tokens, self.limiter, urls, **client)


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def world(provider: Provider) -> Callable[..., World]:
    """``world(rate=None, **settings of the client)``."""

    def make(**settings: Any) -> World:
        return World(provider, **settings)

    return make


@pytest.fixture(scope="session")
def issue_token() -> Callable[..., httpx.Response]:
    return token_answer


@pytest.fixture(scope="session")
def secrets() -> Mapping[str, str]:
    return {"user": USER, "password": PASSWORD}


@pytest.fixture(scope="session")
def cufe() -> str:
    return CUFE


@pytest.fixture(scope="session")
def cancellation(cufe: str) -> Callable[..., Cancellation]:
    def make(**changes: Any) -> Cancellation:
        values: dict[str, Any] = {
            "attempt": 1,
            "version": 1,
            "number": 1,
            "batch": "b",
            "pos": 1,
            "cufe": cufe,
            "reason": "Error en los datos del receptor",
            "email": None,
        }
        return Cancellation(**{**values, **changes})

    return make
