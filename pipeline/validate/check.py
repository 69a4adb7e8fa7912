"""Step 2, validate: a Sheet -> every row with a verdict, and every problem of every row in plain Spanish.

Whole columns are checked at once. A row of which there is nothing to say, as most are, is never looked at by itself;
the others become drafts, are judged one by one and get their words. That both ways say the same of a row is a property
test. Nothing is sent, written or asked for here: what the ledger knows comes in as a function.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain, compress, repeat
from typing import TypeVar

from pipeline.domain.cufe import DAY, ENVIRONMENT, ISSUER, Cufe, document_of
from pipeline.domain.deadline import Deadline, Window
from pipeline.domain.duplicates import ALONE, SAME_DOCUMENT, Basis, Entry, Ruling, rule
from pipeline.domain.eligibility import Eligibility, Rules
from pipeline.domain.errors import CufeInvalid
from pipeline.domain.fields import canonical_email, email_mistake, reason_doubt, reason_mistake
from pipeline.domain.lifecycle import TAKES_DOCUMENT, State
from pipeline.domain.pasted import Mistake, is_invoice, mistake
from pipeline.domain.problems import cufe_problem, problem
from pipeline.domain.records import Cell, CheckedRow, Position, Problem, Repair, Seen, Verdict
from pipeline.runtime.garbage import gc_paused
from pipeline.validate.bulk_records import many
from pipeline.validate.clean_rows import Plain, plain, texts_of
from pipeline.validate.draft import Draft, Sheet

_ODD_CELL = {
    "number": "celda-numero",
    "date": "celda-fecha",
    "boolean": "celda-logica",
    "error": "celda-error",
    "formula": "celda-formula",
    "formula-without-value": "celda-formula-vacia",
}
_ACCEPTED = "accepted-formula"
_UNSENT = frozenset({State.READY, State.HELD})
_NAMED = 5

_T = TypeVar("_T")


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

    @property
    def invoices(self) -> int:
        """How many of the rows are invoices."""
        return len(self.rows) - self.counts.get(Verdict.NOT_APPLICABLE, 0)


def _none_taken(_: Sequence[str]) -> Sequence[Seen]:
    return ()


def check(
    sheet: Sheet,
    rules: Rules,
    now: datetime,
    seen: Callable[[Sequence[str]], Mapping[str, Seen]],
    taken: Callable[[Sequence[str]], Sequence[Seen]] = _none_taken,
) -> Checked:
    """Every row of ``sheet`` with its verdict at ``now`` (aware), every problem of every row.

    ``seen`` tells which of some CUFEs the ledger holds a live attempt for, ``taken`` which other codes of their
    documents were sent; each is asked once.
    """
    assert now.tzinfo is not None
    with gc_paused():
        checker = _Checker(sheet, rules, now)
        wrong = checker.wrong()
        good = checker.plain(wrong)
        drafts = checker.drafts(good)
        checker.judge_fields(drafts, wrong)
        checker.judge_cufes(drafts.values())
        good = checker.settle(good, drafts, seen, taken)
        return checker.finish(good, drafts)


class _Checker:
    def __init__(self, sheet: Sheet, rules: Rules, now: datetime) -> None:
        self._sheet, self._rules = sheet, rules
        self._standing = Eligibility(rules, now)
        self._texts = texts_of(sheet.text, canonical_email(rules.notify_email or "") or None)

    def wrong(self) -> dict[str, set[int]]:
        """For each column the places of the rows that fail the schema."""
        return self._texts.wrong(allow_bad_check_digit=self._rules.allow_bad_check_digit)

    def plain(self, wrong: Mapping[str, set[int]]) -> Plain:
        """The rows of which there is nothing to say."""
        sheet = self._sheet
        lines = {*sheet.hidden_rows, *sheet.earlier, *sheet.against, *(line for line, _ in sheet.oddities)}
        return plain(self._texts, set().union(*wrong.values()), lines, self._standing)

    def drafts(self, good: Plain) -> dict[int, Draft]:
        """All other rows, by place."""
        others = set(range(len(self._texts.lines))).difference(good.places)
        return {place: self._draft(place) for place in sorted(others)}

    def _draft(self, place: int) -> Draft:
        texts = self._texts
        return Draft(
            place + 1,
            texts.lines[place],
            texts.received[place],
            texts.written[place],
            texts.cufes[place],
            texts.reasons[place],
            texts.emails[place],
            texts.repairs.get(place, ()),
        )

    # --- each field by itself

    def judge_fields(self, drafts: Mapping[int, Draft], wrong: Mapping[str, set[int]]) -> None:
        """Finds the words for the rows that fail the schema; those that do not have a valid code."""
        for place in wrong["cufe"] & wrong["reason"]:
            drafts[place].idle = self._is_idle(drafts[place])
        self._flag_hidden(drafts.values())
        for draft in drafts.values() if self._sheet.against else ():
            draft.problems += self._sheet.against.get(draft.line, ())
        odd = self._judge_odd_cells(drafts.values())
        for place, draft in drafts.items():
            if draft.idle or (draft.line, "cufe") in odd:
                continue
            if place in wrong["cufe"] or (draft.repairs and self._doubtful(draft.cufe)):
                draft.problems += (self._cufe_problem(draft),)
            else:
                draft.valid = Cufe(draft.cufe)
        for role, judge in (("reason", reason_mistake), ("email", email_mistake)):
            for place in sorted(wrong[role]):
                draft = drafts[place]
                if draft.idle:
                    continue
                value = draft.reason if role == "reason" else draft.email or ""
                if (draft.line, role) not in odd:
                    found = judge(value)
                    assert found is not None, "the schema and the words disagree"
                    draft.problems += (self._problem(draft, role, found),)

    def _is_idle(self, draft: Draft) -> bool:
        """Whether the row is no invoice (eyes.md 1); where a cell does not show what it would say, it may be one."""
        code, reason = (self._sheet.oddities.get((draft.line, self._sheet.roles[one])) for one in ("cufe", "reason"))
        unseen = reason is not None or code in ("error", "formula-without-value")
        return not unseen and not is_invoice(draft.received, draft.written)

    def _flag_hidden(self, drafts: Iterable[Draft]) -> None:
        """Rows that were hidden and taken on purpose say so (reliability.md D7)."""
        hidden = frozenset(self._sheet.hidden_rows)
        for draft in drafts if hidden else ():
            if draft.line in hidden:
                where = str(Position(self._sheet.sheet, draft.line))
                draft.warnings += (problem("fila-oculta", cell=where, column="", value=""),)

    def _judge_odd_cells(self, drafts: Iterable[Draft]) -> set[tuple[int, str]]:
        """Cells that are no plain text are problems by themselves; returns them by line and role."""
        roles = {place: role for role, place in self._sheet.roles.items()}
        by_line = {draft.line: draft for draft in drafts} if self._sheet.oddities else {}
        odd: set[tuple[int, str]] = set()
        for (line, place), kind in self._sheet.oddities.items():
            draft, role = by_line[line], roles[place]
            if draft.idle:
                continue
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

    def _cufe_problem(self, draft: Draft) -> Problem:
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

    def judge_cufes(self, drafts: Iterable[Draft]) -> None:
        """Environment, issuer, deadline and warnings; the same answers for many rows are worked out once."""
        dues: dict[str, tuple[date, Deadline]] = {}
        told: dict[str, tuple[Sequence[Mistake], Sequence[Mistake]]] = {}
        for draft in drafts:
            if draft.valid is None:
                continue
            text = draft.valid.text
            day, issuer = text[DAY], text[ISSUER] + text[ENVIRONMENT]
            if day not in dues:
                dues[day] = self._standing.due(draft.valid)
                told[day] = self._standing.on_dates(*dues[day])
            if issuer not in told:
                told[issuer] = self._standing.on_issuer(draft.valid)
            draft.due = dues[day][1]
            for forbidden, known in (told[issuer], told[day]):
                draft.problems += tuple(self._problem(draft, "cufe", found) for found in forbidden)
                draft.warnings += tuple(self._problem(draft, "cufe", found) for found in known)
            if (doubt := reason_doubt(draft.written)) is not None:
                draft.warnings += (self._problem(draft, "reason", doubt),)

    # --- rows against each other and against the ledger

    def settle(
        self,
        good: Plain,
        drafts: dict[int, Draft],
        seen: Callable[[Sequence[str]], Mapping[str, Seen]],
        taken: Callable[[Sequence[str]], Sequence[Seen]],
    ) -> Plain:
        """Duplicates, conflicts, and what has no trace in the ledger (domain/duplicates.py).

        Plain rows that the ledger knows become drafts; those that stay plain are what it returns.
        """
        first: dict[str, Draft] = {}
        others: dict[str, list[Draft]] = {}
        for draft in drafts.values():
            if (draft.valid is not None and not draft.problems) and first.setdefault(draft.cufe, draft) is not draft:
                others.setdefault(draft.cufe, []).append(draft)
        cufes = self._texts.cufes
        asked = [cufes[place] for place in sorted([*good.places, *(draft.pos - 1 for draft in first.values())])]
        known = seen(asked) if asked else {}
        others_sent: dict[str, list[Seen]] = {}
        for one in taken(asked) if asked else ():
            others_sent.setdefault(document_of(one.cufe), []).append(one)
        if (known or others_sent) and any(
            there := [cufe in known or document_of(cufe) in others_sent for cufe in good.cufes]
        ):
            for place, due in zip(compress(good.places, there), compress(good.dues, there), strict=True):
                draft = drafts[place] = self._draft(place)
                draft.valid, draft.due = Cufe(draft.cufe), due
                first[draft.cufe] = draft
            good = good.only(not one for one in there)
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
        self._compare_documents(drafts.values(), known, others_sent)
        return good

    def _compare_documents(
        self, drafts: Iterable[Draft], known: Mapping[str, Seen], others_sent: Mapping[str, Sequence[Seen]]
    ) -> None:
        """Sets aside what would be sent while another code of its document stands in the file, or was sent."""
        valid = [draft for draft in drafts if draft.valid is not None]
        here: dict[str, list[Draft]] = {}
        for draft in valid:
            before = known.get(draft.cufe)
            if before is None or before.state in TAKES_DOCUMENT or before.state in _UNSENT:
                here.setdefault(document_of(draft.cufe), []).append(draft)
        for draft in valid:
            document = document_of(draft.cufe)
            beside = [one for one in here.get(document, ()) if one.cufe != draft.cufe]
            sent = [one for one in others_sent.get(document, ()) if one.cufe != draft.cufe]
            if draft.problems or draft.cufe in known or not (beside or sent):
                continue
            words = {"number": draft.valid.number, "point": draft.valid.point} if draft.valid else {}
            if beside:
                words["places"] = self._places(beside)
                found = Mistake("documento-archivo", words)
            else:
                found = Mistake("documento-lote", {**words, "batch": sent[0].batch, "place": str(sent[0].position)})
            draft.ruling = SAME_DOCUMENT
            draft.problems += (self._problem(draft, "cufe", found),)

    def _places(self, others: Sequence[Draft]) -> str:
        told = ", ".join(str(Position(self._sheet.sheet, one.line)) for one in others[:_NAMED])
        return told + (f" y {len(others) - _NAMED} más" if len(others) > _NAMED else "")

    def _entry(self, draft: Draft) -> Entry:
        position = Position(self._sheet.sheet, draft.line)
        earlier = self._sheet.earlier.get(draft.line, "")
        return Entry(draft.pos, position, draft.cufe, draft.reason, draft.email, earlier)

    def _explain(self, draft: Draft, ruling: Ruling, members: Sequence[Draft]) -> None:
        """Adds the problem of a ruling that keeps the row from being sent; a duplicate has its leader instead."""
        if ruling.word:
            where = Position(self._sheet.sheet, draft.line)
            code = "apartada-antes" if ruling.basis is Basis.SET_ASIDE else "sin-constancia"
            found = problem(code, cell=str(where), column="resultado", value=ruling.word, word=ruling.word)
            draft.problems += (found,)
        elif ruling.verdict is Verdict.CONFLICT and ruling.leader is not None:
            words = {"batch": str(ruling.leader.batch), "place": str(ruling.leader.position)}
            draft.problems += (self._problem(draft, "cufe", Mistake("conflicto-lote", words)),)
        elif ruling.verdict is Verdict.CONFLICT:
            places = self._places([one for one in members if one is not draft])
            draft.problems += (self._problem(draft, "cufe", Mistake("conflicto-archivo", {"places": places})),)

    # --- the rows as the next steps want them

    def finish(self, good: Plain, drafts: Mapping[int, Draft]) -> Checked:
        """All rows in input order, and their totals."""
        cells = list(zip(*(column.tolist() for _, column in self._sheet.cells.items()), strict=True))
        judged = {place: self._row(draft, cells[place]) for place, draft in drafts.items()}
        rows = self._rows(good, cells)
        if judged:
            placed = {**dict(zip(good.places, rows, strict=True)), **judged}
            rows = [placed[place] for place in range(len(cells))]
        verdicts = Counter(row.verdict for row in judged.values())
        verdicts[Verdict.ACCEPTED] += len(good.places)
        sendable = [
            draft.cufe
            for place, draft in drafts.items()
            if draft.valid is not None and judged[place].verdict in (Verdict.ACCEPTED, Verdict.HELD)
        ]
        days = {cufe[DAY]: cufe for cufe in chain(good.cufes, sendable)}
        issuers = {cufe[ISSUER]: cufe for cufe in chain(good.cufes, sendable)}
        issued = sorted(Cufe(cufe).issued_on for cufe in days.values())
        dues = chain(good.dues if self._rules.late == "ignore" else (), (draft.due for draft in drafts.values()))
        return Checked(
            rows=tuple(rows),
            issuers=tuple(sorted({Cufe(cufe).ruc for cufe in issuers.values()})),
            first_issue=issued[0] if issued else None,
            last_issue=issued[-1] if issued else None,
            counts={verdict: verdicts[verdict] for verdict in Verdict},
            late=sum(due is not None and due.window is Window.LATE for due in dues),
            repaired=sum(bool(row.repairs) for row in judged.values()),
        )

    def _rows(self, good: Plain, cells: Sequence[tuple[Cell, ...]]) -> list[CheckedRow]:
        """The plain rows as the next steps want them."""
        texts, count = self._texts, len(good.places)

        def here(values: Sequence[_T]) -> Sequence[_T]:
            return values if count == len(values) else list(map(values.__getitem__, good.places))

        positions = many(Position, count, sheet=repeat(self._sheet.sheet), line=here(texts.lines))
        return many(
            CheckedRow,
            count,
            pos=here(range(1, len(texts.lines) + 1)),
            position=positions,
            cells=here(cells),
            verdict=repeat(Verdict.ACCEPTED),
            cufe=good.cufes,
            reason=here(texts.reasons),
            email=here(texts.emails),
            leader=repeat(None),
            problems=repeat(()),
            repairs=repeat(()),
            warnings=repeat(()),
            deadline=good.dues,
        )

    def _row(self, draft: Draft, values: tuple[Cell, ...]) -> CheckedRow:
        ruling = draft.ruling
        return CheckedRow(
            draft.pos,
            Position(self._sheet.sheet, draft.line),
            values,
            Verdict.NOT_APPLICABLE if draft.idle else ruling.verdict if ruling else Verdict.REJECTED,
            draft.cufe if draft.valid else None,
            draft.reason or None,
            draft.email,
            ruling.leader if ruling else None,
            draft.problems,
            self._repairs(draft) if draft.repairs and draft.valid else (),
            draft.warnings,
            draft.due,
        )

    def _repairs(self, draft: Draft) -> tuple[Repair, ...]:
        where = self._sheet.address(draft.line, "cufe")
        return (Repair(where, draft.received, draft.cufe, "; ".join(draft.repairs)),)

    def _problem(self, draft: Draft, role: str, found: Mistake) -> Problem:
        return problem(found.code, **self._cell(draft, role), **found.words)

    def _cell(self, draft: Draft, role: str) -> dict[str, str]:
        """Where and what: address, heading and value as received."""
        text = self._sheet.text
        value = draft.received if role == "cufe" else str(text.at[draft.line, role]) if role in text else ""
        return {
            "cell": self._sheet.address(draft.line, role),
            "column": self._sheet.heading(role),
            "value": value,
        }
