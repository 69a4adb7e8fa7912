"""Review: what a person sees of a file that was checked, kept with its proposal as one value .

Every figure and every word comes from the plan that ``check`` and ``propose`` show too; nothing is judged here. It is
bounded whatever the file holds: of many rows the first are in it, and how many there are; all of them are in the review
workbook.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.approvals.causes import Cause, Finding


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the file."""

    letters: str
    heading: str
    #: what it is used for, as «CUFE»; empty for one that comes back unchanged
    used_as: str
    #: its cells in the first rows
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Leaving:
    """One row that would be sent."""

    place: str
    cufe: str
    reason: str
    email: str


@dataclass(frozen=True, slots=True)
class Mended:
    """One code that was cleaned of what was pasted around it."""

    place: str
    received: str
    used: str
    what: str


@dataclass(frozen=True, slots=True)
class Repeated:
    """One row that repeats another."""

    place: str
    #: the row that it repeats
    of: str
    #: batch of that row; empty for the same file
    batch: str


@dataclass(frozen=True, slots=True)
class Before:
    """Newest batch of the same company, and what differs from it."""

    batch: str
    file: str
    #: UTC, ISO
    received: str
    rows: int
    #: RUCs that were not in it
    new_issuers: tuple[str, ...]
    #: RUCs that only it has
    missing_issuers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Review:
    """What a checked file comes to."""

    #: counts by the keys of ``check --json``
    figures: Mapping[str, int]
    to_send: int
    #: rows to be sent whose legal limit is today
    limit_day: int
    #: rows to be sent by issuer
    issuers: tuple[tuple[str, int], ...]
    #: first and last issue date of what would be sent, ISO; empty without any
    dates: tuple[str, ...]
    #: of sending
    seconds: float
    sheet: str
    columns: tuple[Column, ...]
    #: the first rows as examples, by their place
    example_places: tuple[str, ...]
    problems: tuple[Cause, ...]
    warnings: tuple[Cause, ...]
    repairs: tuple[Mended, ...]
    duplicates: tuple[Repeated, ...]
    #: lines that are no invoices
    others: tuple[Finding, ...]
    #: notes of the reading, and lineage
    notes: tuple[str, ...]
    #: first and last rows to be sent
    first_rows: tuple[Leaving, ...]
    last_rows: tuple[Leaving, ...]
    before: Before | None
    #: the workbooks that were made with it: name, and how many rows are in the one to correct, in words
    to_correct: str = ""

    @property
    def invoices(self) -> int:
        """Rows that are invoices."""
        return self.figures["rows"] - self.figures["not_applicable"]

    @property
    def not_sent(self) -> int:
        """Invoices that would not be sent."""
        return self.invoices - self.to_send


def review_in(kept: Mapping[str, Any]) -> Review | None:
    """The review that was kept with a proposal; None where none was."""
    found = kept.get("review")
    if not found:
        return None
    before = found["before"]
    if before is not None:
        lists = {name: tuple(before[name]) for name in ("new_issuers", "missing_issuers")}
        before = Before(**{**before, **lists})
    return Review(
        **{
            **found,
            "issuers": tuple((ruc, count) for ruc, count in found["issuers"]),
            "dates": tuple(found["dates"]),
            "columns": tuple(Column(**{**one, "examples": tuple(one["examples"])}) for one in found["columns"]),
            "example_places": tuple(found["example_places"]),
            "problems": tuple(map(_cause, found["problems"])),
            "warnings": tuple(map(_cause, found["warnings"])),
            "repairs": tuple(Mended(**one) for one in found["repairs"]),
            "duplicates": tuple(Repeated(**one) for one in found["duplicates"]),
            "others": tuple(Finding(**one) for one in found["others"]),
            "notes": tuple(found["notes"]),
            "first_rows": tuple(Leaving(**one) for one in found["first_rows"]),
            "last_rows": tuple(Leaving(**one) for one in found["last_rows"]),
            "before": before,
        }
    )


def _cause(one: Mapping[str, Any]) -> Cause:
    return Cause(**{**one, "findings": tuple(Finding(**finding) for finding in one["findings"])})
