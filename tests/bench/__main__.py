"""``python -m tests.bench [--quick] [--turns N] [NAME...]``: runs the benchmarks, keeps their lines, writes the page.

Each leaves ``build/bench/NAME.jsonl``, a line per figure. The page ``docs/rendimiento.md`` is written from those files
when all of them are there in full size; otherwise, and for ``--quick``, it goes to ``build/bench/rendimiento.md``.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time

from tests.bench import page
from tests.bench.runner import ROOT, Figure, Scale, build

NAMES = (
    "start",
    "rate",
    "submit",
    "rivals",
    "files",
    "reporting",
    "memory",
    "restart",
    "growth",
    "companies",
    "cuts",
    "access",
    "page",
)
ON_REQUEST = ("page-server",)
"""Only where it is named: it takes long."""
_MODULES = {"memory": "whole", "page": "pages", "page-server": "pages_server"}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one or more of: {', '.join(NAMES + ON_REQUEST)}")
    parser.add_argument("--quick", action="store_true", help="small sizes, one turn: a smoke test, not a measurement")
    parser.add_argument("--turns", type=int, default=5, help="turns of each way at most (3 where one takes long)")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - {*NAMES, *ON_REQUEST}:
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    failed, scale = [], Scale(options.quick, options.turns)
    for name in options.names or NAMES:
        start = time.monotonic()
        try:
            figures = importlib.import_module(f"tests.bench.{_MODULES.get(name, name)}").bench(scale)
        except Exception as error:
            failed.append(name)
            sys.stderr.write(f"!!! {name}: {error}\n")
            continue
        for figure in figures:
            sys.stdout.write(f"{said(figure)}\n")
        page.keep(name, figures, scale=scale, seconds=time.monotonic() - start)
        sys.stdout.write(f"    {name}: {time.monotonic() - start:.0f} s\n")
        sys.stdout.flush()
    whole = not options.quick and not failed and page.complete(NAMES)
    target = ROOT / "docs" / "rendimiento.md" if whole else build() / "rendimiento.md"
    target.write_text(page.render(NAMES + ON_REQUEST), encoding="utf-8")
    sys.stdout.write(f"written: {target.relative_to(ROOT)}\n")
    return 1 if failed else 0


def said(figure: Figure) -> str:
    """One line for the terminal."""
    values = ", ".join(f"{way} {value:g}" for way, value in figure.medians().items())
    goal = (
        ""
        if figure.goal is None
        else f" (goal {figure.goal[0]} {figure.goal[1]:g}: {'met' if figure.met else 'MISSED'})"
    )
    ratio = "" if figure.value is None else f" · {figure.name} = {figure.value:g}{goal}"
    return f"{figure.bench}: {figure.case}: {values} {figure.unit}{ratio}"


if __name__ == "__main__":
    sys.exit(main())
