"""Table: what every reader returns: the raw rows of one table with their lines, and what was odd about them."""

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
    """The data rows that are not blank, in order, column by column."""

    header: Header
    #: physical line of each row, from 1
    lines: list[int]
    #: those of the file, as many as the header is wide
    columns: list[list[Cell]]
    sheet: str | None = None
    blank_rows: int = 0
    notes: tuple[str, ...] = ()
    #: by (line, index among the kept columns), role cells that are not plain text
    oddities: dict[tuple[int, int], str] = field(default_factory=dict)
    #: its data that a person does not see
    hidden: Hidden = NOTHING_HIDDEN
    #: batch of a results or corrections workbook of our own; empty for any other file
    origin: str = ""
    #: (line, index among the kept columns) of role cells that are crossed out
    struck: tuple[tuple[int, int], ...] = ()
    #: the same for role cells with a comment that says not to cancel, with its text
    said_no: dict[tuple[int, int], str] = field(default_factory=dict)
    #: sentences on what a person may see differently (comments, conditional formats)
    doubts: tuple[str, ...] = ()
    #: lines after a long stretch of empty rows
    distant: tuple[int, ...] = ()
    #: names of views of the sheet that leave rows out
    views: tuple[str, ...] = ()

    @property
    def rows(self) -> list[list[Cell]]:
        """The same row by row, made on each call."""
        return list(map(list, zip(*self.columns, strict=True)))


def distant(lines: Sequence[int], start: int) -> tuple[int, ...]:
    """Those of ``lines`` (ascending) that come after a gap of more than ``FAR`` rows, counted from ``start``."""
    for place, (before, line) in enumerate(pairwise([start, *lines])):
        if line - before - 1 > FAR:
            return tuple(lines[place:])
    return ()
