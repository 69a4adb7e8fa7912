"""Starting again on a ledger with a million rows of past: from the command to the first request at the server, and to
the answer of ``status``.

Each turn takes a new file of a few rows. Beside it the same on a ledger that holds nothing else, which is the floor:
whatever the past adds is the difference.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from statistics import median

from tests.bench import past
from tests.bench.material import workbook
from tests.bench.runner import (
    ROOT,
    Figure,
    Numbers,
    Scale,
    build,
    clean,
    column,
    command,
    in_turn,
    journal,
    reset,
    server,
)

ROWS = 20
STATUS_GOAL_S = 0.3
"""Seconds beyond what ``status`` takes on a ledger with nothing else in it."""


def first_request(base: str, ledger: Path, path: Path) -> Numbers:
    """Seconds from the start of the command to the first request that arrives, and to the end of it all."""
    reset(base)
    with tempfile.TemporaryDirectory(dir=build()) as folder:
        environment = clean(
            ANULAR_BASE_URL=base,
            ANULAR_RATE="1000",
            ANULAR_LEDGER=f"sqlite:///{ledger}",
            ANULAR_OUT=folder,
            XDG_STATE_HOME=str(ledger.parent / "state"),
        )
        start = time.monotonic()  # of the whole system: the server's journal counts on the same clock
        words = [sys.executable, "-m", "pipeline", "run", "--yes", "--no-poll", str(path)]
        done = subprocess.run(words, cwd=ROOT, env=environment, check=False, capture_output=True, text=True)
        seconds = time.monotonic() - start
    if done.returncode not in (0, 1, 4):
        raise RuntimeError(f"anular run ended with {done.returncode}: {done.stderr[-3000:]}")
    return {"first": journal(base)["arrivals"][0] - start, "seconds": seconds}


def bench(scale: Scale) -> list[Figure]:
    rows = scale.of(1_000_000, 2_000)
    old = past.ledger(rows)
    path = {n: workbook(build() / f"resto-{n}.xlsx", ROWS, 50_000_000 + n * ROWS) for n in range(4)}
    with server() as base, tempfile.TemporaryDirectory(dir=build()) as folder:
        large, small = Path(folder, "grande.db"), Path(folder, "chico.db")
        shutil.copy(old, large)
        large.chmod(0o600)
        turn = {large: 0, small: 0}
        cold: list[float] = []

        def once(ledger: Path) -> Numbers:
            turn[ledger] += 1
            numbers = first_request(base, ledger, path[turn[ledger] - 1])
            if ledger == large and turn[ledger] == 1:
                cold.append(numbers["first"])  # never checked before: every page is read
            return numbers

        places = {f"{rows:,} filas": large, "vacío": small}
        ways = {name: partial(once, one) for name, one in places.items()}
        told = in_turn(ways, min(scale.turns, 3), warm=True)
        first = _status(large)
        looks = in_turn({name: partial(_status, one) for name, one in places.items()}, scale.turns)
    seconds = column(told, "first")
    value = sorted(seconds[f"{rows:,} filas"])[len(seconds["vacío"]) // 2]
    return [
        Figure(
            "restart",
            f"del comando a la primera solicitud, historial de envíos con {rows:,} filas",
            "s",
            seconds,
            "segundos",
            value,
            ("<=", 3.0),
            {"whole": column(told, "seconds")},
        ),
        Figure("restart", "la primera vez, o después de una interrupción: se lee todo", "s", {"anular": cold}),
        _of_status(rows, looks, first),
    ]


def _status(ledger: Path) -> Numbers:
    environment = clean(ANULAR_LEDGER=f"sqlite:///{ledger}", XDG_STATE_HOME=str(ledger.parent / "state"))
    return command([sys.executable, "-m", "pipeline", "status"], cwd=ROOT, env=environment)


def _of_status(rows: int, looks: dict[str, list[Numbers]], first: Numbers) -> Figure:
    """What ``status`` takes on the large ledger beyond what it takes on the other one; ``first``: nobody had looked."""
    seconds = column(looks, "seconds")
    large, small = (median(one) for one in seconds.values())
    values = {**seconds, "la primera vez": [round(first["seconds"], 6)]}
    goal, more = ("<=", STATUS_GOAL_S), {"cpu": column(looks, "cpu")}
    case = f"anular status, historial de envíos con {rows:,} filas"
    return Figure("restart", case, "s", values, "segundos más que vacío", round(large - small, 4), goal, more)
