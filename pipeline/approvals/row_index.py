"""Row index of a batch: which of its rows have which problem or warning, and which issuer; a page filters them by it.

Fixed when the batch was taken in, so it is made once: for a large batch by a reader child, kept beside the downloads.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pipeline.approvals.causes import TITLES
from pipeline.domain.records import BatchInfo
from pipeline.ledger.pages import Pages

FILE = "filas.json"


@dataclass(frozen=True, slots=True)
class Alike:
    """Rows that have something in common, as runs: a position, how many follow on it, the next position …"""

    rows: int
    runs: tuple[int, ...]

    @property
    def places(self) -> list[int]:
        """Their positions, in input order."""
        found: list[int] = []
        for begin, length in zip(self.runs[::2], self.runs[1::2], strict=True):
            found.extend(range(begin, begin + length))
        return found


@dataclass(frozen=True, slots=True)
class RowIndex:
    """The index: rows by code of a problem or warning, and by issuer, the most frequent first."""

    problems: Mapping[str, Alike]
    issuers: Mapping[str, Alike]


def title_of(code: str) -> str:
    """What rows with this problem are called; of one that this version does not know, its code."""
    return TITLES.get(code, code)


def index_of(pages: Pages, info: BatchInfo) -> RowIndex:
    """Index of a batch, from the ledger."""
    problems: dict[str, list[int]] = {}
    issuers: dict[str, list[int]] = {}
    for pos, issuer, codes in pages.marks(info.id):
        for code in codes:
            problems.setdefault(code, []).append(pos)
        if issuer:
            issuers.setdefault(issuer, []).append(pos)
    return RowIndex(_alike(problems), _alike(issuers))


def write_index(pages: Pages, info: BatchInfo, folder: Path) -> None:
    """Writes the index into ``folder``."""
    (folder / FILE).write_text(json.dumps(asdict(index_of(pages, info))), "utf-8")


def read_index(file: Path) -> RowIndex:
    """The index that was written into ``file``."""
    found = json.loads(file.read_text("utf-8"))
    kinds = [{name: Alike(one["rows"], tuple(one["runs"])) for name, one in found[kind].items()} for kind in _KINDS]
    return RowIndex(*kinds)


_KINDS = ("problems", "issuers")


def _alike(found: Mapping[str, Sequence[int]]) -> dict[str, Alike]:
    names = sorted(found, key=lambda name: (-len(found[name]), name))
    return {name: Alike(len(found[name]), tuple(_runs(found[name]))) for name in names}


def _runs(places: Iterable[int]) -> list[int]:
    runs: list[int] = []
    for pos in places:
        if runs and pos == runs[-2] + runs[-1]:
            runs[-1] += 1
        else:
            runs += [pos, 1]
    return runs
