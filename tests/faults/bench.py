"""The real transport, client, submit, poll and ledger against the fault server, in this process and in hurried time."""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pipeline.domain.cufe import check_digit
from pipeline.domain.deadline import Deadline, Window
from pipeline.domain.edoc_states import QueryDescribes
from pipeline.domain.errors import AnularError
from pipeline.domain.lifecycle import State
from pipeline.domain.records import BatchInfo, CheckedRow, Position, Verdict
from pipeline.edoc.client import EdocClient, Urls
from pipeline.edoc.limiter import Limiter
from pipeline.edoc.token import TokenKeeper
from pipeline.edoc.transport import Transport
from pipeline.ledger.moves import Move, Moved
from pipeline.ledger.storage.location import Database, open_ledger
from pipeline.ledger.store import Store
from pipeline.ledger.views import Views
from pipeline.ledger.writer import Writer
from pipeline.poll import PollRules, poll
from pipeline.report.exports import write_jsonl
from pipeline.report.lines import outcome_of
from pipeline.report.summary import summarise
from pipeline.run import results
from pipeline.run.results import write_results
from pipeline.runtime.clock import Clock
from pipeline.runtime.shutdown import Stop
from pipeline.submit.submit import SendRules, submit
from tests.faults import judge
from tests.faults.actions import Action
from tests.faults.processes import BASIC, PASSWORD, USER, FaultServer

REASON = "Factura emitida con el monto equivocado"
ENV = "sandbox"
PUBLIC = ssl.create_default_context()  # made once: reading the public authorities takes longer than a test


def make_cufe(number: int) -> str:
    """A valid synthetic code."""
    text = f"FE01200000000000029-29-29-56763220261118{number:010d}939012012345678"
    return text + check_digit(text)


class Hurried(Clock):
    """A clock that runs ``speed`` times as fast as the machine's while somebody waits, and stands still otherwise: a
    machine that is slow is late for nothing. ``skip`` moves the recorded time only, ``suspend`` is a machine that
    sleeps: its monotonic clock stands still meanwhile."""

    def __init__(self, speed: float) -> None:
        super().__init__()
        self._speed, self._slept = speed, 0.0
        self._start = datetime.now(UTC)
        self._skipped = timedelta(0)
        self._asleep = 0.0

    def monotonic(self) -> float:
        return self._slept

    def since_boot(self) -> float:
        return self.monotonic() + self._asleep

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.since_boot()) + self._skipped

    def skip(self, by: timedelta) -> None:
        self._skipped += by

    def suspend(self, seconds: float) -> None:
        self._asleep += seconds

    async def sleep(self, seconds: float) -> None:
        until = self._slept + max(seconds, 0.0)
        await super().sleep(seconds / self._speed)
        self._slept = max(self._slept, until)


class Telling(Store):
    """Remembers every state that it has told anybody (P4)."""

    def __init__(self, database: Database, env: str) -> None:
        super().__init__(database, env)
        self.told: list[tuple[int, int, str]] = []

    def apply(self, moves: Sequence[Move]) -> list[Moved]:
        moved = super().apply(moves)
        self.told += [(w.attempt, m.version, m.state.value) for w, m in zip(moves, moved, strict=True)]
        return moved


class Secret:
    def get_secret_value(self) -> str:
        return PASSWORD


