"""Reads a workbook: guard first, then calamine, with positions as the sheet shows them (docs/decisions/0060).

python-calamine is called directly and not through pandas: that keeps dates as dates and whole numbers recognisable,
and gives it the container that the guard made instead of the file.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import compress, islice
from operator import itemgetter
from typing import Any

from pipeline.domain.columns import RESULTS_SHEET
from pipeline.domain.errors import AnularError, Choice
from pipeline.domain.problems import refused, shorten
from pipeline.domain.records import Cell, column_letters
from pipeline.domain.visible import thousands
from pipeline.read.beside import codes_in, refuse_beside, refuse_names
from pipeline.read.fast_scan import scan
from pipeline.read.grid import COLUMNS, Area, Scan, key
from pipeline.read.guard import Parts, open_workbook
from pipeline.read.header import HEADER_WITHIN, NONE_GIVEN, Header, find_header, is_header, is_second_line, title_note
from pipeline.read.hidden import Hidden
from pipeline.read.limits import Limits
from pipeline.read.origin import is_ours, origin_of
from pipeline.read.remarks import Remarks, remarks_on, says_no
from pipeline.read.strings import refuse_odd_texts
from pipeline.read.styles import NO_FORMATTING, NOTHING, Formatting, Judged
from pipeline.read.table import Table, distant
from pipeline.read.worksheets import Tab, formatting_of, tabs_of

_SHOWN = 5
_TEXTS = frozenset({str, type(None)})
_COVERED = Judged(unseen=True)
_EXACT = 2**53
"""Beyond this a whole number has already lost digits; it stays as it was read."""


_ENDS = ("", "first", "last")


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a person said of the file: the sheet, or the one to prefer; hidden rows; which column is which. ``ours``
    when the workbook is one that this program wrote."""

    sheet: str | None
    prefer: str
    include_hidden: bool
    given: Mapping[str, int]
    ours: bool


@dataclass(frozen=True, slots=True)
class _Page:
    """A worksheet after the guard: what surrounds its values, what was written beside them, and the values with leading
    blanks kept."""

    tab: Tab
    around: Scan
    remarks: Remarks
    rows: list[list[Any]]


