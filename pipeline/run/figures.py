"""Figures of a batch as its answers have them: the head of ``--json``, outcomes in order, a path. Needs no workbook."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.domain import outcomes
from pipeline.domain.outcomes import Outcome
from pipeline.domain.records import BatchInfo


def batch_head(info: BatchInfo) -> dict[str, Any]:
    head = {"batch": info.id, "file": info.file, "sha256": info.sha256, "env": info.env, "rows": info.rows}
    return {**head, "corrects": info.corrects, "corrected_in": list(info.corrected_in)}


def ordered(counts: Mapping[str, int]) -> dict[str, int]:
    """Counts by outcome word in the order of the summary, without zeros."""
    return {word.value: counts[word.value] for word in Outcome if counts.get(word.value)}


def path_text(path: Path | None) -> str | None:
    return None if path is None else str(path)


def counts_data(info: BatchInfo) -> dict[str, Any]:
    """``--json`` answer of ``status`` for one batch, from its counts; a corrected row counts as what it became."""
    counted = {word: info.counts.get(word.value, 0) for word in Outcome}
    found = {word: number + info.shift.get(word.value, 0) for word, number in counted.items()}
    person = sum(number for word, number in found.items() if word in _PERSON)
    return {
        **batch_head(info),
        "outcomes": {word.value: number for word, number in counted.items() if number},
        "needs_person": person,
        "pending": sum(number for word, number in found.items() if word in outcomes.OPEN),
        "workbook": None,
        "corrections": None,
        "exit_code": outcomes.exit_code(w for w, n in found.items() if n and w is not Outcome.DUPLICATE),
    }


_NOBODY = {Outcome.PENDING, Outcome.UNKNOWN, Outcome.DUPLICATE, Outcome.NOT_APPLICABLE}
_PERSON = frozenset(Outcome) - outcomes.DONE - _NOBODY
