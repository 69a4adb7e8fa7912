from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.domain.approved_by import ApprovedBy
from pipeline.domain.deadline import deadline
from pipeline.domain.errors import Bug
from pipeline.domain.lifecycle import Event, State
from pipeline.domain.outcomes import Outcome
from pipeline.domain.records import Approval, BatchInfo, EventLine, Position, ResultLine, Source
from pipeline.report.labels import EVENT_WORDS, MEANINGS, STATE_WORDS, TONES
from pipeline.report.summary import PREVIEW_ID, summarise

MakeLine = Callable[..., ResultLine]
MakeBatch = Callable[..., BatchInfo]
CUFE = "FE01200000000000029-29-29-5676322018101525982740639300126729580548"
NOON = datetime(2026, 11, 20, 15, 0, 3, tzinfo=UTC)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(states=st.lists(st.sampled_from(list(State)), max_size=30))
def test_every_row_is_counted_and_shown_once_in_input_order(
    states: list[State], make_line: MakeLine, make_batch: MakeBatch
) -> None:
    lines = [make_line(state, pos) for pos, state in enumerate(states, start=1)]
    report = summarise(make_batch(lines), lines, ())
    assert [row.pos for row in report.rows] == list(range(1, len(lines) + 1))
    assert sum(total.rows for total in report.totals) == len(lines)
    others = sum(state is State.NOT_APPLICABLE for state in states)
    here = {row.added.resultado for row in report.rows}
    assert [total.outcome for total in report.totals] == [word for word in Outcome if word.value in here]
    assert sum(tile.number for tile in report.tiles) == len(lines) - others
    assert all(check.agrees for check in report.checks)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    state=st.sampled_from(list(State)),
    estado=st.sampled_from([None, 2, 4, 5, 11, 18, 99]),
    source=st.sampled_from([None, *Source]),
)
def test_no_state_but_a_proven_cancellation_says_anulada(
    state: State, estado: int | None, source: Source | None, make_line: MakeLine, make_batch: MakeBatch
) -> None:
    line = make_line(state, estado=estado, source=source)
    row = summarise(make_batch([line]), [line], ()).rows[0]
    assert (row.added.resultado == "ANULADA") == (state is State.CANCELLED)
    assert (row.added.resultado == "YA ANULADA") == (state is State.ALREADY_CANCELLED)


def test_rows_that_are_missing_or_out_of_order_are_never_published(make_line: MakeLine, make_batch: MakeBatch) -> None:
    lines = [make_line(State.CANCELLED, pos) for pos in (1, 2, 3)]
    with pytest.raises(Bug):
        summarise(make_batch(lines), lines[:2], ())
    with pytest.raises(Bug):
        summarise(make_batch(lines), [lines[0], lines[2], lines[1]], ())
    with pytest.raises(Bug):
        summarise(make_batch(lines), [lines[0], lines[0], lines[2]], ())


def test_what_to_do_comes_most_urgent_first_with_its_count(make_line: MakeLine, make_batch: MakeBatch) -> None:
    states = (State.CANCELLED, State.PENDING, State.REJECTED_INPUT, State.REVIEW, State.REJECTED_INPUT)
    lines = [make_line(state, pos) for pos, state in enumerate(states, start=1)]
    report = summarise(make_batch(lines), lines, ())
    assert [(todo.action.rule, todo.rows) for todo in report.todo] == [("A11", 1), ("A12", 2), ("A03", 1)]


def test_only_rows_that_need_a_person_are_grouped_first_limit_first(make_line: MakeLine, make_batch: MakeBatch) -> None:
    days = ("20181020", None, "20181014", "20181015")
    lines = [
        make_line(State.NEEDS_CORRECTION, pos, cufe=day and CUFE.replace("20181015", day), sent_cufe=None)
        for pos, day in enumerate(days, start=1)
    ]
    lines.append(make_line(State.PENDING, 5))
    report = summarise(make_batch(lines), lines, ())
    assert [(group.action.rule, group.indexes) for group in report.groups] == [("A07", (2, 3, 0, 1))]


