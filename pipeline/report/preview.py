"""Preview for ``anular check``: lines and batch of a review, from validation alone. Nothing was sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pipeline.domain.lifecycle import State
from pipeline.domain.records import BatchInfo, CheckedRow, ResultLine, Verdict
from pipeline.report.summary import PREVIEW_ID

_STATES: dict[Verdict, State] = {
    Verdict.ACCEPTED: State.READY,
    Verdict.HELD: State.HELD,
    Verdict.REJECTED: State.REJECTED_INPUT,
    Verdict.DUPLICATE: State.DUPLICATE,
    Verdict.CONFLICT: State.CONFLICT,
    Verdict.NOT_APPLICABLE: State.NOT_APPLICABLE,
}


def lines_of(rows: Sequence[CheckedRow]) -> list[ResultLine]:
    """Checked rows as the ledger would show them before anything is sent; a duplicate mirrors its leader."""
    lines: list[ResultLine] = []
    by_pos: dict[int, ResultLine] = {}
    for row in rows:
        mirrored = by_pos.get(row.leader.pos) if row.leader is not None and row.leader.batch is None else None
        line = ResultLine(
            pos=row.pos,
            position=row.position,
            cells=row.cells,
            state=_STATES[row.verdict],
            cufe=row.cufe,
            reason=row.reason,
            email=row.email,
            leader=row.leader,
            mirrored=mirrored,
            problems=row.problems,
            repairs=row.repairs,
            warnings=row.warnings,
            deadline=row.deadline,
        )
        lines.append(line)
        by_pos[row.pos] = line
    return lines


def preview_batch(
    *,
    file: str,
    sha256: str,
    env: str,
    sheet: str | None,
    rows: int,
    headings: tuple[str, ...],
    now: datetime,
    issuers: tuple[str, ...] = (),
    notes: tuple[str, ...] = (),
    deadline_hours: int = 182,
) -> BatchInfo:
    """A placeholder for the batch that does not exist; ``now`` (aware) is when the file was checked."""
    return BatchInfo(
        id=PREVIEW_ID,
        file=file,
        sha256=sha256,
        env=env,
        sheet=sheet,
        rows=rows,
        headings=headings,
        created=now,
        issuers=issuers,
        notes=notes,
        deadline_hours=deadline_hours,
    )
