"""Appearance of the role cells, apart from their values: hidden, struck through, commented, formulas and errors."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from pipeline.domain.problems import shorten
from pipeline.domain.records import Cell, column_letters
from pipeline.read.grid import COLUMNS, Area, key
from pipeline.read.header import Header
from pipeline.read.hidden import Hidden
from pipeline.read.remarks import says_no
from pipeline.read.styles import NOTHING, Judged
from pipeline.read.xlsx_page import Page, is_blank

_TEXTS = frozenset({str, type(None)})
_COVERED = Judged(unseen=True)


def hidden_parts(page: Page, header: Header, lines: Sequence[int], values: Sequence[Sequence[Cell]]) -> Hidden:
    """The part of the table that a person does not see: all of it when the sheet is hidden (reliability.md D7)."""
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
        for (line, place), said in judged_cells(page, header, lines, values).items()
        if said.unseen and line not in known
    ]
    return Hidden(rows, columns, tuple(cell for cell in cells if cell[1] not in columns))


def judged_cells(
    page: Page, header: Header, lines: Sequence[int], values: Sequence[Sequence[Cell]]
) -> dict[tuple[int, int], Judged]:
    """The role cells with content whose appearance matters, by line and index among the kept columns.

    A cell that a merged cell of its own row covers is not visible either.
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
        if line in places and column in ours and not is_blank(values[column][places[line]])
    }


def said_no(page: Page, header: Header, lines: Sequence[int]) -> dict[tuple[int, int], str]:
    """The role cells with a comment that says not to cancel, with its text."""
    return {place: text for place, text in _comments(page, header, lines) if says_no(text)}


def _comments(page: Page, header: Header, lines: Sequence[int]) -> list[tuple[tuple[int, int], str]]:
    """The comments on role cells, by line and index among the kept columns, in the order of the sheet."""
    ours = {header.kept[place]: place for place in header.roles.values()}
    there = set(lines) if page.remarks.comments else set()
    cells = [(*divmod(cell, COLUMNS), text) for cell, text in sorted(page.remarks.comments.items())]
    return [((line, ours[column]), text) for line, column, text in cells if column in ours and line in there]


def doubts_of(page: Page, header: Header, lines: Sequence[int]) -> tuple[str, ...]:
    """Sentences on what a person may see differently than the role cells say: other comments, conditional formats."""
    found = []
    if others := [(place, text) for place, text in _comments(page, header, lines) if not says_no(text)]:
        (line, place), text = others[0]
        what = "1 celda tiene un comentario" if len(others) == 1 else f"{len(others)} celdas tienen comentarios"
        found.append(f"{what}: {column_letters(header.kept[place])}{line} «{shorten(text)}».")
    ours = sorted(header.kept[place] for place in header.roles.values())
    counts, first = 0, (0, 0)
    for column in ours:  # counted and not kept: it may be a whole column of a large sheet
        for line in lines_within(page.around.conditional, column, lines):
            first = min(first, (line, column)) if counts else (line, column)
            counts += 1
    if counts:
        what = "1 celda tiene" if counts == 1 else f"{counts} celdas tienen"
        where = f"{column_letters(first[1])}{first[0]}"
        found.append(f"{what} formato condicional, que puede tachar u ocultar: {where}.")
    return tuple(found)


def lines_within(areas: Sequence[Area], column: int, lines: Sequence[int]) -> Iterator[int]:
    """Those of ``lines`` (ascending) that one of ``areas`` covers in ``column``, each once."""
    end = 0
    for top, bottom in sorted((area.top, area.bottom) for area in areas if area.left <= column <= area.right):
        yield from lines[bisect_left(lines, max(top, end + 1)) : bisect_right(lines, bottom)]
        end = max(end, bottom)


def oddities_of(
    page: Page, header: Header, lines: Sequence[int], columns: Sequence[Sequence[Cell]]
) -> dict[tuple[int, int], str]:
    """Cells of the role columns that are not plain text, by line and index among the kept columns."""
    found: dict[tuple[int, int], str] = {}
    around = page.around
    for place in header.roles.values():
        column = header.kept[place]
        filled = set(lines_within(around.arrays, column, lines))
        if not around.formulas and not around.errors and _TEXTS.issuperset(map(type, columns[column])):
            continue
        for line, value in zip(lines, columns[column], strict=True):
            odd = _kind_of_value(value)
            is_text = around.formulas.get(key(line, column)) if around.formulas else None
            if is_text is not None and not (is_text and value is None):  # a formula with the result "" is a blank cell
                odd = "formula" if value is not None else "formula-without-value"
            elif value is not None and line in filled:
                odd = "formula"
            if around.errors and key(line, column) in around.errors:
                odd = "error"  # also when it is a formula's result
            if odd:
                found[line, place] = odd
    return found


def _kind_of_value(value: Cell) -> str | None:
    if value is None or isinstance(value, str):
        return None
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, int | float) else "date"
