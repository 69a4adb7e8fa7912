"""Lost faults: what an earlier run rejected a row for, and our results do not show any more (decision 0031).

``Resultados`` and its CSV hold values. A formula comes back as the value that it had, and a CSV has no crossed-out
cells, no comments and no kinds of cell. Such a row, given back untouched, would be sent without anybody's correction;
what was wrong stands in ``observaciones``, and holds until somebody removes that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.domain.outcomes import Outcome
from pipeline.domain.records import Cell
from pipeline.read.grid import NUMBER_OF
from pipeline.read.table import Table

FORMULA = "era una fórmula"
KIND = "era un número, una fecha u otra cosa que no es texto"
_KINDS = {"celda-formula": FORMULA, "celda-formula-vacia": FORMULA}
_CSV_KINDS = {**_KINDS, "celda-numero": KIND, "celda-fecha": KIND, "celda-logica": KIND, "celda-error": KIND}
_CSV_NO = frozenset({"fila-tachada", "fila-dice-no"})
_REMARK = re.compile(r"(?:(?P<letters>[A-Z]{1,3})[0-9]+|columna (?P<number>[0-9]+)): .*\[(?P<code>[a-z-]+)\]$")


@dataclass(frozen=True, slots=True)
class Lost:
    """One fault."""

    line: int
    #: indexes of the headings it may have been in; none for the whole row
    places: tuple[int, ...]
    #: what the cell was, in Spanish; empty when the row said that it must not be sent
    what: str


def lost_faults(table: Table) -> Iterator[Lost]:
    """The faults of rejected rows of one of our results, in the order of the rows."""
    header = table.header
    if header.outcome is None or header.remarks is None:
        return
    kinds = _KINDS if table.sheet is not None else _CSV_KINDS
    words, remarks = table.columns[header.outcome], table.columns[header.remarks]
    for line, word, remark in zip(table.lines, words, remarks, strict=True):
        if not isinstance(remark, str) or not _rejected(word):
            continue
        for match in filter(None, map(_REMARK.search, remark.splitlines())):
            if match["code"] in kinds:
                yield Lost(line, _places(table, match), kinds[match["code"]])
            elif table.sheet is None and match["code"] in _CSV_NO:
                yield Lost(line, (), "")


def _rejected(word: Cell) -> bool:
    return isinstance(word, str) and word.strip().upper() == Outcome.REJECTED.value


def _places(table: Table, remark: re.Match[str]) -> tuple[int, ...]:
    """The heading below which the cell was in the file that was rejected; all that are sent where it is not clear."""
    roles = tuple(sorted(table.header.roles.values()))
    letters, number = remark["letters"], remark["number"]
    place = NUMBER_OF.get(letters.encode(), -1) if letters else int(number[:6]) - 1
    return (place,) if place in roles else roles