class Bench:
    """A batch, a ledger and a server; ``run`` is one run of the program. Seconds of time-outs are real ones. With
    ``workbook`` the results are judged by their workbook, else by the report that it is made from."""

    def __init__(self, folder: Path, server: FaultServer, *, workbook: bool = True) -> None:
        self.folder, self.server, self.workbook = folder, server, workbook
        self.out = folder / "out"
        self.out.mkdir(parents=True)
        self.urls: dict[str, int] = {}
        self.copies = 1
        self.scheme: dict[str, str] = {}  # http unless said
        self.host: dict[str, str] = {}  # this machine unless said
        self.stop: Stop | None = None
        self.finished = False

    # ------------------------------------------------------------------------------------------- before

    def batch(self, count: int, *, lifetime: float = 3600.0, speed: float = 20.0) -> Bench:
        """``count`` good rows in a ledger of their own, the first the most urgent; a server that knows them."""
        self.cufes = [make_cufe(n) for n in range(1, count + 1)]
        self.clock = Hurried(speed)
        self.server.begin(self.folder.parent / "journal.jsonl", self.cufes, lifetime=lifetime)
        self.urls = dict(self.server.ports)
        self.database = open_ledger(f"sqlite:///{self.folder / 'ledger' / 'registro.db'}")
        self.store, self.views = Telling(self.database, ENV), Views(self.database, ENV)
        self.store.begin_run(self.clock.now())
        info = BatchInfo(
            id="20261120-fallos",
            file="lote.xlsx",
            sha256="f" * 64,
            env=ENV,
            sheet="Hoja1",
            rows=count,
            headings=("CUFE", "Motivo"),
            created=self.clock.now(),
            approved_by="ana",
            folder=str(self.out),
        )
        self.store.intake(info, [self._row(n, cufe) for n, cufe in enumerate(self.cufes, start=1)])
        self.info = info
        return self

    def _row(self, pos: int, cufe: str) -> CheckedRow:
        return CheckedRow(
            pos=pos,
            position=Position("Hoja1", pos + 1),
            cells=(cufe, REASON),
            verdict=Verdict.ACCEPTED,
            cufe=cufe,
            reason=REASON,
            deadline=Deadline(Window.IN_TIME, 50.0 + pos),
        )

    def script(self, service: str, *actions: Action, row: int | None = None) -> None:
        """What the server does with requests of ``service``, for one row (1-based) or for all that have no own."""
        self.server.script(service, *actions, cufe="*" if row is None else self.cufes[row - 1])

    def tokens(self, service: int) -> int:
        """How many tokens of ``service`` (16 cancellation, 3 query) were asked for."""
        return len(self.server.entries(service="token", service_id=str(service)))

    # ------------------------------------------------------------------------------------------- running

    def run(self, *steps: str, **settings: Any) -> None:
        """One run of the program: ``send`` and ``poll`` by default. Settings: of transport, client and rules."""
        with self._log():
            asyncio.run(self._run(steps or ("send", "poll"), settings))

    async def _run(self, steps: tuple[str, ...], settings: dict[str, Any]) -> None:
        rules = SendRules(
            concurrency=settings.pop("concurrency", 4),
            ahead=8,
            tries=settings.pop("tries", 5),
            stale_after=settings.pop("stale_after", 1e6),
            breaker_wait=settings.pop("breaker_wait", 2.0),
            first_query=1.0,
        )
        asking = PollRules(
            every=settings.pop("every", 1.0), lasting=settings.pop("lasting", 5.0), now=settings.pop("now", False)
        )
        describes = settings.pop("describes", QueryDescribes.INVOICE)
        client = {
            "integration_name": "anular 0.1",
            "resend_after_429": settings.pop("resend_after_429", True),
            "describes": describes,
        }
        timeouts: dict[str, Any] = {"connect_s": 3.0, "read_s": 5.0, "total_s": 5.0, "concurrency": rules.concurrency}
        timeouts |= {"ssl_context": PUBLIC, **settings}
        self.store.begin_run(self.clock.now())
        self.store.recover(self.clock.now())
        self.store.reopen(self.info.id, self.clock.now())
        self.stop = stop = Stop(self.clock)
        limiter = Limiter(None, self.clock)
        async with Transport(clock=self.clock, **timeouts) as transport, Writer(self.store) as writer:
            urls = Urls(*(self._url(name) for name in ("auth", "cancel", "query")))
            tokens = TokenKeeper(transport, limiter, self.clock, urls.auth, USER, Secret())
            common: dict[str, Any] = {
                "client": EdocClient(transport, tokens, limiter, urls, **client),
                "limiter": limiter,
                "writer": writer,
                "clock": self.clock,
                "stop": stop,
            }
            if "send" in steps:
                await submit(self.views.ready(self.info.id), rules=rules, watch=lambda *_: None, **common)
            if "poll" in steps and not stop.asked:
                by_answer = describes is QueryDescribes.CANCELLATION
                await poll(
                    self.views.followed([self.info.id], by_answer=by_answer),
                    rules=asking,
                    watch=lambda *_: None,
                    **common,
                )

    def _url(self, name: str) -> str:
        path = {"auth": "Autenticacion/Api/ServicioEDOC", "cancel": "Emision/Eventos/API/Anulacion"}
        where = path.get(name, "Emision/Api/Consulta/ConsultarDocumentoRuta")
        return f"{self.scheme.get(name, 'http')}://{self.host.get(name, '127.0.0.1')}:{self.urls[name]}/{where}"

    @contextmanager
    def _log(self) -> Iterator[None]:
        """Everything that any library says at any level goes to a file, where secrets are looked for (F70)."""
        root = logging.getLogger()
        handler = logging.FileHandler(self.folder / "debug.log", encoding="utf-8")
        handler.setLevel(0)
        before = root.level
        root.addHandler(handler)
        root.setLevel(0)
        try:
            yield
        finally:
            root.setLevel(before)
            root.removeHandler(handler)
            handler.close()

    def settle(self, *, hours: float = 80.0, times: int = 8) -> None:
        """The runs of ``anular poll`` over the days that follow."""
        for _ in range(times):
            self.clock.skip(timedelta(hours=hours / times))
            self.run("poll", now=True, lasting=0.5)

    # ------------------------------------------------------------------------------------------- after

    @property
    def states(self) -> list[State]:
        return [line.state for line in self.views.lines(self.info)]

    @property
    def notes(self) -> list[str]:
        return [line.note for line in self.views.lines(self.info)]

    @property
    def posts(self) -> Counter[int]:
        """Cancellations that the server received in full, by row."""
        got = (e["cufe"] for e in self.server.entries(service="cancel"))
        return Counter(self.cufes.index(cufe) + 1 for cufe in got)

    def queries(self, row: int) -> int:
        return len(self.server.entries(service="query", cufe=self.cufes[row - 1]))

    def events(self, row: int) -> list[str]:
        """The ledger's events of a row."""
        return [e.event for e in judge.moves(self.database) if e.cufe == self.cufes[row - 1]]

    @property
    def reason(self) -> AnularError | None:
        return self.stop.reason if self.stop is not None else None

    @property
    def said(self) -> str:
        """Why the run stopped, in words."""
        return self.reason.sentence if self.reason is not None else ""

    @property
    def exit_code(self) -> int:
        """What the command would end with."""
        return self.reason.exit_code if self.reason is not None else results.exit_code(self.views.lines(self.info))

    @property
    def outcomes(self) -> list[str]:
        """The words for the rows; ``check`` reads the same ones from the results."""
        return [outcome_of(line).value for line in self.views.lines(self.info)]

    def _results(self) -> list[dict[str, Any]]:
        """The rows of the results: of the workbook, or as they are written for other programs, which takes less."""
        if self.workbook:
            return judge.results(write_results(self.info, self.views).workbook)
        whole = self.views.whole(self.info)
        path = self.out / "resultados.jsonl"
        with path.open("wb") as stream:
            write_jsonl(summarise(whole.info, whole.lines, whole.log), stream)
        return [row | row["original"] for row in map(json.loads, path.read_text("utf-8").splitlines())]

    def check(self) -> None:
        """The common checks; the ledger is closed afterwards."""
        rows = self._results()
        words, entries, events = self.outcomes, self.server.entries(), judge.moves(self.database)
        judge.nothing_told_is_lost(self.store.told, self.database)
        self.database.close()
        self.finished = True
        judge.at_most_one_post(entries, events, copies=self.copies)
        judge.every_row_once(rows, self.cufes)
        assert [row["resultado"] for row in rows] == words
        judge.no_unfounded_claim(rows, entries, events, self.server.cancelled)
        secrets = [USER, PASSWORD, BASIC, *self.server.tokens]
        judge.no_secret(judge.produced(self.folder.parent), secrets)  # the journal too: it holds every address
