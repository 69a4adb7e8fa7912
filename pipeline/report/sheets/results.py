"""``Resultados``: every input row in its order: what became of it, its own columns unchanged, the technical ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, time
from itertools import islice
from math import ceil
from typing import Any

from openpyxl.utils import get_column_letter
from openpyxl.utils.datetime import to_excel

from pipeline.domain.columns import FIRST_COLUMNS, LAST_COLUMNS, REVIEW_COLUMNS
from pipeline.domain.outcomes import Outcome
from pipeline.domain.own_columns import OwnColumns
from pipeline.domain.records import Cell
from pipeline.report.model import Report, Row, Tone, Value
from pipeline.report.printed import first_values, last_values, review_values
from pipeline.report.sheets.page import Page, fit_height, place_width, set_up
from pipeline.report.styles import (
    AMOUNT,
    CENTRED,
    CODE,
    CODE_WRAPPED,
    COUNT,
    DATE,
    HEAD,
    HEAD_GIVEN,
    HOUR,
    LIMIT,
    MOMENT,
    NUMBER,
    PLAIN,
    WRAPPED,
    Look,
    Palette,
    toned,
)
from pipeline.report.xlsx_writer import Book

FIRST: dict[str, tuple[float, Look]] = {
    "resultado": (28, replace(PLAIN, bold=True)),
    "accion_recomendada": (36, WRAPPED),
    "vence": (17, LIMIT),
}
LAST: dict[str, tuple[float, Look]] = {
    "fila_origen": (18, PLAIN),
    "cufe_enviado": (36, CODE_WRAPPED),
    "estado_edoc": (9, CENTRED),
    "estado_edoc_descripcion": (34, WRAPPED),
    "reenviar": (12, CENTRED),
    "consultar": (12, CENTRED),
    "mensaje_edoc": (38, WRAPPED),
    "codigo_dgi": (9, CENTRED),
    "fecha_autorizacion": (20, MOMENT),
    "enviado_en": (20, MOMENT),
    "consultado_en": (20, MOMENT),
    "consultas": (11, COUNT),
    "observaciones": (80, WRAPPED),
    "regla": (8, CENTRED),
}
"""Width and look of each column that is not the person's own."""

_REVIEW_WORDS = 60.0
"""Width of ``Qué hacer`` in a review, where it says all that is wrong with a row."""

_SAMPLE = 200
_NO_INVOICE = Outcome.NOT_APPLICABLE.value
_PER_PAGE, _PAGES_MOST = 300.0, 6
"""Width that is still legible on one printed page, and most pages side by side."""

_REPEATED_MOST = 90.0
"""Widest own columns that are printed on every page beside the first ones."""


def write_results(book: Book, sheet: Any, palette: Palette, report: Report) -> None:
    """Prints ``Resultados``; the header is row 1, so that the workbook can be read again as an input."""
    given = list(report.headings)
    # A note below the table stands in its first column, which need not be as wide as the note.
    invoices = (row.cells for row in report.rows if row.added.resultado != _NO_INVOICE)
    own = given_widths(report.headings, invoices)
    last = {name: LAST[name] for name in (REVIEW_COLUMNS if report.preview else LAST_COLUMNS)}
    values = review_values if report.preview else last_values
    widths = [
        *(width for width, _ in FIRST.values()),
        *own,
        *(place_width(report) if name == "fila_origen" else width for name, (width, _) in last.items()),
    ]
    if report.preview:
        widths[list(FIRST).index("accion_recomendada")] = _REVIEW_WORDS
    start, end = len(FIRST), len(FIRST) + len(given)
    looks = [*(look for _, look in FIRST.values()), *[WRAPPED] * len(given), *(look for _, look in last.values())]
    wrapping = [place for place, look in enumerate(looks) if look.wrap]
    beside_own = [place for place in wrapping if not start <= place < end]
    repeated = start + (told := _told_apart(report.own, own))
    set_up(
        sheet,
        report,
        widths,
        header_row=1,
        frozen=start + (report.own.number == 0),
        repeated=repeated,
        grid=True,
        pages_wide=_pages(sum(widths), sum(widths[:repeated])),
    )
    sheet.print_options.headings = not told and bool(given)  # then the row's number says which it is
    for column in range(end + 1, len(widths) + 1):
        sheet.column_dimensions[get_column_letter(column)].outlineLevel = 1
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(widths))}{len(report.rows) + 1}"
    page = Page(book, sheet, palette)
    heads = [*((h, HEAD) for h in FIRST_COLUMNS.values()), *((h, HEAD_GIVEN) for h in given)]
    page.row([*heads, *((LAST_COLUMNS[name], HEAD) for name in last)], height=30)
    word, *beside = (look for _, look in FIRST.values())
    quiet = {tone: [palette[toned(word, tone)], *(palette[look] for look in beside)] for tone in Tone}
    loud = {tone: [palette[toned(look, tone)] for _, look in FIRST.values()] for tone in Tone}
    after = [palette[look] for _, look in last.values()]
    for row in report.rows:
        before = (quiet if row.idle else loud)[row.tone]
        cells: list[tuple[Value, int]] = list(zip(first_values(row), before, strict=True))
        cells += given_cells(row, len(given), palette)
        cells += zip(values(row), after, strict=True)
        high = wrapping if row.added.resultado != _NO_INVOICE else beside_own
        page.stream.row(cells, fit_height((cells[i][0], widths[i]) for i in high))
    page.end()


