"""Review: what a person sees of a file that was checked, kept with its proposal as one value .

Every figure and every word comes from the plan that ``check`` and ``propose`` show too; nothing is judged here. It is
bounded whatever the file holds: of many rows the first are in it, and how many there are; all of them are in the review
workbook.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from pipeline.approvals.causes import Cause, Finding, causes
from pipeline.domain.columns import LABELS
from pipeline.domain.cufe import Cufe
from pipeline.domain.problems import shorten
from pipeline.domain.records import BatchInfo, Cell, CheckedRow, Verdict, column_letters
from pipeline.read.sheet import Sheet
from pipeline.run.plan import Plan
from pipeline.run.plan_words import on_limit_day, plan_facts, plan_figures, plan_problems
from pipeline.run.results import to_correct_of
from pipeline.settings.model import Settings

EACH, MOST = 20, 200
"""How many rows of one cause are kept, and of all causes together."""
ENDS, EXAMPLES = 5, 3
_TEXT = 80


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


def review_of(plan: Plan, settings: Settings, before: BatchInfo | None) -> Review:
    """Review of a new file's ``plan``; ``before`` is the newest batch of the company, None without one."""
    assert plan.checked is not None
    assert plan.sheet is not None
    sheet, rows = plan.sheet, plan.checked.rows
    leaving = [row for row in rows if row.verdict is Verdict.ACCEPTED]
    refused = [row for row in rows if row.verdict not in (Verdict.ACCEPTED, Verdict.NOT_APPLICABLE)]
    mended = (one for row in rows for one in row.repairs)
    return Review(
        figures=plan_figures(plan),
        to_send=plan.to_send,
        limit_day=on_limit_day(plan),
        issuers=tuple(sorted(Counter(map(_issuer, leaving)).items(), key=lambda one: (-one[1], one[0]))),
        dates=tuple(day.isoformat() for day in plan.dates) if plan.dates is not None else (),
        seconds=round(plan.to_send / settings.rate, 1),
        sheet=sheet.sheet or "",
        columns=_columns(sheet),
        example_places=tuple(str(row.position) for row in rows[:EXAMPLES]),
        problems=causes(refused, each=EACH, most=MOST),
        warnings=causes(rows, warnings=True, each=EACH, most=MOST),
        repairs=tuple(Mended(one.cell, shorten(one.received), one.used, one.what) for one in _first(mended)),
        duplicates=tuple(_repeated(row) for row in _first(row for row in rows if row.leader is not None)),
        others=tuple(_other(row) for row in _first(row for row in rows if row.verdict is Verdict.NOT_APPLICABLE)),
        notes=sheet.notes,
        first_rows=tuple(map(_leaving, leaving[:ENDS])),
        last_rows=tuple(map(_leaving, leaving[ENDS:][-ENDS:])),
        before=_before(before, plan.checked.issuers) if before is not None else None,
        to_correct=to_correct_of(plan, settings),
    )


def kept_of(plan: Plan, settings: Settings, before: BatchInfo | None) -> dict[str, Any]:
    """What is kept with the proposal, wherever it is made: the review, and the lines that ``approve`` shows at a
    terminal."""
    return {**shown_at_a_terminal(plan, settings), "review": asdict(review_of(plan, settings, before))}


def shown_at_a_terminal(plan: Plan, settings: Settings) -> dict[str, Any]:
    """Lines of the plan that ``approve`` shows at a terminal."""
    problems = plan_problems(plan)
    more = [f"… y {len(problems) - MOST} más"] if len(problems) > MOST else []
    return {"facts": [list(fact) for fact in plan_facts(plan, settings)], "problems": [*problems[:MOST], *more]}


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


def _first(found: Iterable[Any]) -> list[Any]:
    return [one for _, one in zip(range(EACH), found, strict=False)]


def _issuer(row: CheckedRow) -> str:
    return Cufe.parse(row.cufe or "", allow_bad_check_digit=True).ruc


def _columns(sheet: Sheet) -> tuple[Column, ...]:
    used = {place: LABELS[role] for role, place in sheet.roles.items()}
    return tuple(
        Column(
            column_letters(sheet.columns[place]),
            heading.strip(),
            used.get(place, ""),
            tuple(_text(value) for value in sheet.cells[place].iloc[:EXAMPLES].tolist()),
        )
        for place, heading in enumerate(sheet.headings)
    )


def _text(value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    return shorten(value.isoformat() if isinstance(value, date) else str(value), _TEXT)


def _leaving(row: CheckedRow) -> Leaving:
    return Leaving(str(row.position), row.cufe or "", shorten(row.reason or "", _TEXT), row.email or "")


def _repeated(row: CheckedRow) -> Repeated:
    assert row.leader is not None
    return Repeated(str(row.position), str(row.leader.position), row.leader.batch or "")


def _other(row: CheckedRow) -> Finding:
    words = " ".join(str(value) for value in row.cells if value is not None and str(value).strip())
    return Finding(str(row.position), shorten(words, _TEXT), "")


def _before(info: BatchInfo, issuers: Sequence[str]) -> Before:
    return Before(
        batch=info.id,
        file=info.file,
        received=info.created.isoformat(),
        rows=info.rows,
        new_issuers=tuple(sorted(set(issuers) - set(info.issuers))),
        missing_issuers=tuple(sorted(set(info.issuers) - set(issuers))),
    )
