"""What people are told of a run: what was done first, what falls due, what to do, where the workbook is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.domain.cufe import check_digit
from pipeline.domain.deadline import Deadline, Window
from pipeline.domain.errors import AnotherRun, InputRefused, Interrupted, StoppedEarly, StorageTrouble
from pipeline.domain.lifecycle import State
from pipeline.domain.outcomes import Outcome
from pipeline.domain.records import BatchInfo, Position, ResultLine
from pipeline.run.notification_texts import (
    Digest,
    Limit,
    limit_words,
    limits_of,
    notification,
    outcome_words,
    subject_words,
)

LINE = ResultLine(pos=1, position=Position("Hoja1", 2), cells=(), state=State.READY)
FIRST = datetime(2026, 11, 25, 19, 0, tzinfo=UTC)
LATER = datetime(2026, 11, 26, 19, 0, tzinfo=UTC)


def code(day: str) -> str:
    text = f"FE01200000000000029-29-29-560001{day}0000000001001012000001000"
    return text + check_digit(text)


def lines(*rows: tuple[State, str]) -> list[ResultLine]:
    return [replace(LINE, pos=n, state=state, cufe=code(day)) for n, (state, day) in enumerate(rows, start=1)]


def digest(totals: dict[str, int], limits: tuple[Limit, ...] = (), file: str = "noviembre.xlsx") -> Digest:
    info = BatchInfo(
        id="20261120-aaaaaaaa",
        file=file,
        folder="/r",
        sha256="0" * 64,
        sheet="Hoja1",
        env="sandbox",
        rows=sum(totals.values()),
        headings=(),
        created=FIRST,
    )
    return Digest(info, totals, limits, ("5 · Corregir la fila: …",), Path("/r/libro.xlsx"), (), {"batch": info.id})


def test_the_subject_says_what_was_done_first_and_only_what_occurs() -> None:
    said = notification([digest({"PENDIENTE": 1, "RECHAZADA": 4, "ANULADA": 22, "CONFLICTO": 1, "NO APLICA": 2})])

    assert said.subject == "22 anuladas, 5 por corregir, 1 pendiente"


@pytest.mark.parametrize("number", [1, 2, 1234])
@pytest.mark.parametrize("word", [word for word in Outcome if word is not Outcome.NOT_APPLICABLE])
def test_every_outcome_has_words_for_one_and_for_several(word: Outcome, number: int) -> None:
    (told,) = outcome_words({word.value: number})

    assert told.startswith(f"{number:,} ")
    assert told == told.lower() or "eDoc" in told


def test_several_batches_are_told_in_one_sum_and_each_with_its_workbook() -> None:
    said = notification([digest({"ANULADA": 1}), digest({"ANULADA": 2, "DEVUELTA": 1}, file="otro.xlsx")])

    assert said.subject == "3 anuladas, 1 devuelta"
    assert [line for line in said.lines if line.startswith("Lote ")] == [
        "Lote 20261120-aaaaaaaa (noviembre.xlsx, sandbox): 1 anulada.",
        "Lote 20261120-aaaaaaaa (otro.xlsx, sandbox): 2 anuladas, 1 devuelta.",
    ]
    assert said.lines.count("Libro de resultados: /r/libro.xlsx") == 2
    assert "  - 5 · Corregir la fila: …" in said.lines
    assert list(said.workbooks) == [Path("/r/libro.xlsx")] * 2


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (StorageTrouble(), "se detuvo antes de terminar"),
        (Interrupted(), "se interrumpió"),
        (AnotherRun(), "otra ejecución lo impidió"),
        (InputRefused(), "archivo rechazado, no se envió nada"),
        (StoppedEarly(code="queue-waiting"), "hay lotes olvidados en la cola"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_what_ended_it_early_is_said_after_what_was_done(trouble, words) -> None:
    said = notification([digest({"ANULADA": 22, "NO ENVIADA": 8})], trouble)

    assert said.subject == f"22 anuladas, 8 no enviadas, {words}"
    assert said.lines[0] == f"✗ {trouble.sentence} [{trouble.code}]"
    assert notification([], trouble).subject == words


def test_what_falls_due_is_what_a_person_can_still_act_on_the_first_first() -> None:
    late = replace(LINE, state=State.RETURNED, cufe=code("20261101"), deadline=Deadline(Window.LATE, -10.0))
    rows = lines(
        (State.REJECTED_INPUT, "20261119"),
        (State.HELD, "20261118"),
        (State.RETURNED, "20261118"),
        (State.CANCELLED, "20261110"),
        (State.PENDING, "20261110"),
    )

    assert limits_of([*rows, late, replace(LINE, state=State.REJECTED_INPUT)], 182) == (
        Limit(FIRST, {"RETENIDA": 1, "DEVUELTA": 1}),
        Limit(LATER, {"RECHAZADA": 1}),
    )
    assert limit_words(limits_of(rows, 182)) == [
        "el 25/11/2026 a las 14:00: 1 retenida, 1 devuelta",
        "el 26/11/2026 a las 14:00: 1 por corregir",
    ]


def test_of_many_days_the_first_are_named_and_the_rest_is_counted() -> None:
    rows = lines(*[(State.NOT_SENT, f"202611{day}") for day in range(10, 20)])
    told = limit_words(limits_of(rows, 182))

    assert len(told) == 4
    assert told[-1] == "después, 7 más hasta el 26/11/2026 a las 14:00"


def test_what_is_held_says_until_when_in_the_subject() -> None:
    limits = [Limit(FIRST, {"RECHAZADA": 1}), Limit(LATER, {"RETENIDA": 30})]

    assert subject_words({"RETENIDA": 30, "RECHAZADA": 1}, limits) == [
        "30 retenidas (vence el 26/11/2026 a las 14:00)",
        "1 por corregir",
    ]
