"""Workbook reader: guard first, then calamine, with positions as the sheet shows them (docs/decisions/0060).

python-calamine is called directly and not through pandas: that keeps dates as dates and whole numbers recognisable,
and it receives the guard's container instead of the file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from pipeline.domain.columns import FIXES_SHEET, RESULTS_SHEET, RETURNED_SHEET, TIPS_SHEET
from pipeline.domain.errors import Choice, InputRefused
from pipeline.domain.problems import refused
from pipeline.read.beside import codes_in
from pipeline.read.fast_scan import scan
from pipeline.read.given import NONE_GIVEN, Given
from pipeline.read.grid import Scan
from pipeline.read.guard import Parts, open_workbook
from pipeline.read.limits import Limits
from pipeline.read.origin import is_ours, origin_of
from pipeline.read.remarks import Remarks, remarks_on
from pipeline.read.strings import refuse_odd_texts
from pipeline.read.styles import NO_FORMATTING, Formatting
from pipeline.read.table import Table
from pipeline.read.worksheets import Tab, formatting_of, tabs_of
from pipeline.read.xlsx_page import SHOWN, Page, Wanted, has_header, is_blank, is_our_page, listed, page_reader
from pipeline.read.xlsx_table import table_of

_ENDS = ("", "first", "last")


def read_xlsx(
    data: bytes,
    name: str,
    limits: Limits,
    *,
    sheet: str | None,
    include_hidden: bool,
    prefer: str = "",
    given: Given = NONE_GIVEN,
) -> Table:
    """The table in workbook ``data``; ``sheet`` names a worksheet, else the one visible sheet with the header.

    ``prefer`` is the sheet to take when several qualify: a name, ``first`` or ``last`` of those with a header.

    Raises ``InputRefused`` for any problem with the container, the book, or the structure of the sheet.
    """
    parts = open_workbook(data, name, limits)
    tabs = tabs_of(parts)
    formatting = formatting_of(parts)
    scans = {tab.name: _scan(parts, tab, limits, formatting) for tab in tabs}
    scanned = {tab.part for tab in tabs}
    for name_of_part, content in parts.by_name.items():
        if name_of_part not in scanned and b"sheetData" in content:  # a sheet that is in no list of sheets
            refuse_odd_texts(content)
    origin, ours = origin_of(parts), is_ours(parts)
    remarks = {tab.name: remarks_on(parts, tab.part, ours=ours) for tab in tabs}
    wanted = Wanted(sheet, "" if ours else prefer, include_hidden, given, ours)
    page = _page(parts, tabs, scans, remarks, wanted)
    left = [tab for tab in tabs if tab is not page.tab and not scans[tab.name].empty]
    table = table_of(page, limits, _notes(page, left, given), wanted)
    return replace(table, origin=origin)


def _page(
    parts: Parts, tabs: Sequence[Tab], scans: Mapping[str, Scan], remarks: Mapping[str, Remarks], wanted: Wanted
) -> Page:
    """The worksheet to use. The rest of the book is freed: of a large one, hundreds of megabytes."""
    read = page_reader(parts)

    def page(tab: Tab) -> Page:
        return Page(tab, scans[tab.name], remarks[tab.name], read(tab.name))

    named = wanted.sheet if wanted.sheet is not None or wanted.prefer.casefold() in _ENDS else wanted.prefer
    pages = [page(tab) for tab in _candidates(tabs, named, wanted.include_hidden)]
    others = [tab for tab in tabs if not tab.visible and not scans[tab.name].empty]
    return pages[0] if named else _choose(pages, lambda: [page(tab) for tab in others], wanted)


def sheet_values(data: bytes, name: str, limits: Limits, sheet: str) -> list[list[Any]]:
    """The values of one worksheet of the workbook in ``data``, row by row; blanks are "".

    For workbooks that the program wrote itself. Behind the same guard as every input; raises ``InputRefused``.
    """
    parts = open_workbook(data, name, limits)
    tab = next((tab for tab in tabs_of(parts) if tab.name == sheet), None)
    if tab is None:
        raise refused("xlsx-hoja", sheet=sheet, found="")
    _scan(parts, tab, limits)
    others = {one.part for one in tabs_of(parts)} - {tab.part}  # the reader gets a copy of all its input
    return page_reader(parts.without(others))(tab.name)


def _scan(parts: Parts, tab: Tab, limits: Limits, formatting: Formatting = NO_FORMATTING) -> Scan:
    # Added result columns of an earlier run do not count against the limit of columns: hence twice.
    return scan(parts.by_name[tab.part], tab.name, limits.last_line, limits.columns * 2, formatting)


def _candidates(tabs: Sequence[Tab], sheet: str | None, include_hidden: bool) -> list[Tab]:
    if not sheet:
        visible = [tab for tab in tabs if tab.visible]
        if not visible:
            raise refused("xlsx-sin-hojas")
        return visible
    for tab in tabs:
        if tab.name.casefold() == sheet.casefold():
            if not tab.visible and not include_hidden:
                raise refused("xlsx-hoja-oculta", sheet=tab.name)
            return [tab]
    raise refused("xlsx-hoja", sheet=sheet, found=listed([tab.name for tab in tabs]))


def _choose(pages: Sequence[Page], hidden: Callable[[], Sequence[Page]], wanted: Wanted) -> Page:
    """The page with the header; our own results first. Raises ``InputRefused`` for several, for a hidden one, and when
    another page contains codes too (eyes.md 1)."""
    fits = [page for page in pages if has_header(page, wanted.given)]
    if wanted.ours:  # what was given back is sent again by a person's resend alone
        # Under headings of the person's own the rows to correct have no header yet: still they are what is meant.
        fixes = [page for page in pages if page.tab.name == FIXES_SHEET and _has_rows(page)]
        returned = [page for page in fits if page.tab.name == RETURNED_SHEET and _has_rows(page)]
        others = [page for page in fits if page.tab.name != RETURNED_SHEET]
        meant = [page for page in others if page.tab.name != FIXES_SHEET or page in fixes]
        fits = meant or fixes or returned or others or fits
    own = [page for page in fits if page.tab.name == RESULTS_SHEET and is_our_page(page)]
    if own and wanted.ours:
        return own[0]
    if fits and wanted.prefer:
        return fits[0 if wanted.prefer.casefold() == "first" else -1]
    if own:
        return own[0]
    if len(fits) > 1:
        raise _several(fits, "el encabezado")
    if fits:
        if not wanted.ours:
            _refuse_codes_elsewhere(pages, fits[0])
        return fits[0]
    for page in hidden():
        if has_header(page, wanted.given):
            raise refused("xlsx-hoja-oculta", sheet=page.tab.name)
    # None has it: report what is missing on the closest sheet, the one with codes, else the first with anything on it.
    filled = [page for page in pages if page.rows]
    coded = [page for page in filled if codes_in(page.rows)]
    if len(coded) > 1 and not wanted.ours:
        if not wanted.prefer:
            raise _several(coded, "códigos CUFE")
        return coded[0 if wanted.prefer.casefold() == "first" else -1]
    return next(iter(coded or filled), pages[0])


def _several(pages: Sequence[Page], what: str) -> InputRefused:
    """The refusal of a workbook with several sheets that may be meant, and the choice among them."""
    choices = [
        Choice(f"Solo la hoja «{page.tab.name}» (CUFE en ella: {codes_in(page.rows)})", sheet=page.tab.name)
        for page in pages
    ]
    return refused("xlsx-varias-hojas", what=what, found=listed([page.tab.name for page in pages])).offering(choices)


def _has_rows(page: Page) -> bool:
    """Whether there is more on ``page`` than a heading."""
    filled = (line for line in page.rows if not all(map(is_blank, line)))
    return sum(1 for _ in islice(filled, 2)) > 1


def _refuse_codes_elsewhere(pages: Sequence[Page], taken: Page) -> None:
    """Raises ``InputRefused`` when another visible sheet contains codes too: it is not known whether they are meant."""
    counts = {page.tab.name: codes_in(page.rows) for page in pages} if len(pages) > 1 else {}
    told = [f"«{name}» ({count})" for name, count in counts.items() if count and name != taken.tab.name]
    if told:
        here = f"Solo la hoja «{taken.tab.name}» (CUFE en ella: {counts[taken.tab.name]})"
        found = ", ".join(told[:SHOWN]) + (f" y {len(told) - SHOWN} más" if len(told) > SHOWN else "")
        refusal = refused("cufe-otra-hoja", sheet=taken.tab.name, count=counts[taken.tab.name], found=found)
        raise refusal.offering([Choice(here, sheet=taken.tab.name)])


def _notes(page: Page, left: Sequence[Tab], given: Given) -> tuple[str, ...]:
    """Notes on sheets with data that were not read; other sheets of a workbook of our own are expected."""
    # On the template's own page nothing can be meant: a code there refuses the file.
    own = is_our_page(page, given)
    visible = [] if own else [tab.name for tab in left if tab.visible and tab.name != TIPS_SHEET]
    hidden = [tab.name for tab in left if not tab.visible]
    notes = []
    if own and any(tab.name == RETURNED_SHEET for tab in left):
        notes.append(
            f"Las filas de la hoja «{RETURNED_SHEET}» no se envían con el lote: se reenvían una por una (resend)."
        )
    if visible:
        notes.append(f"El libro tiene otras hojas con datos que no se leyeron: {listed(visible)}.")
    if hidden:
        notes.append(f"El libro tiene hojas ocultas con datos que no se leyeron: {listed(hidden)}.")
    return tuple(notes)
