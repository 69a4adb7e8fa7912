"""Plan of one file or batch: what would be sent, what not and why, for the person who approves it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

from pipeline.domain.duplicates import believed
from pipeline.domain.eligibility import Rules, barred
from pipeline.domain.lifecycle import HELD_ON_ARRIVAL
from pipeline.domain.problems import problem, refused
from pipeline.domain.records import COLUMNS, COMPANY, BatchInfo, CheckedRow, Verdict, Waiting, column_letters
from pipeline.ledger.moves import NO_DAY
from pipeline.ledger.views import Views
from pipeline.read.given import said_columns
from pipeline.read.sheet import Sheet
from pipeline.validate.check import Checked, check


@dataclass(frozen=True, slots=True)
class Plan:
    """Plan of one file, for the person who approves it (reliability.md P2).

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
        """Name of the file, now or when it was taken in."""
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
    """Plan of a sheet; reads nothing but the ledger, writes nothing.

    Without ``resume`` a known file is validated again; without ``release`` rows that the drop folder held back stay
    held, because no person is there to approve them; ``known_elsewhere`` as in ``Plan``. Raises ``InputRefused`` for
    a file that is another credential's batch, and with ``release`` for one that was taken in with other columns: what
    is left of it is not what was asked for now.
    """
    known = views.find(sheet.sha256, sheet.sheet) if views is not None and resume else None
    if known is not None and views is not None:
        if views.of_another(known.id):
            raise refused("lote-de-otra-credencial", where=sheet.name, batch=known.id)
        if release:
            check_columns(sheet, known)
        again = make_plan_again(known, views, rules, now, release=release, known_elsewhere=known_elsewhere)
        return replace(again, sheet=sheet)
    origin = views.taken_in(sheet.corrects) if views is not None else sheet.corrects
    sheet = replace(sheet, corrects="" if origin.startswith(NO_DAY) else origin)
    ours, parent = (views is not None and views.has(batch) for batch in (sheet.results_of, sheet.corrects))
    sheet = replace(sheet, earlier=believed(sheet.earlier, known=ours))
    seen = views.seen if views is not None else lambda _: {}
    checked = check(sheet, rules, now, seen, views.taken if views is not None else lambda _: ())
    if not checked.invoices:
        raise refused("sin-facturas", where=sheet.name)
    return Plan(sheet, now, to_send=checked.counts.get(Verdict.ACCEPTED, 0), checked=checked, parent_known=parent)


def of_company(name: str) -> tuple[str, ...]:
    """Note of a batch with its company; empty for a company without a name."""
    return (f"{COMPANY}{name}",) if name else ()


def of_columns(sheet: Sheet) -> str:
    """The note of a batch that says which columns it was taken from: the same file has only one batch."""
    return COLUMNS + said_columns({role: column_letters(sheet.columns[at]) for role, at in sheet.roles.items()})


def check_columns(sheet: Sheet, known: BatchInfo | None) -> None:
    """Raises ``InputRefused`` for a file that is a ``known`` batch and was taken in with other columns."""
    if known is None:
        return
    now = of_columns(sheet)
    before = [note for note in known.notes if note.startswith(COLUMNS)]  # none in one of an earlier version
    if before and now != before[0]:
        words = {"before": before[0].removeprefix(COLUMNS), "now": now.removeprefix(COLUMNS)}
        raise refused("columnas-otras", where=sheet.name, batch=known.id, **words)


def make_plan_again(
    known: BatchInfo,
    views: Views,
    rules: Rules,
    now: datetime,
    *,
    release: bool = True,
    known_elsewhere: bool = False,
) -> Plan:
    """Plan of a batch that is in the ledger: the rows that are still unsent, with ``release`` those that were held back
    on arrival, and with ``known_elsewhere`` those that another ledger sent; each judged by today's rules."""
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


def hold(plan: Plan, why: str) -> Plan:
    """Plan of the same new file with every row that could be sent held for a person; ``why`` is each row's remark."""
    assert plan.checked is not None
    rows = tuple(_held(row, why) if row.verdict is Verdict.ACCEPTED else row for row in plan.checked.rows)
    counts = dict(plan.checked.counts)
    counts[Verdict.HELD] = counts.get(Verdict.HELD, 0) + counts.get(Verdict.ACCEPTED, 0)
    counts[Verdict.ACCEPTED] = 0
    return replace(plan, to_send=0, checked=replace(plan.checked, rows=rows, counts=counts))


def _held(row: CheckedRow, why: str) -> CheckedRow:
    found = problem(HELD_ON_ARRIVAL, cell=str(row.position), column="", value="", why=why)
    return replace(row, verdict=Verdict.HELD, problems=(*row.problems, found))
