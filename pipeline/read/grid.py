"""Worksheet grid: what is known of a sheet apart from its values, and how cells are numbered and addressed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import chain, product

from pipeline.domain.problems import refused
from pipeline.domain.records import column_letters
from pipeline.domain.visible import thousands
from pipeline.read.styles import Judged

COLUMNS = 16_384
ROWS = 1_048_576
_ALPHABET = [bytes([letter]) for letter in b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"]
_LETTERS = chain(_ALPHABET, map(b"".join, product(_ALPHABET, repeat=2)), map(b"".join, product(_ALPHABET, repeat=3)))
NUMBER_OF = dict(zip(_LETTERS, range(COLUMNS), strict=False))
"""Column letters to 0-based numbers, for all columns that a worksheet can have."""

_ADDRESS = re.compile(r"\$?([A-Za-z]{1,3})\$?([1-9][0-9]{0,6})")


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
    """Facts about a worksheet apart from its values."""

    #: with ``last_column`` (both from 1) the bounds of its cells
    last_row: int
    last_column: int
    #: by cell key, whether the formula's value is a text
    formulas: dict[int, bool]
    #: by cell key, the text (``#N/A``), which the reader drops
    errors: dict[int, str]
    #: from 1
    hidden_rows: frozenset[int]
    #: first and last column of each group
    hidden_columns: tuple[tuple[int, int], ...]
    merged: tuple[Area, ...]
    #: areas filled by one formula or data table; only their first cell carries it
    arrays: tuple[Area, ...] = ()
    #: by cell key, the cells whose appearance matters (struck through, not visible)
    judged: dict[int, Judged] = field(default_factory=dict)
    #: areas with conditional formats
    conditional: tuple[Area, ...] = ()
    #: number of custom views of the sheet that leave rows out
    filtering: int = 0

    @property
    def empty(self) -> bool:
        return self.last_row == 0


def key(row: int, column: int) -> int:
    """The cell key: one number per cell."""
    return row * COLUMNS + column


def far_away(sheet: str, row: int, column: int, limits: tuple[int, int]) -> Exception:
    """The refusal of a cell beyond the limits."""
    address = f"{sheet}!{column_letters(column)}{row}"
    return refused("xlsx-lejos", address=address, rows=thousands(limits[0]), columns=limits[1])


def place_of(address: str) -> tuple[int, int]:
    """``B7`` -> row 7, column 1. Raises ``InputRefused`` for anything else."""
    match = _ADDRESS.fullmatch(address)
    if match is None or match[1].upper().encode() not in NUMBER_OF or int(match[2]) > ROWS:
        raise refused("xlsx-danado")
    return int(match[2]), NUMBER_OF[match[1].upper().encode()]


def area_of(ref: str) -> Area:
    """``B2:C5`` as an area. Raises ``InputRefused`` for anything else."""
    first, _, last = ref.partition(":")
    (top, left), (bottom, right) = place_of(first), place_of(last or first)
    return Area(top, left, bottom, right)
