"""What every reader hands over: the raw rows of one table with their lines, and what was odd about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from pipeline.domain.records import Cell
from pipeline.read.header import Header
from pipeline.read.hidden import NOTHING_HIDDEN, Hidden

FAR = 20
"""After more empty rows than these a person does not expect another row of the table."""


@dataclass(frozen=True, slots=True)
class Table:
    """The data rows that are not blank, in order, column by column.

    ``columns`` are those of the file, as many as the header is wide; ``lines`` the rows' 1-based physical lines.
    ``oddities`` says by (line, column among the kept) which cells of role columns are no plain text; ``hidden`` what of
    it a person does not see. ``struck`` are the role cells that are crossed out, and ``said_no`` those with a comment
    that says not to cancel, with its text: both by line and place among the kept columns. ``doubts`` are sentences on
    what may tell a person something else than the cells do (comments, conditional formats); ``distant`` the lines after
    a long stretch of empty rows; ``views`` names of views of the sheet that leave rows out. ``origin`` is the batch
    whose results or corrections a workbook of our own holds; empty when it is none.
    """

    header: Header
    lines: list[int]
    columns: list[list[Cell]]
    sheet: str | None = None
    blank_rows: int = 0
    notes: tuple[str, ...] = ()
    oddities: dict[tuple[int, int], str] = field(default_factory=dict)
    hidden: Hidden = NOTHING_HIDDEN
    origin: str = ""
    struck: tuple[tuple[int, int], ...] = ()
    said_no: dict[tuple[int, int], str] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()
    distant: tuple[int, ...] = ()
    views: tuple[str, ...] = ()

    @property
    def rows(self) -> list[list[Cell]]:
        """The same row by row, made for whoever asks."""
        return list(map(list, zip(*self.columns, strict=True)))


def distant(lines: Sequence[int], start: int) -> tuple[int, ...]:
    """Those of ``lines`` (ascending) that stand below more than ``FAR`` rows without any of them, from ``start`` on."""
    for place, (before, line) in enumerate(pairwise([start, *lines])):
        if line - before - 1 > FAR:
            return tuple(lines[place:])
    return ()
