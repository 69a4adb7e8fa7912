from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import date

import pytest

from pipeline.domain.lifecycle import State
from pipeline.domain.records import BatchInfo, Cell, ResultLine
from pipeline.report.exports import unique, write_csv, write_jsonl
from pipeline.report.model import Report
from pipeline.report.summary import summarise
from schemas.columns import RESULT_COLUMNS

HOSTILE: tuple[Cell, ...] = ('=cmd|"/C calc"!A0', "+1", "-1", "@x", "\tx", "\rx", "\x1b[0m", "\ud800", 'a;b\n"c"')
OTHERS: tuple[Cell, ...] = (None, True, -1, 2.5, date(2026, 11, 20), float("nan"))


@pytest.fixture
def report(make_line: Callable[..., ResultLine], make_batch: Callable[..., BatchInfo]) -> Report:
    lines = [make_line(State.PENDING, 1, cells=HOSTILE), make_line(State.READY, 2, cells=OTHERS)]
    return summarise(make_batch(lines, headings=tuple(f"c{i}" for i in range(9))), lines, ())


def test_the_csv_opens_in_a_spanish_excel_and_runs_nothing(report: Report) -> None:
    stream = io.BytesIO()
    write_csv(report, stream)
    text = stream.getvalue().decode("utf-8-sig")
    assert stream.getvalue().startswith(b"\xef\xbb\xbf")
    head, first, second = csv.reader(io.StringIO(text, newline=""), delimiter=";")
    assert tuple(head[9:]) == RESULT_COLUMNS
    assert first[:6] == ['\'=cmd|"/C calc"!A0', "'+1", "'-1", "'@x", "'\tx", "'\rx"]
    assert first[6:9] == ["␛[0m", "⟨U+D800⟩", 'a;b\n"c"']
    assert second[:9] == ["", "SI", "-1", "2.5", "2026-11-20", "nan", "", "", ""]
    assert [row[9 + RESULT_COLUMNS.index("resultado")] for row in (first, second)] == ["PENDIENTE", "NO ENVIADA"]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("start", ["=1+1", "+1", "-1", "@x", ' "=1+1"', "'=1+1"])
def test_no_field_is_a_formula_for_a_reader_that_splits_at_another_separator(
    separator: str, start: str, make_line: Callable[..., ResultLine], make_batch: Callable[..., BatchInfo]
) -> None:
    cells: tuple[Cell, ...] = tuple(f"texto{sign}{start}" for sign in ",;\t|\n")
    lines = [make_line(State.PENDING, 1, cells=cells)]
    stream = io.BytesIO()
    write_csv(summarise(make_batch(lines, headings=cells), lines, ()), stream)
    text = stream.getvalue().decode("utf-8-sig")
    assert all(line.startswith('"') and line.endswith('"') for line in text.split("\r\n")[:-1] if line)
    for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
        assert not [field for field in row if field.strip(' "').startswith(("=", "+", "@"))]


def test_every_json_line_is_a_row_with_its_originals(report: Report) -> None:
    stream = io.BytesIO()
    write_jsonl(report, stream)
    first, second = (json.loads(line) for line in stream.getvalue().decode().splitlines())
    assert (first["pos"], first["resultado"], first["original"]["c0"]) == (1, "PENDIENTE", HOSTILE[0])
    assert first["original"]["c6"] == "\x1b[0m"
    assert second["original"] == {
        **{"c0": None, "c1": True, "c2": -1, "c3": 2.5, "c4": "2026-11-20", "c5": "nan"},
        **dict.fromkeys(("c6", "c7", "c8")),
    }
    assert set(RESULT_COLUMNS) < set(second)


def test_repeated_headings_are_numbered_so_that_none_is_lost() -> None:
    assert unique(["Nota", "Nota", "Nota (2)", "x"]) == ["Nota", "Nota (2)", "Nota (2) (2)", "x"]
