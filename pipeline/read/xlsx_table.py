"""Table of a worksheet: header, lines, whole columns; merged cells and double headings are refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import compress, islice
from operator import itemgetter
from typing import Any

from pipeline.domain.errors import Choice
from pipeline.domain.problems import refused
from pipeline.domain.records import Cell
from pipeline.domain.visible import thousands
from pipeline.read.beside import refuse_beside, refuse_names
from pipeline.read.grid import COLUMNS
from pipeline.read.header import HEADER_WITHIN, Header, find_header, is_second_line, title_note
from pipeline.read.limits import Limits
from pipeline.read.table import Table, distant
from pipeline.read.xlsx_looks import doubts_of, hidden_parts, judged_cells, oddities_of, said_no
from pipeline.read.xlsx_page import Page, Wanted, cell_value, listed, row_texts, top_rows


def table_of(page: Page, limits: Limits, notes: tuple[str, ...], wanted: Wanted) -> Table:
    name, include_hidden = page.tab.name, wanted.include_hidden
    if not any(value != "" for row in page.rows for value in row):
        raise refused("sin-filas", where=name)
    header = find_header(top_rows(page), sheet=name, below=row_texts(page, HEADER_WITHIN), given=wanted.given)
    _refuse_tall_header(page, header)
    if header.counted > limits.columns:
        raise refused("demasiadas-columnas", where=name, limit=limits.columns)
    lines, columns, blank = _data(page, header)
    if not lines:
        raise refused("sin-filas", where=name)
    if len(lines) > limits.rows:
        raise refused("demasiadas-filas", where=name, limit=thousands(limits.rows))
    hidden = hidden_parts(page, header, lines, columns)
    if hidden.count and not include_hidden:
        choice = Choice("Incluir también lo oculto", include_hidden=True)
        raise refused("xlsx-ocultas", where=name, what=hidden.words, which=hidden.which).offering([choice])
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
        oddities_of(page, header, lines, columns),
        hidden,
        struck=tuple(place for place, said in judged_cells(page, header, lines, columns).items() if said.struck),
        said_no=said_no(page, header, lines),
        doubts=doubts_of(page, header, lines),
        distant=distant(lines, header.line),
        views=(*page.remarks.views, *["personalizada"] * page.around.filtering),
    )


def _data(page: Page, header: Header) -> tuple[list[int], list[list[Cell]], int]:
    """The rows below the header that are not blank: their lines, their cells by column, and the number of the others.

    Whole columns at a time: a hundred thousand rows take as many steps as there are columns.
    """
    unseen = _lines_with_unseen_values(page, header)
    below = max(unseen, default=0) - len(page.rows)  # hidden values at the end
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
    """Indexes of the rows with nothing but blanks; column ``first`` is searched before the others."""
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
    """Whether ``column`` holds only texts, each with something visible."""
    return set(map(type, column)) == {str} and "" not in column and not any(map(str.isspace, column))


def _cells(column: list[Any]) -> list[Cell]:
    """``column`` as a person sees it; most columns hold only texts."""
    if set(map(type, column)) == {str}:
        return [value or None for value in column] if "" in column else column
    return [cell_value(value) for value in column]


def _show_errors(errors: Mapping[int, str], lines: Sequence[int], columns: Sequence[list[Cell]]) -> None:
    """Writes the error texts, which the reader drops, into their cells."""
    places = {line: place for place, line in enumerate(lines)} if errors else {}
    for cell, word in errors.items():
        line, column = divmod(cell, COLUMNS)
        if line in places and column < len(columns):
            columns[column][places[line]] = word


def _lines_with_unseen_values(page: Page, header: Header) -> set[int]:
    """Rows whose role columns hold errors or uncalculated formulas: the reader shows blanks, a person does not."""
    around = page.around
    unseen = [*around.errors, *(cell for cell, is_text in around.formulas.items() if not is_text)]
    ours = {header.kept[place] for place in header.roles.values()}
    return {line for line, column in (divmod(cell, COLUMNS) for cell in unseen) if column in ours}


def _refuse_tall_header(page: Page, header: Header) -> None:
    """Refuses headings over two rows: the second row would become data, or its titles be lost."""
    tall = [
        area.address
        for area in page.around.merged
        if area.top <= header.line < area.bottom and area.left < header.width
    ]
    if not tall and any(is_second_line(header, texts) for _, texts in islice(row_texts(page, header.line), 1)):
        tall = [f"{header.line} y {header.line + 1}"]
    if tall:
        raise refused("encabezado-doble", where=page.tab.name, which=listed(tall, quoted=False))


def _refuse_merged(page: Page, header: Header) -> None:
    ours = {header.kept[place] for place in header.roles.values()}
    bad = [
        area.address
        for area in page.around.merged
        if area.bottom > header.line
        and area.top != area.bottom  # within one row it shows what that row says
        and any(area.left <= column <= area.right for column in ours)
    ]
    if bad:
        raise refused("xlsx-combinadas", where=page.tab.name, which=listed(bad, quoted=False))
