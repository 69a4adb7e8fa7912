"""Looks through a worksheet's XML for what the reader does not tell: where cells are, formulas, hidden rows, merges.

Nearly every program writes ``<row r="1" …>`` and ``<c r="A1" …>`` with the address first and nothing between the tags
of a cell; such sheets are scanned with one regular expression per block and checked with numpy. Every ``<c`` and
``<row``, to the end of the tag, and what a cell holds have to match that form exactly; one that does not (other order,
prefix, comment, odd spacing, an entity in an attribute, no address, anything suspicious) sends the whole sheet to the
slow scan by expat, which follows the rules for cells without an address and does the refusing. So nothing the reader
or a person sees as a cell, a formula, an error or a hidden row goes unseen here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from pipeline.read.grid import COLUMNS, NUMBER_OF, ROWS, Area, Scan, key
from pipeline.read.slowscan import Watcher

_BLOCK = 1024 * 1024

Keys = npt.NDArray[np.int64]
"""Cells as numbers: row * 16384 + column, row 1-based, column 0-based."""

_TAG = re.compile(rb'<(?:row|c) r="([A-Z]{0,3})([1-9][0-9]{0,6})"(?: [A-Za-z][A-Za-z0-9:]*+="[^"&<>\t\r\n]*+")*+ ?/?>')
_ROW = re.compile(rb'<row r="([0-9]+)"([^>]*)>')
# Three searches and not one alternation: each has a fixed start, which makes them five times faster.
_ODD_TAG = re.compile(rb"<(?:row|c)[\t\r\n/>]")
_ODD_PREFIX = re.compile(rb":(?:row|c|f|v|is)[\s/>]")
_INLINE = re.compile(rb't="inlineStr"[^>]*><is>')
_INLINE_VALUE = re.compile(rb't="inlineStr"[^>]*><v>')
_NESTED = re.compile(rb"<v>[^<]*<(?!/)|</f[^>]*>[^<]*<(?![v/])|<f[^>/]*>[^<]*<(?!/)")
_SPACED = tuple(b"<v>" + space for space in (b" ", b"\t", b"\r", b"\n")) + tuple(
    space + b"</v>" for space in (b" ", b"\t", b"\r", b"\n")
)
_FORMULA = re.compile(rb'<c r="([A-Z]{1,3})([1-9][0-9]{0,6})"([^>]*)(?<!/)><f[\s/>]')
_ERROR = re.compile(
    rb'<c r="([A-Z]{1,3})([1-9][0-9]{0,6})"[^>]*\st="e"[^>]*(?<!/)>(?:<f[^>]*/>|<f[^>]*>[^<]*</f>)?(?:<v>([^<&]*)</v>)?'
)
_HIDDEN = re.compile(rb' hidden="(?!(?:0|false)")|\sht=" *0(?:\.0*)? *"')
_NO_COLUMN, _NO_SUCH_COLUMN = -2, -1  # a row's address has no column; XYZ is beyond the last


class _Columns(dict[bytes, int]):
    def __missing__(self, letters: bytes) -> int:
        return _NO_SUCH_COLUMN


_COLUMN_OF = _Columns({**NUMBER_OF, b"": _NO_COLUMN}).__getitem__


def scan(content: bytes, sheet: str, last_row: int, last_column: int) -> Scan:
    """Looks through ``content``. Cells with content below ``last_row`` or beyond ``last_column`` columns are refused.

    Raises ``InputRefused``: far cells, cells out of order or twice, broken XML.
    """
    start, end = content.find(b"<sheetData"), content.rfind(b"</sheetData>")
    if start < 0 or end < start or content.count(b"<sheetData") != 1 or _odd(content[:start]):
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
    return (
        b"<!" in block
        or b"<?" in block
        or _ODD_TAG.search(block) is not None
        or _ODD_PREFIX.search(block) is not None
        or _odd_content(block)
    )


def _odd_content(block: bytes) -> bool:
    """Whether a cell in ``block`` may hold anything but a formula and a value, or one inline text, in this order."""
    values = block.count(b"<v>")
    return (
        values != block.count(b'"><v>') + block.count(b"</f><v>") + block.count(b"/><v>")
        or values != block.count(b"</v></c>")
        or b"<v " in block
        or b"<v/" in block
        or (b"<f" in block and block.count(b"<f>") + block.count(b"<f ") + block.count(b"<f/") != block.count(b'"><f'))
        or any(block.count(b"<is" + end) for end in (b" ", b"/"))
        or (b"<is>" in block and not len(_INLINE.findall(block)) == block.count(b"<is>") == block.count(b"</is></c>"))
        or (b'"inlineStr"' in block and b"<v>" in block and _INLINE_VALUE.search(block) is not None)
        or any(space in block for space in _SPACED)
        or _NESTED.search(block) is not None
    )


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
        self._formulas: dict[int, bool] = {}
        self._errors: dict[int, str] = {}
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
        if b" hidden=" in block or b' ht="' in block:
            self._hidden |= {int(number) for number, more in _ROW.findall(block) if _HIDDEN.search(more)}
        if b"<f" in block:
            self._formulas |= {_key_of(match): b't="str"' in match[2] for match in _FORMULA.findall(block)}
        if b't="e"' in block:
            self._errors |= {_key_of(match): match[2].decode() for match in _ERROR.findall(block)}
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
            self._formulas,
            self._errors,
            frozenset(self._hidden),
            hidden_columns,
            merged,
        )


def _key_of(match: tuple[bytes, ...]) -> int:
    return key(int(match[1]), NUMBER_OF[match[0]])


def _around(outside: bytes) -> tuple[tuple[tuple[int, int], ...], tuple[Area, ...]]:
    """Hidden columns and merged areas, from the XML before and after the rows."""
    watcher = Watcher("", ROWS, COLUMNS)
    watcher.parse(outside)
    return tuple(watcher.hidden_columns), tuple(watcher.merged)


def _slow(content: bytes, sheet: str, last_row: int, last_column: int) -> Scan:
    watcher = Watcher(sheet, last_row, last_column)
    watcher.parse(content)
    return watcher.done()
