"""Kept counts: what the rows of each batch were counted to, in a file of this user (docs/decisions/0111).

Each is kept under the hash of the newest event of the batch's rows, which covers everything that can change them: a
batch that moved, a ledger that went back, or another ledger in the same place has another hash, and is counted again. A
file that is missing, damaged or of another form proves nothing, and failing to write it is no error. Only what is shown
comes from here: who sends, decides, reports or verifies counts for himself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import astuple
from pathlib import Path
from typing import Any

from pipeline.domain.lifecycle import State
from pipeline.domain.records import Seal
from pipeline.ledger.counts import Counts, Group
from pipeline.runtime.atomic_file import replace_file

FORM = 1
"""Counts up when what is kept, or how it is counted, changes."""
_MOST_GROUPS = 200
"""A batch with more, of notes that all differ, is counted every time."""
_MOST_BYTES = 100 << 20


class KeptCounts:
    """Counts of the batches of one ledger in the file ``path``, which is read at the first question."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._kept: dict[str, Any] | None = None
        self._news: dict[str, Any] = {}

    def of(self, batch: str, seal: Seal, rows: int) -> Counts | None:
        """The counts of ``batch``, whose newest event is ``seal`` and which has ``rows`` rows; None when they are not
        known as of then."""
        if self._kept is None:
            self._kept = _read(self._path)
        found = self._news.get(batch) or self._kept.get(batch)
        try:
            if found is None or found[0] != seal.hash:
                return None
            counts = Counts(tuple(Group(*one) for one in found[1]), str(found[2]))
            known = all(State(group.state) for group in counts.groups)
        except (ValueError, TypeError, IndexError, KeyError):
            return None
        return counts if known and counts.rows == rows else None

    def add(self, batch: str, seal: Seal, counts: Counts) -> None:
        """Keeps the counts of ``batch`` as of ``seal``."""
        if len(counts.groups) <= _MOST_GROUPS:
            self._news[batch] = [seal.hash, [list(astuple(group)) for group in counts.groups], counts.first_day]

    def save(self) -> None:
        """Writes what is new beside what the file has by now; another process's may be lost, and is counted again."""
        if not self._news:
            return
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
            self._kept = {**_read(self._path), **self._news}
            replace_file(self._path, json.dumps({"form": FORM, "batches": self._kept}).encode("utf-8"))
            self._news = {}


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MOST_BYTES:
            return {}
        values = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(values, Mapping) or values.get("form") != FORM or not isinstance(values.get("batches"), dict):
        return {}
    return dict(values["batches"])
