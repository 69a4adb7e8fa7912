"""Whether a row costs the same among many: up to 100,000 rows, 20,000 pending ones, a past of a million."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from tests.bench import files, past, reporting
from tests.bench.material import ENV, NOW, batch, checked, make_cufe, workbook
from tests.bench.runner import Figure, Numbers, Scale, apart, build, server

SIZES = (1_000, 10_000, 100_000)
REPORTED = (1_000, 10_000, 30_000)
PENDING = (10, 1_000, 20_000)
FLIGHT = 32


def bookkeeping(rows: int) -> Numbers:
    """Intake, and then the claims and outcomes in groups as large as a busy writer makes them."""
    from pipeline.ledger.storage.location import open_ledger
    from pipeline.ledger.store import Store
    from pipeline.ledger.views import Views

    with tempfile.TemporaryDirectory(dir=build()) as folder:
        database = open_ledger(f"sqlite:///{folder}/registro.db")
        store, views = Store(database, ENV), Views(database, ENV)
        store.begin_run(NOW)
        info, content = batch("20261120-crece", rows, Path(folder)), checked(rows)
        start = time.perf_counter()
        store.intake(info, content)
        taken = time.perf_counter() - start
        moved = past.cancel_all(store, views, info.id, FLIGHT)
        database.close()
    return {"intake": taken, "moves": moved}


def polling(base: str, rows: int) -> Numbers:
    """Every pending row is queried once and found cancelled; 32 in flight, a server without delay."""
    import pipeline.run.session  # noqa: F401
    from pipeline.domain.lifecycle import Event, State
    from pipeline.domain.records import Finding, Source
    from pipeline.ledger.moves import Move
    from pipeline.ledger.storage.location import open_ledger
    from pipeline.ledger.store import Store
    from pipeline.ledger.views import Views

    pending = Finding(Source.CANCELLATION, Event.IN_PROGRESS, http=200, estado=5)
    with tempfile.TemporaryDirectory(dir=build()) as folder:
        database = open_ledger(f"sqlite:///{folder}/registro.db")
        store, views = Store(database, ENV), Views(database, ENV)
        store.begin_run(NOW)
        info = batch("20261120-pende", rows, Path(folder))
        store.intake(info, checked(rows))
        ready = views.ready(info.id)
        store.apply([Move(r.attempt, 1, r.batch, r.pos, State.READY, Event.CLAIMED, NOW) for r in ready])
        store.apply(
            [
                Move(r.attempt, 2, r.batch, r.pos, State.SENDING, Event.IN_PROGRESS, NOW, pending, next_due=NOW)
                for r in ready
            ]
        )
        start = time.perf_counter()
        asyncio.run(_poll(base, database, store, views))
        seconds = time.perf_counter() - start
        assert not views.followed()
        database.close()
    return {"seconds": seconds}


async def _poll(base: str, database: Any, store: Any, views: Any) -> None:
    from pipeline.edoc.client import EdocClient, Urls
    from pipeline.edoc.limiter import Limiter
    from pipeline.edoc.token import TokenKeeper
    from pipeline.edoc.transport import Transport
    from pipeline.poll import PollRules
    from pipeline.run.progress import Unseen
    from pipeline.run.session import Steps, follow
    from pipeline.runtime.clock import Clock
    from pipeline.runtime.shutdown import Stop
    from pipeline.settings.load import load_settings
    from pipeline.submit.submit import SendRules
    from pipeline.wiring.ledger import Memory
    from tests.bench.submit import _Secret

    clock = Clock.starting_at(NOW)
    limiter = Limiter(None, clock)
    urls = Urls(f"{base}ServicioEDOC", f"{base}Anulacion", f"{base}ConsultarDocumentoRuta")
    async with Transport(concurrency=FLIGHT, clock=clock) as transport:
        tokens = TokenKeeper(transport, limiter, clock, urls.auth, "user", _Secret())
        client = EdocClient(transport, tokens, limiter, urls, integration_name="")
        steps = Steps(client, limiter, clock, SendRules(), PollRules(concurrency=FLIGHT, now=True, lasting=3600))
        stop = Stop(clock)
        memory = Memory(load_settings(), database, store, views)
        await follow([info.id for info in views.batches()], steps, memory, stop, Unseen())
        assert stop.reason is None, stop.reason


def looking(ledger: str, asked: int, known: bool) -> Numbers:
    """What the past says of ``asked`` codes (all of them in it, or none), and ``status`` over all batches."""
    from pipeline.ledger.storage.location import open_ledger
    from pipeline.ledger.views import Views

    database = open_ledger(f"sqlite:///{ledger}")
    views = Views(database, ENV)
    codes = [make_cufe(number if known else 70_000_000 + number) for number in range(1, asked + 1)]
    start = time.perf_counter()
    found = views.seen(codes)
    seen = time.perf_counter() - start
    assert len(found) == (asked if known else 0)
    start = time.perf_counter()
    batches = views.batches()
    told = time.perf_counter() - start
    start = time.perf_counter()
    views.batch(batches[0].id)
    one = time.perf_counter() - start
    database.close()
    return {"seen": seen, "status": told, "one": one}


def paging(ledger: str) -> Numbers:
    """What pages ask of a ledger that has not moved since it was counted: processor time, in milliseconds."""
    from pipeline.domain.outcomes import Outcome
    from pipeline.ledger.kept_counts import KeptCounts
    from pipeline.ledger.pages import Pages
    from pipeline.ledger.storage.location import open_ledger

    database = open_ledger(f"sqlite:///{ledger}")
    with tempfile.TemporaryDirectory(dir=build()) as folder:
        pages = Pages(database, ENV, kept=KeptCounts(Path(folder) / "recuentos.json"))
        last = pages.recent()[-1]
        ways: dict[str, Callable[[], object]] = {
            "status": pages.recent,
            "urgent": pages.urgent,
            "rows": lambda: pages.rows(last.id, after=last.rows - 60, outcome=Outcome.CANCELLED),
        }
        told = {name: _milliseconds(way) for name, way in ways.items()}
    database.close()
    return told


def _milliseconds(way: Callable[[], object], turns: int = 9) -> float:
    found = []
    for _ in range(turns):
        start = time.process_time()
        way()
        found.append(1e3 * (time.process_time() - start))
    return sorted(found)[turns // 2]


WAYS: dict[str, Callable[..., Numbers]] = {
    "bookkeeping": bookkeeping,
    "polling": polling,
    "looking": looking,
    "paging": paging,
}


def bench(scale: Scale) -> list[Figure]:
    run = partial(apart, "tests.bench.growth")
    sizes = tuple(scale.of(size, max(10, size // 100)) for size in SIZES)
    per_row: dict[str, dict[int, float]] = {}

    def note(step: str, rows: int, seconds: float) -> None:
        per_row.setdefault(step, {})[rows] = 1e6 * seconds / rows

    for rows in sizes:
        path = workbook(build() / f"lote-{rows}.xlsx", rows)
        told = apart("tests.bench.files", "anular", path=str(path), rows=rows)
        note("leer", rows, told["reading"])
        note("validar", rows, told["validating"])
        told = run("bookkeeping", rows=rows)
        note("registrar el lote", rows, told["intake"])
        note(f"anotar intención y resultado, de {FLIGHT} en {FLIGHT}", rows, told["moves"])
    for rows in (scale.of(size, max(10, size // 100)) for size in REPORTED):
        note("libro de resultados", rows, _report(rows))
    with server() as base:
        for rows in (scale.of(size, max(10, size // 100)) for size in PENDING):
            note("consultar lo pendiente", rows, run("polling", base=base, rows=rows)["seconds"])
    figures = [_figure(step, values) for step, values in per_row.items()]
    return figures + _history(scale, run)


def _report(rows: int) -> float:
    return apart("tests.bench.reporting", "anular", ledger=str(past.ledger(rows, 1)))["seconds"]


def _figure(step: str, values: dict[int, float]) -> Figure:
    """Cost per row, the largest beside the middle one: the smallest carries what is done once."""
    told = {f"{rows:,}": [round(value, 1)] for rows, value in values.items()}
    *_, middle, large = values
    return Figure("growth", step, "µs por fila", told, "grande ÷ mediano", round(values[large] / values[middle], 3))


def _history(scale: Scale, run: Callable[..., Numbers]) -> list[Figure]:
    asked = scale.of(10_000, 100)
    small, large = scale.of(10_000, 200), scale.of(1_000_000, 2_000)
    ledgers = {rows: str(past.ledger(rows)) for rows in (small, large)}
    figures = []
    for known in (True, False):
        told = {rows: run("looking", ledger=ledger, asked=asked, known=known) for rows, ledger in ledgers.items()}
        what = "todos conocidos" if known else "ninguno conocido"
        costs = {f"pasado de {rows:,}": [round(1e6 * told[rows]["seen"] / asked, 1)] for rows in told}
        ratio = round(told[large]["seen"] / told[small]["seen"], 3)
        figures.append(
            Figure(
                "growth", f"buscar {asked:,} CUFE en el pasado, {what}", "µs por CUFE", costs, "grande ÷ chico", ratio
            )
        )
    status = {f"pasado de {rows:,}": [round(1e6 * told[rows]["status"] / rows, 2)] for rows in told}
    ratio = round(told[large]["status"] / large / (told[small]["status"] / small), 3)
    seconds = {"seconds": {f"{rows:,}": round(told[rows]["status"], 3) for rows in told}}
    case = "contar todos los lotes por primera vez"
    figures.append(Figure("growth", case, "µs por fila", status, "grande ÷ chico", ratio, None, seconds))
    pages = {rows: run("paging", ledger=ledger) for rows, ledger in ledgers.items()}
    cases = {
        "status": "los 25 lotes más recientes con sus resultados (status), ya contados",
        "urgent": "los lotes más urgentes",
        "rows": "una página de 50 filas con un resultado, al final de un lote",
    }
    for key, case in cases.items():
        values = {f"pasado de {rows:,}": [round(pages[rows][key], 2)] for rows in pages}
        ratio = round(pages[large][key] / pages[small][key], 3)
        goal = None if scale.quick else ("<=", 2.0)
        figures.append(Figure("growth", case, "ms de procesador", values, "grande ÷ chico", ratio, goal))
    return figures


__all__ = ["WAYS", "bench", "files", "reporting"]
