"""Looks through a worksheet's XML for what the reader does not tell: where cells are, formulas, hidden rows, merges.

Nearly every program writes ``<row r="1" …>`` and ``<c r="A1" …>`` with the address first; such sheets are scanned
with one regular expression per block and checked with numpy. Every ``<c`` and ``<row`` has to match that form
exactly; one that does not (other order, prefix, comment, no address, anything suspicious) sends the whole sheet to
the slow scan by expat, which follows the rules for cells without an address and does the refusing. So nothing the
reader sees as a cell goes unseen here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.parsers import expat

import numpy as np
import numpy.typing as npt

from pipeline.domain.problems import refused
from pipeline.domain.records import column_letters

COLUMNS = 16_384
ROWS = 1_048_576
_BLOCK = 1024 * 1024

Keys = npt.NDArray[np.int64]
"""Cells as numbers: row * 16384 + column, row 1-based, column 0-based."""

_TAG = re.compile(rb'<(?:row|c) r="([A-Z]{0,3})([1-9][0-9]{0,6})"')
_ROW = re.compile(rb'<row r="([0-9]+)"([^>]*)>')
# Three searches and not one alternation: each has a fixed start, which makes them five times faster.
_ODD_TAG = re.compile(rb"<(?:row|c)[\t\r\n/>]")
_ODD_PREFIX = re.compile(rb":(?:row|c)[\s/>]")
_FORMULA = re.compile(rb'<c r="([A-Z]{1,3})([1-9][0-9]{0,6})"[^>]*(?<!/)><f[\s/>]')
_ERROR = re.compile(rb'<c r="([A-Z]{1,3})([1-9][0-9]{0,6})"[^>]*\st="e"[^>]*(?<!/)>')
_HIDDEN = re.compile(rb"""\shidden=["'](?:1|true)["']|\sht=["']0(?:\.0*)?["']""")
_ADDRESS = re.compile(r"\$?([A-Za-z]{1,3})\$?([1-9][0-9]{0,6})")
_NO_COLUMN, _NO_SUCH_COLUMN = -2, -1  # a row's address has no column; XYZ is beyond the last
_NUMBER_OF = {column_letters(n).encode(): n for n in range(COLUMNS)}


class _Columns(dict[bytes, int]):
    def __missing__(self, letters: bytes) -> int:
        return _NO_SUCH_COLUMN


_COLUMN_OF = _Columns({**_NUMBER_OF, b"": _NO_COLUMN}).__getitem__


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle: rows 1-based, columns 0-based, all inclusive."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def address(self) -> str:
        return f"{column_letters(self.left)}{self.top}:{column_letters(self.right)}{self.bottom}"


@dataclass(frozen=True, slots=True)
class Scan:
    """What a worksheet holds beside its values. ``last_row`` and ``last_column`` (counted from 1) bound its cells."""

    last_row: int
    last_column: int
    formulas: frozenset[int]
    errors: frozenset[int]
    hidden_rows: frozenset[int]
    hidden_columns: tuple[tuple[int, int], ...]
    merged: tuple[Area, ...]

    @property
    def empty(self) -> bool:
        return self.last_row == 0


def key(row: int, column: int) -> int:
    """A cell as a number."""
    return row * COLUMNS + column


def scan(content: bytes, sheet: str, last_row: int, last_column: int) -> Scan:
    """Looks through ``content``. Cells with content below ``last_row`` or beyond ``last_column`` columns are refused.

    Raises ``InputRefused``: far cells, cells out of order or twice, broken XML.
    """
    start, end = content.find(b"<sheetData"), content.rfind(b"</sheetData>")
    if start < 0 or end < start or _odd(content[:start]):
        return _slow(content, sheet, last_row, last_column)
    found = _Found(sheet, last_row, last_column)
    for block in _blocks(content, start, end):
        if _odd(block) or not found.take(block):
            return _slow(content, sheet, last_row, last_column)
    outside = content[:start] + b"<sheetData>" + content[end:]
    if b"<c " in outside or b"<row " in outside:
        return _slow(content, sheet, last_row, last_column)
    return found.done(*_around(outside))


def _odd(block: bytes) -> bool:
    """Whether a tag in ``block`` may have a form that ``_TAG`` does not see."""
    return b"<!" in block or _ODD_TAG.search(block) is not None or _ODD_PREFIX.search(block) is not None


def _blocks(content: bytes, start: int, end: int) -> Iterator[bytes]:
    """The rows of ``content`` in blocks of about a megabyte, cut between rows."""
    while start < end:
        cut = content.find(b"</row>", min(start + _BLOCK, end), end)
        stop = end if cut < 0 else cut + len(b"</row>")
        yield content[start:stop]
        start = stop


