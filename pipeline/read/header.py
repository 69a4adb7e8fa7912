"""Header search: exactly one of the first ten rows has the required headings (interface.md 4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from pipeline.domain.columns import (
    INPUT_COLUMNS,
    LABELS,
    PLACE_COLUMN,
    REASONS_COLUMN,
    added_columns,
    key_of,
    role_of,
)
from pipeline.domain.pasted import shows_code
from pipeline.domain.problems import refused, shorten
from pipeline.domain.records import column_letters
from pipeline.read.grid import NUMBER_OF

HEADER_WITHIN = 10
"""The header is within the first ten physical rows."""

_DELIMITERS = (";", ",", "\t", "|")
_NAMES = {";": "punto y coma", ",": "coma", "\t": "tabulación"}
NONE_GIVEN: Mapping[str, int] = MappingProxyType({})
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

    @property
    def counted(self) -> int:
        """The number of the person's own columns."""
        return len(self.kept) - (self.reasons is not None)


def is_header(cells: Sequence[str]) -> bool:
    """Whether ``cells`` name all required columns."""
    return {role_of(cell) for cell in cells} >= _REQUIRED


def given_columns(text: str) -> dict[str, int]:
    """``cufe=H,motivo=I,correo=J``: the 0-based column of each role. Raises ``InputRefused`` for anything else."""
    if not text.strip():
        return {}
    given: dict[str, int] = {}
    for part in text.split(","):
        name, _, letters = (piece.strip() for piece in part.partition("="))
        role, column = role_of(name), NUMBER_OF.get(letters.upper().encode())
        if role is None or column is None or role in given or column in given.values():
            raise refused("columnas-dichas", said=shorten(text, 80))
        given[role] = column
    return given


def find_header(
    rows: Iterable[tuple[int, Sequence[str]]],
    *,
    sheet: str | None = None,
    below: Iterable[tuple[int, Sequence[str]]] = (),
    given: Mapping[str, int] = NONE_GIVEN,
) -> Header:
    """The header among ``rows`` (line number, cells); rows after line 10 are not checked.

    ``given`` are columns that a person named; then the row above the first code in that column may be the header too.
    Raises ``InputRefused`` for none, two, a missing column, or two columns for one role. If there is none, ``below``
    (the rows after line 10) is searched, so that the message can say where it is.
    """
    first = [(line, tuple(cells)) for line, cells in rows if line <= HEADER_WITHIN + bool(given)]
    found = [(line, cells) for line, cells in first if is_header(cells)]
    if not found and given:
        found = _above_the_codes(first, given)
    if not found:
        raise _elsewhere(first, below, sheet) or _none_found(first)
    if len(found) > 1:
        raise refused("dos-encabezados", where=sheet or "", lines=" y ".join(str(line) for line, _ in found))
    return _header(*found[0], sheet=sheet, given=given)


def _above_the_codes(
    rows: Sequence[tuple[int, tuple[str, ...]]], given: Mapping[str, int]
) -> list[tuple[int, tuple[str, ...]]]:
    """The last row with a heading above the first code in the code column: a list with the header, or empty."""
    column = given.get("cufe")
    before: list[tuple[int, tuple[str, ...]]] = []
    for line, cells in rows:
        if column is not None and column < len(cells) and shows_code(cells[column]):
            break
        if column is not None and column < len(cells) and cells[column].strip():
            before = [(line, cells)]
    return before


def is_second_line(header: Header, cells: Sequence[str]) -> bool:
    """Whether ``cells``, the row below ``header``, continue its titles: one of our headings and no code."""
    cufe = header.kept[header.roles["cufe"]]
    return not "".join(cells[cufe : cufe + 1]).strip() and any(role_of(cell) is not None for cell in cells)


def title_note(header: Header, skipped: int = 0) -> tuple[str, ...]:
    """The note about the rows above ``header``; ``skipped`` of them are not a title but a line for programs."""
    if header.line == 1 + skipped:
        return ()
    return (f"El encabezado está en la fila {header.line}; lo de arriba se tomó como título.",)


def _header(line: int, cells: tuple[str, ...], *, sheet: str | None, given: Mapping[str, int]) -> Header:
    added = added_columns(cells)  # by an earlier run
    dropped, outcome = frozenset(added.values()), added.get("resultado")
    reasons = _reasons_column(cells) if outcome is None else None
    if reasons is not None:
        dropped |= {reasons}
    kept = tuple(place for place in range(len(cells)) if place not in dropped)
    headings = tuple(cells[place] for place in kept)
    where = f"{sheet}, fila {line}" if sheet else f"línea {line}"
    roles: dict[str, int] = {}
    for name, column in given.items():
        if column not in kept:
            raise refused("columna-no-esta", where=where, column=column_letters(column))
        roles[name] = kept.index(column)
    for place, heading in enumerate(headings):
        role = role_of(heading)
        if role in given or place in roles.values():
            continue
        if role is not None and role in roles:
            both = f"«{headings[roles[role]].strip()}» y «{heading.strip()}»"
            raise refused("columnas-repetidas", where=where, label=LABELS[role], found=both)
        if role is not None:
            roles[role] = place
    if missing := _REQUIRED - roles.keys():
        names = " y ".join(LABELS[role] for role in sorted(missing))
        found = ", ".join(f"«{shorten(cell.strip(), 40)}»" for cell in cells if cell.strip())
        raise refused("falta-columna", where=where, missing=names, found=shorten(found, 400))
    return Header(line, headings, kept, roles, outcome, len(cells), reasons)


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


def _none_found(rows: Sequence[tuple[int, Sequence[str]]]) -> Exception:
    """The most helpful refusal: what is missing in the row with most known headings."""
    best = max(rows, key=lambda row: len({role_of(cell) for cell in row[1]} & _REQUIRED), default=None)
    if best is None or not (known := {role_of(cell) for cell in best[1]} & _REQUIRED):
        return refused("sin-encabezado")
    missing = " y ".join(LABELS[role] for role in sorted(_REQUIRED - known))
    found = ", ".join(f"«{shorten(cell.strip(), 40)}»" for cell in best[1] if cell.strip())
    return refused("falta-columna", where=f"fila {best[0]}", missing=missing, found=shorten(found, 400))