def test_a_control_total_that_differs_from_the_ledger_is_shown_as_such(
    make_line: MakeLine, make_batch: MakeBatch
) -> None:
    lines = [make_line(State.CANCELLED, 1), make_line(State.PENDING, 2)]
    agreeing = summarise(make_batch(lines, counts={"ANULADA": 1, "PENDIENTE": 1, "DEVUELTA": 0}), lines, ())
    differing = summarise(make_batch(lines, counts={"ANULADA": 2}), lines, ())
    assert all(check.agrees for check in agreeing.checks)
    assert [check.agrees for check in differing.checks] == [True, True, True, False]


def test_the_log_can_be_read_twice_even_when_it_came_as_a_generator(make_line: MakeLine, make_batch: MakeBatch) -> None:
    line = make_line(State.PENDING)
    event = EventLine(
        7, NOON, 1, Position(None, 2), State.SENDING, State.PENDING, Event.IN_PROGRESS, http=200, estado=5
    )
    report = summarise(make_batch([line]), [line], (one for one in [event]))
    assert list(report.log) == list(report.log)
    (shown,) = report.log
    assert (shown.at, shown.where) == (NOON, "línea 2")
    assert (shown.what, shown.source, shown.target) == ("En proceso", "Enviándose", "Pendiente en la DGI")
    assert shown.codes == "in-progress · SENDING → PENDING · estado 5 · HTTP 200"


def test_an_event_of_the_whole_batch_says_so(make_line: MakeLine, make_batch: MakeBatch) -> None:
    line = make_line(State.HELD)
    event = EventLine(1, NOON, None, None, None, State.RECEIVED, Event.ACCEPTED)
    (shown,) = summarise(make_batch([line]), [line], [event]).log
    assert (shown.where, shown.source) == ("(lote)", None)


@pytest.mark.parametrize(("env", "binding"), [("production", True), ("lab", False), ("sandbox", False), ("otro", True)])
def test_the_environment_is_unmistakable(env: str, binding: bool, make_line: MakeLine, make_batch: MakeBatch) -> None:
    line = make_line(State.CANCELLED)
    banner = summarise(make_batch([line], env=env), [line], ()).banner
    assert banner.binding is binding
    assert ("sin efecto legal" in banner.words) is (env in ("lab", "sandbox"))


def test_a_review_says_that_nothing_was_sent_and_what_would_be(make_line: MakeLine, make_batch: MakeBatch) -> None:
    lines = [make_line(State.READY, 1), make_line(State.READY, 2), make_line(State.REJECTED_INPUT, 3)]
    report = summarise(make_batch(lines, id=PREVIEW_ID), lines, ())
    assert report.headline == "2 de 3 facturas listas para enviar; 1 por corregir."
    assert "no se envió nada" in report.banner.words
    assert not report.banner.binding
    assert [(total.word, total.rows) for total in report.totals] == [("RECHAZADA", 1), ("LISTA PARA ENVIAR", 2)]
    assert [row.todo for row in report.rows][:2] == ["Nada: se enviará con el comando run."] * 2
    assert [group.action.rule for group in report.groups] == ["A12"]
    assert report.proof == ()


def late(pos: int, state: State, make_line: MakeLine) -> ResultLine:
    return make_line(state, pos, deadline=deadline(date(2026, 11, 1), NOON))


