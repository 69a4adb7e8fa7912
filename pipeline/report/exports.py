"""Exports: the rows of ``Resultados`` for other programs: CSV without live formulas, and JSON lines."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from typing import IO

from pipeline.domain.records import Cell
from pipeline.report.inert import looks_like_formula, visible
from pipeline.report.model import Report
from schemas.columns import RESULT_COLUMNS

_BEGINS = re.compile(r"""([,;|\t\r\n]["'\s]*)(?=[=+@-])""")
"""Places where a reader with another separator would start a cell that it takes for a formula."""


def write_csv(report: Report, stream: IO[bytes]) -> None:
    """UTF-8 with BOM, semicolons, CRLF: the form that Excel in Spanish opens directly.

    Text that a spreadsheet would take for a formula gets a leading apostrophe (OWASP, "CSV injection"), also where a
    spreadsheet with another separator would start a cell. Every field is quoted.
    """
    given = ((*_as_wide(row.cells, len(report.headings)), *row.added.values()) for row in report.rows)
    write_table((*report.headings, *RESULT_COLUMNS), given, stream)


def write_table(headings: Iterable[str], rows: Iterable[Iterable[Cell]], stream: IO[bytes]) -> None:
    """A table in that form."""
    stream.write(b"\xef\xbb\xbf")
    writer = csv.writer(_Lines(stream), delimiter=";", lineterminator="\r\n", quoting=csv.QUOTE_ALL)
    writer.writerow([_csv(name) for name in headings])
    for row in rows:
        writer.writerow([_csv(value) for value in row])


def write_jsonl(report: Report, stream: IO[bytes]) -> None:
    """One object per row, in input order: ``pos``, ``original`` by heading, then the added columns."""
    headings = unique(report.headings)
    for row in report.rows:
        given = dict(zip(headings, map(_json, _as_wide(row.cells, len(headings))), strict=True))
        added = dict(zip(RESULT_COLUMNS, row.added.values(), strict=True))
        line = json.dumps({"pos": row.pos, "original": given, **added}, ensure_ascii=False, allow_nan=False)
        stream.write(visible(line).encode() + b"\n")


def unique(headings: Sequence[str]) -> list[str]:
    """``headings`` with repeated ones numbered (``Nota``, ``Nota (2)``), so that no key is lost."""
    taken: list[str] = []
    for heading in headings:
        name, number = heading, 1
        while name in taken:
            number += 1
            name = f"{heading} ({number})"
        taken.append(name)
    return taken


class _Lines:
    """Output for ``csv``: receives text, writes bytes."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.write(text.encode())


def _as_wide(cells: Sequence[Cell], width: int) -> list[Cell]:
    return [*cells[:width], *[None] * (width - len(cells))]


def _csv(value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "SI" if value else "NO"
    if isinstance(value, str):
        inside = _BEGINS.sub(r"\1'", visible(value))
        return f"'{inside}" if looks_like_formula(value) else inside
    return _plain(value)


def _json(value: Cell) -> str | int | float | bool | None:
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return str(value)
    return value if value is None or isinstance(value, str | bool | int | float) else _plain(value)


def _plain(value: int | float | datetime | date | time) -> str:
    return value.isoformat(sep=" ") if isinstance(value, datetime) else str(value)
