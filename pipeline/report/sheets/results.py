"""``Resultados``: every row of the input, in its order, its own columns first and unchanged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, time
from itertools import islice
from typing import Any

from openpyxl.utils import get_column_letter
from openpyxl.utils.datetime import to_excel

from pipeline.domain.records import Cell
from pipeline.report.model import Report, Row, Tone
from pipeline.report.rowxml import Value
from pipeline.report.sheets.page import Page, fit_height, place_width, set_up
from pipeline.report.styles import (
    AMOUNT,
    CENTRED,
    CODE,
    COUNT,
    DATE,
    HEAD,
    HEAD_GIVEN,
    HOUR,
    MOMENT,
    NUMBER,
    PLAIN,
    WRAPPED,
    Look,
    Palette,
    toned,
)
from pipeline.report.xlsx_writer import Book
from schemas.columns import RESULT_COLUMNS

ADDED: dict[str, tuple[float, Look]] = {
    "fila_origen": (18, PLAIN),
    "cufe_enviado": (70, CODE),
    "resultado": (26, replace(PLAIN, bold=True)),
    "estado_edoc": (13, CENTRED),
    "estado_edoc_descripcion": (42, WRAPPED),
    "reenviar": (10, CENTRED),
    "consultar": (11, CENTRED),
    "accion_recomendada": (52, WRAPPED),
    "regla": (8, CENTRED),
    "mensaje_edoc": (42, WRAPPED),
    "codigo_dgi": (12, CENTRED),
    "fecha_autorizacion": (30, PLAIN),
    "enviado_en": (26, PLAIN),
    "consultado_en": (26, PLAIN),
    "consultas": (12, COUNT),
    "plazo": (12, PLAIN),
    "horas_restantes": (16, replace(NUMBER, format="0.0")),
    "observaciones": (74, WRAPPED),
}
"""Width and look of each added column."""

_TONED = frozenset({"fila_origen", "resultado", "accion_recomendada", "regla"})
_SAMPLE = 200


def write_results(book: Book, sheet: Any, palette: Palette, report: Report) -> None:
    """Prints ``Resultados``; the header is row 1, so that the workbook can be read again as an input."""
    given = list(report.headings)
    widths = [
        *given_widths(report.headings, (row.cells for row in report.rows)),
        *(place_width(report) if name == "fila_origen" else ADDED[name][0] for name in RESULT_COLUMNS),
    ]
    wrapping = [*range(len(given)), *(len(given) + i for i, n in enumerate(RESULT_COLUMNS) if ADDED[n][1].wrap)]
    set_up(sheet, report, widths, header_row=1, grid=True, pages_wide=3)
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(given) + len(RESULT_COLUMNS))}{len(report.rows) + 1}"
    page = Page(book, sheet, palette)
    page.row([*((h, HEAD_GIVEN) for h in given), *((n, HEAD) for n in RESULT_COLUMNS)], height=30)
    styles = {tone: _added_styles(palette, tone) for tone in Tone}
    for row in report.rows:
        cells = given_cells(row, len(given), palette)
        cells += zip(row.added.values(), styles[row.tone], strict=True)
        page.stream.row(cells, fit_height((cells[i][0], widths[i]) for i in wrapping))
    page.end()


def given_cells(row: Row, width: int, palette: Palette) -> list[tuple[Value, int]]:
    """The cells as received: text as text, numbers as numbers, dates as dates; short rows are padded."""
    cells = [cell_of(value, palette) for value in row.cells[:width]]
    if row.struck:  # crossed out as by the person, so that it is rejected again if this workbook comes back
        cells = [(value, palette.crossed(style) if value is not None else style) for value, style in cells]
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


def _added_styles(palette: Palette, tone: Tone) -> list[int]:
    looks = ((name, ADDED[name][1]) for name in RESULT_COLUMNS)
    return [palette[toned(look, tone) if name in _TONED else look] for name, look in looks]


def given_widths(headings: Sequence[str], rows: Iterable[Sequence[Cell]]) -> list[float]:
    """Widths of the original columns, from their headings and first rows."""
    widths = [max(10.0, len(heading) * 1.15 + 3) for heading in headings]
    for cells in islice(rows, _SAMPLE):
        for column, value in enumerate(cells[: len(widths)]):
            if value is not None:
                widths[column] = max(widths[column], _width(value))
    return widths


def _width(value: Cell) -> float:
    if isinstance(value, str) and len(value) >= 60 and " " not in value:
        return min(len(value) * 1.05 + 3, 76.0)
    if isinstance(value, datetime):
        return 19.0
    return min(len(str(value)) * 1.05 + 2, 60.0)
