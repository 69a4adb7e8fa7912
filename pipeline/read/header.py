"""Header search: exactly one of the first ten rows has the required headings (interface.md 4)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipeline.domain.columns import (
    INPUT_COLUMNS,
    LABELS,
    PLACE_COLUMN,
    REASONS_COLUMN,
    added_columns,
    key_of,
    role_of,
)
from pipeline.domain.errors import InputRefused
from pipeline.domain.pasted import has_shape, shows_code
from pipeline.domain.problems import refused, shorten
from pipeline.domain.records import column_letters
from pipeline.read.given import NONE_GIVEN, Given, letter_of, named_in, places_in
from pipeline.read.offered import Titles, offered

HEADER_WITHIN = 10
"""The header is within the first ten physical rows."""

_DELIMITERS = (";", ",", "\t", "|")
_NAMES = {";": "punto y coma", ",": "coma", "\t": "tabulación"}
_REQUIRED = frozenset(column.role for column in INPUT_COLUMNS if column.required)


@dataclass(frozen=True, slots=True)
class Header:
    """The header row of a file."""

    #: from 1
    line: int
    #: as written
    headings: tuple[str, ...]
    #: 0-based columns of the file that are kept
    kept: tuple[int, ...]
    #: index of each role *among the kept columns*
    roles: dict[str, int]
    #: column of the earlier ``resultado``, when the file is our own results workbook
    outcome: int | None
    #: how many columns the file itself has
    width: int
    #: column ``corregir`` of a corrections workbook, which is left out too; its ``fila_origen`` is kept, but does not
    #: count as one of the person's columns
    reasons: int | None = None
    #: column of the earlier ``observaciones``, likewise
    remarks: int | None = None

    @property
    def counted(self) -> int:
        """The number of the person's own columns."""
        return len(self.kept) - (self.reasons is not None)


def is_header(cells: Sequence[str], given: Given = NONE_GIVEN) -> bool:
    """Whether ``cells`` name all required columns, those ``given`` by a person counted.

    A column given by its letter counts only beside a heading that is known or named: any row has a cell there.
    """
    known = {role for cell in cells if (role := role_of(cell)) is not None}
    if known >= _REQUIRED or not given:
        return known >= _REQUIRED
    named = {role for role, said in given.items() if named_in(said, cells)}
    others = {role: letter_of(said) for role, said in given.items() if role not in named}
    there = all(at is not None and at < len(cells) and cells[at].strip() for at in others.values())
    return there and bool(known | named) and known | named | others.keys() >= _REQUIRED


def has_header(rows: Sequence[tuple[int, Sequence[str]]], given: Given = NONE_GIVEN) -> bool:
    """Whether one of the first ``rows`` (line number, cells) is a header, or the one that ``given`` makes it."""
    first = [(line, cells) for line, cells in rows if line <= HEADER_WITHIN]
    return any(is_header(cells, given) for _, cells in first) or bool(_above_the_codes(rows, given))


def find_header(
    rows: Iterable[tuple[int, Sequence[str]]],
    *,
    sheet: str | None = None,
    below: Iterable[tuple[int, Sequence[str]]] = (),
    given: Given = NONE_GIVEN,
) -> Header:
    """The header among ``rows`` (line number, cells); rows after line 10 are not checked.

    ``given`` are columns that a person named; then the row above the first code in that column may be the header too.
    Raises ``InputRefused`` for none, two, a missing column, or two columns for one role, with the choices that would
    settle it. If there is none, ``below`` (the rows after line 10) is searched: the message can say where it is.
    """
    top = [(line, tuple(cells)) for line, cells in rows]
    first = [(line, cells) for line, cells in top if line <= HEADER_WITHIN + bool(given)]
    found = [(line, cells) for line, cells in first if is_header(cells)]
    found = found or [(line, cells) for line, cells in first if is_header(cells, given)]
    found = found or _above_the_codes(first, given)
    if not found:
        raise _elsewhere(first, below, sheet) or _none_found(top, sheet, given)
    if len(found) > 1:
        raise refused("dos-encabezados", where=sheet or "", lines=" y ".join(str(line) for line, _ in found))
    line, cells = found[0]
    return _header(line, cells, [one for at, one in top if at > line], sheet=sheet, given=given)


def _above_the_codes(rows: Sequence[tuple[int, Sequence[str]]], given: Given) -> list[tuple[int, tuple[str, ...]]]:
    """The fullest row above the first code in the code column, with a heading there: a list with it, or empty."""
    column = letter_of(given.get("cufe", ""))
    return _above(rows, column) if column is not None else []


def _above(rows: Sequence[tuple[int, Sequence[str]]], column: int) -> list[tuple[int, tuple[str, ...]]]:
    before: list[tuple[int, tuple[str, ...]]] = []
    for line, cells in rows:
        if column < len(cells) and shows_code(cells[column]):
            break
        if column < len(cells) and cells[column].strip():
            before.append((line, tuple(cells)))
    # A row with a broken code is not a heading: of rows that are as full the first, so that none below is lost.
    return [max(before, key=lambda row: sum(bool(cell.strip()) for cell in row[1]))] if before else []


def is_second_line(header: Header, cells: Sequence[str]) -> bool:
    """Whether ``cells``, the row below ``header``, continue its titles: one of our headings and no code."""
    cufe = header.kept[header.roles["cufe"]]
    return not "".join(cells[cufe : cufe + 1]).strip() and any(role_of(cell) is not None for cell in cells)


def title_note(header: Header, skipped: int = 0) -> tuple[str, ...]:
    """The note about the rows above ``header``; ``skipped`` of them are not a title but a line for programs."""
    if header.line == 1 + skipped:
        return ()
    return (f"El encabezado está en la fila {header.line}; lo de arriba se tomó como título.",)


