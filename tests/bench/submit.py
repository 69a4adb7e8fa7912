"""Sending without a rate limit: ours, with durable intents and outcomes, beside a bare loop in httpx without a ledger.

The floor is a loop on raw sockets that are kept open: what this machine and this server give at most.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from tests.bench import beside, commits
from tests.bench.material import NOW, REASON, batch, cells, checked
from tests.bench.runner import Figure, Numbers, Scale, apart, build, column, in_turn, over, server

LATENCY_MS = 50.0
ROWS = {8: 400, 32: 1_500, 128: 4_000}
GOALS = {8: 0.97, 32: 0.95, 128: 0.9}
CPU_GOALS = {8: 1.4, 32: 1.3, 128: 1.2}
FRESH = "httpx, una conexión por solicitud"
SHARDS = (1, 4, 8, 16, 128)
"""Connections per client that the bare loop tries; its best one counts."""


def body(number: int) -> bytes:
    values = cells(number)
    fields = {"cufe": values[0], "motivoAnulacion": REASON, "correoNotificacion": values[2]}
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


# ------------------------------------------------------------------------------------------------------ the ways


def nobody(_ledger: Path) -> AbstractContextManager[None]:
    """Nobody looks at the ledger meanwhile."""
    return nullcontext()


def anular(
    base: str, in_flight: int, rows: int, rate: float | None = None, meanwhile: Callable[[Path], Any] = nobody
) -> Numbers:
    """The real steps: ledger on the disk, writer, client, transport, from the first claim to the last outcome.

    ``meanwhile``: what else goes on with the ledger.
    """
    import pipeline.run.session  # noqa: F401 - what is imported is not what is measured
    from pipeline.domain.outcomes import Outcome
    from pipeline.ledger.storage.location import open_ledger
    from pipeline.ledger.store import Store
    from pipeline.ledger.views import Views

    with tempfile.TemporaryDirectory(dir=build()) as folder:
        database = open_ledger(f"sqlite:///{folder}/registro.db")
        store, views = Store(database, "sandbox"), Views(database, "sandbox")
        store.begin_run(NOW)
        info = batch("20261120-envio", rows, Path(folder))
        store.intake(info, checked(rows))
        ready = views.ready(info.id)
        with meanwhile(Path(folder, "registro.db")):
            cpu, network, start = time.process_time(), time.thread_time(), time.perf_counter()
            words = asyncio.run(_send(base, store, ready, in_flight, rate))
            seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
            network = time.thread_time() - network
        assert words.count(Outcome.CANCELLED.value) == rows, words
        database.close()
    return {"seconds": seconds, "cpu": cpu, "network": network}


async def _send(base: str, store: Any, ready: Any, in_flight: int, rate: float | None) -> list[str]:
    from pipeline.edoc.client import EdocClient, Urls
    from pipeline.edoc.limiter import Limiter
    from pipeline.edoc.token import TokenKeeper
    from pipeline.edoc.transport import Transport
    from pipeline.poll import PollRules
    from pipeline.run.session import Steps, send_rows
    from pipeline.runtime.clock import Clock
    from pipeline.runtime.shutdown import Stop
    from pipeline.submit.submit import SendRules

    words: list[str] = []
    clock = Clock()
    limiter = Limiter(rate, clock)
    urls = Urls(f"{base}ServicioEDOC", f"{base}Anulacion", f"{base}ConsultarDocumentoRuta")
    async with Transport(concurrency=in_flight, clock=clock) as transport:
        tokens = TokenKeeper(transport, limiter, clock, urls.auth, "user", _Secret())
        client = EdocClient(transport, tokens, limiter, urls, integration_name="")
        ahead = in_flight if rate is None else max(1, min(in_flight, int(rate)))
        rules = SendRules(concurrency=in_flight, ahead=ahead)
        steps = Steps(client, limiter, clock, rules, PollRules())
        stop = Stop(clock)
        await send_rows(ready, steps, store, stop, words.append)
        assert stop.reason is None, stop.reason
    return words


class _Secret:
    def get_secret_value(self) -> str:
        return "password"


def httpx(base: str, in_flight: int, rows: int, shard: int, *, fresh: bool = False) -> Numbers:
    """A bare loop as the manual of httpx shows it, over clients of ``shard`` connections each, which are kept unless
    each request has to have a ``fresh`` one, as ours has."""
    import httpx

    async def main() -> None:
        numbers = itertools.count(1)
        async with clients(httpx, -(-in_flight // shard), shard, kept=not fresh) as sharded:

            async def worker(client: Any) -> None:
                while (number := next(numbers)) <= rows:
                    headers = {"Content-Type": "application/json; charset=utf-8", "Authorization": "Bearer t"}
                    if fresh:
                        headers["Connection"] = "close"
                    answer = await client.post(f"{base}Anulacion", content=body(number), headers=headers)
                    assert answer.json()["estado"] == "2"

            await asyncio.gather(*(worker(sharded[n // shard]) for n in range(in_flight)))

    return _timed(main)


@asynccontextmanager
async def clients(httpx: Any, count: int, shard: int, *, kept: bool) -> AsyncIterator[list[Any]]:
    context = httpx.create_ssl_context()
    limits = httpx.Limits(max_connections=shard, max_keepalive_connections=shard if kept else 0)
    sharded = [httpx.AsyncClient(limits=limits, verify=context, timeout=60) for _ in range(count)]
    try:
        yield sharded
    finally:
        for client in sharded:
            await client.aclose()


def sockets(base: str, in_flight: int, rows: int) -> Numbers:
    """The floor: requests written by hand to kept sockets, answers read up to their end and not looked at."""
    host, _, port = base.removeprefix("http://").rstrip("/").partition(":")

    async def main() -> None:
        numbers = itertools.count(1)

        async def worker() -> None:
            reader, writer = await asyncio.open_connection(host, int(port))
            while (number := next(numbers)) <= rows:
                content = body(number)
                head = f"POST /Anulacion HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(content)}\r\n\r\n"
                writer.write(head.encode() + content)
                answer = await reader.readuntil(b"\r\n\r\n")
                length = int(answer.lower().split(b"content-length:")[1].split(b"\r\n")[0])
                await reader.readexactly(length)
            writer.close()

        await asyncio.gather(*(worker() for _ in range(in_flight)))

    return _timed(main)


def _timed(main: Callable[[], Any]) -> Numbers:
    cpu, start = time.process_time(), time.perf_counter()
    asyncio.run(main())
    return {"seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu}


WAYS: dict[str, Callable[..., Numbers]] = {
    "anular": anular,
    "httpx": httpx,
    FRESH: partial(httpx, fresh=True),
    "sockets": sockets,
}


# ------------------------------------------------------------------------------------------------- the benchmark


def bench(scale: Scale) -> list[Figure]:
    figures = []
    with server(LATENCY_MS) as base:
        for in_flight, full in ROWS.items():
            rows = scale.of(full, in_flight * 8)
            common = {"base": base, "in_flight": in_flight, "rows": rows}
            shard = best_shard(base, in_flight, max(rows // 4, in_flight * 4))
            run = partial(apart, "tests.bench.submit")
            ways = {
                "anular": partial(run, "anular", **common),
                "httpx": partial(run, "httpx", **common, shard=shard),
                FRESH: partial(run, FRESH, **common, shard=shard),
            }
            told = in_turn(ways, scale.turns)
            told["sockets"] = [run("sockets", **common)]  # the floor: once
            seconds = column(told, "seconds")
            pace = {way: [round(rows / one, 2) for one in values] for way, values in seconds.items()}
            figures.append(
                Figure(
                    "submit",
                    f"{in_flight} en vuelo",
                    "anulaciones/s",
                    pace,
                    "anular ÷ httpx",
                    over(pace, "anular", "httpx"),
                    (">=", GOALS[in_flight]),
                    {"rows": rows, "shard": shard, "latency_ms": LATENCY_MS},
                )
            )
            figures.append(
                Figure(
                    "submit",
                    f"{in_flight} en vuelo, una conexión por solicitud en los dos",
                    "anulaciones/s",
                    {way: pace[way] for way in ("anular", FRESH)},
                    "anular ÷ httpx",
                    over(pace, "anular", FRESH),
                    (">=", 1.0),
                    {"rows": rows},
                )
            )
            cpu = {way: [round(1e6 * one["cpu"] / rows, 1) for one in numbers] for way, numbers in told.items()}
            figures.append(
                Figure(
                    "submit",
                    f"CPU por anulación, {in_flight} en vuelo",
                    "µs",
                    cpu,
                    "anular ÷ httpx",
                    over(cpu, "anular", "httpx"),
                    ("<=", CPU_GOALS[in_flight]),
                    {"rows": rows},
                )
            )
            ours = told["anular"]
            parts = {
                "red": [round(1e6 * one["network"] / rows, 1) for one in ours],
                "historial": [round(1e6 * (one["cpu"] - one["network"]) / rows, 1) for one in ours],
            }
            figures.append(Figure("submit", f"de la CPU de anular, {in_flight} en vuelo: por hilo", "µs", parts))
        figures += beside.figures(base, scale)
    return [*figures, *commits.figures(scale)]


def best_shard(base: str, in_flight: int, rows: int) -> int:
    """How many connections per client suit the bare loop best here."""
    tried = {
        shard: apart("tests.bench.submit", "httpx", base=base, in_flight=in_flight, rows=rows, shard=shard)["seconds"]
        for shard in SHARDS
        if shard <= in_flight
    }
    return min(tried, key=lambda shard: tried[shard])
