"""Every row of the fault matrix that belongs to this folder has a test (goal G8 of reliability.md 5)."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]
OURS = [*(f"F{n:02}" for n in range(1, 39)), "F70"]


def test_every_fault_from_f01_to_f38_and_f70_is_covered(capsys) -> None:
    listing = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", str(Path(__file__).parent)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    ).stdout
    covering: defaultdict[str, list[str]] = defaultdict(list)
    for line in listing.splitlines():
        name = line.rpartition("::")[2]
        words, _, case = name.partition("[")
        # A number in the case wins: one test may serve several rows of the matrix.
        found = re.findall(r"F\d\d", case) or [f.upper() for f in re.findall(r"f\d\d", words)]
        for number in found:
            covering[number].append(name)
    with capsys.disabled():
        print("\nfault matrix: " + " ".join(f"{n}:{len(covering[n])}" for n in OURS))  # noqa: T201
    assert not [number for number in OURS if not covering[number]]
