"""A simulated eDoc with a truth of its own, and processes that live and die against it in virtual time."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest

from pipeline.decide import Before, authorise, found_cancelled, read_before
from pipeline.domain.cufe import check_digit
from pipeline.domain.errors import Interrupted
from pipeline.domain.lifecycle import FOLLOWED, RETRIED, SUCCESS, Event, State
from pipeline.domain.outcomes import PREFLIGHT, Outcome, outcome
from pipeline.domain.records import BatchInfo, CheckedRow, Position, Source, Verdict
from pipeline.edoc.client import EdocClient, Urls
from pipeline.edoc.limiter import Limiter
from pipeline.edoc.token import TokenKeeper
from pipeline.edoc.transport import Transport
from pipeline.edoc.wire import read_answer
from pipeline.ledger.decisions import standing
from pipeline.ledger.storage.location import open_ledger
from pipeline.ledger.store import Store
from pipeline.ledger.verify import examine
from pipeline.ledger.views import Views
from pipeline.ledger.writer import Writer
from pipeline.poll import PollRules, poll
from pipeline.runtime.shutdown import Stop
from pipeline.submit.submit import SendRules, submit

ENV = "sandbox"
BASE = "https://edoc.example"
EPOCH = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
TRANSITORY = (5, 7, 10, 20)
OPEN = frozenset({State.READY, State.SENDING, *RETRIED, *FOLLOWED})
"""What may not be left when the faults have ended and time has passed: neither final nor with a person."""


def valid_cufe(number: int) -> str:
    text = f"FE01200000000000029-29-29-56763220261115{number:010d}939012012345678"
    return f"{text}{check_digit(text)}"


# --------------------------------------------------------------------------------------------- the provider

# What becomes of a document once its cancellation has arrived. The first one is the usual one.
FATES = ("cancel", "later", "stuck", "support", "correct", "returned", "duplicate", "nowhere", "already", "schema")
ENDS = ("cancel", "cancel", "support", "correct", "returned", "nowhere", "already", "schema")  # of what comes "later"
_STATE = {"support": 4, "correct": 6, "returned": 15, "duplicate": 15, "nowhere": 18}

# A fault "x-after" strikes when the request has been processed, "x-before" when it never will be.
POST_FAULTS = (
    *("refused", "connect-timeout", "lost-before", "lost-after", "hang-before", "hang-after", "late"),
    *("401", "429", "503-before", "503-after", "500-before", "500-after", "html-before", "html-after"),
    *("unknown-before", "unknown-after", "keys-after", "empty-after", "403-before", "crossed-after"),
)
QUERY_FAULTS = (
    *("refused", "lost-before", "hang-before", "401", "429", "503-before", "500-before", "html-before"),
    *("unknown-before", "flap", "down", "403-before", "crossed-after", "keys-after"),
)
FLAPS: tuple[dict[str, Any], ...] = (
    *({"estadoEdoc": state} for state in (2, 2, 18, 18, *TRANSITORY, 4, 6, 15)),
    {"estadoEdoc": 5, "codigoRespuesta": "1002"},
)
TOKEN_FAULTS = ("refused", "500-before", "429", "lost-before", "html-before", "401")


@dataclass
class Doc:
    """The truth about one invoice. ``known``: a query finds it alive (2) before anything arrived, else 18."""

    fate: str
    known: bool
    transitory: int
    settles_after: float
    ends: str  # what a document with the fate "later" becomes
    cancelled: bool = False
    received: int = 0  # requests that were processed
    departed: int = 0  # requests of which a byte left
    proofs: int = 0  # of those, proven not to have been applied (401, 429), or followed by a resend of a person

    @property
    def unproven(self) -> int:
        return self.departed - self.proofs


@dataclass
class Life:
    """One process. ``fuse`` is how many steps (commits, requests) it lives, None: for ever."""

    fuse: int | None
    rate: float
    alive: bool = True
    task: asyncio.Task[Any] | None = None
    departures: list[float] = field(default_factory=list)
    pauses: list[tuple[float, float]] = field(default_factory=list)

    def step(self) -> None:
        """Raises ``Killed`` when this process is dead, or dies now."""
        if self.fuse is not None:
            self.fuse -= 1
            if self.fuse <= 0:
                self.die()
        if not self.alive:
            raise Killed

    def die(self) -> None:
        """From now on nothing that this process does has any effect."""
        if self.alive:
            self.alive = False
            if self.task is not None:
                self.task.cancel()


class Killed(Exception):
    """The process is dead; whoever hears this is only cleaning up."""


class Edoc:
    """Answers from the truth, unless a fault strikes with probability ``trouble`` out of the kinds of this seed."""

    def __init__(self, rng: random.Random, docs: dict[str, Doc]) -> None:
        self.rng, self.docs = rng, docs
        self.by_number = {cufe[40:50]: cufe for cufe in docs}
        self.trouble = rng.choice((0.02, 0.1, 0.3, 0.6))
        self.kinds = {kind for kind in (*POST_FAULTS, *QUERY_FAULTS) if rng.random() < 0.6}
        self.down_until = 0.0
        self.tokens = 0
        self.breaches: list[str] = []  # an error raised in here would look like a lost answer to the program

    async def answer(self, life: Life, request: httpx.Request) -> httpx.Response:
        life.step()
        now = asyncio.get_running_loop().time()
        life.departures.append(now)
        service = request.url.path.rpartition("/")[2]
        faults = {"Anulacion": POST_FAULTS, "Consulta": QUERY_FAULTS}.get(service, TOKEN_FAULTS)
        fault = self._fault(faults, 0.1 if service == "ServicioEDOC" else 1.0)
        if service == "Consulta" and fault == "down":
            self.down_until = now + self.rng.uniform(10, 4000)
        if fault in ("refused", "down") or (service == "Consulta" and now < self.down_until):
            raise httpx.ConnectError("refused") from ConnectionRefusedError()
        if fault == "connect-timeout":
            raise httpx.ConnectTimeout("no answer")
        await request.extensions["trace"]("http11.send_request_headers.started", {})
        if service == "Anulacion":
            cufe = json.loads(request.content)["cufe"]
            reply = await self._cancellation(life, self.docs[cufe], cufe, fault)
        elif service == "Consulta":
            cufe = self.by_number[request.url.params["dNroDF"]]
            reply = await self._reply(life, fault, partial(self._state, self.docs[cufe]), cufe)
        else:
            reply = await self._reply(life, fault, self._token, "")
        life.step()
        return reply

    def _fault(self, faults: tuple[str, ...], share: float) -> str:
        possible = [kind for kind in faults if kind in self.kinds]
        strikes = self.rng.random() < self.trouble * share
        return self.rng.choice(possible) if possible and strikes else ""

    async def _cancellation(self, life: Life, doc: Doc, cufe: str, fault: str) -> httpx.Response:
        doc.departed += 1
        if doc.unproven > 1:
            self.breaches.append(f"{cufe} was sent again without proof that the first request was not applied ({doc})")
        if fault in ("401", "429"):
            doc.proofs += 1
        elif fault == "late":
            asyncio.get_running_loop().call_later(self.rng.uniform(1, 40_000), self._receive, doc)
            fault = "hang-before"
        elif not fault.endswith("-before"):
            self._receive(doc)
        return await self._reply(life, fault, partial(self._outcome, doc), cufe)

    def _receive(self, doc: Doc) -> None:
        doc.received += 1
        if doc.fate == "cancel":
            doc.cancelled = True
        elif doc.fate == "later":
            asyncio.get_running_loop().call_later(doc.settles_after, self._settle, doc)

    def _settle(self, doc: Doc) -> None:
        doc.fate = doc.ends
        doc.cancelled = doc.ends in ("cancel", "already")

    def _outcome(self, doc: Doc) -> dict[str, Any]:
        """The truth in answer to a cancellation."""
        if doc.fate == "already":
            return self.rng.choice(({"codigoRespuestaDGI": "0622"}, {"estado": 4, "codigoRespuestaDGI": "0622"}))
        if doc.fate == "cancel":
            return self.rng.choice(({"estado": 2}, {"estado": "11"}, {"estado": 2, "codigoRespuestaDGI": "0600"}))
        if doc.fate == "schema":
            return {"estado": 5, "codigoRespuestaDGI": self.rng.choice(("0100", "1002"))}
        return {"estado": _STATE.get(doc.fate, doc.transitory)}

    def _state(self, doc: Doc) -> dict[str, Any]:
        """The truth in answer to a query."""
        if doc.cancelled:
            proof = "0600" if doc.fate == "cancel" else "0622"
            return self.rng.choice(({"estadoEdoc": 11}, {"estadoEdoc": "11"}, {"codigoRespuesta": proof}))
        if not doc.received:
            return {"estadoEdoc": 2 if doc.known else 18}
        if doc.fate == "schema":
            return {"estadoEdoc": 5, "codigoRespuesta": self.rng.choice(("0100", "1002"))}
        if doc.fate == "returned":  # what was returned says nothing of the invoice: it may be in any state
            return self.rng.choice(FLAPS)
        return {"estadoEdoc": _STATE.get(doc.fate, doc.transitory)}

    def truth(self, cufe: str) -> dict[str, Any]:
        """What a query without any fault would answer."""
        return self._state(self.docs[cufe])

    def _token(self) -> dict[str, Any]:
        self.tokens += 1
        ends = EPOCH + timedelta(seconds=self.rng.choice((60, 900, 3600)))
        return {"token": f"t-{self.tokens}", "expedido": EPOCH.isoformat(), "expira": ends.isoformat()}

    async def _reply(self, life: Life, fault: str, truth: Callable[[], dict[str, Any]], cufe: str) -> httpx.Response:
        await asyncio.sleep(self.rng.choice((0.0, 0.05, 1.0, 8.0)))
        kind = fault.partition("-")[0]
        headers: dict[str, str] = {}
        status, body = 200, json.dumps(truth())
        if kind == "lost":
            raise self.rng.choice((httpx.ReadError("reset"), httpx.RemoteProtocolError("closed")))
        if kind == "hang":
            await asyncio.sleep(1e6)  # the deadline over the whole exchange ends it
        if kind in ("401", "403", "429", "500", "503"):
            status, body = int(kind), self.rng.choice(("", "<html>", body))
        if kind in ("429", "503"):
            headers = self._retry_after(life)
        if kind == "html":
            body = "<!DOCTYPE html><title>Mantenimiento</title>"
        if kind == "unknown":
            body = json.dumps({"estado": self.rng.choice((3, 99, 2.0, True, None, "2 ", [2]))})
        if kind == "keys":
            body = '{"estado": 6, "estado": 2}'
        if kind == "empty":
            body = ""
        if kind == "crossed":
            body = json.dumps({"estado": 11, "cufe": valid_cufe(999_999)})
        if kind == "flap":  # stale or confused, but not a false proof
            body = json.dumps(self.rng.choice(FLAPS))
        return httpx.Response(status, headers=headers, stream=httpx.ByteStream(body.encode()))

    def _retry_after(self, life: Life) -> dict[str, str]:
        now = asyncio.get_running_loop().time()
        seconds = self.rng.choice((3, 40, 5000))
        date = EPOCH + timedelta(seconds=int(now))
        headers, least = self.rng.choice(
            (
                ({"retry-after": str(seconds)}, seconds),
                ({"retry-after": format_datetime(date + timedelta(seconds=20), usegmt=True)}, 20),
                ({"retry-after": "pronto"}, 5),
                ({"retry-after": "-7"}, 5),
                ({}, 5),
            )
        )
        life.pauses.append((now, min(900.0, least)))
        return {"date": format_datetime(date, usegmt=True), **headers}


# --------------------------------------------------------------------------------------------- the processes


class Inline(Executor):
    """Commits at once: the virtual loop has nothing real to wait for. A process may die before and after."""

    def __init__(self, life: Life, heard: Callable[[Any], None]) -> None:
        self._life, self._heard = life, heard

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            self._life.step()
            result = fn(*args, **kwargs)
            self._heard(args[0])
            self._life.step()  # durable, but nobody hears of it
            future.set_result(result)
        except BaseException as error:
            future.set_exception(error)
        return future


class Password:
    def get_secret_value(self) -> str:
        return "secreto"


class Simulation:
    """One seed: rows, a provider, and what is always true of them."""

    def __init__(self, seed: int, rows: int, folder: Path, clock: Any) -> None:
        random.seed(seed)  # the jitter of the program
        self.rng = rng = random.Random(seed)
        self.clock = clock
        self.url = f"sqlite:///{folder / 'registro.db'}"
        usual = rng.choice((0.2, 0.7, 1.0))
        self.docs = {
            valid_cufe(n): Doc(
                fate=FATES[0] if rng.random() < usual else rng.choice(FATES),
                known=rng.random() < 0.5,
                transitory=rng.choice(TRANSITORY),
                settles_after=rng.choice((1.0, 20.0, 400.0, 90_000.0)),
                ends=rng.choice(ENDS),
            )
            for n in range(1, rows + 1)
        }
        for doc in self.docs.values():
            doc.cancelled = doc.fate in ("already", "duplicate")
        self.edoc = Edoc(rng, self.docs)
        self.moves: Counter[tuple[State, Event]] = Counter()
        self.deaths = self.resends = 0
        self.history: list[tuple[Any, ...]] = []
        self.waiting: list[str] = []  # rows that are neither final nor with a person

    async def run(self) -> None:
        """Faults and deaths for a while, then none: everything has to come to an end."""
        self._take_in()
        for _ in range(self.rng.randint(1, 6)):
            await self._process(fuse=self.rng.choice((None, self.rng.randint(1, 12), self.rng.randint(1, 150))))
            await asyncio.sleep(self.rng.choice((0.0, 3.0, 600.0, 50_000.0)))
        self.edoc.trouble = self.edoc.down_until = 0.0
        for _ in range(8):  # 72 h of pending, twice that where the wall clock was ahead at the intent, and a night
            await self._process(fuse=None, calm=True)
            if not self.waiting:
                break
            await asyncio.sleep(86_400)
        self._note_moves()
        assert not self.waiting, f"eight days after the last fault neither final nor with a person: {self.waiting}"

    def _take_in(self) -> None:
        rows = [
            CheckedRow(
                pos=pos,
                position=Position("Hoja1", pos + 1),
                cells=(cufe,),
                verdict=Verdict.ACCEPTED,
                cufe=cufe,
                reason="Error en el monto",
            )
            for pos, cufe in enumerate(self.docs, 1)
        ]
        self.info = BatchInfo("lote", "lote.csv", "a" * 64, ENV, None, len(rows), ("CUFE",), EPOCH, folder="/")
        database = open_ledger(self.url)
        store = Store(database, ENV)
        store.begin_run(self.clock.now())
        store.intake(self.info, rows)
        database.close()

    async def _process(self, *, fuse: int | None, calm: bool = False) -> None:
        life = Life(fuse, rate=self.rng.choice((2.0, 5.0, 40.0)))
        life.task = task = asyncio.create_task(self._live(life, calm=calm))
        loop = asyncio.get_running_loop()
        if not calm and self.rng.random() < 0.3:
            loop.call_later(self.rng.uniform(0, 120), life.die)
        if not calm and self.rng.random() < 0.3:
            loop.call_later(self.rng.uniform(0, 200), self._jump)
        await asyncio.wait({task})
        self.deaths += not life.alive
        if life.alive or not task.cancelled():
            error = task.exception()
            if error is not None and not _only_killed(error):
                raise error
        assert not self.edoc.breaches, self.edoc.breaches
        self._check_pace(life)
        self._check_rows()

    def _jump(self) -> None:
        """The wall clock is set: by years, by an hour, or right again."""
        self.clock.jump = timedelta(days=self.rng.choice((-3650, 3650, -1, 5, 0, 0)), hours=self.rng.choice((-1, 0, 1)))

    async def _live(self, life: Life, *, calm: bool) -> None:
        database = open_ledger(self.url)
        try:
            life.step()
            store, views = Store(database, ENV), Views(database, ENV)
            store.begin_run(self.clock.now())
            life.step()
            store.recover(self.clock.now())
            life.step()
            if not calm and self.rng.random() < 0.4:
                self._person(database, store)
            life.step()
            store.reopen(self.info.id, self.clock.now())
            await self._send_and_ask(life, store, views, calm=calm)
        finally:
            database.close()

    def _person(self, database: Any, store: Store) -> None:
        """Somebody looks at a row that the machine gave up, asks eDoc, and has it sent again if it is not cancelled."""
        lines = Views(database, ENV).lines(self.info)
        given_up = [line for line in lines if line.state in (State.REVIEW, State.NOT_FOUND, State.NEEDS_CORRECTION)]
        if not given_up:
            return
        line = self.rng.choice(given_up)
        cufe = line.cufe or ""
        row = standing(database, self.info, line.position.line)
        said = json.dumps(self.edoc.truth(cufe)).encode()
        finding = read_answer(Source.QUERY, 200, said, asked_cufe=cufe)
        before = read_before(finding, row.state)
        if before is Before.CANCELLED:
            found_cancelled(store, row, finding, self.clock.now())
        elif before is not Before.IN_FLIGHT:
            self.docs[cufe].proofs = self.docs[cufe].departed
            authorise(store, row, finding, who="ana", why="consta viva en el portal", now=self.clock.now())
            self.resends += 1

    async def _send_and_ask(self, life: Life, store: Store, views: Views, *, calm: bool) -> None:
        limiter = Limiter(life.rate, self.clock)
        answer = partial(self.edoc.answer, life)
        transport = Transport(concurrency=8, clock=self.clock, make_pool=lambda _n, _keep: httpx.MockTransport(answer))
        tokens = TokenKeeper(transport, limiter, self.clock, f"{BASE}/Auth", "usuario", Password())
        urls = Urls(f"{BASE}/Auth", f"{BASE}/Eventos", f"{BASE}/Consulta")
        client = EdocClient(transport, tokens, limiter, urls, integration_name="")
        stop = Stop(self.clock)
        if not calm and self.rng.random() < 0.15:
            asyncio.get_running_loop().call_later(self.rng.uniform(0, 60), stop.ask, Interrupted())
        most = self.rng.choice((1, 4, 8))
        common: dict[str, Any] = {"client": client, "limiter": limiter, "clock": self.clock, "stop": stop}
        async with Writer(store, Inline(life, self._heard)) as writer:
            preflight = not calm and self.rng.random() < 0.25
            rules = SendRules(concurrency=most, ahead=max(1, min(most, int(life.rate))), preflight=preflight)
            await submit(views.ready("lote"), writer=writer, rules=rules, watch=_nobody, **common)
            ask = PollRules(every=40.0, lasting=self.rng.choice((60.0, 200.0)), now=calm or self.rng.random() < 0.3)
            await poll(views.followed(["lote"]), writer=writer, rules=ask, watch=_nobody, **common)

    # ---------------------------------------------------------------------------------------- what is always true

    def _heard(self, moves: list[Any]) -> None:
        """Every move, the moment it is durable."""
        for wish in moves:
            doc = self.docs[valid_cufe(wish.pos)]
            if wish.target in SUCCESS and not doc.cancelled:
                self.edoc.breaches.append(f"row {wish.pos} was called cancelled while it is alive ({doc})")
            if wish.target in RETRIED and doc.unproven:
                self.edoc.breaches.append(f"row {wish.pos} was called not sent although it left ({doc})")
            self.history.append((wish.pos, wish.source, wish.event, self.clock.monotonic()))

    def _check_rows(self) -> None:
        """What a person would see now claims nothing false and lacks no row."""
        database = open_ledger(self.url)
        views = Views(database, ENV)
        lines, counts = views.lines(self.info), views.counts(self.info.id)
        database.close()
        assert [line.pos for line in lines] == list(range(1, len(self.docs) + 1)), "a row was lost"
        shown: Counter[str] = Counter()
        self.waiting = [f"row {n.pos} {n.state.value} ({self.docs[n.cufe or '']})" for n in lines if n.state in OPEN]
        for line, doc in zip(lines, self.docs.values(), strict=True):
            alive = line.source is Source.QUERY and line.estado == 2
            word = outcome(line.state, alive=alive, unsent=line.note == PREFLIGHT, again=line.again)
            shown[word.value] += 1
            if line.state in SUCCESS:
                assert doc.cancelled, f"row {line.pos} shows {word.value} while it is alive ({doc})"
            if word in (Outcome.NOT_SENT, Outcome.HELD):
                assert doc.unproven == 0, f"row {line.pos} shows {word.value} although it left ({doc})"
        assert counts == dict(shown)

    def _check_pace(self, life: Life) -> None:
        most = int(life.rate) + 1
        for first, last in zip(life.departures, life.departures[most:], strict=False):
            assert last - first >= 1.0 - 1e-6, f"more than {most} requests within one second"
        for since, seconds in life.pauses:
            early = [t for t in life.departures if since + 1e-6 < t < since + seconds - 1e-6]
            assert not early, f"told at {since} to wait {seconds} s, left at {early}"

    def _note_moves(self) -> None:
        """The moves for the coverage; and the whole ledger is what it says it is."""
        database = open_ledger(self.url)
        events = Views(database, ENV).log(self.info)
        self.moves.update((line.source, line.event) for line in events if line.source is not None)
        found = examine(database)
        database.close()
        assert found.good, found.faults


def _only_killed(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return all(_only_killed(part) for part in error.exceptions)
    return isinstance(error, Killed | asyncio.CancelledError)


def _nobody(*_: object) -> None:
    """Nobody watches the screen of a simulated process."""


@pytest.fixture(scope="session")
def quick_folder() -> Callable[[], Any]:
    """Makes temporary folders in memory where the system has such a place: deaths here leave every file whole."""
    memory = Path("/dev/shm")
    return partial(TemporaryDirectory, prefix="anular-", dir=memory if memory.is_dir() else None)


@pytest.fixture(scope="session")
def simulate(virtually: Any, virtual_clock: Any, quick_folder: Any) -> Callable[[int, int], Simulation]:
    """``simulate(seed, rows)``: lives through one seed; an AssertionError tells which promise broke."""

    def run(seed: int, rows: int) -> Simulation:
        with quick_folder() as folder:
            simulation = Simulation(seed, rows, Path(folder), virtual_clock())
            virtually(simulation.run())
        return simulation

    return run
