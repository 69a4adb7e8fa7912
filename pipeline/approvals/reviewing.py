"""Reviewing: a checked file's plan as what a person sees of it, and what is kept of that with its proposal.

Only who reads a file loads this; a page shows what was kept (``review``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from pipeline.approvals.causes import Finding, causes
from pipeline.approvals.review import Before, Column, Leaving, Mended, Repeated, Review
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
