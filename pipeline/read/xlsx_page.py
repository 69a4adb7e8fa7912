"""Worksheet page: a sheet behind the guard, with its values as a person sees them and what surrounds them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any

from pipeline.domain.errors import AnularError
from pipeline.domain.problems import refused
from pipeline.domain.records import Cell
from pipeline.read import header
from pipeline.read.given import NONE_GIVEN, Given
from pipeline.read.grid import Scan
from pipeline.read.guard import Parts
from pipeline.read.header import HEADER_WITHIN, find_header
from pipeline.read.remarks import Remarks
from pipeline.read.worksheets import Tab

SHOWN = 5
_EXACT = 2**53
"""Beyond this a whole number has already lost digits; it stays as it was read."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the person asked for."""

    #: worksheet by name; None for the one with the header
    sheet: str | None
    #: the sheet to take when several qualify
    prefer: str
    include_hidden: bool
    #: which column is which
    given: Given
    #: whether this program wrote the workbook
    ours: bool


@dataclass(frozen=True, slots=True)
class Page:
    """A worksheet after the guard."""

    tab: Tab
    #: what surrounds its values
    around: Scan
    remarks: Remarks
    #: the values, with leading blanks kept
    rows: list[list[Any]]


def has_header(page: Page, given: Given = NONE_GIVEN) -> bool:
    return header.has_header(top_rows(page), given)


def is_our_page(page: Page, given: Given = NONE_GIVEN) -> bool:
    """Whether the page is of a workbook that we wrote: results, or corrections."""
    try:
        found = find_header(top_rows(page), sheet=page.tab.name, given=given)
    except AnularError:
        return False
    return found.outcome is not None or found.reasons is not None


def top_rows(page: Page) -> list[tuple[int, list[str]]]:
    return list(islice(row_texts(page), HEADER_WITHIN + 1))


def row_texts(page: Page, after: int = 0) -> Iterator[tuple[int, list[str]]]:
    """The rows ``after`` that line as texts, with their lines."""
    for line in range(after, len(page.rows)):
        yield line + 1, [as_text(value) for value in page.rows[line]]


def is_blank(value: Cell) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def page_reader(parts: Parts) -> Callable[[str], list[list[Any]]]:
    """A function from the name of a worksheet to its values. Anything that calamine rejects is a damaged workbook.

    Empties ``parts``: a large one should not stay in memory while calamine works.
    """
    from python_calamine import CalamineWorkbook

    container = parts.repacked()
    parts.by_name.clear()
    book: Any = guarded(lambda: CalamineWorkbook.from_filelike(container))
    container.close()
    return lambda name: guarded(lambda: book.get_sheet_by_name(name).to_python(skip_empty_area=False))


def guarded(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except MemoryError:
        raise
    except Exception as error:
        raise refused("xlsx-danado") from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # a panic of the Rust code is not an Exception
            raise
        raise refused("xlsx-danado") from error


def cell_value(value: Any) -> Cell:
    """What a person sees in the cell: whole numbers as such, blanks as None, durations as text."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return int(value)
    if isinstance(value, timedelta):
        minutes, seconds = divmod(int(value.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"
    assert value is None or isinstance(value, int | float | datetime | date | time)
    return value


def as_text(value: Any) -> str:
    return value if isinstance(value, str) else str(cell_value(value))


def listed(items: Sequence[str], *, quoted: bool = True) -> str:
    """The first few of ``items`` and how many more there are."""
    shown = ", ".join(f"«{item}»" if quoted else item for item in items[:SHOWN])
    return shown if len(items) <= SHOWN else f"{shown} y {len(items) - SHOWN} más"
