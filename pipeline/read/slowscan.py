"""The slow and complete scan of a worksheet: follows every tag with expat, whatever form it has."""

from __future__ import annotations

import re
from xml.parsers import expat

from pipeline.domain.problems import refused
from pipeline.read.grid import Area, Scan, area_of, far_away, key, place_of


class Watcher:
    """Gathers what the tags of a worksheet say. Positions as the reader counts them when addresses are missing."""

    def __init__(self, sheet: str, last_row: int, last_column: int) -> None:
        self._sheet, self._limits = sheet, (last_row, last_column)
        self._row, self._column = 0, 0
        self._previous = -1
        self._cell: tuple[int, int] | None = None
        self._in_value = self._is_text = False
        self._reach = (0, 0)
        self._formulas: dict[int, bool] = {}
        self._errors: dict[int, str] = {}
        self._hidden: set[int] = set()
        self.hidden_columns: list[tuple[int, int]] = []
        self.merged: list[Area] = []

    def parse(self, content: bytes) -> None:
        """Raises ``InputRefused`` for broken XML."""
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        try:
            parser.Parse(content, True)
        except expat.ExpatError as error:
            raise refused("xlsx-danado") from error

    def done(self) -> Scan:
        return Scan(
            *self._reach,
            self._formulas,
            self._errors,
            frozenset(self._hidden),
            tuple(self.hidden_columns),
            tuple(self.merged),
        )

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        if name == "c":
            self._start_cell(attributes)
        elif name == "row":
            self._start_row(attributes)
        elif self._cell is not None and name in ("v", "f", "is"):
            self._content(name)
        elif name == "mergeCell":
            self.merged.append(area_of(attributes.get("ref", "")))
        elif name == "col" and (attributes.get("hidden") in ("1", "true") or attributes.get("width") == "0"):
            self.hidden_columns.append((_whole(attributes.get("min")) - 1, _whole(attributes.get("max")) - 1))

    def _start_row(self, attributes: dict[str, str]) -> None:
        row = _whole(attributes["r"]) if "r" in attributes else self._row + 1
        if row <= self._row:
            raise refused("xlsx-desorden", sheet=self._sheet)
        self._row, self._column = row, 0
        if attributes.get("hidden") in ("1", "true") or re.fullmatch(r"0(?:\.0*)?", attributes.get("ht", "")):
            self._hidden.add(row)

    def _start_cell(self, attributes: dict[str, str]) -> None:
        row, column = self._row, self._column
        if "r" in attributes:
            row, column = place_of(attributes["r"])
        if row != self._row or key(row, column) <= self._previous:
            raise refused("xlsx-desorden", sheet=self._sheet)
        self._previous, self._column = key(row, column), column + 1
        self._cell = (row, column)
        self._is_text = attributes.get("t") == "str"
        if attributes.get("t") == "e":
            self._errors[key(row, column)] = ""

    def _content(self, name: str) -> None:
        assert self._cell is not None
        row, column = self._cell
        if row > self._limits[0] or column >= self._limits[1]:
            raise far_away(self._sheet, row, column, self._limits)
        self._reach = (max(self._reach[0], row), max(self._reach[1], column + 1))
        self._in_value = name == "v"
        if name == "f":
            self._formulas[key(row, column)] = self._is_text

    def _characters(self, text: str) -> None:
        if self._in_value and self._cell is not None and key(*self._cell) in self._errors:
            self._errors[key(*self._cell)] += text

    def _end(self, tag: str) -> None:
        name = tag.rpartition(":")[2]
        self._in_value = self._in_value and name != "v"
        if name == "c":
            self._cell = None


def _whole(text: str | None) -> int:
    if text is None or not re.fullmatch(r"[1-9][0-9]{0,6}", text):
        raise refused("xlsx-danado")
    return int(text)
