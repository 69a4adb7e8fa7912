"""Findings of a checked file: every row of every cause, by pages, beside the review workbook that says the same.

Written by who writes that workbook. One file has a finding a line, grouped by cause; the other where each page begins.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from pipeline.approvals.causes import Finding
from pipeline.domain.records import CheckedRow, Verdict

LINES, PAGES = "problemas.jsonl", "problemas.json"
ROWS = 50
"""Findings on one page."""


def write_findings(rows: Iterable[CheckedRow], folder: Path) -> None:
    """Writes what is wrong with which of ``rows``, and what to note about them, into ``folder``."""
    found: dict[str, list[bytes]] = {}
    for row in rows:
        refused = row.verdict not in (Verdict.ACCEPTED, Verdict.NOT_APPLICABLE)
        told: set[str] = set()
        for one in (*(row.problems if refused else ()), *row.warnings):
            if one.code not in told:  # a row counts once in a cause
                told.add(one.code)
                text = json.dumps([one.cell, one.value, one.message], ensure_ascii=False)
                found.setdefault(one.code, []).append(text.encode("utf-8", "surrogatepass") + b"\n")
    begins: dict[str, list[int]] = {}
    at = 0
    with (folder / LINES).open("wb") as out:
        for code, lines in found.items():
            for number, line in enumerate(lines):
                if number % ROWS == 0:
                    begins.setdefault(code, []).append(at)
                at += out.write(line)
    counted = {code: [len(found[code]), begins[code]] for code in found}
    (folder / PAGES).write_text(json.dumps(counted), "utf-8")


def has_findings(folder: Path) -> bool:
    """Whether they were written into ``folder``."""
    return (folder / PAGES).is_file()


def read_findings(folder: Path, code: str, page: int) -> tuple[list[Finding], int, int]:
    """Findings of the ``page``-th page (from 0) of a cause, how many rows it has in all, and how many pages."""
    rows, begins = json.loads((folder / PAGES).read_text("utf-8")).get(code, (0, ()))
    if not 0 <= page < len(begins):
        return [], rows, len(begins)
    with (folder / LINES).open("rb") as lines:
        lines.seek(begins[page])
        some = [next(lines) for _ in range(min(ROWS, rows - page * ROWS))]
    return [Finding(*json.loads(line.decode("utf-8", "surrogatepass"))) for line in some], rows, len(begins)
