"""Entry point: ``read_sheet`` reads a file once, hashes it, has another process parse it, and returns a Sheet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.domain.columns import LABELS, REASONS_COLUMN, asks_whether, role_of, says_no, seems
from pipeline.domain.problems import problem, shorten
from pipeline.domain.records import Cell, Position, Problem, column_letters
from pipeline.read.header import Header
from pipeline.read.hidden import NOTHING_HIDDEN, Hidden
from pipeline.read.kinds import refuse_lock
from pipeline.read.limits import Limits
from pipeline.read.lost_faults import lost_faults
from pipeline.read.process import Reader
from pipeline.read.source import Source, take
from pipeline.read.table import FAR, Table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Limits", "Sheet", "read_sheet", "sheet_of"]

DEFAULT_LIMITS = Limits()


@dataclass(frozen=True)
class Sheet:
    """One table of one file, as it was when it was read."""

    path: Path
    #: file name only
    name: str
    #: hex, of the bytes that were parsed; ``size`` their number
    sha256: str
    size: int
    #: worksheet; None for CSV
    sheet: str | None
    header_line: int
    #: as written
    headings: tuple[str, ...]
    #: index of ``cufe``, ``reason`` and ``email`` among the headings
    roles: dict[str, int]
    #: each heading's 0-based column in the file; differs from its index when the added columns of an earlier run were
    #: left out
    columns: tuple[int, ...]
    #: the values (object dtype, columns 0..n-1), indexed by physical row or line, from 1
    cells: pd.DataFrame
    #: the role columns as str, named by role
    text: pd.DataFrame
    #: by (line, index), role cells that are not plain text: ``number``, ``date``, ``boolean``, ``error``, ``formula``,
    #: ``formula-without-value``
    oddities: dict[tuple[int, int], str] = field(default_factory=dict)
    blank_rows: int = 0
    #: Spanish sentences for the person
    notes: tuple[str, ...] = ()
    #: by line, the outcome in an earlier results workbook
    earlier: dict[int, str] = field(default_factory=dict)
    #: rows and columns that were hidden but taken
    hidden: Hidden = NOTHING_HIDDEN
    #: batch whose corrections workbook this is; empty for a person's own file
    corrects: str = ""
    #: batch whose results workbook this is; likewise
    results_of: str = ""
    #: by line, problems of rows that say that they must not be sent: crossed out, or a column or comment says no
    against: dict[int, tuple[Problem, ...]] = field(default_factory=dict)
    #: notes that a person has to check before anything is sent
    doubts: tuple[str, ...] = ()
    #: lines after a long gap, to be confirmed; so are the filtering ``views``
    distant: tuple[int, ...] = ()
    views: tuple[str, ...] = ()

    @property
    def hidden_rows(self) -> tuple[int, ...]:
        """The lines that were hidden or filtered out, or have a cell that is not visible."""
        return self.hidden.lines

    def address(self, line: int, role: str) -> str:
        """Address of the cell of ``role`` in ``line``: ``Hoja1!B17``; of the line when the file lacks that column."""
        position = Position(self.sheet, line)
        return position.cell(self.columns[self.roles[role]]) if role in self.roles else str(position)

    def heading(self, role: str) -> str:
        """The heading of ``role`` as the person wrote it; empty when the file lacks that column."""
        return self.headings[self.roles[role]].strip() if role in self.roles else ""


def read_sheet(
    path: Path,
    *,
    sheet: str | None = None,
    limits: Limits = DEFAULT_LIMITS,
    include_hidden: bool = False,
    prefer: str = "",
    columns: str = "",
    reader: Reader | None = None,
) -> Sheet:
    """The table in the file at ``path``, parsed by ``reader`` (a waiting process) or by a new one.

    ``sheet`` names a worksheet, ``prefer`` the one to take when there is nobody to ask; ``include_hidden`` also takes
    hidden and filtered rows; ``columns`` says which column is which (``cufe=H,motivo=I``). Raises ``InputRefused`` with
    a code of ``problems.py`` for every problem with a file; nothing else for bad input.
    """
    refuse_lock(path)  # before it is opened: on Windows only Excel may
    with reader or Reader() as process:
        source = take(path, limits)
        table = process.read(source, limits, sheet=sheet, include_hidden=include_hidden, prefer=prefer, columns=columns)
    return sheet_of(source, table)


def sheet_of(source: Source, table: Table) -> Sheet:
    """The Sheet of a ``table`` that was parsed from ``source``."""
    header = table.header
    notes = table.notes
    if table.blank_rows:
        notes = (*notes, f"Filas en blanco que no se tomaron en cuenta: {table.blank_rows}.")
    if header.outcome is not None:
        notes = (*notes, "Es un libro de resultados: sus columnas agregadas se dejaron a un lado.")
    notes = (*notes, *_unused(header))
    if header.reasons is not None:
        notes = (*notes, f"Es un libro de correcciones: su columna «{REASONS_COLUMN}» se dejó a un lado.")
    doubts = table.doubts
    if table.views:
        names = ", ".join(f"«{name}»" for name in table.views)
        doubts = (*doubts, f"El libro tiene vistas que filtran filas: {names}.")
    if table.distant:
        notes = (*notes, f"Después de más de {FAR} filas vacías hay más: {which_lines(table.distant)}.")
    cells = _frame(table)
    return Sheet(
        path=source.path,
        name=source.path.name,
        sha256=source.sha256,
        size=len(source.data),
        sheet=table.sheet,
        header_line=header.line,
        headings=header.headings,
        roles=header.roles,
        columns=header.kept,
        cells=cells,
        text=_text(cells, header.roles),
        oddities=table.oddities,
        blank_rows=table.blank_rows,
        notes=(*notes, *doubts),
        earlier=_earlier(table),
        hidden=table.hidden,
        corrects=table.origin if header.outcome is None else "",
        results_of=table.origin if header.outcome is not None else "",
        against=_against(table),
        doubts=doubts,
        distant=table.distant,
        views=table.views,
    )


def _against(table: Table) -> dict[int, tuple[Problem, ...]]:
    """By line, the problems of rows that say that they must not be sent, one of each kind per row, and of rows of our
    results that were rejected for what is not seen in them."""
    found: dict[int, dict[str, Problem]] = {}
    headings, kept = table.header.headings, table.header.kept

    def add(code: str, line: int, place: int, value: str, **words: str) -> None:
        cell = Position(table.sheet, line).cell(kept[place])
        one = problem(code, cell=cell, column=headings[place].strip(), value=value, **words)
        found.setdefault(line, {}).setdefault(cell if code == "rechazada-antes" else code, one)

    value_of: dict[int, list[Cell]] = {place: table.columns[column] for place, column in enumerate(kept)}
    row_of = {line: row for row, line in enumerate(table.lines)} if table.struck or table.said_no else {}
    crossed: dict[int, list[int]] = {}
    for line, place in table.struck:
        crossed.setdefault(line, []).append(place)
    for line, places in crossed.items():
        cells = ", ".join(f"{column_letters(kept[place])}{line}" for place in places)
        add("fila-tachada", line, places[0], _as_text(value_of[places[0]][row_of[line]]), cells=cells)
    for (line, place), text in table.said_no.items():
        add("fila-dice-no", line, place, text, what=f"el comentario de su celda dice «{shorten(text)}»")
    for place in [place for place, heading in enumerate(headings) if asks_whether(heading)]:
        for line, value in zip(table.lines, value_of[place], strict=True):
            if says_no(value):
                what = f"la columna «{headings[place].strip()}» dice «{_as_text(value)}»"
                add("fila-dice-no", line, place, _as_text(value), what=what)
    for lost in lost_faults(table):
        if lost.what:
            for place in lost.places:
                add("rechazada-antes", lost.line, place, "", what=lost.what)
        else:
            what = "según «observaciones», en el archivo original estaba tachada o decía que no"
            add("fila-dice-no", lost.line, table.header.roles["cufe"], "", what=what)
    return {line: tuple(kinds.values()) for line, kinds in found.items()}


def _unused(header: Header) -> Iterator[str]:
    """Notes on columns whose headings resemble ours but are not."""
    for place, heading in enumerate(header.headings):
        role = seems(heading) or (role_of(heading) if place not in header.roles.values() else None)
        if role is not None and place not in header.roles.values():
            letters, like = column_letters(header.kept[place]), LABELS[role]
            yield f"La columna {letters} («{heading.strip()}») se parece a «{like}» y no se usa."


def _frame(table: Table) -> pd.DataFrame:
    """The kept columns of ``table``, one array each."""
    import numpy as np
    import pandas as pd

    columns = {place: np.array(table.columns[column], object) for place, column in enumerate(table.header.kept)}
    return pd.DataFrame(columns, index=pd.Index(table.lines), dtype=object, copy=False)


def _text(cells: pd.DataFrame, roles: dict[str, int]) -> pd.DataFrame:
    """The role columns as texts; a column with only texts is not copied."""
    import pandas as pd

    columns: dict[str, Any] = {}
    for role, place in roles.items():
        values = cells[place].tolist()
        plain = set(map(type, values)) == {str}
        columns[role] = cells[place].array if plain else [_as_text(value) for value in values]
    return pd.DataFrame(columns, index=cells.index, dtype=object, copy=False)


def which_lines(lines: tuple[int, ...]) -> str:
    """``fila 5000``, ``filas 40 a 52 (13)``: first, last and how many."""
    if len(lines) == 1:
        return f"fila {lines[0]}"
    return f"filas {lines[0]} a {lines[-1]} ({len(lines)})"


def _as_text(value: Any) -> str:
    """The value as a person would type it; numbers with a decimal point, dates in ISO form."""
    return value if isinstance(value, str) else "" if value is None else str(value)


def _earlier(table: Table) -> dict[int, str]:
    place = table.header.outcome
    if place is None:
        return {}
    words = map(_as_text, table.columns[place])
    return {line: word for line, said in zip(table.lines, words, strict=True) if (word := said.strip())}
