from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pipeline.domain.errors import Bug
from pipeline.domain.lifecycle import State
from pipeline.domain.records import ResultLine
from pipeline.report.lines import row_of
from pipeline.report.model import Added
from schemas.columns import RESULT_COLUMNS
from schemas.results import check_results

MakeLine = Callable[..., ResultLine]


def columns_of(*rows: Added, first: int = 1) -> dict[str, tuple[Any, ...]]:
    cells = [(pos, *row.values()) for pos, row in enumerate(rows, start=first)]
    return dict(zip(("pos", *RESULT_COLUMNS), zip(*cells, strict=True), strict=True))


@pytest.fixture
def good(make_line: MakeLine) -> Added:
    return row_of(make_line(State.CANCELLED, estado=2, dgi="0600")).added


def test_what_every_state_becomes_fits_the_schema(make_line: MakeLine) -> None:
    rows = [row_of(make_line(state, pos)).added for pos, state in enumerate(State, start=1)]
    check_results(columns_of(*rows), 1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"resultado": "CANCELLED"},
        {"cufe_enviado": "FE01"},
        {"cufe_enviado": None},  # «ANULADA» without a code that was sent
        {"resultado": "RECHAZADA"},  # turned away, and yet sent
        {"reenviar": "YES"},
        {"consultar": None},
        {"estado_edoc": None},
        {"regla": "X1"},
        {"accion_recomendada": ""},
        {"enviado_en": "2026-11-20T10:00:03Z"},
        {"consultas": -1},
        {"plazo": "late"},
        {"fila_origen": None},
    ],
)
def test_a_row_that_breaks_the_contract_is_a_bug(wrong: dict[str, Any], good: Added) -> None:
    check_results(columns_of(good), 1)
    with pytest.raises(Bug):
        check_results(columns_of(replace(good, **wrong)), 1)


def test_rows_out_of_order_are_a_bug(good: Added) -> None:
    check_results(columns_of(good, good, first=5), 5)
    with pytest.raises(Bug):
        check_results(columns_of(good, good, first=5), 1)


def test_columns_in_another_order_are_a_bug(good: Added) -> None:
    columns = columns_of(good)
    with pytest.raises(Bug):
        check_results({name: columns[name] for name in ("pos", *reversed(RESULT_COLUMNS))}, 1)


def test_only_a_review_may_say_that_a_row_is_ready(make_line: MakeLine) -> None:
    ready = row_of(make_line(State.READY), preview=True).added
    check_results(columns_of(ready), 1, review=True)
    with pytest.raises(Bug):
        check_results(columns_of(ready), 1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"resultado": "ANULADA"},
        {"resultado": "NO ENVIADA"},
        {"resultado": "RETENIDA"},  # with a code that would be sent
        {"mensaje_edoc": "Autorizado"},
        {"enviado_en": "2026-11-20 10:00:03 -05:00"},
        {"consultas": 1},
    ],
)
def test_a_review_that_knows_of_a_sending_is_a_bug(wrong: dict[str, Any], make_line: MakeLine) -> None:
    ready = row_of(make_line(State.READY), preview=True).added
    with pytest.raises(Bug):
        check_results(columns_of(replace(ready, **wrong)), 1, review=True)
