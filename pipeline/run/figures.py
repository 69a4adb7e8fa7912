"""Figures of a batch as its answers have them: the head of ``--json``, outcomes in order, a path. Needs no workbook."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

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
