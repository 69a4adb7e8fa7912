"""What a results workbook says of one batch never contradicts itself (interface.md 5): batches of all outcomes, limits
and amounts, made at random as the ledger would hold them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.domain.actions import ACTIONS
from pipeline.domain.cufe import check_digit
from pipeline.domain.deadline import PANAMA, deadline
from pipeline.domain.edoc_states import EDOC_STATES
from pipeline.domain.lifecycle import RETRIED, State
from pipeline.domain.outcomes import BARRED, ELSEWHERE, PREFLIGHT, SUCCESSES, Outcome
from pipeline.domain.records import BatchInfo, Cell, Leader, Position, Problem, ResultLine, Source
from pipeline.report.model import IDLE, Report, Row
from pipeline.report.printed import first_values, last_values, serial_of
from pipeline.report.summary import summarise

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
TURNED_AWAY = {State.RECEIVED, State.REJECTED_INPUT, State.DUPLICATE, State.CONFLICT, State.NOT_APPLICABLE}
UNSENT = TURNED_AWAY | {State.HELD, State.READY, State.WITHDRAWN, *RETRIED}
HEADINGS = ("No. factura", "Cliente", "Monto", "CUFE", "Motivo")


@dataclass(frozen=True)
class Made:
    """A batch, with the amount of each row as a person would add it up."""

    info: BatchInfo
    lines: list[ResultLine]
    amounts: list[Decimal | None]

    @property
    def report(self) -> Report:
        return summarise(self.info, self.lines, ())


def code(number: int, issued: date) -> str:
    head = f"FE01200000000000029-29-29-567632{issued:%Y%m%d}{number:010d}001012{number * 7919 % 10**9:09d}"
    return head + check_digit(head + "0")


cents = st.integers(-10_000_00, 10_000_000_00)


def _written(amount: Decimal, how: str) -> Cell:
    if how == "number":
        return float(amount)
    if how == "text":
        return f"B/. {amount:,.2f}" if amount >= 0 else f"-{-amount:,.2f}"
    return int(amount) if amount == int(amount) else str(amount)


@st.composite
def lines(draw: st.DrawFn, pos: int, before: list[ResultLine], hours: int) -> tuple[ResultLine, Decimal | None]:
    """A row in any state, with the answers and notes that lead to each action."""
    state = draw(st.sampled_from(list(State)))
    issued = NOW.astimezone(PANAMA).date() - timedelta(days=draw(st.integers(-1, 12)))
    broken = state is State.NOT_APPLICABLE or (state is State.REJECTED_INPUT and draw(st.booleans()))
    cufe = None if broken else code(pos, issued)
    sent = state not in UNSENT
    amount = None if draw(st.integers(0, 9)) == 0 else Decimal(draw(cents)) / 100
    cell: Cell = draw(st.sampled_from([None, "", "por definir"])) if amount is None else None
    if amount is not None:
        cell = _written(amount, draw(st.sampled_from(["number", "text", "bare"])))
    problems: tuple[Problem, ...] = ()
    if state in (State.REJECTED_INPUT, State.HELD, State.CONFLICT):
        kinds = ["plazo-vencido", "motivo-corto", "fila-tachada", "fila-dice-no", "documento-lote", "conflicto-lote"]
        problems = (Problem(draw(st.sampled_from(kinds)), "Hoja1!A2", "CUFE", "x", "dice algo"),)
    answered = sent or state in RETRIED
    estados = [None, 2, 18, 18, 99] if state is State.REVIEW else [None, *EDOC_STATES, 99]
    rules = [f"{BARRED}: el plazo [plazo-vencido]", f"{BARRED}: emisor [emisor-no-permitido]"]
    notes = {State.REVIEW: ["", "", PREFLIGHT], State.NOT_SENT: ["", ELSEWHERE, *rules, *rules]}.get(state, [""])
    leader = draw(st.sampled_from(before)) if state is State.DUPLICATE and before else None
    fixed = None  # what became of a rejected row in the batch that corrects it
    if state in (State.REJECTED_INPUT, State.CONFLICT) and draw(st.booleans()):
        there = draw(st.sampled_from([State.CANCELLED, State.PENDING, State.REJECTED_INPUT]))
        fixed = ResultLine(pos=1, position=Position("Corregir", 2), cells=(), state=there)
    line = ResultLine(
        pos=pos,
        position=Position("Hoja1", pos + 1),
        cells=(f"F-{pos}", f"Cliente {pos}", cell, cufe, "Error en el monto facturado"),
        state=state,
        cufe=cufe,
        sent_cufe=cufe if sent else None,
        problems=problems,
        deadline=None if cufe is None else deadline(issued, NOW, hours),
        attempts=1 if sent else 0,
        again=answered and draw(st.booleans()),
        estado=draw(st.sampled_from(estados)) if answered else None,
        source=draw(st.sampled_from([None, *Source])) if answered else None,
        note=draw(st.sampled_from(notes)),
        sent_at=NOW if sent else None,
        leader=None if leader is None else Leader(None, leader.pos, leader.position),
        mirrored=leader,
        fixed_in=None if fixed is None else Leader("20261121-9c4a", 1, fixed.position),
        fixed=fixed,
    )
    return line, amount


@st.composite
def batches(draw: st.DrawFn) -> Made:
    hours = draw(st.sampled_from([182, 182, 24, 720]))
    made: list[ResultLine] = []
    amounts: list[Decimal | None] = []
    for pos in range(1, draw(st.integers(1, 25)) + 1):
        line, amount = draw(lines(pos, made, hours))
        made.append(line)
        amounts.append(amount)
    info = BatchInfo(
        "20261120-7f3a", "lote.xlsx", "0" * 64, "sandbox", "Hoja1", len(made), HEADINGS, NOW, deadline_hours=hours
    )
    return Made(info, made, amounts)


EXAMPLES = settings(max_examples=200)


@EXAMPLES
@given(batches())
def test_no_column_of_a_row_contradicts_what_is_to_be_done(made: Made) -> None:
    report = made.report
    for row, line in zip(report.rows, made.lines, strict=True):
        agrees_with_itself(row, line, made.info.deadline_hours)


def agrees_with_itself(row: Row, line: ResultLine, hours: int) -> None:
    added = row.added
    word, todo, due = first_values(row)
    place, sent, _, _, resend, query, *_, rule = last_values(row)
    (action,) = [one for one in ACTIONS if one.rule == rule]
    assert (word, place) == (added.resultado, str(line.position))
    if todo == IDLE:
        assert action.idle
        assert due is None
        assert resend != "SI"
        assert query != "SI"
        assert added.accion_recomendada.startswith(("Ninguna", "No se envió: en el archivo la fila está tachada"))
    else:
        assert todo == added.accion_recomendada
        if line.cufe is not None:
            issued = datetime.strptime(line.cufe[32:40], "%Y%m%d").replace(tzinfo=PANAMA)
            assert due == serial_of(issued + timedelta(hours=hours))
    if Outcome(added.resultado) in SUCCESSES:
        assert todo == IDLE
    if "No reenviar" in str(todo) or "no reenviar" in str(todo) or "antes de" in str(todo):
        assert resend != "SI"
    if resend == "SI":
        assert "reenvío" in str(todo) or "Ejecute otra vez" in str(todo)
    if query == "SI":
        assert "consultar más tarde" in str(todo)
    if "consultar más tarde" in str(todo):
        assert query in ("SI", None)
    if "No se envió" in str(todo):
        assert (sent, added.cufe_enviado, added.enviado_en) == (None, None, None) or line.state not in UNSENT
    assert sent is None  # the cell holds exactly that


@EXAMPLES
@given(batches())
def test_the_order_of_the_tasks_is_that_of_their_limits(made: Made) -> None:
    report = made.report
    dues = [todo.due for todo in report.todo]
    known = [due for due in dues if due is not None]
    assert dues == sorted(known) + [None] * (len(dues) - len(known))
    assert [group.action for group in report.groups] == [t.action for t in report.todo if t.action.person]
    for todo in report.todo:
        limits = [row.added.vence for row in report.rows if row.added.regla == todo.action.rule]
        assert (todo.rows, todo.due) == (len(limits), min((limit for limit in limits if limit), default=None))
    for group in report.groups:
        rows = [report.rows[index] for index in group.indexes]
        assert [(row.added.vence is None, row.added.vence or NOW) for row in rows] == sorted(
            (row.added.vence is None, row.added.vence or NOW) for row in rows
        )
    told = {report.rows[index].pos for group in report.groups for index in group.indexes}
    assert told == {row.pos for row in report.rows if any(a.rule == row.added.regla and a.person for a in ACTIONS)}


@EXAMPLES
@given(batches())
def test_rows_and_amounts_add_up_to_those_of_the_input(made: Made) -> None:
    report = made.report
    assert sum(total.rows for total in report.totals) == len(made.lines)
    invoices = [
        amount for line, amount in zip(made.lines, made.amounts, strict=True) if line.state is not State.NOT_APPLICABLE
    ]
    readable = [amount for amount in invoices if amount is not None]
    if report.money is None:
        assert len(readable) * 2 <= len(invoices)
        assert all(total.amount is None for total in report.totals)
        return
    assert report.money.total == sum(readable, Decimal(0))
    assert report.money.missing == len(invoices) - len(readable)
    assert sum((total.amount or Decimal(0) for total in report.totals), Decimal(0)) == report.money.total
    for total in report.totals:
        if total.outcome is not Outcome.NOT_APPLICABLE:
            pairs = zip(report.rows, made.amounts, strict=True)
            mine = [amount or Decimal(0) for row, amount in pairs if row.added.resultado == total.outcome.value]
            assert total.amount == sum(mine, Decimal(0))


def test_the_batches_have_every_outcome_and_every_action() -> None:
    """Else the properties above would show nothing of those that never occur."""
    words: set[str] = set()
    rules: set[str] = set()

    @settings(max_examples=300, database=None, derandomize=True)
    @given(batches())
    def gather(made: Made) -> None:
        words.update(row.added.resultado for row in made.report.rows)
        rules.update(row.added.regla for row in made.report.rows)

    gather()
    assert words == {word.value for word in Outcome}
    assert rules == {action.rule for action in ACTIONS}
