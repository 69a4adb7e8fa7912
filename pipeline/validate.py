"""Step 2, validate: a Sheet -> every row with a verdict, and every problem of every row in plain Spanish.

Whole columns are checked at once by the schema; words are made only for the rows that fail. Nothing is sent, written
or asked for here: what the ledger knows comes in as a function.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, Protocol

import pandas as pd

from pipeline.domain.cufe import Cufe
from pipeline.domain.deadline import DEFAULT_HOURS, PANAMA, Deadline, Window, deadline
from pipeline.domain.errors import CufeInvalid
from pipeline.domain.fields import canonical_email, canonical_reason, email_mistake, reason_doubt, reason_mistake
from pipeline.domain.grouping import ALONE, Basis, Entry, Ruling, rule
from pipeline.domain.pasted import Mistake, mistake, unpaste
from pipeline.domain.problems import cufe_problem, problem
from pipeline.domain.records import Cell, CheckedRow, Position, Problem, Repair, Seen, Verdict
from pipeline.domain.ruc import bare
from schemas.input import failing

__all__ = ["Checked", "Rules", "check"]

_ODD_CELL = {
    "number": "celda-numero",
    "date": "celda-fecha",
    "boolean": "celda-logica",
    "error": "celda-error",
    "formula": "celda-formula",
    "formula-without-value": "celda-formula-vacia",
}
_ACCEPTED = "accepted-formula"
_ENVIRONMENT = {"1": "producción", "2": "prueba"}
_NAMED = 5


class Sheet(Protocol):
    """What has to be known of a table that was read; see ``pipeline/read/sheet.py``, which this step may not import."""

    @property
    def sheet(self) -> str | None: ...
    @property
    def roles(self) -> dict[str, int]: ...
    @property
    def cells(self) -> pd.DataFrame: ...
    @property
    def text(self) -> pd.DataFrame: ...
    @property
    def oddities(self) -> dict[tuple[int, int], str]: ...
    @property
    def earlier(self) -> dict[int, str]: ...
    @property
    def hidden_rows(self) -> tuple[int, ...]: ...
    def address(self, line: int, role: str) -> str: ...
    def heading(self, role: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Rules:
    """What may be sent. ``env_digit``: ``1`` production, ``2`` test, None both; ``issuers``: RUCs that may be
    cancelled, empty for any; ``late``: what becomes of rows past the deadline (domain.md 4); ``accept_formulas``: take
    the text that a formula came to when the workbook was last saved; ``notify_email``: for rows that have none.
    """

    env_digit: Literal["1", "2"] | None = None
    issuers: frozenset[str] = frozenset()
    deadline_hours: int = DEFAULT_HOURS
    late: Literal["warn", "reject", "ignore"] = "warn"
    allow_bad_check_digit: bool = False
    accept_formulas: bool = False
    notify_email: str | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """Every data row exactly once, in input order, and what they come to.

    ``issuers`` (RUCs, sorted) and ``first_issue``/``last_issue`` are of the rows that may be sent, accepted or
    held; ``late`` counts rows past the deadline whatever their verdict, ``repaired`` those with a mended code.
    """

    rows: tuple[CheckedRow, ...]
    issuers: tuple[str, ...]
    first_issue: date | None
    last_issue: date | None
    counts: dict[Verdict, int]
    late: int
    repaired: int


@dataclass(slots=True)
class _Draft:
    """A row while it is being checked."""

    pos: int
    line: int
    received: str
    written: str  # the reason as it stands in the cell
    cufe: str
    reason: str
    email: str | None
    repairs: tuple[str, ...]
    problems: tuple[Problem, ...] = ()  # tuples, mostly the one empty one: a list each would be 300,000 lists
    warnings: tuple[Problem, ...] = ()
    valid: Cufe | None = None
    due: Deadline | None = None
    ruling: Ruling | None = None


def check(sheet: Sheet, rules: Rules, now: datetime, seen: Callable[[Sequence[str]], Mapping[str, Seen]]) -> Checked:
    """Every row of ``sheet`` with its verdict at ``now`` (aware), every problem of every row.

    ``seen`` tells which of some CUFEs the ledger holds a live attempt for; it is asked once.
    """
    assert now.tzinfo is not None
    checker = _Checker(sheet, rules, now)
    drafts = checker.drafts()
    checker.judge_fields(drafts)
    checker.judge_cufes(drafts)
    checker.settle(drafts, seen)
    return checker.finish(drafts)


class _Checker:
    def __init__(self, sheet: Sheet, rules: Rules, now: datetime) -> None:
        self._sheet, self._rules, self._now = sheet, rules, now
        self._today = now.astimezone(PANAMA).date()
        self._issuers = frozenset(bare(ruc) for ruc in rules.issuers)
        self._default_email = canonical_email(rules.notify_email or "") or None

    # --- canonical texts

    def drafts(self) -> list[_Draft]:
        """The rows with their texts made canonical; what was mended is noted."""
        text = self._sheet.text
        lines: list[int] = text.index.tolist()
        emails = text["email"].tolist() if "email" in text else [""] * len(lines)
        columns = zip(lines, text["cufe"].tolist(), text["reason"].tolist(), emails, strict=True)
        drafts: list[_Draft] = []
        for pos, (line, received, reason, email) in enumerate(columns, start=1):
            pasted = unpaste(received)
            address = canonical_email(email) or self._default_email
            drafts.append(
                _Draft(pos, line, received, reason, pasted.text, canonical_reason(reason), address, pasted.what)
            )
        return drafts

    # --- each field by itself

    def judge_fields(self, drafts: Sequence[_Draft]) -> None:
        """Runs the schema over all rows and finds the words for those that fail."""
        self._flag_hidden(drafts)
        odd = self._judge_odd_cells(drafts)
        frame = pd.DataFrame(
            {
                "cufe": [draft.cufe for draft in drafts],
                "reason": [draft.reason for draft in drafts],
                "email": [draft.email or "" for draft in drafts],
            },
            dtype=object,
        )
        wrong = failing(frame, allow_bad_check_digit=self._rules.allow_bad_check_digit)
        for place, draft in enumerate(drafts):
            if (draft.line, "cufe") in odd:
                continue
            if place in wrong["cufe"] or (draft.repairs and self._doubtful(draft.cufe)):
                draft.problems += (self._cufe_problem(draft),)
            else:
                draft.valid = Cufe(draft.cufe)
        for role, judge in (("reason", reason_mistake), ("email", email_mistake)):
            for place in sorted(wrong[role]):
                draft = drafts[place]
                value = draft.reason if role == "reason" else draft.email or ""
                if (draft.line, role) not in odd:
                    found = judge(value)
                    assert found is not None, "the schema and the words disagree"
                    draft.problems += (self._problem(draft, role, found),)

    def _flag_hidden(self, drafts: Sequence[_Draft]) -> None:
        """Rows that were hidden and taken on purpose say so (reliability.md D7)."""
        hidden = frozenset(self._sheet.hidden_rows)
        for draft in drafts if hidden else ():
            if draft.line in hidden:
                where = str(Position(self._sheet.sheet, draft.line))
                draft.warnings += (problem("fila-oculta", cell=where, column="", value=""),)

    def _judge_odd_cells(self, drafts: Sequence[_Draft]) -> set[tuple[int, str]]:
        """Cells that are no plain text are problems by themselves; returns them by line and role."""
        roles = {place: role for role, place in self._sheet.roles.items()}
        by_line = {draft.line: draft for draft in drafts} if self._sheet.oddities else {}
        odd: set[tuple[int, str]] = set()
        for (line, place), kind in self._sheet.oddities.items():
            draft, role = by_line[line], roles[place]
            if kind == "formula" and self._rules.accept_formulas:
                kind = self._kind_of_result(line, place)
            if kind == _ACCEPTED:
                draft.warnings += (self._problem(draft, role, Mistake("formula-aceptada", {})),)
                continue
            odd.add((line, role))
            draft.problems += (self._problem(draft, role, Mistake(_ODD_CELL[kind], {})),)
        return odd

    def _kind_of_result(self, line: int, place: int) -> str:
        """What the result of an accepted formula is: a text may be sent, anything else is as odd as without it."""
        value = self._sheet.cells.at[line, place]
        if isinstance(value, str):
            return _ACCEPTED
        if isinstance(value, bool):
            return "boolean"
        return "number" if isinstance(value, int | float) else "date"

    def _doubtful(self, cufe: str) -> bool:
        """Whether a mended code lacks the proof that mending it was right; waiving the check digit does not help."""
        try:
            Cufe.parse(cufe)
        except CufeInvalid:
            return True
        return False

    def _cufe_problem(self, draft: _Draft) -> Problem:
        if found := mistake(draft.received):
            return self._problem(draft, "cufe", found)
        try:
            Cufe.parse(draft.cufe)
        except CufeInvalid as error:
            if draft.repairs and error.code == "cufe-verificador":
                return self._problem(draft, "cufe", Mistake("cufe-reparado-dudoso", {"what": "; ".join(draft.repairs)}))
            return cufe_problem(error, **self._cell(draft, "cufe"))
        raise AssertionError("the schema and Cufe.parse disagree")

    # --- valid codes that may not be sent, or that a person should look at

    def judge_cufes(self, drafts: Sequence[_Draft]) -> None:
        """Environment, issuer, deadline and warnings; the same answers for many rows are worked out once."""
        dues: dict[str, tuple[date, Deadline]] = {}
        remarks: dict[str, tuple[str, ...]] = {}
        for draft in drafts:
            if draft.valid is None:
                continue
            code = draft.valid
            day = code.text[32:40]
            if day not in dues:
                dues[day] = (code.issued_on, deadline(code.issued_on, self._now, self._rules.deadline_hours))
            issued, draft.due = dues[day]
            issuer = code.text[5:32]
            if issuer not in remarks:
                remarks[issuer] = code.warnings
            for remark in remarks[issuer]:
                draft.warnings += (self._problem(draft, "cufe", Mistake("cufe-revisar", {"words": remark})),)
            self._judge_permission(draft, code)
            self._judge_dates(draft, issued, draft.due)
            if (found := reason_doubt(draft.written)) is not None:
                draft.warnings += (self._problem(draft, "reason", found),)

    def _judge_permission(self, draft: _Draft, code: Cufe) -> None:
        ours = self._rules.env_digit
        if ours is not None and code.environment != ours:
            words = {"its": _ENVIRONMENT[code.environment], "ours": _ENVIRONMENT[ours]}
            draft.problems += (self._problem(draft, "cufe", Mistake("otro-ambiente", words)),)
        if self._issuers and code.ruc not in self._issuers:
            draft.problems += (self._problem(draft, "cufe", Mistake("emisor-no-permitido", {"ruc": code.ruc})),)

    def _judge_dates(self, draft: _Draft, issued: date, due: Deadline) -> None:
        if due.window is Window.IN_TIME and issued <= self._today:
            return
        words = {"hours": str(self._rules.deadline_hours), "issued": issued.strftime("%d/%m/%Y")}
        if issued > self._today:
            draft.warnings += (self._problem(draft, "cufe", Mistake("fecha-futura", words)),)
        if due.window is Window.LATE and self._rules.late == "reject":
            draft.problems += (self._problem(draft, "cufe", Mistake("plazo-vencido", words)),)
        elif due.window is Window.LATE and self._rules.late == "warn":
            draft.warnings += (self._problem(draft, "cufe", Mistake("plazo-advertencia", words)),)
        elif due.window is Window.LIMIT_DAY and self._rules.late != "ignore":
            draft.warnings += (self._problem(draft, "cufe", Mistake("dia-limite", words)),)

    # --- rows against each other and against the ledger

    def settle(self, drafts: Sequence[_Draft], seen: Callable[[Sequence[str]], Mapping[str, Seen]]) -> None:
        """Duplicates, conflicts, and what has no trace in the ledger (domain/grouping.py)."""
        first: dict[str, _Draft] = {}
        others: dict[str, list[_Draft]] = {}
        for draft in drafts:
            if (draft.valid is not None and not draft.problems) and first.setdefault(draft.cufe, draft) is not draft:
                others.setdefault(draft.cufe, []).append(draft)
        known = seen(list(first)) if first else {}
        nothing_earlier = not self._sheet.earlier
        for cufe, leader in first.items():
            if nothing_earlier and cufe not in others and cufe not in known:
                leader.ruling = ALONE
                continue
            members = [leader, *others.get(cufe, ())]
            rulings = rule([self._entry(draft) for draft in members], known)
            for draft, ruling in zip(members, rulings, strict=True):
                draft.ruling = ruling
                self._explain(draft, ruling, members)

    def _entry(self, draft: _Draft) -> Entry:
        position = Position(self._sheet.sheet, draft.line)
        earlier = self._sheet.earlier.get(draft.line, "")
        return Entry(draft.pos, position, draft.cufe, draft.reason, draft.email, earlier)

    def _explain(self, draft: _Draft, ruling: Ruling, members: Sequence[_Draft]) -> None:
        """The words for a ruling that keeps the row from being sent; a duplicate is told by its leader."""
        if ruling.word:
            where = Position(self._sheet.sheet, draft.line)
            code = "apartada-antes" if ruling.basis is Basis.SET_ASIDE else "sin-constancia"
            found = problem(code, cell=str(where), column="resultado", value=ruling.word, word=ruling.word)
            draft.problems += (found,)
        elif ruling.verdict is Verdict.CONFLICT and ruling.leader is not None:
            words = {"batch": str(ruling.leader.batch), "place": str(ruling.leader.position)}
            draft.problems += (self._problem(draft, "cufe", Mistake("conflicto-lote", words)),)
        elif ruling.verdict is Verdict.CONFLICT:
            others = [str(Position(self._sheet.sheet, one.line)) for one in members[: _NAMED + 1] if one is not draft]
            more = len(members) - 1 - len(others[:_NAMED])
            places = ", ".join(others[:_NAMED]) + (f" y {more} más" if more else "")
            draft.problems += (self._problem(draft, "cufe", Mistake("conflicto-archivo", {"places": places})),)

    # --- the rows as the next steps want them

    def finish(self, drafts: Sequence[_Draft]) -> Checked:
        """All rows in input order, and their totals."""
        cells = self._sheet.cells.itertuples(index=False, name=None)
        rows = tuple(self._row(draft, values) for draft, values in zip(drafts, cells, strict=True))
        counts = Counter(row.verdict for row in rows)
        sendable = [
            draft.valid
            for draft, row in zip(drafts, rows, strict=True)
            if draft.valid is not None and row.verdict in (Verdict.ACCEPTED, Verdict.HELD)
        ]
        days = sorted({code.text[32:40]: code.issued_on for code in sendable}.values())
        return Checked(
            rows=rows,
            issuers=tuple(sorted({code.ruc for code in sendable})),
            first_issue=days[0] if days else None,
            last_issue=days[-1] if days else None,
            counts={verdict: counts[verdict] for verdict in Verdict},
            late=sum(draft.due is not None and draft.due.window is Window.LATE for draft in drafts),
            repaired=sum(bool(row.repairs) for row in rows),
        )

    def _row(self, draft: _Draft, values: tuple[Cell, ...]) -> CheckedRow:
        ruling = draft.ruling
        return CheckedRow(
            draft.pos,
            Position(self._sheet.sheet, draft.line),
            values,
            ruling.verdict if ruling else Verdict.REJECTED,
            draft.cufe if draft.valid else None,
            draft.reason or None,
            draft.email,
            ruling.leader if ruling else None,
            draft.problems,
            self._repairs(draft) if draft.repairs and draft.valid else (),
            draft.warnings,
            draft.due,
        )

    def _repairs(self, draft: _Draft) -> tuple[Repair, ...]:
        where = self._sheet.address(draft.line, "cufe")
        return (Repair(where, draft.received, draft.cufe, "; ".join(draft.repairs)),)

    def _problem(self, draft: _Draft, role: str, found: Mistake) -> Problem:
        return problem(found.code, **self._cell(draft, role), **found.words)

    def _cell(self, draft: _Draft, role: str) -> dict[str, str]:
        """Where and what: address, heading and value as received."""
        text = self._sheet.text
        value = draft.received if role == "cufe" else str(text.at[draft.line, role]) if role in text else ""
        return {
            "cell": self._sheet.address(draft.line, role),
            "column": self._sheet.heading(role),
            "value": value,
        }
