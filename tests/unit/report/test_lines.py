from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline.domain.deadline import Deadline, Window
from pipeline.domain.lifecycle import State
from pipeline.domain.records import Correction, Leader, Position, Problem, Repair, ResultLine, Source
from pipeline.report.lines import Rows, row_of
from pipeline.report.model import IDLE, Added, panama
from schemas.columns import RESULT_COLUMNS

MakeLine = Callable[..., ResultLine]
NOON = datetime(2026, 11, 20, 15, 0, 3, tzinfo=UTC)


def test_the_added_columns_are_those_of_the_contract_in_its_order() -> None:
    assert tuple(field.name for field in fields(Added)) == RESULT_COLUMNS


def test_times_are_shown_in_panama_with_their_offset() -> None:
    assert panama(NOON) == "2026-11-20 10:00:03 -05:00"
    assert panama(None) is None


def test_a_row_that_was_never_sent_shows_no_code_sent_no_state_and_no_query(make_line: MakeLine) -> None:
    added = row_of(make_line(State.REJECTED_INPUT)).added
    shown = (added.cufe_enviado, added.estado_edoc, added.reenviar, added.consultar, added.consultas, added.enviado_en)
    assert shown == (None,) * 6


@pytest.mark.parametrize(
    ("state", "estado", "resend", "query"),
    [
        (State.CANCELLED, 2, "NO", "NO"),
        (State.CANCELLED, 5, "NO", "NO"),  # the code counts more than the state
        (State.NEEDS_SUPPORT, 4, "NO", "NO"),
        (State.PENDING, 5, "NO", "SI"),
        (State.UNKNOWN, None, "NO", "SI"),
        (State.NEEDS_CORRECTION, 6, "SI", "NO"),
        (State.RETURNED, 15, "NO", "NO"),
        (State.REVIEW, 18, "NO", "NO"),
        (State.CLOSED_BY_PERSON, 5, "NO", "NO"),
    ],
)
def test_resend_and_query_hold_for_the_row_now(
    state: State, estado: int | None, resend: str, query: str, make_line: MakeLine
) -> None:
    added = row_of(make_line(state, estado=estado)).added
    assert (added.reenviar, added.consultar) == (resend, query)


def test_an_unknown_state_is_queried_and_never_sent_again(make_line: MakeLine) -> None:
    added = row_of(make_line(State.UNKNOWN, estado=99)).added
    assert (added.estado_edoc, added.reenviar, added.consultar) == (99, "NO", "SI")
    assert added.estado_edoc_descripcion is not None
    assert "desconocido" in added.estado_edoc_descripcion


def test_a_queried_invoice_that_is_alive_is_still_authorised(make_line: MakeLine) -> None:
    added = row_of(make_line(State.REVIEW, estado=2, source=Source.QUERY)).added
    assert (added.resultado, added.regla) == ("SIGUE AUTORIZADA", "A05")


def test_a_duplicate_shows_the_answers_of_its_leader_but_claims_no_sending(make_line: MakeLine) -> None:
    leader = make_line(State.PENDING, 1, estado=5, message="Recibido", dgi="0000", sent_at=NOON, queries=3)
    line = make_line(State.DUPLICATE, 2, leader=Leader(None, 1, leader.position), mirrored=leader)
    added = row_of(line).added
    assert (added.resultado, added.estado_edoc, added.mensaje_edoc, added.consultar) == (
        "DUPLICADA",
        5,
        "Recibido",
        "NO",  # its leader is queried
    )
    assert (added.cufe_enviado, added.enviado_en, added.consultas) == (None, None, None)
    assert added.observaciones == "Repite Hoja1, fila 2 de este archivo, cuyo resultado es PENDIENTE."


def test_a_duplicate_of_another_batch_names_that_batch(make_line: MakeLine) -> None:
    leader = Leader("20261101-09c4", 8, Position(None, 9))
    assert row_of(make_line(State.DUPLICATE, leader=leader)).added.observaciones == (
        "Repite línea 9 del lote 20261101-09c4."
    )


def test_repairs_and_problems_stand_each_on_its_line_with_its_cell(make_line: MakeLine) -> None:
    line = make_line(
        State.REJECTED_INPUT,
        problems=(Problem("motivo-corto", "Hoja1!B2", "Motivo", "x", "el motivo es muy corto"),),
        repairs=(Repair("Hoja1!A2", "fe01", "FE01", "mayúsculas"),),
        warnings=(Problem("dv", "Hoja1!A2", "CUFE", "x", "el DV no corresponde"),),
    )
    assert (row_of(line).added.observaciones or "").split("\n") == [
        "Hoja1!B2: el motivo es muy corto [motivo-corto]",
        "Reparado. Hoja1!A2: mayúsculas; recibido «fe01», leído como «FE01»",
        "Aviso. Hoja1!A2: el DV no corresponde [dv]",
    ]


def test_a_repaired_code_is_called_sent_only_when_it_was(make_line: MakeLine) -> None:
    repairs = (Repair("Hoja1!A2", "fe01", "FE01", "mayúsculas"),)
    sent = row_of(make_line(State.CANCELLED, estado=2, repairs=repairs)).added
    assert sent.observaciones == "Reparado. Hoja1!A2: mayúsculas; recibido «fe01», enviado «FE01»"
    assert "enviado" not in (row_of(make_line(State.READY, repairs=repairs)).added.observaciones or "")


