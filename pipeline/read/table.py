"""What every reader hands over: the raw rows of one table with their lines, and what was odd about them."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeline.domain.records import Cell
from pipeline.read.header import Header
from pipeline.read.hidden import NOTHING_HIDDEN, Hidden


@dataclass(frozen=True, slots=True)
class Table:
    """The data rows that are not blank, in order, column by column.

    ``columns`` are those of the file, as many as the header is wide; ``lines`` the rows' 1-based physical lines.
    ``oddities`` says by (line, column among the kept) which cells of role columns are no plain text; ``hidden`` what of
    it a person does not see. ``origin`` is the batch whose results or corrections a workbook of our own holds; empty
    when it is none.
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

    @property
    def rows(self) -> list[list[Cell]]:
        """The same row by row, made for whoever asks."""
        return list(map(list, zip(*self.columns, strict=True)))
