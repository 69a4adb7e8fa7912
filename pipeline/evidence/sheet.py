"""Sheet reader for evidence: reads one worksheet of a results workbook row by row, only in the form of this program.

A workbook of 100,000 rows unpacks to half a gigabyte, so it is streamed and never held. The file may be forged to say
one thing to this program and another to a person: every part must be one that we write, well-formed and inert
(``report/verify.py``), within the limits of an input, and a row or a cell in any other form is refused instead of
interpreted.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections import deque
from collections.abc import Iterator
from typing import IO
from xml.parsers.expat import ExpatError, ParserCreate

from pipeline.domain.errors import Bug, InputRefused
from pipeline.evidence.unzip import BLOCK, DAMAGE
from pipeline.read.grid import COLUMNS, NUMBER_OF
from pipeline.read.guard import RATIO, RATIO_ABOVE, Parts
from pipeline.read.limits import Limits
from pipeline.read.worksheets import RELATIONS, WORKBOOK, tabs_of
from pipeline.report.verify import MEMBERS, inert

Value = str | float | bool

_NEEDED = (WORKBOOK, RELATIONS)
_ADDRESS = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
_PATH = ("worksheet", "sheetData", "row", "c")
_INSIDE = frozenset({("v",), ("is",), ("is", "t"), ("is", "r"), ("is", "r", "t")})
_CELL = frozenset({"r", "s", "t"})


class Odd(Exception):
    """Not a workbook in the form that we write."""


def sheet_rows(book: bytes, title: str, limits: Limits) -> Iterator[list[Value]]:
    """The rows of the worksheet called ``title``, from the first; a missing cell is "". Raises ``Odd``."""
    try:
        with zipfile.ZipFile(io.BytesIO(book)) as container:
            _looked_through(container, limits)
            with container.open(_part(container, title)) as stream:
                yield from _Rows().of(stream)
    except (Bug, ExpatError, InputRefused, RuntimeError, *DAMAGE) as error:
        raise Odd from error


def _looked_through(container: zipfile.ZipFile, limits: Limits) -> None:
    """Checks that every part is one of ours, within limits, well-formed and inert."""
    members = container.infolist()
    names = [member.orig_filename for member in members]
    if len(names) != len(set(names)) or not MEMBERS.issuperset(names) or not set(_NEEDED).issubset(names):
        raise Odd
    left, end = limits.unpacked, 0
    for member in sorted(members, key=lambda one: one.header_offset):
        if member.header_offset < end:
            raise Odd
        end = member.header_offset + 30 + len(member.orig_filename) + member.compress_size
        with container.open(member) as stream:
            bounded = _Bounded(stream, min(left, max(RATIO_ABOVE, RATIO * max(1, member.compress_size))))
            inert(member.filename, bounded)  # type: ignore[arg-type]
        left -= bounded.taken


class _Bounded:
    """A stream that raises ``Odd`` when it is longer than allowed."""

    def __init__(self, stream: IO[bytes], most: int) -> None:
        self._stream, self._most, self.taken = stream, most, 0

    def read(self, size: int) -> bytes:
        block = self._stream.read(size)
        self.taken += len(block)
        if self.taken > self._most:
            raise Odd
        return block


def _part(container: zipfile.ZipFile, title: str) -> str:
    """The part of the tab called ``title``, whatever its file name."""
    parts = dict.fromkeys(container.namelist(), b"")
    parts.update((name, container.read(name)) for name in _NEEDED)
    found = [tab for tab in tabs_of(Parts(parts)) if tab.name == title]
    if len(found) != 1 or not found[0].visible:
        raise Odd
    return found[0].part


class _Rows:
    """Receives the tags of a worksheet and keeps the rows that are complete."""

    def __init__(self) -> None:
        self._path: list[str] = []
        self._ended: deque[list[Value]] = deque()
        self._row: list[Value] = []
        self._number = 0
        self._kind = ""
        self._text: list[str] = []
        self._listening = self._met = False

    def of(self, stream: IO[bytes]) -> Iterator[list[Value]]:
        parser = ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._characters
        while block := stream.read(BLOCK):
            parser.Parse(block, False)
            while self._ended:
                yield self._ended.popleft()
        parser.Parse(b"", True)
        yield from self._ended
        if not self._met:
            raise Odd

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._path.append(tag)
        depth = len(self._path)
        within = depth > 2 and self._path[1] == "sheetData"
        if within and depth <= len(_PATH):
            if tag != _PATH[depth - 1]:
                raise Odd
            self._start_row(attributes) if tag == "row" else self._start_cell(attributes)
        elif within:
            if tuple(self._path[len(_PATH) :]) not in _INSIDE or (tag == "v") is (self._kind == "inlineStr"):
                raise Odd
            self._listening = tag in ("t", "v")
        elif tag == "sheetData" and depth == len(_PATH) - 2 and not self._met:
            self._met = True
        elif tag.rpartition(":")[2] in ("sheetData", "row", "c"):
            raise Odd

    def _start_row(self, attributes: dict[str, str]) -> None:
        self._number += 1
        if attributes.get("r") != str(self._number) or "hidden" in attributes:
            raise Odd
        self._row = []

    def _start_cell(self, attributes: dict[str, str]) -> None:
        place = _ADDRESS.fullmatch(attributes.get("r", ""))
        column = NUMBER_OF.get(place[1].encode(), COLUMNS) if place else COLUMNS
        self._kind, self._text = attributes.get("t", "n"), []
        known = self._kind in ("n", "b", "inlineStr") and _CELL.issuperset(attributes)
        if place is None or not known or int(place[2]) != self._number or not len(self._row) <= column < COLUMNS:
            raise Odd
        self._row += [""] * (column - len(self._row))

    def _characters(self, text: str) -> None:
        if self._listening:
            self._text.append(text)
        elif len(self._path) >= len(_PATH) - 1 and self._path[1] == "sheetData" and not text.isspace():
            raise Odd

    def _end(self, _: str) -> None:
        self._listening = False
        if len(self._path) == len(_PATH) and self._path[1] == "sheetData":
            self._row.append(self._value())
        elif len(self._path) == len(_PATH) - 1 and self._path[1] == "sheetData":
            self._ended.append(self._row)
        self._path.pop()

    def _value(self) -> Value:
        text = "".join(self._text)
        if self._kind == "inlineStr" or not text:
            return text
        if self._kind == "b":
            if text not in ("0", "1"):
                raise Odd
            return text == "1"
        return float(text)
