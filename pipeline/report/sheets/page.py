"""Page layout shared by the sheets: print set-up, and lines of merged cells for pages laid out by hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from textwrap import wrap
from typing import Any

from openpyxl.utils import get_column_letter

from pipeline.domain.records import Position
from pipeline.report.inert import one_line
from pipeline.report.model import Printed, Value
from pipeline.report.styles import ACCENT, Look, Palette
from pipeline.report.xlsx_writer import Book, SheetStream

LETTER = 1
ROW_HEIGHT = 16.0
LINE_HEIGHT = 12.75
HIGHEST = 260.0
"""Points: no row may fill the whole screen, whatever its text."""


@dataclass(frozen=True, slots=True)
class Span:
    """A value over ``width`` columns."""

    width: int
    value: Value = None
    look: Look | None = None


class Page:
    """A sheet being written: rows of plain cells, or lines of merged cells."""

    def __init__(self, book: Book, sheet: Any, palette: Palette) -> None:
        self.sheet = sheet
        self.palette = palette
        self.stream: SheetStream = book.stream(sheet, palette.quoted)

    def row(self, cells: Sequence[tuple[Value, Look | None]], height: float | None = None) -> int:
        """Writes cells side by side; returns the row's number."""
        return self.stream.row([(v, self.palette[look] if look else 0) for v, look in cells], height)

    def fitted(self, cells: Sequence[tuple[Value, Look]], widths: Sequence[float]) -> int:
        """Writes cells in a row as high as its wrapped texts need."""
        wrapped = ((v, width) for (v, look), width in zip(cells, widths, strict=False) if look.wrap)
        return self.row(cells, fit_height(wrapped))

    def line(self, *spans: Span, height: float | None = None) -> int:
        """Writes spans side by side, wide ones merged; returns the row's number."""
        cells: list[tuple[Value, Look | None]] = []
        merges: list[tuple[int, int]] = []
        for span in spans:
            if span.width > 1:
                merges.append((len(cells) + 1, len(cells) + span.width))
            cells += [(span.value, span.look), *[(None, span.look)] * (span.width - 1)]
        number = self.row(cells, height)
        for first, last in merges:
            self.stream.merge(number, first, last)
        return number

    def end(self) -> int:
        """Finishes the sheet; returns how many rows it has."""
        self.stream.end()
        return self.stream.written


def place_width(report: Printed) -> float:
    """Width for the longest ``Hoja1, fila 123456`` of this batch: the row number must never be cut off."""
    longest = Position(report.batch.sheet, report.batch.rows * 100)
    return max(18.0, len(str(longest)) * 1.05)


def set_up(
    sheet: Any,
    report: Printed,
    widths: Sequence[float],
    *,
    header_row: int | None = None,
    frozen: int = 0,
    repeated: int = 0,
    grid: bool = False,
    pages_wide: int = 1,
    one_page: bool = False,
) -> None:
    """Widths, frozen header, and print: Letter, landscape, fit to page width, header repeated, pages numbered.

    The first ``frozen`` columns stay on the screen, the first ``repeated`` are printed on every page. ``one_page`` is
    for a sheet that is read as a whole: it is printed upright on a single page.
    """
    for number, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(number)].width = width
    if header_row:
        sheet.freeze_panes = f"{get_column_letter(frozen + 1)}{header_row + 1}"
        sheet.print_title_rows = f"{header_row}:{header_row}"
    if repeated:
        sheet.print_title_cols = f"A:{get_column_letter(repeated)}"
    sheet.sheet_view.showGridLines = grid
    sheet.sheet_format.defaultRowHeight = ROW_HEIGHT
    sheet.sheet_format.customHeight = True
    sheet.sheet_properties.tabColor = ACCENT
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.page_setup.orientation = "portrait" if one_page else "landscape"
    sheet.page_setup.pageOrder = "overThenDown"
    sheet.page_setup.paperSize = LETTER
    sheet.page_setup.fitToWidth = pages_wide
    sheet.page_setup.fitToHeight = 1 if one_page else 0
    sheet.page_margins.left = sheet.page_margins.right = 0.4
    sheet.page_margins.top = sheet.page_margins.bottom = 0.75
    sheet.page_margins.header = sheet.page_margins.footer = 0.35
    sheet.print_options.horizontalCentered = True
    sheet.oddHeader.left.text = _print_text(report.batch.file)
    sheet.oddHeader.right.text = _print_text(report.banner.words)
    sheet.oddFooter.left.text = _print_text(report.title if report.preview else f"Lote {report.batch.id}")
    sheet.oddFooter.center.text = _print_text(sheet.title)
    sheet.oddFooter.right.text = "Página &P de &N"
    for part in (sheet.oddHeader.left, sheet.oddHeader.right, sheet.oddFooter.left, sheet.oddFooter.center):
        part.size = 8
    sheet.oddFooter.right.size = 8


def fit_height(texts: Iterable[tuple[Value, float]]) -> float | None:
    """Height in points of the highest wrapped text, given column widths; None for a single line.

    Set explicitly because spreadsheets do not agree on whether they fit rows when a file is opened.
    """
    lines = 1
    for text, width in texts:
        if isinstance(text, str) and (len(text) > width or "\n" in text):
            lines = max(lines, sum(_lines(part, max(int(width), 1)) for part in text.split("\n")))
    return None if lines == 1 else min(4.0 + LINE_HEIGHT * lines, HIGHEST)


def _lines(text: str, width: int) -> int:
    """How many lines ``text`` takes. Which digits are in it makes no difference, so codes are counted once a shape."""
    return _known_lines(text.translate(_DIGITS), width) if len(text) <= _SHAPED else _counted_lines(text, width)


def _counted_lines(text: str, width: int) -> int:
    """The same, counted where long words (codes) start a new line, else estimated."""
    if any(len(word) * 3 > width for word in text.split(" ")):
        return len(wrap(text, width)) or 1
    return -(-(len(text) or 1) // width)


_DIGITS = str.maketrans("123456789", "000000000")
_SHAPED = 300
_known_lines = lru_cache(512)(_counted_lines)


def _print_text(text: str) -> str:
    """Escapes ``&``, which is a command in headers and footers, and cuts to their 255 characters."""
    return one_line(text)[:80].replace("&", "&&")
