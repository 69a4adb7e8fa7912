"""The runner: a file through the five steps. What was done before is known from the ledger and not done again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import TypeVar

from pipeline.domain.duplicates import believed
from pipeline.domain.eligibility import barred
from pipeline.domain.errors import StorageTrouble
from pipeline.domain.problems import problem, refused
from pipeline.domain.records import (
    COMPANY,
    BatchInfo,
    CheckedRow,
    ResultLine,
    Verdict,
    Waiting,
)
from pipeline.ledger.cap import Cap
from pipeline.ledger.store import Store, batch_id
from pipeline.ledger.views import Views
from pipeline.read.sheet import Sheet
from pipeline.report.corrections import corrections_of
from pipeline.report.exports import write_csv, write_jsonl
from pipeline.report.model import Report
from pipeline.report.preview import lines_of, preview_batch
from pipeline.report.publish import publish, publish_corrections, publish_export
from pipeline.report.summary import summarise
from pipeline.domain.eligibility import Rules
from pipeline.validate import Checked, check

HELD_ON_ARRIVAL = "retenida-carpeta"
"""The reason (``domain/problems.py``) of rows that the drop folder held back: a person's ``run`` releases them."""


TRIES = 5
"""How often a file's plan is made anew because others took in the same file or the same CUFEs meanwhile."""
T = TypeVar("T")


QUEUED = "Entregado a la cola de trabajo"
"""Begins a note of a batch that a person or the drop folder approved for workers to send: one of these that lost its
job gets another. A batch of ``run`` alone never does: its person may have sent only a part on purpose."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be done with one file, for the person who approves it (reliability.md P2).

    ``known`` is the batch that this very file became before; then ``checked`` is None, and ``sheet`` too when it is
    continued by its number, and ``to_send`` counts the rows that are still unsent. ``moment`` is when it was validated.
    ``held`` are rows that the drop folder held back and that this plan would release; ``elsewhere`` counts those that
    were not sent because another ledger of this machine had sent them, which ``known_elsewhere`` sends all the same;
    ``to_send`` counts both as well. ``barred``: for each row of a known batch that today's rules will not let leave,
    why; ``to_send`` does not count it. ``parent_known``: the ledger holds the batch that this file corrects.
    """

    sheet: Sheet | None
    moment: datetime
    to_send: int
    known: BatchInfo | None = None
    checked: Checked | None = None
    held: tuple[Waiting, ...] = ()
    barred: tuple[str, ...] = ()
    parent_known: bool = False
    elsewhere: int = 0
    known_elsewhere: bool = False

    @property
    def file(self) -> str:
        """The name that the file has, or had when it was taken in."""
        return self.sheet.name if self.sheet is not None else self._batch.file

    @property
    def sha256(self) -> str:
        return self.sheet.sha256 if self.sheet is not None else self._batch.sha256

    @property
    def _batch(self) -> BatchInfo:
        assert self.known is not None, "a plan has a file or a batch"
        return self.known

    @property
    def issuers(self) -> tuple[str, ...]:
        if self.checked is not None:
            return self.checked.issuers
        return self.known.issuers if self.known is not None else ()

    @property
    def dates(self) -> tuple[date, date] | None:
        """First and last issue date of what would be sent; None when unknown or nothing."""
        if self.checked is None or self.checked.first_issue is None or self.checked.last_issue is None:
            return None
        return self.checked.first_issue, self.checked.last_issue


