"""Entries 69 to 79: a bomb is refused by the guard and not by the limits, in the process that reads (P10, goal G13).

What must not take 150 MB is given no more address space than that, which is counted and not timed: the interpreter and
its libraries alone have 108 of them. A guard that began to unpack would be told ``lectura-memoria``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pipeline.domain.errors import InputRefused
from pipeline.read.limits import MEGABYTE, Limits
from pipeline.read.sheet import read_sheet
from tests.corpus import containers, sheets
from tests.corpus.entry import Entry, Refused

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="address space as Linux counts it")

LEAST = Limits(memory=150 * MEGABYTE)
BOMBS = [
    entry for theme in (containers.theme, sheets.theme) for entry in theme.entries if entry.number in range(69, 80)
]


def test_the_bombs_are_those_of_the_table() -> None:
    assert {entry.number for entry in BOMBS} == set(range(69, 80))


@pytest.mark.one_in(2)
@pytest.mark.parametrize("entry", BOMBS, ids=str)
def test_a_bomb_needs_no_memory_to_be_refused(entry: Entry, tmp_path: Path) -> None:
    path = tmp_path / entry.name
    path.write_bytes(entry.make())
    try:
        code = f"read {len(read_sheet(path, limits=LEAST).cells)}"
    except InputRefused as refusal:
        code = refusal.code
    expected = entry.expected
    rows = {} if isinstance(expected, Refused) else expected.rows
    assert code == (
        expected.code if isinstance(expected, Refused) else f"read {rows if isinstance(rows, int) else len(rows)}"
    )
