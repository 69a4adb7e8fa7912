"""``Corregir``: the rows to correct, with the person's own columns; faulty cells are coloured and have a comment."""

from __future__ import annotations

from typing import Any

from pipeline.domain.columns import PLACE_COLUMN, REASONS_COLUMN, role_of
from pipeline.domain.records import Cell
from pipeline.report.corrections import Corrections, Fix
from pipeline.report.model import Tone, Value
from pipeline.report.notes import Note
from pipeline.report.sheets.page import Page, fit_height, place_width, set_up
from pipeline.report.sheets.results import cell_of, given_widths
from pipeline.report.styles import HEAD, HEAD_GIVEN, PLAIN, TYPED, TYPED_CODE, WRAPPED, Look, Palette, toned
from pipeline.report.xlsx_writer import Book

MOST_NOTES = 1_000
"""Comments make a spreadsheet slow; a row without a comment still has its reason in the last column."""

REASONS_WIDTH = 70.0
_CUFE_WIDTH = 76.0
_ROOM = 2_000


def write_fixes(book: Book, sheet: Any, palette: Palette, fixes: Corrections) -> None:
    """Prints ``Corregir``; the header is row 1, so that the workbook can be read again as an input."""
    given = list(fixes.headings)
    typed = {place: role for place, heading in enumerate(given) if (role := role_of(heading)) is not None}
    widths = given_widths(given, (fix.cells for fix in fixes.rows))
    for place, role in typed.items():
        widths[place] = max(widths[place], _CUFE_WIDTH if role == "cufe" else 40.0)
    widths = [place_width(fixes), *widths, REASONS_WIDTH]
    set_up(sheet, fixes, widths, header_row=1, repeated=1, grid=True, pages_wide=2)
    page = Page(book, sheet, palette)
    page.row([(PLACE_COLUMN, HEAD), *((h, HEAD_GIVEN) for h in given), (REASONS_COLUMN, HEAD)], height=30)
    place_style, reasons_style = palette[toned(PLAIN, Tone.QUIET)], palette[toned(WRAPPED, Tone.REFUSED)]
    notes: list[Note] = []
    for fix in fixes.rows:
        cells: list[tuple[Value, int]] = [(fix.place, place_style)]
        cells += _cells(fix, len(given), typed, palette)
        cells.append((fix.reasons, reasons_style))
        number = page.stream.row(cells, fit_height((v, w) for (v, _), w in zip(cells, widths, strict=True)))
        for place, reason in fix.wrong.items():
            if len(notes) < MOST_NOTES:
                notes.append(Note(number, place + 2, reason[:_ROOM]))
    book.comment(sheet, notes)
    page.end()


def _cells(fix: Fix, width: int, typed: dict[int, str], palette: Palette) -> list[tuple[Value, int]]:
    return [
        _cell(fix.cells[place] if place < len(fix.cells) else None, typed.get(place), palette, wrong=place in fix.wrong)
        for place in range(width)
    ]


def _cell(value: Cell, role: str | None, palette: Palette, *, wrong: bool) -> tuple[Value, int]:
    """A cell as in the results. Input columns are formatted as text, so that typed content stays text. A number or date
    stays one: as text it might be accepted although it was not corrected."""
    if role is None and not wrong:  # a faulty cell may stand under a heading of the person's own
        return cell_of(value, palette)
    look = TYPED_CODE if role == "cufe" else TYPED
    if value is None or isinstance(value, str):
        return value, palette[_coloured(look, wrong=wrong)]
    shown, style = cell_of(value, palette)
    return shown, palette[_coloured(palette.look(style), wrong=wrong)]


def _coloured(look: Look, *, wrong: bool) -> Look:
    return toned(look, Tone.REFUSED) if wrong else look
