"""Results: the workbooks of a batch, written from the ledger alone, and their figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipeline.domain import outcomes
from pipeline.domain.errors import StorageTrouble
from pipeline.domain.outcomes import Outcome
from pipeline.domain.records import BatchInfo, ResultLine
from pipeline.domain.visible import thousands
from pipeline.ledger.views import Views
from pipeline.report.corrections import corrections_of
from pipeline.report.exports import write_csv, write_jsonl
from pipeline.report.lines import action_of, outcome_of
from pipeline.report.model import Report
from pipeline.report.names import receipt_name, results_name, room
from pipeline.report.preview import lines_of, preview_batch
from pipeline.report.publish import publish, publish_corrections, publish_export
from pipeline.report.summary import summarise
from pipeline.run.figures import batch_head, path_text
from pipeline.run.plan import Plan, of_company
from pipeline.settings.model import Settings
from pipeline.telemetry.events import EventBus


@dataclass(frozen=True, slots=True)
class Previewed:
    """Files that ``check`` wrote: the preview workbook, and the corrections, if any are needed."""

    workbook: Path
    corrections: Path | None
    #: what is in it, in words
    to_correct: str


def write_preview(plan: Plan, settings: Settings, folder: Path) -> Previewed:
    """Writes the workbooks of ``anular check``: what would happen, from validation alone. Raises ``StorageTrouble``."""
    info, lines = _preview_of(plan, settings)
    stem, fixes = Path(info.file).stem, corrections_of(info, lines)
    workbook = publish(summarise(info, lines, ()), folder, stem)
    return Previewed(workbook, publish_corrections(fixes, folder, stem), fixes.holds)


def to_correct_of(plan: Plan, settings: Settings) -> str:
    """How many rows of a plan a person can correct, in words; empty for none. Writes nothing."""
    return corrections_of(*_preview_of(plan, settings)).holds


def _preview_of(plan: Plan, settings: Settings) -> tuple[BatchInfo, list[ResultLine]]:
    assert plan.checked is not None
    assert plan.sheet is not None
    info = preview_batch(
        file=plan.sheet.name,
        sha256=plan.sheet.sha256,
        env=settings.env,
        sheet=plan.sheet.sheet,
        rows=len(plan.checked.rows),
        headings=plan.sheet.headings,
        now=plan.moment,
        issuers=plan.checked.issuers,
        notes=(*of_company(settings.company), *plan.sheet.notes),
        deadline_hours=settings.deadline_hours,
    )
    info = replace(info, corrects=plan.sheet.corrects or None, corrects_known=plan.parent_known)
    return info, lines_of(plan.checked.rows)


@dataclass(frozen=True, slots=True)
class Written:
    """Lines of a batch from the ledger, and the files written of them; ``to_correct``: what is in ``corrections``."""

    batch: BatchInfo
    lines: list[ResultLine]
    report: Report
    workbook: Path
    corrections: Path | None
    to_correct: str
    exports: tuple[Path, ...] = ()


def write_results(
    info: BatchInfo,
    views: Views,
    folder: Path | None = None,
    *,
    csv: bool = False,
    jsonl: bool = False,
    pdf: bool = False,
    constancias: bool = False,
) -> Written:
    """Writes the results workbook of a batch and its corrections, from the ledger alone. Raises ``StorageTrouble``."""
    whole = views.whole(info)
    fresh, lines = whole.info, whole.lines
    report = summarise(fresh, lines, whole.log)
    place, stem = folder or Path(fresh.folder), Path(fresh.file).stem
    workbook = publish(report, place, stem)
    fixes = corrections_of(fresh, lines)
    corrections = publish_corrections(fixes, place, stem)
    exports = []
    for wanted, suffix, write in ((csv, ".csv", write_csv), (jsonl, ".jsonl", write_jsonl)):
        if wanted:
            exports.append(publish_export(report, workbook.with_suffix(suffix), write))
    if pdf or constancias:
        from pipeline.report.receipt import write_receipt, write_receipts

        target = workbook.with_name(receipt_name(stem, fresh.id, room=room(workbook.parent)))
        exports.append(publish_export(report, target, write_receipt))
    if constancias:
        target = workbook.with_name(receipt_name(stem, fresh.id, each=True, room=room(workbook.parent)))
        exports.append(publish_export(report, target, lambda one, stream: write_receipts(one, lines, stream)))
    return Written(fresh, lines, report, workbook, corrections, fixes.holds, tuple(exports))


def renew_corrected(written: Sequence[BatchInfo], views: Views, folder: Path | None = None) -> list[StorageTrouble]:
    """Writes the workbooks of the batches that those in ``written`` correct, which say what became of their rows there;
    returns what could not be written. Nothing else of those batches changes."""
    done, troubles = {one.id for one in written}, []
    for one in written:
        above = one.corrects
        while above and above not in done:
            done.add(above)
            info = views.batch(above) if views.has(above) and not views.of_another(above) else None
            if info is None:
                break
            try:
                write_results(info, views, folder)
            except StorageTrouble as trouble:
                troubles.append(trouble)
            above = info.corrects
    return troubles


def batch_data(written: Written, code: int) -> dict[str, Any]:
    """``--json`` answer for one batch: outcomes, what is open, files."""
    return {
        **batch_head(written.batch),
        "outcomes": totals(written.lines),
        "needs_person": sum(action_of(line).person for line in written.lines),
        "pending": sum(outcome_of(line) in outcomes.OPEN for line in written.lines),
        "workbook": str(written.workbook),
        "corrections": path_text(written.corrections),
        "exit_code": code,
    }


def note_written(bus: EventBus, written: Written, code: int) -> None:
    """Publishes two events: where a batch's workbook is, and its outcomes."""
    info = written.batch
    bus.note("workbook_written", batch=info.id, file=str(written.workbook))
    outcomes = totals(written.lines) if bus.has_listeners else {}
    bus.note("batch_finished", batch=info.id, rows=info.rows, outcomes=outcomes, exit_code=code)


def set_aside(written: Written) -> list[str]:
    """That the workbook got another name because the one of before could not be replaced; nothing when it was."""
    usual = results_name(Path(written.batch.file).stem, written.batch.id, room=room(written.workbook.parent))
    now = written.workbook.name
    if now == usual:
        return []
    return [f"Aviso: «{usual}» no se pudo reemplazar (¿está abierto?). Lo de ahora está en «{now}»."]


def to_correct(written: Previewed | Written) -> list[str]:
    """Line with the file of the rows to correct; empty when there are none."""
    if written.corrections is None:
        return []
    return [f"Para corregir ({written.to_correct}): {written.corrections}"]


def exit_code(lines: Sequence[ResultLine]) -> int:
    """Exit code of the rows alone; a duplicate counts like the row it mirrors, a corrected row like its row in the
    correction."""
    return outcomes.exit_code(outcome_of(line.mirrored or line.fixed or line) for line in lines)


def totals(lines: Sequence[ResultLine]) -> dict[str, int]:
    """Rows by outcome word, in the order of the summary."""
    found = Counter(outcome_of(line) for line in lines)
    return {word.value: found[word] for word in Outcome if found[word]}


def own_totals(lines: Sequence[ResultLine]) -> dict[str, int]:
    """The same without the rows that have their outcome in a correction: a message counts them there."""
    return totals([line for line in lines if line.fixed is None])


def todo(report: Report) -> list[str]:
    """Lines of what to do next, most urgent first."""
    return [f"{thousands(one.rows)} · {one.action.title}: {one.action.words}" for one in report.todo]
