"""Starting: a command beside importing the libraries that it cannot do without; ``anular --help`` beside Python too.

``status`` looks at a ledger of one batch; ``check`` reads, validates and reviews 120 other rows. All ways run without
hypothesis, which pandera loads where the tools of the tests are installed; nobody who uses the program has them.
"""

from __future__ import annotations

import sys
import tempfile
from functools import partial
from pathlib import Path

from tests.bench import whole
from tests.bench.material import workbook
from tests.bench.runner import BUILD, ROOT, Figure, Scale, build, clean, column, command, in_turn, over, server

ROWS = 120
SMALL = "import sqlalchemy, typer, rich"
WHOLE = "import pandas, pandera, openpyxl, sqlalchemy, typer, rich"


def bench(scale: Scale) -> list[Figure]:
    sent = workbook(BUILD / f"lote-{ROWS}.xlsx", ROWS)
    fresh = workbook(BUILD / f"lote-{ROWS}-nuevo.xlsx", ROWS, first=ROWS + 1)
    with tempfile.TemporaryDirectory(dir=build()) as folder:
        place = Path(folder)
        with server() as base:
            whole.run(base, sent, 8, keep=place)
        environment = clean(
            ANULAR_LEDGER=f"sqlite:///{place}/registro.db",
            ANULAR_OUT=folder,
            XDG_STATE_HOME=str(place / "estado"),
            PYTHONPATH=without_hypothesis(place),
        )
        run = partial(command, cwd=ROOT, env=environment)
        return [
            beside(run, ["--help"], "import typer, rich", 1.5, scale.of(11, 2), bare=True),
            beside(run, ["status"], SMALL, 1.5, scale.of(11, 2)),
            beside(run, ["check", str(fresh)], WHOLE, 1.3, scale.of(9, 2)),
        ]


def beside(run: partial, words: list[str], libraries: str, goal: float, turns: int, *, bare: bool = False) -> Figure:
    """A command beside the libraries that it cannot do without; ``bare``: and beside an interpreter alone."""
    name = f"anular {words[0]}"
    ways = {
        name: partial(run, [sys.executable, "-m", "pipeline", *words]),
        libraries: partial(run, [sys.executable, "-c", libraries]),
    }
    if bare:
        ways["python"] = partial(run, [sys.executable, "-c", "pass"])
    told = in_turn(ways, turns, warm=True)
    seconds = column(told, "seconds")
    case = f"{name}, {ROWS} filas" if words[0] == "check" else name
    value = over(seconds, name, libraries)
    more = {"cpu": column(told, "cpu")}
    return Figure("start", case, "s", seconds, f"{name} ÷ {libraries}", value, ("<=", goal), more)


def without_hypothesis(place: Path) -> str:
    """Folder that comes before all others and has it in name only."""
    (place / "hidden" / "hypothesis").mkdir(parents=True)
    (place / "hidden" / "hypothesis" / "__init__.py").write_text("raise ImportError\n", encoding="utf-8")
    return str(place / "hidden")