class _Found:
    """Gathers what blocks of well-formed tags hold, and checks order and reach."""

    def __init__(self, sheet: str, last_row: int, last_column: int) -> None:
        self._sheet, self._limits = sheet, (last_row, last_column)
        self._previous = self._row = -1
        self._reach = (0, 0)
        self._formulas: set[int] = set()
        self._errors: set[int] = set()
        self._hidden: set[int] = set()

    def take(self, block: bytes) -> bool:
        """Notes what ``block`` holds; False when a tag in it has another form."""
        tags = _TAG.findall(block)
        if len(tags) != block.count(b"<c ") + block.count(b"<row "):
            return False
        if not tags:
            return True
        letters, numbers = zip(*tags, strict=True)
        rows = np.array(numbers, dtype="S7").astype(np.int64)
        columns = np.fromiter(map(_COLUMN_OF, letters), np.int64, len(letters))
        if (columns == _NO_SUCH_COLUMN).any() or not self._ordered(rows, columns):
            return False
        self._reach = (max(self._reach[0], int(rows.max())), max(self._reach[1], int(columns.max()) + 1))
        if self._reach[0] > self._limits[0] or self._reach[1] > self._limits[1]:
            return False  # perhaps only a cell with a format and no content
        if b" hidden=" in block or b' ht="0' in block or b" ht='0" in block:
            in_rows = _ROW.findall(block)
            if any(more.count(b'"') % 2 for _, more in in_rows):
                return False  # a ">" inside an attribute
            self._hidden |= {int(number) for number, more in in_rows if _HIDDEN.search(more)}
        if b"<f" in block:
            self._formulas |= {_key_of(match) for match in _FORMULA.findall(block)}
        if b't="e"' in block:
            self._errors |= {_key_of(match) for match in _ERROR.findall(block)}
        return True

    def _ordered(self, rows: Keys, columns: Keys) -> bool:
        """Whether rows ascend, cells ascend, and every cell stands in its own row."""
        is_row = columns == _NO_COLUMN
        places = np.maximum.accumulate(np.where(is_row, np.arange(len(rows)), -1))
        own = np.where(places >= 0, rows[places], self._row)
        # A row counts as standing just before its first cell.
        keys = rows * (COLUMNS + 1) + np.where(is_row, 0, columns + 1)
        if (own != rows).any() or keys[0] <= self._previous or (np.diff(keys) <= 0).any() or rows.max() > ROWS:
            return False
        self._previous, self._row = int(keys[-1]), int(rows[-1])
        return True

    def done(self, hidden_columns: tuple[tuple[int, int], ...], merged: tuple[Area, ...]) -> Scan:
        return Scan(
            *self._reach,
            frozenset(self._formulas),
            frozenset(self._errors),
            frozenset(self._hidden),
            hidden_columns,
            merged,
        )


def far_away(sheet: str, row: int, column: int, limits: tuple[int, int]) -> Exception:
    """The refusal of a cell beyond the limits."""
    address = f"{sheet}!{column_letters(column)}{row}"
    rows = f"{limits[0]:,}".replace(",", ".")
    return refused("xlsx-lejos", address=address, rows=rows, columns=limits[1])


def _key_of(match: tuple[bytes, ...]) -> int:
    return key(int(match[1]), _NUMBER_OF[match[0]])


def _around(outside: bytes) -> tuple[tuple[tuple[int, int], ...], tuple[Area, ...]]:
    """Hidden columns and merged areas, from the XML before and after the rows."""
    watcher = _Watcher("", ROWS, COLUMNS)
    watcher.parse(outside)
    return tuple(watcher.hidden_columns), tuple(watcher.merged)


def _slow(content: bytes, sheet: str, last_row: int, last_column: int) -> Scan:
    watcher = _Watcher(sheet, last_row, last_column)
    watcher.parse(content)
    return watcher.done()


class _Watcher:
    """The slow scan: follows every tag with expat. Positions as the reader counts them when addresses are missing."""

    def __init__(self, sheet: str, last_row: int, last_column: int) -> None:
        self._sheet, self._limits = sheet, (last_row, last_column)
        self._row, self._column = 0, 0
        self._previous = -1
        self._cell: tuple[int, int] | None = None
        self._reach = (0, 0)
        self._formulas: set[int] = set()
        self._errors: set[int] = set()
        self._hidden: set[int] = set()
        self.hidden_columns: list[tuple[int, int]] = []
        self.merged: list[Area] = []

    def parse(self, content: bytes) -> None:
        """Raises ``InputRefused`` for broken XML."""
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        try:
            parser.Parse(content, True)
        except expat.ExpatError as error:
            raise refused("xlsx-danado") from error

    def done(self) -> Scan:
        return Scan(
            *self._reach,
            frozenset(self._formulas),
            frozenset(self._errors),
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
            self.merged.append(_area(attributes.get("ref", "")))
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
            row, column = _place(attributes["r"])
        if row != self._row or key(row, column) <= self._previous:
            raise refused("xlsx-desorden", sheet=self._sheet)
        self._previous, self._column = key(row, column), column + 1
        self._cell = (row, column)
        if attributes.get("t") == "e":
            self._errors.add(key(row, column))

    def _content(self, name: str) -> None:
        assert self._cell is not None
        row, column = self._cell
        if row > self._limits[0] or column >= self._limits[1]:
            raise far_away(self._sheet, row, column, self._limits)
        self._reach = (max(self._reach[0], row), max(self._reach[1], column + 1))
        if name == "f":
            self._formulas.add(key(row, column))

    def _end(self, tag: str) -> None:
        if tag.rpartition(":")[2] == "c":
            self._cell = None


def _place(address: str) -> tuple[int, int]:
    match = _ADDRESS.fullmatch(address)
    if match is None or match[1].upper().encode() not in _NUMBER_OF or int(match[2]) > ROWS:
        raise refused("xlsx-danado")
    return int(match[2]), _NUMBER_OF[match[1].upper().encode()]


def _area(ref: str) -> Area:
    first, _, last = ref.partition(":")
    (top, left), (bottom, right) = _place(first), _place(last or first)
    return Area(top, left, bottom, right)


def _whole(text: str | None) -> int:
    if text is None or not re.fullmatch(r"[1-9][0-9]{0,6}", text):
        raise refused("xlsx-danado")
    return int(text)
