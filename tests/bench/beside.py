"""Sending while somebody looks: rows a second with ten reads a second beside it, and without; in WAL, else in DELETE.

Each read opens the ledger as ``status`` and a page do, counts what a run has done so far, and closes it again, in a
process of its own.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tests.bench import submit
from tests.bench.runner import ROOT, Figure, Numbers, Scale, apart, clean, column, in_turn, over

EVERY_S = 0.1
IN_FLIGHT, ROWS = 8, 600
GOAL = 0.99


def sending(base: str, rows: int, *, wal: bool, looked_at: bool) -> Numbers:
    """The real steps; ``reads`` is how many were made meanwhile."""
    from pipeline.ledger.storage import sqlite

    if not wal:
        vars(sqlite)["has_wal"] = lambda: False
    reads: list[int] = []
    meanwhile = partial(_looking, reads=reads) if looked_at else submit.nobody
    return {**submit.anular(base, IN_FLIGHT, rows, meanwhile=meanwhile), "reads": float(sum(reads))}


@contextmanager
def _looking(ledger: Path, reads: list[int]) -> Iterator[None]:
    arguments = [sys.executable, "-m", "tests.bench.beside", str(ledger)]
    with subprocess.Popen(
        arguments, cwd=ROOT, env=clean(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as looking:
        assert looking.stdout is not None
        looking.stdout.readline()  # it has loaded everything and read once
        yield
        words, _ = looking.communicate("enough\n")
        reads.append(int(words))


def _look(ledger: Path) -> None:
    """Reads until a line comes."""
    from threading import Event, Thread

    from pipeline.ledger.storage.location import location_of
    from pipeline.ledger.views import Views

    enough, location, count = Event(), location_of(f"sqlite:///{ledger}"), 0
    Thread(target=lambda: (sys.stdin.readline(), enough.set()), daemon=True).start()
    due = time.monotonic()
    while not enough.wait(max(0.0, due - time.monotonic())):
        database = location.open_to_read()
        Views(database, "sandbox").tally()
        database.close()
        count, due = count + 1, due + EVERY_S
        if count == 1:
            sys.stdout.write("\n")
            sys.stdout.flush()
    sys.stdout.write(f"{count}\n")


WAYS = {"sending": sending}


def figures(base: str, scale: Scale) -> list[Figure]:
    """The figure, in the mode that a ledger has here."""
    from pipeline.ledger.storage.driver import has_wal

    rows, made = scale.of(ROWS, 2 * IN_FLIGHT), []
    run = partial(apart, "tests.bench.beside", "sending", base=base, rows=rows)
    modes = {"WAL": True} if has_wal() else {"DELETE": False}
    told = in_turn(
        {
            f"{name}, {words}": partial(run, wal=wal, looked_at=looked_at)
            for name, wal in modes.items()
            for words, looked_at in (("a solas", False), ("con lecturas", True))
        },
        scale.turns,
    )
    pace = {way: [round(rows / one, 2) for one in values] for way, values in column(told, "seconds").items()}
    for name in modes:
        ways = [f"{name}, con lecturas", f"{name}, a solas"]
        made.append(
            Figure(
                "submit",
                f"con diez lecturas por segundo al lado, en {name}",
                "anulaciones/s",
                {way: pace[way] for way in ways},
                "con lecturas ÷ a solas",
                over(pace, *ways),
                (">=", GOAL) if name == "WAL" else None,
                {
                    "rows": rows,
                    "pairs": [round(with_, 4) for with_ in _pairs(pace[ways[0]], pace[ways[1]])],
                    "reads": [one["reads"] for one in told[ways[0]]],
                },
            )
        )
    return made


def _pairs(looked_at: list[float], alone: list[float]) -> list[float]:
    return [one / other for one, other in zip(looked_at, alone, strict=True)]


if __name__ == "__main__":
    _look(Path(sys.argv[1]))
