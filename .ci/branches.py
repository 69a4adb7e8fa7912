"""Holds parts of the program to a share of tested branches. Called by `make coverage`, after the suite.

usage: python .ci/branches.py PERCENT PART...      a part is a module or a package, without .py: pipeline/submit;
                                                   PART-MODULES is a package without those that begin so

coverage's own `fail_under` mixes lines and branches; what is promised is branches.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any


def branches_of(part: str, files: dict[str, Any]) -> tuple[int, int]:
    """How many branches of a part were taken, and how many there are."""
    part, _, without = part.partition("-")
    summaries = [
        report["summary"]
        for path, report in files.items()
        if path == f"{part}.py" or path.startswith(f"{part}/")
        if not without or not path.startswith(f"{part}/{without}")
    ]
    return sum(s["covered_branches"] for s in summaries), sum(s["num_branches"] for s in summaries)


def judge(least: float, parts: list[str], files: dict[str, Any]) -> tuple[bool, list[str]]:
    """Whether every part reaches `least` percent of its branches, and a line about each."""
    good = True
    lines = []
    for part in parts:
        taken, there = branches_of(part, files)
        if there == 0:
            good = False
            lines.append(f"FAILED {part}: no branches were measured")
            continue
        percent = 100 * taken / there
        good = good and percent >= least
        lines.append(
            f"{'ok    ' if percent >= least else 'FAILED'} {part}: {taken} of {there} branches, {percent:.1f} %"
        )
    return good, lines


def main(arguments: list[str]) -> int:
    """Exit code 1 when a part is below the share that was asked for."""
    least, parts = float(arguments[0]), arguments[1:]
    report = subprocess.run(
        [sys.executable, "-m", "coverage", "json", "--quiet", "-o", "-"], check=True, capture_output=True, text=True
    )
    good, lines = judge(least, parts, json.loads(report.stdout)["files"])
    print(f"Branches taken by the tests (at least {least:g} %):", *lines, sep="\n")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
