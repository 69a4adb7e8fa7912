"""Every row of the fault matrix that belongs to this folder has a test (goal G8 of reliability.md 5)."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest

HERE = Path(__file__).parent
OURS = [*(f"F{n:02}" for n in range(1, 39)), "F45", "F70"]


def collected(session: pytest.Session) -> Iterable[str]:
    """The names of this folder's tests; collected once more where only some of them were asked for."""
    mine = [item for item in session.items if item.path.parent == HERE]
    if {item.path for item in mine} == set(HERE.glob("test_*.py")):
        return [item.name for item in mine]
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", str(HERE)]
    done = subprocess.run(command, cwd=HERE.parents[1], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout
    return [line.rpartition("::")[2] for line in done.stdout.splitlines() if "::" in line]


def test_every_fault_from_f01_to_f38_and_f45_and_f70_is_covered(request, capsys) -> None:
    covering: defaultdict[str, int] = defaultdict(int)
    for name in collected(request.session):
        words, _, case = name.partition("[")
        # A number in the case wins: one test may serve several rows of the matrix.
        for number in re.findall(r"F\d\d", case) or [f.upper() for f in re.findall(r"f\d\d", words)]:
            covering[number] += 1
    with capsys.disabled():
        print("\nfault matrix: " + " ".join(f"{number}:{covering[number]}" for number in OURS))  # noqa: T201
    assert not [number for number in OURS if not covering[number]]
