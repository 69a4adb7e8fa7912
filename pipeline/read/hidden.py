"""Hidden content: rows, columns and cells with data that a person does not see (D7, eyes.md 1), to refuse or count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Hidden:
    """Hidden data of a worksheet, in the order of the sheet."""

    #: from 1; hidden, filtered out or too small to be seen
    rows: tuple[int, ...] = ()
    #: letters, likewise
    columns: tuple[str, ...] = ()
    #: (row, column letters) in other rows and columns, with content that is not visible
    cells: tuple[tuple[int, str], ...] = ()

    @property
    def count(self) -> int:
        """The number that a person confirms: rows, columns and cells together."""
        return len(self.rows) + len(self.columns) + len(self.cells)

    @property
    def lines(self) -> tuple[int, ...]:
        """The rows that are hidden or have a hidden cell."""
        return tuple(sorted({*self.rows, *(line for line, _ in self.cells)}))

    @property
    def words(self) -> str:
        """``2 filas ocultas o filtradas, 1 columna oculta y 3 celdas que no se ven``."""
        rows, columns, cells = len(self.rows), len(self.columns), len(self.cells)
        parts = []
        if rows:
            parts.append("1 fila oculta o filtrada" if rows == 1 else f"{rows} filas ocultas o filtradas")
        if columns:
            parts.append("1 columna oculta" if columns == 1 else f"{columns} columnas ocultas")
        if cells:
            parts.append("1 celda que no se ve" if cells == 1 else f"{cells} celdas que no se ven")
        return " y ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)

    @property
    def which(self) -> str:
        """``filas 4, 5; columna C; celda B7``, the first few of each."""
        parts = []
        if self.rows:
            parts.append(f"fila{'s' * (len(self.rows) > 1)} {_list([str(row) for row in self.rows])}")
        if self.columns:
            parts.append(f"columna{'s' * (len(self.columns) > 1)} {_list(self.columns)}")
        if self.cells:
            shown = [f"{column}{row}" for row, column in self.cells]
            parts.append(f"celda{'s' * (len(self.cells) > 1)} {_list(shown)}")
        return "; ".join(parts)


NOTHING_HIDDEN = Hidden()


def _list(items: Sequence[str]) -> str:
    shown = ", ".join(items[:_SHOWN])
    return shown if len(items) <= _SHOWN else f"{shown} y {len(items) - _SHOWN} más"
