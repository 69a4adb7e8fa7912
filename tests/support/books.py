"""The rows of a results workbook by column: the person's own by heading, ours by their names in CSV and JSON lines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from openpyxl import load_workbook

from pipeline.domain.columns import added_columns


def names_of(head: Sequence[Any]) -> list[str]:
    """The headings of ``Resultados`` with ours by name; other sheets' headings as they are."""
    names = [str(heading) for heading in head]
    for name, place in added_columns(names).items():
        names[place] = name
    return names


def rows_of(path: Path, sheet: str = "Resultados") -> list[dict[str, Any]]:
    """The rows of ``sheet`` by column."""
    book = load_workbook(path, read_only=True)
    head, *rest = [list(row) for row in book[sheet].iter_rows(values_only=True)]
    book.close()
    return [dict(zip(names_of(head), row, strict=True)) for row in rest]
