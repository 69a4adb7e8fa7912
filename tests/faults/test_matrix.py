"""Every row of the fault matrix has a test that names it: F01-F70 of reliability.md 3, F71-F74 of eyes.md 3."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TESTS = HERE.parent
DEMANDED = [f"F{n:02}" for n in range(1, 75)]


def collected(session: pytest.Session) -> Iterable[str]:
    """The names of this folder's tests; collected once more where only some of them were asked for."""
    mine = [item for item in session.items if item.path.parent == HERE]
    if {item.path for item in mine} == set(HERE.glob("test_*.py")):
        return [item.name for item in mine]
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", str(HERE)]
    done = subprocess.run(command, cwd=TESTS.parent, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout
    return [line.rpartition("::")[2] for line in done.stdout.splitlines() if "::" in line]


def written_elsewhere() -> Iterator[str]:
    """The names of the test functions of all other folders; the cases of a parametrised one count as one."""
    for path in sorted(TESTS.rglob("test_*.py")):
        if path.parent != HERE:
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                    yield node.name


def numbers(name: str) -> list[str]:
    """The rows that a test is about. A number in the case wins: one test may serve several rows of the matrix."""
    words, _, case = name.partition("[")
    return re.findall(r"F\d\d", case) or [number.upper() for number in re.findall(r"f\d\d(?!\d)", words)]


def test_every_fault_is_covered(request, capsys) -> None:
    names = (*collected(request.session), *written_elsewhere())
    covering = Counter(number for name in names for number in numbers(name))
    with capsys.disabled():
        print("\nfault matrix: " + " ".join(f"{number}:{covering[number]}" for number in DEMANDED))  # noqa: T201
    assert not [number for number in DEMANDED if not covering[number]]
