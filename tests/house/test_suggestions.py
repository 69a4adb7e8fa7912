"""Commands that a text suggests are begun in one place, ``domain/commands.py``: each is whole where it is read."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from pipeline.cli.app import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(path for path in (ROOT / "pipeline").rglob("*.py") if path.name != "commands.py")
NAMES = "|".join(sorted(COMMANDS))
SUGGESTED = re.compile(rf"(?:«|\b)anular (?:{NAMES})\b")
ELSEWHERE = {
    # what an evidence pack says to an auditor, who has the pack and perhaps no company's settings
    "pipeline/evidence/format.py",
    # names a file that only the person at the terminal knows, with the profile beside it
    "pipeline/wiring/lost_ledger.py",
    # what a stranger sees under a dead address, whatever the page's settings are
    "pipeline/web/texts/access.py",
    # the note of an event in the ledger: how it came about, and nothing to type
    "pipeline/ledger/ledger_events.py",
}


def strings_of(source: Path) -> list[tuple[int, str]]:
    """Every text of a module that is no docstring."""
    tree = ast.parse(source.read_text("utf-8"))
    told = set()
    for node in ast.walk(tree):
        for one in getattr(node, "body", []) if not isinstance(node, ast.Lambda | ast.IfExp) else []:
            if isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant):
                told.add(id(one.value))
    return [
        (node.lineno, node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told
    ]


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_command_is_suggested_past_the_one_place_that_makes_it_whole(source):
    found = [f"{source.name}:{line}: {text!r}" for line, text in strings_of(source) if SUGGESTED.search(text)]

    assert not found or str(source.relative_to(ROOT)) in ELSEWHERE, found


def test_the_test_itself_sees_what_it_looks_for():
    assert SUGGESTED.search("vuelva a consultar con «anular poll».")
    assert not SUGGESTED.search("el comando poll")
