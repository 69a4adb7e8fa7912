"""What of a worksheet a person does not see although it holds data (reliability.md D7): to be refused, or counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Hidden:
    """Rows (1-based) and columns (letters) with data that are hidden or filtered out, in the order of the sheet."""

    rows: tuple[int, ...] = ()
    columns: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """The number that a person confirms: rows and columns together."""
        return len(self.rows) + len(self.columns)

    @property
    def words(self) -> str:
        """``2 filas ocultas o filtradas y 1 columna oculta``."""
        rows, columns = len(self.rows), len(self.columns)
        parts = []
        if rows:
            parts.append("1 fila oculta o filtrada" if rows == 1 else f"{rows} filas ocultas o filtradas")
        if columns:
            parts.append("1 columna oculta" if columns == 1 else f"{columns} columnas ocultas")
        return " y ".join(parts)

    @property
    def which(self) -> str:
        """``filas 4, 5; columna C``, the first few of each."""
        parts = []
        if self.rows:
            parts.append(f"fila{'s' * (len(self.rows) > 1)} {_list([str(row) for row in self.rows])}")
        if self.columns:
            parts.append(f"columna{'s' * (len(self.columns) > 1)} {_list(self.columns)}")
        return "; ".join(parts)


NOTHING_HIDDEN = Hidden()


def _list(items: Sequence[str]) -> str:
    shown = ", ".join(items[:_SHOWN])
    return shown if len(items) <= _SHOWN else f"{shown} y {len(items) - _SHOWN} más"