def test_a_review_counts_a_late_row_that_would_be_sent_once_and_warns(
    make_line: MakeLine, make_batch: MakeBatch
) -> None:
    states = (State.REJECTED_INPUT, State.DUPLICATE, State.HELD, State.NOT_APPLICABLE, State.READY)
    lines = [late(1, State.READY, make_line), *(make_line(state, pos) for pos, state in enumerate(states, start=2))]
    report = summarise(make_batch(lines, id=PREVIEW_ID), lines, ())
    assert report.headline == (
        "2 de 5 facturas listas para enviar, 1 de ellas fuera del plazo legal; 1 por corregir; "
        "1 requiere su revisión; 1 sin nada que hacer."
    )
    assert [tile.number for tile in report.tiles] == [2, 1, 1, 1]
    row = report.rows[0]
    assert row.added.resultado == "LISTA PARA ENVIAR"
    assert row.todo.startswith("Se enviaría con el comando run, pero el plazo legal venció")
    assert report.late == (0,)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from(
                [State.READY, State.HELD, State.REJECTED_INPUT, State.DUPLICATE, State.CONFLICT, State.NOT_APPLICABLE]
            ),
            st.booleans(),
        ),
        max_size=20,
    )
)
def test_in_a_review_every_invoice_is_in_one_figure(
    rows: list[tuple[State, bool]], make_line: MakeLine, make_batch: MakeBatch
) -> None:
    lines = [
        late(pos, state, make_line) if is_late else make_line(state, pos)
        for pos, (state, is_late) in enumerate(rows, start=1)
    ]
    report = summarise(make_batch(lines, id=PREVIEW_ID), lines, ())
    invoices = sum(state is not State.NOT_APPLICABLE for state, _ in rows)
    assert sum(tile.number for tile in report.tiles) == invoices
    assert all(tile.number >= 0 for tile in report.tiles)
    ready = [row for row in report.rows if row.added.resultado == "LISTA PARA ENVIAR"]
    assert len(ready) == report.tiles[0].number == sum(state is State.READY for state, _ in rows)


def test_the_same_waiting_row_needs_a_person_once_its_run_is_over(make_line: MakeLine, make_batch: MakeBatch) -> None:
    line = make_line(State.READY)
    assert [group.action.rule for group in summarise(make_batch([line]), [line], ()).groups] == ["A16"]


def test_who_when_and_which_file_are_among_the_facts(make_line: MakeLine, make_batch: MakeBatch) -> None:
    line = make_line(State.CANCELLED)
    info = make_batch(
        [line],
        approved_by="Ana Ruiz",
        issuers=("155-2-3", "8-1-2"),
        started=NOON,
        ended=NOON + timedelta(minutes=5),
        notes=("Leído como Windows-1252.",),
    )
    report = summarise(info, [line], ())
    facts = dict(report.facts)
    assert dict(report.proof)["Aprobado por"] == "Ana Ruiz, al cargarlo: 20/11/2026 10:00:03 (hora de Panamá)"
    assert facts["Emisores (RUC)"] == "155-2-3, 8-1-2"
    assert facts["Último evento"] == "20/11/2026 10:05:03 (hora de Panamá)"
    assert facts["Nota de lectura"] == "Leído como Windows-1252."
    assert facts["Código de verificación del archivo (SHA-256)"] == "0" * 64


def test_who_prepared_and_who_approved_stand_in_words_with_the_digest_below(
    make_line: MakeLine, make_batch: MakeBatch
) -> None:
    line, digest = make_line(State.CANCELLED), "3f9c" * 16
    by = str(ApprovedBy("terminal", "lgomez", "aperez", digest))
    held = Approval(str(ApprovedBy("web", "núñez", "ana", "81aa" * 16)), NOON, 2)
    proof = summarise(replace(make_batch([line], approved_by=by), approvals=(held,)), [line], ()).proof

    at = "20/11/2026 10:00:03 (hora de Panamá)"
    assert proof[:4] == (
        ("Preparado y aprobado", f"Preparó: aperez · Aprobó: lgomez, al cargarlo: {at}"),
        ("Huella de lo aprobado", digest),
        (
            "Retenido al llegar; lo aprobó",
            f"Preparó: ana · Aprobó: núñez, {at}: 2 filas",
        ),
        ("Huella de lo aprobado", "81aa" * 16),
    )


def test_every_outcome_state_and_event_has_its_words() -> None:
    assert set(MEANINGS) == set(TONES) == set(Outcome)
    assert set(STATE_WORDS) == set(State)
    assert set(EVENT_WORDS) == set(Event)
