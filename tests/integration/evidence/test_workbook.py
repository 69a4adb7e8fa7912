from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.domain.columns import FIRST_COLUMNS, LAST_COLUMNS, RESULT_COLUMNS
from pipeline.evidence.workbook import compare
from pipeline.report.printed import first_values, last_values
from pipeline.report.summary import summarise
from pipeline.report.workbook import write_workbook
from pipeline.report.xlsx_writer import Book

NAMED = [name for name in RESULT_COLUMNS if name != "vence"]
"""The added columns of earlier versions, in their order."""


def sheet(rows: Sequence[Sequence[Any]]) -> bytes:
    """A workbook with these rows in ``Resultados``."""
    target = io.BytesIO()
    with Book(target, title="x", stamp=datetime(2026, 11, 20, tzinfo=UTC)) as book:
        stream = book.stream(book.sheet("Resultados"), lambda style: style)
        for row in rows:
            stream.row([(value, 0) for value in row])
        stream.end()
    return target.getvalue()


@pytest.fixture
def whole(case):
    return case.book.views.whole(case.info)


def faults(book: bytes, whole: Any) -> list[str]:
    found = compare(book, whole.info.headings, iter(whole.lines), len(whole.lines), whole.info.deadline_hours)
    return [fault.words for fault in found]


def printed(whole: Any, row: Any) -> list[Any]:
    cells = [value if isinstance(value, str | int | float) else None for value in row.cells]
    width = len(whole.info.headings)
    return [*first_values(row), *[*cells, *[None] * width][:width], *last_values(row)]


def test_the_workbook_of_today_holds_what_the_events_prove(whole) -> None:
    target = io.BytesIO()
    write_workbook(summarise(whole.info, whole.lines, whole.log), target)
    assert faults(target.getvalue(), whole) == []


@pytest.mark.parametrize(("name", "value"), [("resultado", "ANULADA"), ("vence", 46_000.5), ("consultas", 99)])
def test_a_cell_that_says_something_else_is_named_by_its_printed_heading(name: str, value: Any, whole) -> None:
    names = [*FIRST_COLUMNS, *whole.info.headings, *LAST_COLUMNS]
    rows = [[*FIRST_COLUMNS.values(), *whole.info.headings, *LAST_COLUMNS.values()]]
    rows += [printed(whole, row) for row in summarise(whole.info, whole.lines, ()).rows]
    assert faults(sheet(rows), whole) == []
    rows[3][names.index(name)] = value
    (words,) = faults(sheet(rows), whole)
    title = {**FIRST_COLUMNS, **LAST_COLUMNS}[name]
    assert words.startswith(f"en «{title}» dice «")


def test_a_workbook_of_an_earlier_version_is_compared_as_it_was_laid_out(whole) -> None:
    width = len(whole.info.headings)
    rows: list[list[Any]] = [[*whole.info.headings, *NAMED]]
    for row in summarise(whole.info, whole.lines, ()).rows:
        added = dict(zip(RESULT_COLUMNS, row.added.values(), strict=True))
        rows.append([*printed(whole, row)[3 : 3 + width], *(added[name] for name in NAMED)])
    assert faults(sheet(rows), whole) == []
    rows[3][width + NAMED.index("resultado")] = "ANULADA"
    (words,) = faults(sheet(rows), whole)
    assert words.startswith("en «resultado» dice «ANULADA»")


def test_headings_of_neither_layout_are_said_to_be_none(whole) -> None:
    assert faults(sheet([["Resultado", *whole.info.headings]]), whole) == [
        "la hoja «Resultados» no tiene los encabezados del lote."
    ]