def test_an_unclear_answer_and_a_persons_decision_are_told(make_line: MakeLine) -> None:
    unclear = row_of(make_line(State.UNKNOWN, http=502, note="bad-gateway", attempts=2, next_due=NOON)).added
    assert unclear.observaciones == (
        "Intentos de envío: 2.\n"
        "Última respuesta: HTTP 502, código «bad-gateway».\n"
        "Próxima consulta a partir del 20/11/2026 10:00."
    )
    decided = row_of(make_line(State.CLOSED_BY_PERSON, decided_by="Ana Ruiz", decided_why="consta en el portal")).added
    assert (decided.resultado, decided.observaciones) == ("RESUELTA", "Decisión de Ana Ruiz: consta en el portal.")


def test_a_corrected_resend_shows_both_texts_and_is_called_sent_only_when_it_was(make_line: MakeLine) -> None:
    texts = {"reason": "Error en el monto", "email": "a@empresa.com", "attempts": 2, "again": True}
    new = Correction("Flete facturado dos veces", None)
    sent = row_of(make_line(State.CANCELLED, estado=2, correction=new, **texts)).added
    assert sent.observaciones == (
        "Intentos de envío: 2.\n"
        "Se reenvió con otro motivo: «Flete facturado dos veces» (antes «Error en el monto»).\n"
        "Se reenvió con otro correo: ninguno (antes «a@empresa.com»)."
    )
    ready = row_of(make_line(State.READY, correction=replace(new, reason=str(texts["reason"])), **texts)).added
    assert (
        ready.observaciones
        == "Intentos de envío: 2.\nSe autorizó reenviar con otro correo: ninguno (antes «a@empresa.com»)."
    )


def test_a_row_that_was_corrected_names_its_place_and_what_it_is_there(make_line: MakeLine) -> None:
    there = Leader("20261121-09c4", 1, Position("Corregir", 2))
    line = make_line(State.REJECTED_INPUT, fixed_in=there, fixed=make_line(State.PENDING, estado=5))
    assert row_of(line).added.observaciones == "Corregida en el lote 20261121-09c4 (Corregir, fila 2): PENDIENTE."
    assert row_of(line).added.resultado == "RECHAZADA"


def test_the_deadline_is_a_word_and_a_number(make_line: MakeLine) -> None:
    added = row_of(make_line(State.READY, deadline=Deadline(Window.LIMIT_DAY, -3.5))).added
    assert (added.plazo, added.horas_restantes) == ("día límite", -3.5)


def test_the_limit_is_the_earlier_bound_of_the_day_of_issue(make_line: MakeLine) -> None:
    issued = datetime(2018, 10, 15, 5, tzinfo=UTC)  # midnight in Panama of the day in the code
    assert row_of(make_line(State.NEEDS_CORRECTION), hours=182).added.vence == issued + timedelta(hours=182)
    assert row_of(make_line(State.NEEDS_CORRECTION), hours=10).added.vence == issued + timedelta(hours=10)


def test_a_row_with_which_nothing_is_to_be_done_says_so_and_is_not_due(make_line: MakeLine) -> None:
    row = row_of(make_line(State.CANCELLED))
    assert (row.todo, row.added.vence) == (IDLE, None)
    assert row.added.accion_recomendada == "Ninguna. La anulación está registrada."


def test_a_row_without_a_valid_code_has_no_limit(make_line: MakeLine) -> None:
    assert row_of(make_line(State.REJECTED_INPUT, cufe=None)).added.vence is None
    assert row_of(make_line(State.REJECTED_INPUT, cufe=f"{'0' * 32}20261340")).added.vence is None


def test_rows_can_be_taken_one_by_one_or_as_a_slice(make_line: MakeLine) -> None:
    rows = Rows([make_line(State.READY, pos) for pos in (1, 2, 3)], preview=False, hours=182)
    assert [row.pos for row in rows[1:]] == [2, 3]
    assert rows[-1].pos == 3


def problem_of(words: str, code: str = "motivo-corto") -> Problem:
    return Problem(code, "Hoja1!B2", "Motivo", "x", words)


@pytest.mark.parametrize(
    ("state", "known", "todo"),
    [
        (State.READY, {}, "Nada: se enviará con el comando run."),
        (
            State.REJECTED_INPUT,
            {"problems": (problem_of("Falta algo."), problem_of("Sobra algo."))},
            "Falta algo.\nSobra algo.",
        ),
        (State.CONFLICT, {"problems": (problem_of("Deje una sola."),)}, "Deje una sola."),
        (
            State.DUPLICATE,
            {"leader": Leader(None, 1, Position("Hoja1", 5))},
            "Nada: repite Hoja1, fila 5 de este archivo.",
        ),
        (
            State.REJECTED_INPUT,
            {"problems": (problem_of("La fila está tachada.", "fila-tachada"),)},
            "Nada, si no se debe anular: La fila está tachada.",
        ),
        (State.NOT_APPLICABLE, {}, "Nada: este renglón no es una factura."),
        (
            State.HELD,
            {"problems": (problem_of("El libro dice ANULADA.", "resultado-previo"),)},
            "El libro dice ANULADA.\nUna persona debe revisarla y aprobarla o retirarla.",
        ),
    ],
)
def test_in_a_review_what_to_do_says_what_is_wrong(
    state: State, known: dict[str, Any], todo: str, make_line: MakeLine
) -> None:
    assert row_of(make_line(state, **known), preview=True).todo == todo


def test_only_a_review_shows_the_code_of_a_row_that_would_be_sent(make_line: MakeLine) -> None:
    code = make_line(State.READY).cufe
    assert row_of(make_line(State.READY), preview=True).added.cufe_enviado == code
    assert row_of(make_line(State.READY)).added.cufe_enviado is None
    assert row_of(make_line(State.HELD), preview=True).added.cufe_enviado is None
