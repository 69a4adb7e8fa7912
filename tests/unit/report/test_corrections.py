"""Which rows a person can mend by correcting their data (decision 0030)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from pipeline.domain.deadline import deadline
from pipeline.domain.lifecycle import State
from pipeline.domain.records import BatchInfo, Problem, ResultLine
from pipeline.report.corrections import corrections_of
from pipeline.report.summary import summarise

MakeLine = Callable[..., ResultLine]
MakeBatch = Callable[..., BatchInfo]


def problem(code: str, column: str = "Motivo", message: str = "El motivo es corto.") -> Problem:
    return Problem(code, "Hoja1!B2", column, "x", message)


@pytest.mark.parametrize(
    ("state", "codes", "belongs"),
    [
        (State.REJECTED_INPUT, ["motivo-corto"], True),
        (State.REJECTED_INPUT, ["cufe-verificador", "correo-invalido"], True),
        (State.REJECTED_INPUT, ["plazo-vencido"], False),  # a credit note is the way out
        (State.CONFLICT, ["conflicto-archivo"], True),
        (State.CONFLICT, ["conflicto-lote"], False),  # it is in another batch already: nothing would be sent
        *((state, [], False) for state in State if state not in (State.REJECTED_INPUT, State.CONFLICT)),
    ],
)
def test_a_row_is_to_be_corrected_when_that_lets_it_be_sent(
    state: State, codes: list[str], belongs: bool, make_line: MakeLine, make_batch: MakeBatch
) -> None:
    line = make_line(state, problems=tuple(problem(code) for code in codes))
    fixes = corrections_of(make_batch([line]), [line])
    assert bool(fixes.lines) == belongs
    assert bool(fixes.returned) == (state in (State.NEEDS_CORRECTION, State.RETURNED))


def test_a_row_that_is_late_and_wrong_needs_a_credit_note_only_where_late_rows_are_not_sent(
    make_line: MakeLine, make_batch: MakeBatch
) -> None:
    late = deadline(date(2026, 1, 2), datetime(2026, 11, 20, tzinfo=UTC))
    warned = make_line(State.REJECTED_INPUT, problems=(problem("motivo-corto"),), deadline=late)
    refused = make_line(
        State.REJECTED_INPUT, pos=2, problems=(problem("motivo-corto"), problem("plazo-vencido")), deadline=late
    )
    lines = [warned, refused]
    assert [fix.place for fix in corrections_of(make_batch(lines), lines).rows] == ["Hoja1, fila 2"]


def test_a_fault_without_a_cell_of_its_own_is_told_in_the_last_column(
    make_line: MakeLine, make_batch: MakeBatch
) -> None:
    """The address that is taken for rows without one is wrong: the file has no such column."""
    line = make_line(State.REJECTED_INPUT, problems=(problem("correo-invalido", "", "El correo no parece válido."),))
    (fix,) = corrections_of(make_batch([line]), [line]).rows
    assert fix.wrong == {}
    assert fix.reasons == "El correo no parece válido. [correo-invalido]"


def test_two_faults_of_one_cell_are_both_told(make_line: MakeLine, make_batch: MakeBatch) -> None:
    line = make_line(State.REJECTED_INPUT, problems=(problem("a", message="Uno."), problem("b", message="Dos.")))
    (fix,) = corrections_of(make_batch([line]), [line]).rows
    assert fix.wrong == {1: "Uno. [a]\nDos. [b]"}
    assert fix.reasons == "Motivo: Uno. [a]\nMotivo: Dos. [b]"


@pytest.mark.parametrize(("rows", "fact"), [(0, None), (1, "lote__20261120-7f3a__corregir.xlsx, con 1 factura")])
def test_the_summary_names_the_corrections_workbook(
    rows: int, fact: Any, make_line: MakeLine, make_batch: MakeBatch
) -> None:
    lines = [make_line(State.REJECTED_INPUT, n + 1, problems=(problem("motivo-corto"),)) for n in range(rows)]
    lines.append(make_line(State.CANCELLED, rows + 1))
    assert dict(summarise(make_batch(lines), lines, ()).facts).get("Libro de correcciones") == fact
