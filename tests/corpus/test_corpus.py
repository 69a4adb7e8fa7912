"""The collection of bad files (reliability.md 4): from each the exact rows or one clear refusal, nothing between."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from pipeline.domain.errors import InputRefused
from pipeline.domain.problems import KINDS
from pipeline.domain.records import Seen, Verdict
from pipeline.read.sheet import Sheet
from pipeline.validate.check import Checked, check
from tests.corpus import cells, containers, csv_rows, csv_structure, seen, sheets, words
from tests.corpus.entry import NOW, Entry, Read, Refused
from tests.support.reading import read_sheet

THEMES = (csv_structure, csv_rows, containers, sheets, cells, seen, words)
ENTRIES = [entry for module in THEMES for entry in module.theme.entries]
REFUSALS = [entry for entry in ENTRIES if isinstance(entry.expected, Refused)]
TABLES = [entry for entry in ENTRIES if isinstance(entry.expected, Read)]
IN_THE_REPORT = {110}
"""Messages of the server are no file: tests/corpus/test_messages.py."""
OF_EYES = 200
"""From here on the entries are those of eyes.md 1, which came later."""


def nothing_seen(_: Sequence[str]) -> Mapping[str, Seen]:
    return {}


def written(entry: Entry, folder: Path) -> Path:
    path = folder / entry.name
    path.write_bytes(entry.make())
    return path


def test_every_entry_of_the_table_is_here() -> None:
    assert {entry.number for entry in ENTRIES if entry.number < OF_EYES} | IN_THE_REPORT == set(range(1, 111))
    assert len({entry.name for entry in ENTRIES}) == len(ENTRIES)


@pytest.mark.parametrize("entry", REFUSALS, ids=str)
def test_refused(entry: Entry, tmp_path: Path) -> None:
    expected = entry.expected
    assert isinstance(expected, Refused)
    with pytest.raises(InputRefused) as caught:
        read_sheet(written(entry, tmp_path), **entry.options)
    error = caught.value
    assert (error.code, error.where, KINDS[error.code].scope) == (expected.code, expected.where, "archivo")
    assert expected.says in error.sentence
    assert error.remedy
    assert "\n" not in error.sentence


@pytest.mark.parametrize("entry", TABLES, ids=str)
def test_read(entry: Entry, tmp_path: Path) -> None:
    expected = entry.expected
    assert isinstance(expected, Read)
    sheet = read_sheet(written(entry, tmp_path), **entry.options)
    checked = check(sheet, entry.rules, NOW, nothing_seen)
    if isinstance(expected.rows, int):
        assert len(checked.rows) == expected.rows
    else:
        assert {row.position.line: row.cells for row in checked.rows} == expected.rows
    assert remarks(checked) == {
        "problems": dict(expected.problems),
        "warnings": dict(expected.warnings),
        "repairs": dict(expected.repairs),
        "mirrors": expected.mirrors,
        "others": expected.others,
    }
    assert_notes(sheet, expected.notes)


def remarks(checked: Checked) -> dict[str, object]:
    """What is said of rows, by line; and that exactly the rows without problems may be sent."""
    at = {row.position.line: row for row in checked.rows}
    for row in at.values():
        fine = (Verdict.ACCEPTED, Verdict.DUPLICATE, Verdict.NOT_APPLICABLE)
        assert (row.verdict in fine) == (not row.problems), row
        assert row.verdict is not Verdict.HELD
    return {
        "problems": {line: tuple((p.code, p.cell) for p in row.problems) for line, row in at.items() if row.problems},
        "warnings": {line: tuple(w.code for w in row.warnings) for line, row in at.items() if row.warnings},
        "repairs": {line: re.split(r"; | \(", row.repairs[0].what)[0] for line, row in at.items() if row.repairs},
        "mirrors": tuple(line for line, row in at.items() if row.verdict is Verdict.DUPLICATE),
        "others": tuple(line for line, row in at.items() if row.verdict is Verdict.NOT_APPLICABLE),
    }


def assert_notes(sheet: Sheet, pieces: Sequence[str]) -> None:
    assert len(sheet.notes) == len(pieces), sheet.notes
    for note, piece in zip(sheet.notes, pieces, strict=True):
        assert piece in note
