"""The page about the log names every event that the code tells, with every fact of it, and no other."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from pipeline.telemetry.events import COUNTED

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "despliegue" / "vigilancia.md").read_text("utf-8")
ALWAYS = {"run"}
"""Told with every line once the ledger is open; the page says so above its table."""


def told():
    """Event -> the facts that are named where it is told. What is gathered elsewhere (``**facts``) is not seen here."""
    found: dict[str, set[str]] = {}
    for file in sorted((ROOT / "pipeline").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
                continue
            first = node.args[0]
            if node.func.attr == "note" and isinstance(first, ast.Constant) and first.value not in COUNTED:
                found.setdefault(str(first.value), set()).update(one.arg for one in node.keywords if one.arg)
    return found


def described():
    """Event -> the facts that its line of the page names; a line may be about several events."""
    found: dict[str, set[str]] = {}
    for line in PAGE.partition("| `event` |")[2].partition("\n\n")[0].splitlines():
        if line.startswith("| `"):
            events, _, facts = line.strip("| ").partition(" |")
            named = set(re.findall(r"`(\w+)`", facts))
            found |= dict.fromkeys(re.findall(r"`(\w+)`", events), named)
    return found


def test_every_event_is_on_the_page_and_every_event_of_the_page_is_told():
    assert set(described()) == {*told(), "log_gap"}


def test_every_fact_of_an_event_is_named_beside_it():
    missing = {event: facts - described()[event] - ALWAYS for event, facts in told().items()}
    assert {event: facts for event, facts in missing.items() if facts} == {}


@pytest.mark.long
def test_the_events_are_seen_at_all():
    assert {"run_ended", "row_moved", "told", "not_told", "breaker_opened"} <= set(told())
    assert told()["breaker_opened"] == {"seconds", "final"}
