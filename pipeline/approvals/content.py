"""Content of a proposal: a plan, or what a batch holds, as the thing that a person approves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pipeline.domain.approval_digest import Content, payload_hash
from pipeline.domain.cufe import Cufe
from pipeline.domain.deadline import Window, deadline
from pipeline.domain.lifecycle import HELD_ON_ARRIVAL
from pipeline.domain.problems import problem
from pipeline.domain.records import BatchInfo, Cancellation, CheckedRow, Verdict
from pipeline.ledger.ledger_events import id_of
from pipeline.ledger.views import Views
from pipeline.settings.model import Settings

if TYPE_CHECKING:  # a page, which reads no file, asks for the content of a held batch
    from pipeline.read.sheet import Sheet
    from pipeline.run.plan import Plan
    from pipeline.wiring.ledger import Memory


def ledger_of(memory: Memory) -> str:
    """Id of the ledger, which an approval is bound to."""
    return id_of(memory.database)


def of_plan(plan: Plan, settings: Settings, ledger: str, options: Mapping[str, Any]) -> Content:
    """What is approved of a new file."""
    assert plan.checked is not None, "a new file was validated"
    assert plan.sheet is not None
    checked = plan.checked
    return Content(
        company=settings.company,
        env=str(settings.env),
        ledger=ledger,
        sha256=plan.sha256,
        sheet=plan.sheet.sheet,
        options=options,
        rows=len(checked.rows),
        verdicts={verdict.value: count for verdict, count in checked.counts.items()},
        issuers=checked.issuers,
        first_issue=checked.first_issue,
        last_issue=checked.last_issue,
        late=checked.late,
        hidden=plan.sheet.hidden.count,
        deadline_hours=settings.deadline_hours,
        payloads=tuple(
            payload_hash(row.cufe or "", row.reason, row.email)
            for row in checked.rows
            if row.verdict is Verdict.ACCEPTED
        ),
    )


def of_held(info: BatchInfo, held: Sequence[Cancellation], settings: Settings, ledger: str, now: datetime) -> Content:
    """What is approved of a batch that the drop folder held: its rows as the ledger has them; nothing is read again."""
    codes = [Cufe.parse(row.cufe, allow_bad_check_digit=True) for row in held]
    days = sorted(code.issued_on for code in codes)
    return Content(
        company=settings.company,
        env=str(settings.env),
        ledger=ledger,
        sha256=info.sha256,
        sheet=info.sheet,
        options={"batch": info.id},
        rows=info.rows,
        verdicts=Counter({Verdict.HELD.value: len(held)}),
        issuers=tuple(sorted({code.ruc for code in codes})),
        first_issue=days[0] if days else None,
        last_issue=days[-1] if days else None,
        late=sum(is_late(row.cufe, now, info.deadline_hours) for row in held),
        hidden=0,
        deadline_hours=info.deadline_hours,
        payloads=payloads_of(held),
    )


def payloads_of(rows: Sequence[Cancellation]) -> tuple[bytes, ...]:
    """The hash of what each row would send."""
    return tuple(payload_hash(row.cufe, row.reason, row.email) for row in rows)


def held_on_arrival(views: Views, batch: str) -> list[Cancellation]:
    """Rows of ``batch`` that the drop folder held and that are not released, with their texts."""
    return _of(views, batch, {one.pos for one in views.waiting(batch, HELD_ON_ARRIVAL)})


def held_by_a_stop(views: Views, batch: str) -> list[Cancellation]:
    """Rows of ``batch`` that a stop of the sending holds, with their texts."""
    return _of(views, batch, {one.pos for one in views.stopped(batch)})


def _of(views: Views, batch: str, places: Collection[int]) -> list[Cancellation]:
    return [row for row in views.held(batch) if row.pos in places] if places else []


def is_late(cufe: str, now: datetime, hours: int) -> bool:
    """Whether the legal limit of a code has passed for certain."""
    return deadline(Cufe.parse(cufe, allow_bad_check_digit=True).issued_on, now, hours).window is Window.LATE


def became_late(cufe: str, seen: datetime, now: datetime, hours: int) -> bool:
    """Whether the limit passed since the plan was made that a person ``seen`` at that time."""
    return is_late(cufe, now, hours) and not is_late(cufe, seen, hours)


def without_newly_late(plan: Plan, seen: datetime, hours: int) -> tuple[Plan, int]:
    """``plan`` without the rows that became late since the approved one was made, and how many these are.

    They are refused with the words of any late row: they need a credit note.
    """
    assert plan.checked is not None
    rows = tuple(
        _refused(row, hours)
        if row.verdict is Verdict.ACCEPTED and row.cufe and became_late(row.cufe, seen, plan.moment, hours)
        else row
        for row in plan.checked.rows
    )
    gone = sum(new is not old for new, old in zip(rows, plan.checked.rows, strict=True))
    if not gone:
        return plan, 0
    counts = dict(plan.checked.counts)
    counts[Verdict.ACCEPTED] -= gone
    counts[Verdict.REJECTED] = counts.get(Verdict.REJECTED, 0) + gone
    checked = replace(plan.checked, rows=rows, counts=counts)
    return replace(plan, to_send=plan.to_send - gone, checked=checked), gone


def _refused(row: CheckedRow, hours: int) -> CheckedRow:
    issued = Cufe.parse(row.cufe or "", allow_bad_check_digit=True).issued_on
    words = {"hours": str(hours), "issued": f"{issued:%d/%m/%Y}"}
    found = problem("plazo-vencido", cell=str(row.position), column="", value=row.cufe or "", **words)
    return replace(row, verdict=Verdict.REJECTED, problems=(*row.problems, found))


def same_table(one: Sheet, other: Sheet) -> bool:
    """Whether two readings of the same bytes found the same table."""
    return (one.sha256, one.sheet, one.roles, one.headings, list(one.cells.index)) == (
        other.sha256,
        other.sheet,
        other.roles,
        other.headings,
        list(other.cells.index),
    )
