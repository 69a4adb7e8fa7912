"""``Devueltas``: the rows that the authority or eDoc gave back, with reason and address to correct for their resend."""

from __future__ import annotations

from typing import Any

from pipeline.domain.columns import LABELS, PLACE_COLUMN, result_column_of
from pipeline.report.corrections import Corrections
from pipeline.report.sheets.page import Page, fit_height, place_width, set_up
from pipeline.report.styles import HEAD, HEAD_GIVEN, PLAIN, TYPED, TYPED_CODE, WRAPPED, Palette
from pipeline.report.xlsx_writer import Book

SAID = "Respuesta de eDoc"
_WIDTHS = (76.0, 60.0, 40.0, 70.0)

assert result_column_of(SAID) is None, "the reader would take it for a result"


def write_returned(book: Book, sheet: Any, palette: Palette, fixes: Corrections) -> None:
    """Prints ``Devueltas``; the header is row 1, so that it can be read like an input."""
    widths = [place_width(fixes), *_WIDTHS]
    set_up(sheet, fixes, widths, header_row=1, repeated=1, grid=True)
    page = Page(book, sheet, palette)
    typed = [(LABELS[role], HEAD_GIVEN) for role in ("cufe", "reason", "email")]
    page.row([(PLACE_COLUMN, HEAD), *typed, (SAID, HEAD)], height=30)
    for line in fixes.returned:
        reason, email = (
            (line.correction.reason, line.correction.email) if line.correction else (line.reason, line.email)
        )
        said = f"{line.estado if line.estado is not None else line.dgi}: {line.message or 'sin mensaje'}"
        looks = (PLAIN, TYPED_CODE, TYPED, TYPED, WRAPPED)
        values = (str(line.position), line.cufe, reason, email, said)
        cells = [(value, palette[look]) for value, look in zip(values, looks, strict=True)]
        page.stream.row(cells, fit_height((value, width) for value, width in zip(values, widths, strict=True)))
    page.end()