def _pages(width: float, repeated: float) -> int:
    """How many pages side by side hold ``width``, when ``repeated`` of it stands on each."""
    return min(max(1, ceil((width - repeated) / max(_PER_PAGE - repeated, 60.0))), _PAGES_MOST)


def _told_apart(own: OwnColumns, widths: Sequence[float]) -> int:
    """How many of the person's columns are repeated on paper: up to the one that says which invoice it is."""
    for place in (own.number, own.customer):
        if place is not None and sum(widths[: place + 1]) <= _REPEATED_MOST:
            return place + 1
    return 0


def given_cells(row: Row, width: int, palette: Palette) -> list[tuple[Value, int]]:
    """The cells as received: text as text, numbers as numbers, dates as dates; short rows are padded."""
    cells = [cell_of(value, palette) for value in row.cells[:width]]
    if row.struck:  # crossed out as by the person, so that it is rejected again if this workbook comes back
        cells = [(value, palette.crossed(style) if value is not None else style) for value, style in cells]
    elif row.added.resultado == _NO_INVOICE:  # a note reaches over the empty cells beside it, as where it came from
        cells = [(value, palette[PLAIN] if isinstance(value, str) else style) for value, style in cells]
    return cells + [(None, 0)] * (width - len(cells))


def cell_of(value: Cell, palette: Palette) -> tuple[Value, int]:
    """The workbook's value for an input cell."""
    if value is None:
        return None, 0
    if isinstance(value, str):
        return value, palette[CODE if len(value) >= 60 and " " not in value else WRAPPED]
    if isinstance(value, bool):
        return value, palette[CENTRED]
    if isinstance(value, int):
        # A workbook keeps 15 digits of a number: longer numbers are written as text.
        return (value, palette[NUMBER]) if int(float(value)) == value else (str(value), palette[NUMBER])
    if isinstance(value, float):
        return value, palette[AMOUNT if abs(value) < 1e15 else NUMBER]
    return _moment(value, palette)


def _moment(value: datetime | date | time, palette: Palette) -> tuple[Value, int]:
    if getattr(value, "tzinfo", None) is not None or (isinstance(value, date) and value.year < 1901):
        return str(value), palette[PLAIN]
    look = MOMENT if isinstance(value, datetime) else DATE if isinstance(value, date) else HOUR
    serial: float = to_excel(value)  # type: ignore[no-untyped-call]
    return serial, palette[look]


def given_widths(headings: Sequence[str], rows: Iterable[Sequence[Cell]]) -> list[float]:
    """Widths of the original columns, from their headings and first rows."""
    widths = [max(7.0, len(heading) * 1.15 + 3) for heading in headings]
    for cells in islice(rows, _SAMPLE):
        for column, value in enumerate(cells[: len(widths)]):
            if value is not None:
                widths[column] = max(widths[column], _width(value))
    return widths


def _width(value: Cell) -> float:
    if isinstance(value, str) and len(value) >= 60 and " " not in value:
        return min(len(value) * 0.9 + 3, 66.0)
    if isinstance(value, datetime):
        return 19.0
    return min(len(str(value)) * 1.05 + 2, 60.0)
