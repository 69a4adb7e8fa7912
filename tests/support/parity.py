"""The same file by the page, by two people at the terminal, and by plain ``run``: each with a ledger, an office and an
eDoc of its own, and all with one clock that stands still. The use cases are the real ones, and so are the sandbox's
answers; only the wire between both is a call (``Wire``).
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from pipeline.approvals import identity, prepare
from pipeline.approvals.turn import Turn
from pipeline.domain.batch_notes import QUEUED
from pipeline.domain.lifecycle import State
from pipeline.edoc.transport import Transport
from pipeline.queue import job_process
from pipeline.queue.profiles import post_of
from pipeline.queue.worker import Worker
from pipeline.run import session
from pipeline.runtime.clock import Clock
from pipeline.runtime.shutdown import Ending
from pipeline.sandbox.answers import Cut
from pipeline.sandbox.app import BASE_PATH, PATHS
from pipeline.sandbox.faults import Route
from pipeline.sandbox.request_log import RequestLog
from pipeline.sandbox.service import Incoming, Sandbox
from pipeline.settings.model import Settings
from pipeline.wiring.telemetry import Observation
from tests.support import ledgers, reading
from tests.support.desk import NOW, FixedClock
from tests.support.pages import House

PREPARES, APPROVES = "ana", "luis"
QUICKER = 50
"""How many times faster than real ones all waits are."""
SENDING = (session.carry_out, session.send_and_follow, session.follow_all)
"""As they are, before any double of the sending."""


class Still(FixedClock):
    """The recorded time stands still, whatever is done; waits are short."""

    def monotonic(self) -> float:
        return time.monotonic() * QUICKER

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds) / QUICKER)


class Wire(httpx.AsyncBaseTransport):
    """The way to a sandbox in this very process: what a connection would bring, or how it would break."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.extensions["trace"]("http11.send_request_headers.started", {})
        path = request.url.path
        reply = self._sandbox.handle(
            Incoming(
                route=PATHS.get(path.partition(BASE_PATH)[2], Route.OTHER),
                method=request.method,
                path=path,
                query=request.url.query.decode(),
                authorization=request.headers.get("authorization"),
                content_type=request.headers.get("content-type", ""),
                body=request.content,
            )
        )
        if reply.cut in (Cut.CLOSE, Cut.RESET):
            raise httpx.ReadError("cut off") if reply.cut is Cut.RESET else httpx.RemoteProtocolError("closed")
        headers = {**dict(reply.headers), "content-type": reply.media_type}
        return httpx.Response(reply.status, headers=headers, stream=_Bytes(reply.body, whole=reply.cut is None))


class _Bytes(httpx.AsyncByteStream):
    def __init__(self, body: bytes, *, whole: bool) -> None:
        self._body, self._whole = body, whole

    async def __aiter__(self) -> Any:
        yield self._body if self._whole else self._body[: len(self._body) // 2]
        if not self._whole:
            raise httpx.RemoteProtocolError("cut off")


@dataclass
class Said:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)


@dataclass
class Way:
    """One way of a file to eDoc, with all that is its own."""

    folder: Path
    settings: Settings
    clock: Clock
    patch: pytest.MonkeyPatch
    sandbox: Sandbox = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.sandbox = Sandbox(self.clock, RequestLog(None))

    @contextmanager
    def here(self) -> Iterator[None]:
        """Until the end of the block the program works with this ledger, office and eDoc."""
        with pytest.MonkeyPatch.context() as patch:
            for where in ("pipeline.settings.load", "pipeline.approvals.turn"):
                patch.setattr(f"{where}.load_settings", lambda *_: self.settings)
            for where in ("pipeline.wiring.sandbox", "pipeline.approvals.sender", "pipeline.approvals.row_orders"):
                patch.setattr(f"{where}.running_sandbox", self._running)
            patch.setattr(Transport, "_httpx_pool", lambda *_, **__: Wire(self.sandbox))
            patch.setattr(Clock, "starting_at", lambda _moment: self.clock)
            patch.setattr("pipeline.poll.random", SimpleNamespace(uniform=lambda low, high: (low + high) / 2))
            for name, real in zip(("carry_out", "send_and_follow", "follow_all"), SENDING, strict=True):
                patch.setattr(session, name, real)
            patch.setattr(prepare, "read_sheet", reading.read_sheet)
            for name in ("process", "sheet"):
                patch.setattr(f"pipeline.read.{name}.Reader", reading.Here)
            for name, value in (("XDG_STATE_HOME", "state"), ("XDG_DATA_HOME", "data"), ("XDG_CONFIG_HOME", "config")):
                patch.setenv(name, str(self.folder / value))
            yield

    @contextmanager
    def _running(self, _settings: Settings) -> Iterator[str]:
        self.sandbox.advance(timedelta(seconds=10))  # what is to fall due between two commands does
        yield f"http://127.0.0.1{BASE_PATH}"

    def anular(self, *arguments: object, who: str = PREPARES) -> Said:
        """One command, typed by ``who``."""
        from pipeline.cli.main import run_command

        out, err = io.StringIO(), io.StringIO()
        with self.here(), pytest.MonkeyPatch.context() as patch:
            patch.setattr(identity, "_name", lambda: who)
            patch.setattr("getpass.getuser", lambda: who)
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code = run_command([str(one) for one in arguments])
        assert "Traceback" not in err.getvalue(), err.getvalue()
        return Said(code, out.getvalue(), err.getvalue())

    def ask(self) -> None:
        """``poll``, where something was left open."""
        if {line["state"] for line in self.lines("attempt", "id")} & {State.PENDING.value, State.UNKNOWN.value}:
            assert self.anular("poll").code in (0, 1, 4)

    # --- what came of it

    def lines(self, table: str, order: str) -> list[dict[str, Any]]:
        """What the ledger has in a table, without what belongs to the ledger itself, its runs and its places."""
        found = ledgers.lines(self.settings.ledger, f"SELECT * FROM {table} ORDER BY {order}")
        return [
            {
                name: _but_queued(name, value)
                for name, value in line.items()
                if name not in OWN[table] and not _seals(name, line)
            }
            for line in found
        ]

    def written(self) -> dict[str, bytes]:
        """The files in the folder of the results, by name."""
        assert self.settings.out is not None
        return {path.name: path.read_bytes() for path in sorted(self.settings.out.iterdir())}

    def posts(self) -> Counter[str]:
        """How often each code was handed to eDoc, without what a 401 or 429 proves unapplied."""
        sent = [one for one in self.sandbox.request_log.entries() if one["route"] == "cancel"]
        return Counter(one["cufe"] for one in sent if one["processed"] or one["status"] not in (401, 429))


