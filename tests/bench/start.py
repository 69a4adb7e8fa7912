"""Starting: ``anular --help`` beside ``import typer, rich`` and beside an interpreter that does nothing."""

from __future__ import annotations

import sys
from functools import partial

from tests.bench.runner import ROOT, Figure, Scale, clean, column, command, in_turn, over


def bench(scale: Scale) -> list[Figure]:
    run = partial(command, cwd=ROOT, env=clean())
    ways = {
        "anular --help": partial(run, [sys.executable, "-m", "pipeline", "--help"]),
        "import typer, rich": partial(run, [sys.executable, "-c", "import typer, rich"]),
        "python": partial(run, [sys.executable, "-c", "pass"]),
    }
    told = in_turn(ways, scale.of(21, 2), warm=True)
    seconds = column(told, "seconds")
    value = over(seconds, "anular --help", "import typer, rich")
    return [
        Figure(
            "start",
            "anular --help",
            "s",
            seconds,
            "anular --help ÷ import typer, rich",
            value,
            ("<=", 1.5),
            {"cpu": column(told, "cpu")},
        )
    ]