def make_plan(
    sheet: Sheet,
    views: Views | None,
    rules: Rules,
    now: datetime,
    *,
    resume: bool = True,
    release: bool = True,
    known_elsewhere: bool = False,
) -> Plan:
    """Reads nothing but the ledger, writes nothing. Without ``resume`` a known file is validated anew; without
    ``release`` rows that the drop folder held back stay held, because nobody is there to approve them;
    ``known_elsewhere`` as in ``Plan``. Raises ``InputRefused`` for a file that is another credential's batch."""
    known = views.find(sheet.sha256, sheet.sheet) if views is not None and resume else None
    if known is not None and views is not None:
        if views.of_another(known.id):
            raise refused("lote-de-otra-credencial", where=sheet.name, batch=known.id)
        again = make_plan_again(known, views, rules, now, release=release, known_elsewhere=known_elsewhere)
        return replace(again, sheet=sheet)
    ours, parent = (views is not None and views.has(batch) for batch in (sheet.results_of, sheet.corrects))
    sheet = replace(sheet, earlier=believed(sheet.earlier, known=ours))
    seen = views.seen if views is not None else lambda _: {}
    checked = check(sheet, rules, now, seen, views.taken if views is not None else lambda _: ())
    if not checked.invoices:
        raise refused("sin-facturas", where=sheet.name)
    return Plan(sheet, now, to_send=checked.counts.get(Verdict.ACCEPTED, 0), checked=checked, parent_known=parent)


def make_plan_again(
    known: BatchInfo,
    views: Views,
    rules: Rules,
    now: datetime,
    *,
    release: bool = True,
    known_elsewhere: bool = False,
) -> Plan:
    """What would be done now with a batch that is in the ledger: the rows that are still unsent, with ``release`` those
    that were held back on arrival, and with ``known_elsewhere`` those that another ledger sent; each judged by today's
    rules."""
    held = tuple(views.waiting(known.id, HELD_ON_ARRIVAL)) if release else ()
    codes = [*views.unsent_codes(known.id), *(one.cufe for one in held)]
    codes += views.elsewhere_codes(known.id) if known_elsewhere else []
    judged = [barred(rules, code, now) for code in codes]
    return Plan(
        None,
        now,
        to_send=judged.count(""),
        known=known,
        held=held,
        barred=tuple(why for why in judged if why),
        parent_known=known.corrects_known,
        elsewhere=views.elsewhere(known.id),
        known_elsewhere=known_elsewhere,
    )


def take_in(
    plan: Plan,
    store: Store,
    views: Views,
    *,
    env: str,
    who: str,
    folder: Path,
    hours: int,
    note: str = "",
    company: str = "",
    cap: Cap | None = None,
) -> BatchInfo:
    """Writes an approved file of ``company`` into the ledger, whole, with ``note`` among its notes, within the ``cap``;
    for a known one releases what was held and makes what was proven unsent ready again."""
    if plan.known is not None:
        return release(plan, store, who=who)
    assert plan.checked is not None
    assert plan.sheet is not None
    info = batch_info(plan.sheet, plan.checked, env=env, who=who, folder=folder, hours=hours, now=plan.moment)
    info = replace(info, notes=(*of_company(company), *info.notes, *([note] if note else [])))
    store.intake(info, plan.checked.rows, cap)
    taken = views.find(plan.sheet.sha256, plan.sheet.sheet)
    assert taken is not None, "just written"
    return taken


def release(plan: Plan, store: Store, *, who: str) -> BatchInfo:
    """A known batch goes on: ``who`` approves what was held, and what was proven unsent may be sent again."""
    assert plan.known is not None
    if plan.held:
        store.approve(plan.held, plan.moment, who=who)
    if not store.at_the_desk:  # else whoever carries the batch out does so
        store.reopen(plan.known.id, plan.moment, known_elsewhere_by=who if plan.known_elsewhere else "")
    return plan.known


def of_company(name: str) -> tuple[str, ...]:
    """The note of a batch that says whose it is; none for a company without a name."""
    return (f"{COMPANY}{name}",) if name else ()


def queued_by(who: str) -> str:
    """The note of a batch that ``who`` approved for workers to send."""
    return f"{QUEUED} por {who}."


def was_queued(info: BatchInfo) -> bool:
    """Whether workers are to send the batch: then whatever of it is not on its way yet will be."""
    return any(note.startswith(QUEUED) for note in info.notes)