def _but_queued(name: str, value: Any) -> Any:
    """Notes of a batch without the one that says who handed it in to a server's queue."""
    return [one for one in json.loads(value) if QUEUED not in one] if name == "notes" else value


def _seals(name: str, line: Mapping[str, Any]) -> bool:
    """Whether it is the digest of a row as it was taken in, which covers who approved its batch."""
    return name == "body" and line.get("from_") == State.RECEIVED.value


OWN: Mapping[str, frozenset[str]] = {
    "batch": frozenset({"folder", "approved_by"}),
    "row": frozenset(),
    "attempt": frozenset({"epoch"}),
    "event": frozenset({"run", "who", "prev", "hash"}),
}
"""Columns by table that say by whom, in which run, and where."""


@dataclass
class Page(Way):
    """The page, and the sender beside it."""

    house: House = field(kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.house.site.readers.ask = self._read  # type: ignore[union-attr, method-assign]

    def _read(self, settings: Settings, job: str, *arguments: str) -> None:
        """What a reader child does, in this process."""
        from pipeline.approvals import reader
        from pipeline.approvals.places import Places

        with self.here():
            reader.run_job(settings, job, arguments, Places.of(settings), lambda _phase, _rows: None)

    @property
    def store(self) -> Any:
        return self.house.desk.store

    def turn(self) -> None:
        """What the sender does when something is to be done; on a server, then a worker, and the sender again."""
        with self.here():
            Turn(self.house.site.office, self.settings, self.clock, Ending()).take()
        if ledgers.on_a_server() and "procrastinate_jobs" in ledgers.tables(self.settings.ledger):
            with self.here(), pytest.MonkeyPatch.context() as patch:
                patch.setattr(Worker, "_process", lambda _worker, _post, batch: self._job(batch))
                Worker([post_of(self.settings)], self.clock, lambda _: None, at_once=1).serve(once=True)
            with self.here():
                Turn(self.house.site.office, self.settings, self.clock, Ending()).take()

    async def _job(self, batch: str) -> tuple[int, list[str]]:
        """The job of a worker, which a process of its own does otherwise."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(job_process, "running_sandbox", self._running)
            patch.setattr(job_process, "load_settings", lambda *_: self.settings)
            patch.setattr(job_process, "make_clock", lambda _: self.clock)
            patch.setattr(job_process, "_end_with_worker", lambda _: None)
            trouble, unwritten = await asyncio.to_thread(job_process.carry, "", batch, Observation())
        assert trouble is None, trouble
        return 0, unwritten

    def hand_in(self, name: str, data: bytes, **form: object) -> Any:
        """The answer to the form of an upload, given by who prepares."""
        from django.core.files.uploadedfile import SimpleUploadedFile

        given = {key: str(value) for key, value in form.items()}
        return self.house.client(PREPARES).post("/cargar", {"archivo": SimpleUploadedFile(name, data), **given})

    def number(self, answer: Any) -> int:
        assert answer.status_code == 302, answer.content.decode()[:2000]
        return int(urlsplit(answer.headers["Location"]).path.rpartition("/")[2])

    def approve(self, number: int, hidden: int = 0) -> None:
        """One person submits it, another one approves it."""
        assert self.house.client(PREPARES).post(f"/propuestas/{number}/enviar").status_code == 302
        one = self.store.get(number)
        said = {"huella": one.digest, "version": one.version, "cantidad": one.to_send}
        said |= {"emisores": one.content["issuers"]} if len(one.content["issuers"]) > 1 else {}
        said |= {"ocultas": hidden} if hidden else {}
        answer = self.house.client(APPROVES).post(f"/propuestas/{number}/aprobar", said)
        assert answer.status_code == 302, answer.content.decode()[:3000]

    def download(self, batch: str, kind: str = "resultados") -> bytes:
        client = self.house.client(PREPARES)
        answer = client.get(f"/descargas/{batch}/{kind}")
        if answer.status_code == 202:
            answer = client.get(f"/descargas/{batch}/{kind}")
        assert answer.status_code == 200
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        assert isinstance(content, bytes)
        return content


def still_clock() -> Still:
    return Still(NOW.astimezone(UTC))


def propose(way: Way, file: Path, flags: Sequence[object], issuers: Sequence[str], hidden: int) -> int:
    """``propose`` and ``approve`` by two people at the terminal; the number of the proposal."""
    counted = ["--hidden-count", hidden] if hidden else []
    made = way.anular("propose", file, *flags, *counted, "--json")
    assert made.code == 0, made.err
    one = made.data
    named = [part for ruc in issuers for part in ("--issuer", ruc)] if len(issuers) > 1 else []
    done = way.anular("approve", one["id"], "--confirm", one["to_send"], *named, *counted, who=APPROVES)
    assert done.code == 0, done.err
    return int(one["id"])
