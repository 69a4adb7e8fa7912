"""Journeys W01 to W22 of the page: each has a test in a browser that names it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
IN_A_BROWSER = ("test_browser.py", "test_journeys.py", "test_access_journeys.py")


def journeys() -> dict[str, list[str]]:
    """Tests in a browser by the number of their journey, as their docstring says it."""
    found: dict[str, list[str]] = {}
    for name in IN_A_BROWSER:
        for one in ast.parse((ROOT / "tests" / "web" / name).read_text(encoding="utf-8")).body:
            if isinstance(one, ast.FunctionDef) and one.name.startswith("test_"):
                head = (ast.get_docstring(one) or "").partition(":")[0]
                for number in re.findall(r"W\d\d", head):
                    found.setdefault(number, []).append(one.name)
    return found


def test_each_journey_has_a_test_in_a_browser() -> None:
    assert sorted(journeys()) == [f"W{number:02}" for number in range(1, 23)]