def read_xlsx(
    data: bytes,
    name: str,
    limits: Limits,
    *,
    sheet: str | None,
    include_hidden: bool,
    prefer: str = "",
    given: Mapping[str, int] = NONE_GIVEN,
) -> Table:
    """The table in workbook ``data``; ``sheet`` names a worksheet, else the one visible sheet with the header.

    ``prefer`` is the sheet to take where several could be meant: a name, ``first`` or ``last`` of those with a header.

    Raises ``InputRefused`` for whatever is wrong with the container, the book, or the structure of the sheet.
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
    wanted = _Wanted(sheet, "" if ours else prefer, include_hidden, given, ours)
    page = _page(parts, tabs, scans, remarks, wanted)
    left = [tab for tab in tabs if tab is not page.tab and not scans[tab.name].empty]
    table = _table(page, limits, _notes(page, left), wanted)
    return replace(table, origin=origin)


def _page(
    parts: Parts, tabs: Sequence[Tab], scans: Mapping[str, Scan], remarks: Mapping[str, Remarks], wanted: _Wanted
) -> _Page:
    """The worksheet to be taken. Nothing else of the book outlives this: of a large one, hundreds of megabytes."""
    read = _reader(parts)

    def page(tab: Tab) -> _Page:
        return _Page(tab, scans[tab.name], remarks[tab.name], read(tab.name))

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
    others = {one.part for one in tabs_of(parts)} - {tab.part}  # the reader gets a copy of all that it is given
    return _reader(parts.without(others))(tab.name)


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
    raise refused("xlsx-hoja", sheet=sheet, found=_list([tab.name for tab in tabs]))


def _choose(pages: Sequence[_Page], hidden: Callable[[], Sequence[_Page]], wanted: _Wanted) -> _Page:
    """The page with the header; our own results first. Raises ``InputRefused`` for several, for a hidden one, and when
    codes stand on another one too (eyes.md 1)."""
    fits = [page for page in pages if _has_header(page)]
    own = [page for page in fits if page.tab.name == RESULTS_SHEET and _is_ours(page)]
    if own and wanted.ours:
        return own[0]
    if fits and wanted.prefer:
        return fits[0 if wanted.prefer.casefold() == "first" else -1]
    if own:
        return own[0]
    if len(fits) > 1:
        choices = [
            Choice(f"Solo la hoja «{page.tab.name}» (CUFE en ella: {codes_in(page.rows)})", sheet=page.tab.name)
            for page in fits
        ]
        raise refused("xlsx-varias-hojas", found=_list([page.tab.name for page in fits])).offering(choices)
    if fits:
        if not wanted.ours:
            _refuse_codes_elsewhere(pages, fits[0])
        return fits[0]
    for page in hidden():
        if _has_header(page):
            raise refused("xlsx-hoja-oculta", sheet=page.tab.name)
    # None has it: say what is missing on the sheet that comes nearest, the first with anything on it.
    return next((page for page in pages if page.rows), pages[0])


def _refuse_codes_elsewhere(pages: Sequence[_Page], taken: _Page) -> None:
    """Raises ``InputRefused`` when another visible sheet holds codes too: nobody can tell whether they are meant."""
    counts = {page.tab.name: codes_in(page.rows) for page in pages} if len(pages) > 1 else {}
    told = [f"«{name}» ({count})" for name, count in counts.items() if count and name != taken.tab.name]
    if told:
        here = f"Solo la hoja «{taken.tab.name}» (CUFE en ella: {counts[taken.tab.name]})"
        found = ", ".join(told[:_SHOWN]) + (f" y {len(told) - _SHOWN} más" if len(told) > _SHOWN else "")
        refusal = refused("cufe-otra-hoja", sheet=taken.tab.name, count=counts[taken.tab.name], found=found)
        raise refusal.offering([Choice(here, sheet=taken.tab.name)])


def _has_header(page: _Page) -> bool:
    return any(is_header(texts) for line, texts in _top(page) if line <= HEADER_WITHIN)


def _is_ours(page: _Page) -> bool:
    """Whether the page is of a workbook that we wrote: results, or corrections."""
    try:
        header = find_header(_top(page), sheet=page.tab.name)
    except AnularError:
        return False
    return header.outcome is not None or header.reasons is not None


def _top(page: _Page) -> list[tuple[int, list[str]]]:
    return list(islice(_texts(page), HEADER_WITHIN + 1))


def _texts(page: _Page, after: int = 0) -> Iterator[tuple[int, list[str]]]:
    """The rows ``after`` that line as texts, with their lines."""
    for line in range(after, len(page.rows)):
        yield line + 1, [_as_text(value) for value in page.rows[line]]


def _table(page: _Page, limits: Limits, notes: tuple[str, ...], wanted: _Wanted) -> Table:
    name, include_hidden = page.tab.name, wanted.include_hidden
    if not any(value != "" for row in page.rows for value in row):
        raise refused("sin-filas", where=name)
    header = find_header(_top(page), sheet=name, below=_texts(page, HEADER_WITHIN), given=wanted.given)
    _refuse_tall_header(page, header)
    if header.counted > limits.columns:
        raise refused("demasiadas-columnas", where=name, limit=limits.columns)
    lines, columns, blank = _data(page, header)
    if not lines:
        raise refused("sin-filas", where=name)
    if len(lines) > limits.rows:
        raise refused("demasiadas-filas", where=name, limit=thousands(limits.rows))
    hidden = _hidden(page, header, lines, columns)
    if hidden.count and not include_hidden:
        raise refused("xlsx-ocultas", where=name, what=hidden.words, which=hidden.which)
    if hidden.count:
        verb = "incluye" if hidden.count == 1 else "incluyen"
        notes = (*notes, f"Se {verb} {hidden.words}: {hidden.which}.")
    _refuse_merged(page, header)
    notes = (*notes, *title_note(header))
    above = [(line, row) for line, row in enumerate(page.rows[: header.line - 1], start=1)]
    refuse_beside(header, above, lines, columns, name)
    if "reason" not in wanted.given:
        refuse_names(header, columns, name)
    return Table(
        header,
        lines,
        columns,
        name,
        blank,
        notes,
        _oddities(page, header, lines, columns),
        hidden,
        struck=tuple(place for place, said in _judged(page, header, lines, columns).items() if said.struck),
        said_no=_said_no(page, header, lines),
        doubts=_doubts(page, header, lines),
        distant=distant(lines, header.line),
        views=(*page.remarks.views, *["personalizada"] * page.around.filtering),
    )


def _data(page: _Page, header: Header) -> tuple[list[int], list[list[Cell]], int]:
    """The rows below the header that are not blank: their lines, their cells by column, and how many others there are.

    Whole columns at a time: a hundred thousand rows are as many steps as there are columns.
    """
    unseen = _lines_with_unseen_values(page, header)
    below = max(unseen, default=0) - len(page.rows)  # unseen at the end
    rows = [*page.rows[header.line :], *[[""] * header.width] * below]
    values = [list(map(itemgetter(column), rows)) for column in range(header.width)]
    lines = list(range(header.line + 1, header.line + 1 + len(rows)))
    cufe = header.kept[header.roles["cufe"]]
    blank = {place for place in _blank_rows(values, cufe) if lines[place] not in unseen}
    if blank:
        filled = [place not in blank for place in range(len(lines))]
        lines = list(compress(lines, filled))
        values = [list(compress(column, filled)) for column in values]
    columns = [_cells(column) for column in values]
    _show_errors(page.around.errors, lines, columns)
    return lines, columns, len(blank)


def _blank_rows(columns: Sequence[Sequence[Any]], first: int) -> list[int]:
    """The places of the rows with nothing but blanks, looked for in column ``first`` before the others."""
    if _all_filled(columns[first]):
        return []
    places = list(range(len(columns[first])))
    for column in (columns[first], *columns):
        places = [
            place
            for place, value in zip(places, map(column.__getitem__, places), strict=True)
            if value == "" or (isinstance(value, str) and value.isspace())
        ]
    return places


def _all_filled(column: Sequence[Any]) -> bool:
    """Whether ``column`` holds texts only, each with something to see."""
    return set(map(type, column)) == {str} and "" not in column and not any(map(str.isspace, column))


def _cells(column: list[Any]) -> list[Cell]:
    """``column`` as a person sees it; most hold texts only."""
    if set(map(type, column)) == {str}:
        return [value or None for value in column] if "" in column else column
    return [_cell(value) for value in column]


def _show_errors(errors: Mapping[int, str], lines: Sequence[int], columns: Sequence[list[Cell]]) -> None:
    """Puts the words of errors, which the reader drops, where they stand."""
    places = {line: place for place, line in enumerate(lines)} if errors else {}
    for cell, word in errors.items():
        line, column = divmod(cell, COLUMNS)
        if line in places and column < len(columns):
            columns[column][places[line]] = word


def _lines_with_unseen_values(page: _Page, header: Header) -> set[int]:
    """Rows whose role columns hold errors or formulas never worked out: the reader shows blanks, a person does not."""
    around = page.around
    unseen = [*around.errors, *(cell for cell, is_text in around.formulas.items() if not is_text)]
    ours = {header.kept[place] for place in header.roles.values()}
    return {line for line, column in (divmod(cell, COLUMNS) for cell in unseen) if column in ours}


def _hidden(page: _Page, header: Header, lines: Sequence[int], values: Sequence[Sequence[Cell]]) -> Hidden:
    """What of the table a person does not see: all of it when the sheet is hidden (reliability.md D7)."""
    unseen = page.around.hidden_rows if page.tab.visible else frozenset(lines)
    rows = tuple(line for line in lines if line in unseen) if unseen else ()
    columns = tuple(
        column_letters(column)
        for column in dict.fromkeys(
            column
            for first, last in page.around.hidden_columns
            for column in range(first, min(last, header.width - 1) + 1)
        )
        if column in header.kept and any(column < len(row) and row[column] != "" for row in page.rows)
    )
    known = set(rows)
    cells = [
        (line, column_letters(header.kept[place]))
        for (line, place), said in _judged(page, header, lines, values).items()
        if said.unseen and line not in known
    ]
    return Hidden(rows, columns, tuple(cell for cell in cells if cell[1] not in columns))


def _judged(
    page: _Page, header: Header, lines: Sequence[int], values: Sequence[Sequence[Cell]]
) -> dict[tuple[int, int], Judged]:
    """The role cells with something in them whose looks matter, by line and place among the kept columns.

    A cell that a merged one of its own row covers is not seen either.
    """
    ours = {header.kept[place]: place for place in header.roles.values()}
    found = {divmod(cell, COLUMNS): said for cell, said in page.around.judged.items()}
    for area in page.around.merged:
        if area.top == area.bottom:
            for column in ours.keys() & set(range(area.left + 1, min(area.right, header.width) + 1)):
                found[area.top, column] = found.get((area.top, column), NOTHING) | _COVERED
    if not found:
        return {}
    places = {line: place for place, line in enumerate(lines)}
    return {
        (line, ours[column]): said
        for (line, column), said in sorted(found.items())
        if line in places and column in ours and not _is_blank(values[column][places[line]])
    }


def _said_no(page: _Page, header: Header, lines: Sequence[int]) -> dict[tuple[int, int], str]:
    """The role cells with a comment that says not to cancel, and what it says."""
    return {place: text for place, text in _comments(page, header, lines) if says_no(text)}


def _comments(page: _Page, header: Header, lines: Sequence[int]) -> list[tuple[tuple[int, int], str]]:
    """The comments on role cells, by line and place among the kept columns, in the order of the sheet."""
    ours = {header.kept[place]: place for place in header.roles.values()}
    there = set(lines) if page.remarks.comments else set()
    cells = [(*divmod(cell, COLUMNS), text) for cell, text in sorted(page.remarks.comments.items())]
    return [((line, ours[column]), text) for line, column, text in cells if column in ours and line in there]


def _doubts(page: _Page, header: Header, lines: Sequence[int]) -> tuple[str, ...]:
    """What may tell a person something else than the role cells do: other comments, and conditional formats."""
    found = []
    if others := [(place, text) for place, text in _comments(page, header, lines) if not says_no(text)]:
        (line, place), text = others[0]
        what = "1 celda tiene un comentario" if len(others) == 1 else f"{len(others)} celdas tienen comentarios"
        found.append(f"{what}: {column_letters(header.kept[place])}{line} «{shorten(text)}».")
    ours = sorted(header.kept[place] for place in header.roles.values())
    counts, first = 0, (0, 0)
    for column in ours:  # counted and not kept: it may be a whole column of a large sheet
        for line in _within(page.around.conditional, column, lines):
            first = min(first, (line, column)) if counts else (line, column)
            counts += 1
    if counts:
        what = "1 celda tiene" if counts == 1 else f"{counts} celdas tienen"
        where = f"{column_letters(first[1])}{first[0]}"
        found.append(f"{what} formato condicional, que puede tachar u ocultar: {where}.")
    return tuple(found)


def _within(areas: Sequence[Area], column: int, lines: Sequence[int]) -> Iterator[int]:
    """Those of ``lines`` (ascending) that one of ``areas`` covers in ``column``, each once."""
    end = 0
    for top, bottom in sorted((area.top, area.bottom) for area in areas if area.left <= column <= area.right):
        yield from lines[bisect_left(lines, max(top, end + 1)) : bisect_right(lines, bottom)]
        end = max(end, bottom)


def _refuse_tall_header(page: _Page, header: Header) -> None:
    """Headings over two rows: the second row would be taken for data, or its titles be lost."""
    tall = [
        area.address
        for area in page.around.merged
        if area.top <= header.line < area.bottom and area.left < header.width
    ]
    if not tall and any(is_second_line(header, texts) for _, texts in islice(_texts(page, header.line), 1)):
        tall = [f"{header.line} y {header.line + 1}"]
    if tall:
        raise refused("encabezado-doble", where=page.tab.name, which=_list(tall, quoted=False))


def _refuse_merged(page: _Page, header: Header) -> None:
    ours = {header.kept[place] for place in header.roles.values()}
    bad = [
        area.address
        for area in page.around.merged
        if area.bottom > header.line
        and area.top != area.bottom  # within one row it shows what that row says
        and any(area.left <= column <= area.right for column in ours)
    ]
    if bad:
        raise refused("xlsx-combinadas", where=page.tab.name, which=_list(bad, quoted=False))


def _oddities(
    page: _Page, header: Header, lines: Sequence[int], columns: Sequence[Sequence[Cell]]
) -> dict[tuple[int, int], str]:
    """Cells of the role columns that are no plain text, by line and place among the kept columns."""
    found: dict[tuple[int, int], str] = {}
    around = page.around
    for place in header.roles.values():
        column = header.kept[place]
        filled = set(_within(around.arrays, column, lines))
        if not around.formulas and not around.errors and _TEXTS.issuperset(map(type, columns[column])):
            continue
        for line, value in zip(lines, columns[column], strict=True):
            odd = _kind_of_value(value)
            is_text = around.formulas.get(key(line, column)) if around.formulas else None
            if is_text is not None and not (is_text and value is None):  # a formula that says "" is a blank cell
                odd = "formula" if value is not None else "formula-without-value"
            elif value is not None and line in filled:
                odd = "formula"
            if around.errors and key(line, column) in around.errors:
                odd = "error"  # also when a formula came to it
            if odd:
                found[line, place] = odd
    return found


def _is_blank(value: Cell) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _kind_of_value(value: Cell) -> str | None:
    if value is None or isinstance(value, str):
        return None
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, int | float) else "date"


def _reader(parts: Parts) -> Callable[[str], list[list[Any]]]:
    """A function from the name of a worksheet to its values. Whatever calamine dislikes is a damaged workbook.

    Uses up ``parts``: a large one should not be there beside what calamine makes of it.
    """
    from python_calamine import CalamineWorkbook

    container = parts.repacked()
    parts.by_name.clear()
    book: Any = _guarded(lambda: CalamineWorkbook.from_filelike(container))
    container.close()
    return lambda name: _guarded(lambda: book.get_sheet_by_name(name).to_python(skip_empty_area=False))


def _guarded(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except MemoryError:
        raise
    except Exception as error:
        raise refused("xlsx-danado") from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # a panic of the Rust code is no Exception
            raise
        raise refused("xlsx-danado") from error


def _cell(value: Any) -> Cell:
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


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else str(_cell(value))


def _notes(page: _Page, left: Sequence[Tab]) -> tuple[str, ...]:
    """Which sheets with data were not read; the other sheets of a workbook of our own are no news."""
    visible = [] if _is_ours(page) else [tab.name for tab in left if tab.visible]
    hidden = [tab.name for tab in left if not tab.visible]
    notes = []
    if visible:
        notes.append(f"El libro tiene otras hojas con datos que no se leyeron: {_list(visible)}.")
    if hidden:
        notes.append(f"El libro tiene hojas ocultas con datos que no se leyeron: {_list(hidden)}.")
    return tuple(notes)


def _list(items: Sequence[str], *, quoted: bool = True) -> str:
    """The first few of ``items`` and how many more there are."""
    shown = ", ".join(f"«{item}»" if quoted else item for item in items[:_SHOWN])
    return shown if len(items) <= _SHOWN else f"{shown} y {len(items) - _SHOWN} más"
