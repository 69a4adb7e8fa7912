"""Full scan of a worksheet: slow and complete, follows every tag with expat, in any form."""

from __future__ import annotations

import re
from contextlib import suppress
from xml.parsers import expat

from pipeline.domain.errors import InputRefused
from pipeline.domain.problems import refused
from pipeline.read.grid import COLUMNS, Area, Scan, area_of, far_away, key, place_of
from pipeline.read.styles import NO_FORMATTING, NOTHING, Formatting, Judged

# Depth of each tag: worksheet > sheetData > row > c > f, v, is.
_DEPTH = {"sheetData": 2, "row": 3, "c": 4, "f": 5, "v": 5, "is": 5}
_OFF = ("0", "false", "")
_LOWEST, _NARROWEST = 2.0, 0.3
"""Points and characters: a lower row or a narrower column is not visible."""
FILLED_BY_ONE = ("array", "dataTable")
"""Kinds of formulas that fill an area but are stored in its first cell only."""
OUT_OF_MEMORY = 1
"""Expat's error code (XML_ERROR_NO_MEMORY): the XML is not at fault."""


class Watcher:
    """Collects what the tags of a worksheet say. Without addresses, positions are counted as the reader does.

    A row or cell tag outside its place in a worksheet is refused: programs differ in whether they see it, and a row
    must be the same for all of them.
    """

    def __init__(self, sheet: str, last_row: int, last_column: int, formatting: Formatting = NO_FORMATTING) -> None:
        self._sheet, self._limits = sheet, (last_row, last_column)
        self._formatting, self._style = formatting, 0
        self._run: list[tuple[str, dict[str, str]]] | None = None  # font attributes of the run of an inline text
        self._area: list[str] | None = None  # text of an open area outside the data
        self._sized: list[tuple[int, int]] = []  # columns with a width of their own
        self._narrow = False  # the other columns cannot be seen
        self.low = False  # rows without a height of their own cannot be seen
        self._row, self._column = 0, 0
        self._previous = -1
        self._depth = 0
        self._data: str | None = None  # the prefix of sheetData, once found
        self._inside = False
        self._cell: tuple[int, int] | None = None
        self._kind = ""
        self._held: list[str] = []  # contents of the cell: f, v, is
        self._plain: list[str] | None = None  # text of the open value or formula
        self._reach = (0, 0)
        self._formulas: dict[int, bool] = {}
        self._errors: dict[int, str] = {}
        self._hidden: set[int] = set()
        self.hidden_columns: list[tuple[int, int]] = []
        self.merged: list[Area] = []
        self.arrays: list[Area] = []
        self.conditional: list[Area] = []
        self.filtering = 0
        self._judged: dict[int, Judged] = {}

    def parse(self, content: bytes) -> None:
        """Raises ``InputRefused`` for broken XML."""
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.StartCdataSectionHandler = self._start_cdata
        try:
            parser.Parse(content, True)
        except expat.ExpatError as error:
            if error.code == OUT_OF_MEMORY:
                raise MemoryError from error
            raise refused("xlsx-danado") from error

    def done(self) -> Scan:
        return Scan(
            *self._reach,
            self._formulas,
            self._errors,
            frozenset(self._hidden),
            self.all_hidden_columns(),
            tuple(self.merged),
            tuple(self.arrays),
            self._judged,
            tuple(self.conditional),
            self.filtering,
        )

    def all_hidden_columns(self) -> tuple[tuple[int, int], ...]:
        """First and last of each group of columns that cannot be seen."""
        if not self._narrow:
            return tuple(self.hidden_columns)
        between, start = [], 0
        for first, last in sorted(self._sized):
            if first > start:
                between.append((start, first - 1))
            start = max(start, last + 1)
        return (*self.hidden_columns, *between, (start, COLUMNS - 1))

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._plain is not None:  # a tag inside a value or a formula
            raise refused("xlsx-danado")
        prefix, _, name = tag.rpartition(":")
        if name == "sheetData":
            if self._depth != _DEPTH[name] or self._data is not None:
                raise refused("xlsx-danado")
            self._data, self._inside = prefix, True
        elif self._inside and name in _DEPTH:
            if self._depth != _DEPTH[name] or prefix != self._data:
                raise refused("xlsx-danado")
            self._start_inside(name, attributes)
        elif name in ("row", "c") and self._depth == _DEPTH["sheetData"]:  # outside the data: some programs see it
            raise refused("xlsx-danado")
        elif self._run is not None:
            self._run.append((name, attributes))
        elif self._inside:
            if name == "rPr" and self._held[-1:] == ["is"]:
                self._run = []
        else:
            self._start_outside(name, attributes)

    def _start_outside(self, name: str, attributes: dict[str, str]) -> None:
        if name == "mergeCell":
            self.merged.append(area_of(attributes.get("ref", "")))
        elif name == "col" and "min" in attributes:
            columns = (_whole(attributes.get("min")) - 1, _whole(attributes.get("max")) - 1)
            if "width" in attributes:
                self._sized.append(columns)
            if is_on(attributes) or below(attributes.get("width"), _NARROWEST):
                self.hidden_columns.append(columns)
        elif name == "sheetFormatPr":
            self.low = is_on(attributes, "zeroHeight") or below(attributes.get("defaultRowHeight"), _LOWEST)
            self._narrow = below(attributes.get("defaultColWidth", attributes.get("baseColWidth")), _NARROWEST)
        elif name == "conditionalFormatting" and "sqref" in attributes:
            self.conditional += areas_of(attributes["sqref"])
        elif name == "sqref":  # of a newer conditional format: its areas are text
            self._area = []
        elif name == "customSheetView" and (is_on(attributes, "filter") or is_on(attributes, "hiddenRows")):
            self.filtering += 1

    def _start_inside(self, name: str, attributes: dict[str, str]) -> None:
        if name == "row":
            self._start_row(attributes)
        elif name == "c":
            self._start_cell(attributes)
        elif self._cell is not None:
            self._content(name)
            if name == "f" and attributes.get("t") in FILLED_BY_ONE and "ref" in attributes:
                self.arrays.append(area_of(attributes["ref"]))

    def _start_row(self, attributes: dict[str, str]) -> None:
        row = _whole(attributes["r"]) if "r" in attributes else self._row + 1
        if row <= self._row:
            raise refused("xlsx-desorden", sheet=self._sheet)
        self._row, self._column = row, 0
        if is_on(attributes) or is_low(attributes.get("ht"), own=is_on(attributes, "customHeight"), default=self.low):
            self._hidden.add(row)

    def _start_cell(self, attributes: dict[str, str]) -> None:
        row, column = self._row, self._column
        if "r" in attributes:
            row, column = place_of(attributes["r"])
        if row != self._row or key(row, column) <= self._previous:
            raise refused("xlsx-desorden", sheet=self._sheet)
        self._previous, self._column = key(row, column), column + 1
        self._cell = (row, column)
        self._kind, self._held = attributes.get("t", "n"), []
        self._style = style_number(attributes.get("s", "0"))
        self._judge(self._formatting.of(self._style))
        if self._kind == "e":
            self._errors[key(row, column)] = ""

    def _content(self, name: str) -> None:
        """A formula, then a value or an inline text: programs read any other order differently."""
        assert self._cell is not None
        row, column = self._cell
        if row > self._limits[0] or column >= self._limits[1]:
            raise far_away(self._sheet, row, column, self._limits)
        if self._held not in ([], ["f"]) or (name == "f" and self._held):
            raise refused("xlsx-danado")
        if (name == "is") is not (self._kind == "inlineStr") and name != "f":
            raise refused("xlsx-danado")
        self._held.append(name)
        self._plain = None if name == "is" else []
        self._reach = (max(self._reach[0], row), max(self._reach[1], column + 1))
        if name == "f":
            self._formulas[key(row, column)] = self._kind == "str"

    def _judge(self, said: Judged) -> None:
        if said and self._cell is not None:
            self._judged[key(*self._cell)] = self._judged.get(key(*self._cell), NOTHING) | said

    def _characters(self, text: str) -> None:
        if self._plain is not None:
            self._plain.append(text)
        elif self._area is not None:
            self._area.append(text)

    def _start_cdata(self) -> None:
        if self._plain is not None:  # the reader skips it: a value would lose characters
            raise refused("xlsx-danado")

    def _end(self, tag: str) -> None:
        if self._run is not None and tag.rpartition(":")[2] == "rPr":
            self._judge(self._formatting.styles.run(self._formatting.styles.font(self._run), self._style))
            self._run = None
        elif self._area is not None:
            self.conditional += areas_of("".join(self._area))
            self._area = None
        if self._inside and self._depth <= _DEPTH["v"]:
            if self._plain is not None:
                if self._held[-1] == "v":
                    self._end_value("".join(self._plain))
                self._plain = None
            elif self._depth == _DEPTH["c"]:
                self._cell = None
            elif self._depth == _DEPTH["sheetData"]:
                self._inside = False
        self._depth -= 1

    def _end_value(self, text: str) -> None:
        assert self._cell is not None
        if self._kind == "s" and self._formatting.strings and text.strip().isdigit():
            self._judge(self._formatting.of(self._style, int(text)))
        if self._kind == "e":
            self._errors[key(*self._cell)] = text.strip()
        elif self._kind == "n" and text != text.strip():  # the reader would turn it into text
            raise refused("xlsx-danado")


def is_on(attributes: dict[str, str], name: str = "hidden") -> bool:
    """Whether an attribute is set: everything but an explicit no counts."""
    return attributes.get(name, "").strip() not in _OFF


def is_low(height: str | None, *, own: bool, default: bool) -> bool:
    """Whether a row of this ``height`` in points cannot be seen. Without a height it has the sheet's ``default``; a row
    that claims its ``own`` height but does not give one has none (Excel does not show such a row)."""
    return (own or default) if height is None else below(height, _LOWEST)


def below(size: str | None, least: float) -> bool:
    """Whether a size is given and less than ``least``; a value that is not a number counts as too small."""
    if size is None:
        return False
    try:
        return not float(size) >= least
    except ValueError:
        return True


def areas_of(text: str) -> list[Area]:
    """The areas in a list of references; invalid references are ignored, as other programs do."""
    found = []
    for one in text.split():
        with suppress(InputRefused):
            found.append(area_of(one))
    return found


def style_number(text: str) -> int:
    """The number of a style; 0 when it is not a number."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else 0


def _whole(text: str | None) -> int:
    if text is None or not re.fullmatch(r"[1-9][0-9]{0,6}", text):
        raise refused("xlsx-danado")
    return int(text)