def insisting(attempt: Callable[[], T]) -> T:
    """``attempt`` to take a file in, made again, from its plan on, when somebody else has taken in the same file, or
    some of its CUFEs, meanwhile: the ledger's unique indexes decide. Raises ``StorageTrouble``."""
    for left in reversed(range(TRIES)):
        try:
            return attempt()
        except StorageTrouble as trouble:
            if trouble.code != "ledger-taken" or not left:
                raise
    raise AssertionError("the last attempt returns or raises")


def hold(plan: Plan, why: str) -> Plan:
    """The same new file with every row that could be sent held for a person; ``why`` stands beside each row."""
    assert plan.checked is not None
    rows = tuple(_held(row, why) if row.verdict is Verdict.ACCEPTED else row for row in plan.checked.rows)
    counts = dict(plan.checked.counts)
    counts[Verdict.HELD] = counts.get(Verdict.HELD, 0) + counts.get(Verdict.ACCEPTED, 0)
    counts[Verdict.ACCEPTED] = 0
    return replace(plan, to_send=0, checked=replace(plan.checked, rows=rows, counts=counts))


def _held(row: CheckedRow, why: str) -> CheckedRow:
    found = problem(HELD_ON_ARRIVAL, cell=str(row.position), column="", value="", why=why)
    return replace(row, verdict=Verdict.HELD, problems=(*row.problems, found))


def batch_info(
    sheet: Sheet, checked: Checked, *, env: str, who: str, folder: Path, hours: int, now: datetime
) -> BatchInfo:
    """The head of a new batch."""
    return BatchInfo(
        id=batch_id(env, sheet.sha256, sheet.sheet, now),
        file=sheet.name,
        sha256=sheet.sha256,
        env=env,
        sheet=sheet.sheet,
        rows=len(checked.rows),
        headings=sheet.headings,
        created=now,
        approved_by=who,
        issuers=checked.issuers,
        notes=sheet.notes,
        deadline_hours=hours,
        folder=str(folder),
        corrects=sheet.corrects or None,
    )


@dataclass(frozen=True, slots=True)
class Previewed:
    """Where ``check`` wrote what it found: the preview workbook, and the corrections, if any are needed."""

    workbook: Path
    corrections: Path | None
    to_correct: int


def write_preview(plan: Plan, *, env: str, folder: Path, hours: int, company: str = "") -> Previewed:
    """The workbooks of ``anular check``: what would happen, from validation alone. Raises ``StorageTrouble``."""
    assert plan.checked is not None
    assert plan.sheet is not None
    info = preview_batch(
        file=plan.sheet.name,
        sha256=plan.sheet.sha256,
        env=env,
        sheet=plan.sheet.sheet,
        rows=len(plan.checked.rows),
        headings=plan.sheet.headings,
        now=plan.moment,
        issuers=plan.checked.issuers,
        notes=(*of_company(company), *plan.sheet.notes),
        deadline_hours=hours,
    )
    info = replace(info, corrects=plan.sheet.corrects or None, corrects_known=plan.parent_known)
    lines, stem = lines_of(plan.checked.rows), Path(plan.sheet.name).stem
    workbook = publish(summarise(info, lines, ()), folder, stem)
    fixes = corrections_of(info, lines)
    return Previewed(workbook, publish_corrections(fixes, folder, stem), len(fixes))


@dataclass(frozen=True, slots=True)
class Written:
    """What the ledger says of a batch now, and where that was written; ``to_correct`` rows stand in ``corrections``."""

    batch: BatchInfo
    lines: list[ResultLine]
    report: Report
    workbook: Path
    corrections: Path | None
    to_correct: int
    exports: tuple[Path, ...] = ()


def write_results(
    info: BatchInfo, views: Views, folder: Path | None = None, *, csv: bool = False, jsonl: bool = False
) -> Written:
    """The results workbook of a batch and its corrections, from the ledger alone. Raises ``StorageTrouble``."""
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
    return Written(fresh, lines, report, workbook, corrections, len(fixes), tuple(exports))
