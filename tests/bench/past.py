"""Ledgers with a past: whole, chained, every row taken in, claimed and cancelled by the program's own statements.

Building a million rows takes minutes, so a ledger is kept under its size; opening it brings an older one up to date, as
it does for a user's.
"""

from __future__ import annotations

import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from pipeline.domain.lifecycle import Event, State
from pipeline.domain.records import Finding, Source
from tests.bench.material import ENV, NOW, batch, checked, later
from tests.bench.runner import build

BATCHES = 361
"""Batches of a million rows: one each day of a year, with some more."""

_LEAST = 20
_GROUP = 10_000
_BODY = (
    b'{"estado":"2","FechaAutorizacion":"2026-11-20T10:00:00-05:00","codigoRespuestaDGI":"0600",'
    b'"MensajeRespuesta":"Evento de anulacion autorizado.","EstadoEmisionEDOC":"2","CodigoError":""}'
)
CANCELLED = Finding(
    source=Source.CANCELLATION,
    event=Event.CANCELLED,
    http=200,
    estado=2,
    dgi="0600",
    message="Evento de anulación autorizado.",
    authorised_at="2026-11-20T10:00:00-05:00",
    body=_BODY,
)


def ledger(rows: int, batches: int | None = None, largest: int = 0) -> Path:
    """The file of a ledger with ``rows`` cancelled rows in ``batches`` batches (``BATCHES``, or as many as it has rows
    for), made once; the newest batch has the ``largest`` number of them, where one is given."""
    batches = batches or min(BATCHES, rows // _LEAST)
    path = build() / f"pasado-{rows}-{batches}{f'-{largest}' if largest else ''}.db"
    if not path.exists():
        sys.stderr.write(f"building a ledger of {rows:,} rows, once: {path.name}\n")
        part = path.with_suffix(".part")
        for old in path.parent.glob(f"{part.name}*"):
            old.unlink()
        fill(part, rows, batches, largest)
        part.rename(path)
    return path


def fill(path: Path, rows: int, batches: int, largest: int = 0) -> dict[str, float]:
    """Takes in and cancels ``rows`` rows. Seconds of the intake and of the moves (claims and outcomes)."""
    from pipeline.ledger.storage.location import open_ledger
    from pipeline.ledger.store import Store
    from pipeline.ledger.views import Views

    database = open_ledger(f"sqlite:///{path}")
    store, views = Store(database, ENV), Views(database, ENV)
    store.begin_run(NOW)
    taken = moved = 0.0
    others = batches - bool(largest)
    share, more = divmod(rows - largest, others)
    sizes = [share + (number < more) for number in range(others)] + [largest] * bool(largest)
    first = 1
    for number, share in enumerate(sizes):
        created = NOW - timedelta(days=batches - number)
        info = batch(f"{created:%Y%m%d}-{number:08x}", share, path.parent, created)
        content = checked(share, first)
        first += share
        start = time.perf_counter()
        store.intake(info, content)
        taken += time.perf_counter() - start
        del content
        moved += cancel_all(store, views, info.id)
    database.close()
    return {"intake": taken, "moves": moved}


def cancel_all(store: Any, views: Any, name: str, group: int = _GROUP) -> float:
    """Claims and outcomes of all that is ready in a batch, in groups of ``group`` rows; seconds in the store."""
    from pipeline.ledger.moves import Move

    ready, seconds = views.ready(name), 0.0
    for start in range(0, len(ready), group):
        some = ready[start : start + group]
        claims = [Move(r.attempt, r.version, r.batch, r.pos, State.READY, Event.CLAIMED, later(0)) for r in some]
        ends = [
            Move(r.attempt, r.version + 1, r.batch, r.pos, State.SENDING, Event.CANCELLED, later(1), CANCELLED)
            for r in some
        ]
        before = time.perf_counter()
        store.apply(claims)
        store.apply(ends)
        seconds += time.perf_counter() - before
    return seconds
