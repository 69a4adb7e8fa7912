"""Reconciliation: asks eDoc about every row of a batch or a file now, and compares the answers with the ledger.

Nothing here can send a cancellation or change a row: the answers stand in the comparison workbook alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pipeline.domain.comparison import advice, conclude, is_cancelled
from pipeline.domain.edoc_states import EDOC_STATES
from pipeline.domain.errors import ServiceRefused
from pipeline.domain.lifecycle import State
from pipeline.domain.outcomes import outcome
from pipeline.domain.records import BatchInfo, Finding, ResultLine
from pipeline.ledger.views import Views
from pipeline.read.sheet import Sheet
from pipeline.report.comparison import Compared
from pipeline.report.lines import outcome_of
from pipeline.run.plan import Plan
from pipeline.run.progress import Progress
from pipeline.run.session import Steps
from pipeline.runtime.shutdown import Stop, first

ABSENT = "No consta"


@dataclass(frozen=True, slots=True)
class Asked:
    """One row to compare."""

    place: str
    #: empty: it has no valid code, and is not asked about
    cufe: str
    #: the outcome word that we have
    here: str
    batch: str = ""
    #: None: the ledger does not have it
    state: State | None = None
    cancelled: bool = False
    #: whether eDoc answered its cancellation with a state (eyes.md 3)
    answered: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What eDoc said of a code, and when."""

    finding: Finding
    at: datetime


def of_batch(info: BatchInfo, views: Views) -> list[Asked]:
    """The invoices of a batch as the ledger has them; lines that are none are left out."""
    whole = views.whole(info)
    answered = {event.pos for event in whole.log if event.source is State.SENDING and event.estado is not None}
    lines = [line for line in whole.lines if line.state is not State.NOT_APPLICABLE]
    return [_asked(line, info.id, answered=line.pos in answered) for line in lines]


def _asked(line: ResultLine, batch: str, *, answered: bool) -> Asked:
    word = outcome_of(line.mirrored or line)
    return Asked(
        str(line.position),
        line.cufe or "",
        outcome_of(line).value,
        batch,
        line.state,
        is_cancelled(word, (line.mirrored or line).decided_why or ""),
        answered,
    )


def head_of_file(sheet: Sheet, env: str, rows: int, now: datetime) -> BatchInfo:
    """What the comparison of a file says of it: it is no batch, and no review either."""
    return BatchInfo(
        id="",
        file=sheet.name,
        sha256=sheet.sha256,
        env=env,
        sheet=sheet.sheet,
        rows=rows,
        headings=sheet.headings,
        created=now,
    )


def of_file(plan: Plan, views: Views) -> list[Asked]:
    """The invoices of a file, with what the ledger has of the same codes, whatever batch they are of."""
    assert plan.checked is not None
    rows = [row for row in plan.checked.rows if row.cufe is not None]
    seen = views.seen([row.cufe for row in rows if row.cufe is not None])
    found = []
    for row in rows:
        assert row.cufe is not None
        known = seen.get(row.cufe)
        asked = Asked(str(row.position), row.cufe, ABSENT)
        if known is not None:
            word = outcome(known.state)
            asked = replace(asked, here=word.value, batch=known.batch, state=known.state, cancelled=is_cancelled(word))
        found.append(asked)
    return found


async def ask(rows: Sequence[Asked], steps: Steps, stop: Stop, progress: Progress, answers: dict[str, Answer]) -> None:
    """Queries every code of ``rows`` once, within the rate, until all are answered or ``stop`` is asked; fills
    ``answers`` by code."""
    codes = iter({row.cufe: row.answered for row in rows if row.cufe}.items())
    total = len({row.cufe for row in rows if row.cufe})
    with progress.phase("Consultando", total) as moved:

        async def one_after_the_other() -> None:
            for cufe, answered in codes:
                if stop.asked:
                    return
                asking = asyncio.ensure_future(steps.client.query(cufe, answered=answered))
                if await first(asking, stop.wait()) != 0:
                    return
                finding = asking.result()
                if finding.stop is not None:
                    stop.stop_for(ServiceRefused(finding.stop))
                    return
                answers[cufe] = Answer(finding, steps.clock.now())
                moved("CONSULTADA")

        async with asyncio.TaskGroup() as group:
            for _ in range(steps.ask.concurrency):
                group.create_task(one_after_the_other())


def compare(rows: Iterable[Asked], answers: dict[str, Answer]) -> list[Compared]:
    """Each row beside what eDoc said of its code."""
    return [_compared(row, answers.get(row.cufe)) for row in rows]


def _compared(row: Asked, answer: Answer | None) -> Compared:
    finding = answer.finding if answer is not None else None
    conclusion = conclude(cancelled_here=row.cancelled, event=finding.event if finding is not None else None)
    return Compared(
        conclusion,
        advice(conclusion, row.state),
        row.place,
        row.cufe,
        row.here,
        row.batch,
        finding.estado if finding is not None else None,
        _words(finding),
        answer.at if answer is not None else None,
    )


def _words(finding: Finding | None) -> str:
    if finding is None:
        return ""
    known = EDOC_STATES.get(finding.estado) if finding.estado is not None else None
    said = [known.meaning if known else "", finding.message or "", f"[{finding.note}]" if finding.note else ""]
    return "; ".join(one for one in said if one)
