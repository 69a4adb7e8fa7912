"""Reading: what a large file costs beside a bare pandas + calamine, and what a bomb costs before it is refused.

``python -m tests.bench.reading --rows 50000 --json build/bench/reading.json``. Memory is the sum of two high-water
marks, of the process that asked and of the one that read: more than was ever in use at the same moment, never less.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.runner import Figure, Numbers, Scale, apart, build, column, high_water, in_turn, over

GOAL_BOMB_S, GOAL_BOMB_MB = 2.0, 150.0
GOAL_S, GOAL_MB = 20.0, 512.0
BOMBS = range(69, 80)


def _peaks() -> Numbers:
    """MB at most: of this process, and of the largest that it waited for.

    The kernel's own mark for this one: ``ru_maxrss`` remembers whoever started it. The reading process was started
    by this one while it was small, so that for that one it tells the truth.
    """
    own, child = high_water(os.getpid()), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return {"parent_mb": own, "child_mb": child, "both_mb": own + child}


def anular(path: str, rows: int) -> Numbers:
    """The first two steps of the program: its reading process, and all its checks of every row."""
    start = time.perf_counter()
    from pipeline.read.process import Reader

    reader = Reader()  # first of all, as the command does: it loads itself beside what follows
    from pipeline.domain.eligibility import Rules
    from pipeline.domain.records import Verdict
    from pipeline.read.sheet import read_sheet
    from pipeline.validate.check import check
    from tests.bench.material import NOW

    loaded = time.perf_counter()
    sheet = read_sheet(Path(path), reader=reader)
    read = time.perf_counter()
    found = check(sheet, Rules(), NOW, lambda _: {})
    end = time.perf_counter()
    assert found.counts[Verdict.ACCEPTED] == rows, found.counts
    return {"seconds": end - start, "loading": loaded - start, "reading": read - loaded, **_peaks()}


def calamine(path: str, rows: int) -> Numbers:
    """A bare read: no guard, no positions, no validation, in the very process."""
    start = time.perf_counter()
    import pandas as pd

    loaded = time.perf_counter()
    frame = pd.read_excel(path, engine="calamine", dtype=str, keep_default_na=False)
    end = time.perf_counter()
    assert len(frame) == rows
    return {"seconds": end - start, "loading": loaded - start, "reading": end - loaded, **_peaks()}


def refusal(path: str) -> Numbers:
    """From the file's name to the refusal; ``refused`` is 1 when there was one of the guard's own."""
    start = time.perf_counter()
    from pipeline.domain.errors import InputRefused
    from pipeline.read.sheet import read_sheet

    try:
        read_sheet(Path(path))
    except InputRefused as error:
        refused = 0 if error.code.startswith("lectura-") else 1
    else:
        refused = 0
    return {"seconds": time.perf_counter() - start, "refused": refused, **_peaks()}


WAYS: dict[str, Callable[..., Numbers]] = {"anular": anular, "calamine": calamine, "refusal": refusal}


def bombs(folder: Path) -> dict[str, Path]:
    """Entries 69 to 79 of the corpus that have to be refused, as files by number and name."""
    from tests.corpus import containers, sheets
    from tests.corpus.entry import Refused

    made = {}
    folder.mkdir(parents=True, exist_ok=True)
    for theme in (containers.theme, sheets.theme):
        for entry in theme.entries:
            if entry.number in BOMBS and isinstance(entry.expected, Refused):
                path = folder / f"{entry.number}-{entry.name}"
                path.write_bytes(entry.make())
                made[path.stem] = path
    return made


def bench_bombs(turns: int) -> list[Figure]:
    ways = {
        name: partial(apart, "tests.bench.reading", "refusal", path=str(path))
        for name, path in bombs(build() / "bombs").items()
    }
    told = in_turn(ways, turns)
    unrefused = [name for name, numbers in told.items() if not all(one["refused"] for one in numbers)]
    assert not unrefused, unrefused
    figures = []
    for key, unit, goal in (("seconds", "s", GOAL_BOMB_S), ("both_mb", "MB", GOAL_BOMB_MB)):
        values = column(told, key)
        worst = round(max(median(one) for one in values.values()), 4)
        figures.append(Figure("reading", f"bombas: {unit}", unit, values, "la peor", worst, ("<=", goal)))
    return figures


def bench_rows(rows: int, turns: int) -> list[Figure]:
    from tests.bench.material import workbook

    path = workbook(build() / f"lote-{rows}.xlsx", rows)
    run = partial(apart, "tests.bench.reading", path=str(path), rows=rows)
    told = in_turn({"anular": partial(run, "anular"), "calamine": partial(run, "calamine")}, turns, warm=True)
    seconds, memory = column(told, "seconds"), column(told, "both_mb")
    parts = {key: column(told, key) for key in ("loading", "reading", "parent_mb", "child_mb", "cpu")}
    case = f"leer y validar {rows:,} filas"
    return [
        Figure("reading", f"{case}: s", "s", seconds, "anular", median(seconds["anular"]), ("<=", GOAL_S), parts),
        Figure(
            "reading", f"{case}: MB", "MB", memory, "anular", round(median(memory["anular"]), 1), ("<=", GOAL_MB), parts
        ),
        Figure(
            "reading",
            f"{case}, junto a una lectura desnuda",
            "s",
            seconds,
            "anular ÷ (pandas + calamine)",
            over(seconds, "anular", "calamine"),
        ),
    ]


def bench(scale: Scale) -> list[Figure]:
    """What the index of all benchmarks runs."""
    turns = min(scale.turns, 3)
    return [*bench_bombs(turns), *bench_rows(scale.of(50_000, 2_000), turns)]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.reading", description=__doc__)
    parser.add_argument("--rows", type=int, default=50_000, help="rows of the large file")
    parser.add_argument("--turns", type=int, default=3, help="how often each way runs")
    parser.add_argument("--json", type=Path, help="where the figures go, as JSON")
    options = parser.parse_args(arguments)
    figures = [*bench_bombs(options.turns), *bench_rows(options.rows, options.turns)]
    for figure in figures:
        sys.stdout.write(f"{figure.case}: {figure.medians()} {figure.unit} · {figure.name} = {figure.value}\n")
    if options.json is not None:
        lines: list[Any] = [json.loads(figure.as_line()) for figure in figures]
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(lines, ensure_ascii=False, indent=1), "utf-8")
    return 0 if all(figure.met is not False for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