def _header(
    line: int, cells: tuple[str, ...], below: Sequence[Sequence[str]], *, sheet: str | None, given: Given
) -> Header:
    """The header ``cells``; ``below`` are the first rows of data, for the examples of a question."""
    added = added_columns(cells)  # by an earlier run
    dropped, outcome = frozenset(added.values()), added.get("resultado")
    reasons = _reasons_column(cells) if outcome is None else None
    if reasons is not None:
        dropped |= {reasons}
    kept = tuple(place for place in range(len(cells)) if place not in dropped)
    headings = tuple(cells[place] for place in kept)
    where = f"{sheet}, fila {line}" if sheet else f"línea {line}"
    titles = Titles(headings, kept, below)
    roles = {role: _kept(kept, column, where) for role, column in places_in(given, cells, where).items()}
    found: dict[str, list[int]] = {}
    for place, heading in enumerate(headings):
        role = role_of(heading)
        if role is not None and role not in given and place not in roles.values():
            found.setdefault(role, []).append(place)
    for role, places in found.items():
        if len(places) > 1:
            both = " y ".join(f"«{headings[place].strip()}»" for place in places[:2])
            refusal = refused("columnas-repetidas", where=where, label=LABELS[role], found=both)
            raise offered(refusal, role, places, titles, given)
        roles[role] = places[0]
    if missing := [column.role for column in INPUT_COLUMNS if column.required and column.role not in roles]:
        words = {"missing": " y ".join(LABELS[role] for role in sorted(missing)), "found": _shown(cells)}
        raise offered(refused("falta-columna", where=where, **words), missing[0], titles.free(roles), titles, given)
    remarks = added.get("observaciones")
    return Header(line, headings, kept, roles, outcome, len(cells), reasons, remarks)


def _kept(kept: tuple[int, ...], column: int, where: str) -> int:
    """The index of a given ``column`` among those that are ``kept``."""
    if column not in kept:
        raise refused("columna-no-esta", where=where, column=column_letters(column))
    return kept.index(column)


def _shown(cells: Sequence[str]) -> str:
    """The headings that were found, for a message."""
    return shorten(", ".join(f"«{shorten(cell.strip(), 40)}»" for cell in cells if cell.strip()), 400)


def _reasons_column(cells: tuple[str, ...]) -> int | None:
    """The column of reasons of a corrections workbook: the last with its name, if the place column comes before it."""
    keys = [key_of(cell) for cell in cells]
    found = [place for place, key in enumerate(keys) if key == key_of(REASONS_COLUMN)]
    return found[-1] if found and key_of(PLACE_COLUMN) in keys[: found[-1]] else None


def _elsewhere(
    first: Sequence[tuple[int, Sequence[str]]], below: Iterable[tuple[int, Sequence[str]]], sheet: str | None
) -> Exception | None:
    """The refusal that says where the header is: below the first rows, or all in one column; None for neither."""
    for line, cells in below:
        if line > HEADER_WITHIN and is_header(cells):
            return refused("encabezado-abajo", where=sheet or "", line=line, within=HEADER_WITHIN)
    for line, cells in first:
        filled = [cell for cell in cells if cell.strip()]
        for delimiter in _DELIMITERS if sheet and len(filled) == 1 else ():
            if is_header(filled[0].split(delimiter)):
                column = column_letters(list(cells).index(filled[0]))
                shown = _NAMES.get(delimiter, f"«{delimiter}»")
                return refused("todo-en-una-columna", where=f"{sheet}, fila {line}", column=column, delimiter=shown)
    return None


def _none_found(rows: Sequence[tuple[int, tuple[str, ...]]], sheet: str | None, given: Given) -> InputRefused:
    """The most helpful refusal: what is missing in the row with most known headings, or in the one above the codes."""
    near = [row for row in rows if row[0] <= HEADER_WITHIN]
    best = max(near, key=lambda row: len({role_of(cell) for cell in row[1]} & _REQUIRED), default=None)
    known = {role for cell in best[1] if (role := role_of(cell)) in _REQUIRED} if best is not None else set()
    if best is not None and known:
        return _lacking(best, rows, known, sheet, given)
    columns = sorted({at for _, cells in rows for at, cell in enumerate(cells) if has_shape(cell)})
    above = [*_above(near, columns[0])] if len(columns) == 1 else []
    if not above or sum(bool(cell.strip()) for cell in above[0][1]) < len(_REQUIRED):
        return refused("sin-encabezado")
    line, cells = above[0]
    words = {"line": line, "column": column_letters(columns[0]), "found": _shown(cells)}
    titles = Titles(cells, tuple(range(len(cells))), [one for at, one in rows if at > line])
    places = [place for place in titles.free({}) if place != columns[0]]
    coded = {"cufe": column_letters(columns[0]), **given}
    return offered(refused("encabezado-ajeno", where=sheet or "", **words), "reason", places, titles, coded)


def _lacking(
    row: tuple[int, tuple[str, ...]],
    rows: Sequence[tuple[int, tuple[str, ...]]],
    known: set[str],
    sheet: str | None,
    given: Given,
) -> InputRefused:
    """The refusal of a header that has only the ``known`` required columns."""
    line, cells = row
    lacking = [column.role for column in INPUT_COLUMNS if column.required and column.role not in known]
    where = f"{sheet}, fila {line}" if sheet else f"fila {line}"
    words = {"missing": " y ".join(LABELS[role] for role in sorted(lacking)), "found": _shown(cells)}
    titles = Titles(cells, tuple(range(len(cells))), [one for at, one in rows if at > line])
    roles = {role: at for at, cell in enumerate(cells) if (role := role_of(cell)) is not None}
    return offered(refused("falta-columna", where=where, **words), lacking[0], titles.free(roles), titles, given)
