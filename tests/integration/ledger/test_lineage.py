"""What became of rejected rows in the batches that correct theirs: found exactly, or not claimed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.domain.lifecycle import Event, State
from pipeline.domain.outcomes import Outcome
from pipeline.domain.records import Finding, Leader, Position, Problem, Source, Verdict
from pipeline.ledger.lineage import fixed_rows
from pipeline.report.lines import action_of, outcome_of, row_of
from pipeline.report.summary import summarise
from pipeline.run.results import exit_code

SHORT = Problem("motivo-corto", "Hoja1!B7", "Motivo", "x", "El motivo es demasiado corto.")
TYPED = Problem("cufe-verificador", "Hoja1!A8", "CUFE", "x", "El dígito verificador no coincide.")
PENDING = Finding(Source.CANCELLATION, Event.IN_PROGRESS, http=200, estado=5)


class Family:
    """A batch of one good row and wrong ones, and the batches that correct it."""

    def __init__(self, book, row) -> None:
        self.book, self.row = book, row
        self.count = 0

    def first(self, *wrong):
        self.info = self.take([self.row(1), *wrong], "primero")
        return self.info

    def take(self, rows, name, corrects=None, headings=("CUFE", "Motivo"), sheet="Hoja1"):
        self.count += 1
        store, take = self.book.store, self.book.store.intake

        def intake(info, checked):
            take(replace(info, corrects=corrects, headings=headings, sheet=sheet), checked)

        store.intake = intake
        try:
            info = self.book.take(list(rows), name=name, sha="0123456789"[self.count])
        finally:
            del store.intake
        return self.book.views.batch(info.id)

    def corrected(self, *rows, of=None, name="segundo"):
        """A batch from the corrections workbook: (place, row) in the order of that workbook."""
        placed = [
            replace(one, pos=pos, position=Position("Corregir", pos + 1), cells=(place, *one.cells))
            for pos, (place, one) in enumerate(rows, start=1)
        ]
        headings = ("fila_origen", "CUFE", "Motivo")
        return self.take(placed, name, (of or self.info).id, headings, "Corregir")

    def send(self, info, event=Event.CANCELLED, finding=None):
        for one in self.book.views.ready(info.id):
            self.book.send(one, event, finding)

    def lines(self, info=None):
        return self.book.views.lines(self.book.views.batch((info or self.info).id))


@pytest.fixture
def family(book, row):
    one = Family(book, row)
    one.first(
        replace(row(2, Verdict.REJECTED), problems=(SHORT,)),
        replace(row(3, Verdict.REJECTED), problems=(TYPED,), cufe=None),
    )
    return one


def test_a_row_that_was_cancelled_in_the_correction_says_so_and_is_done(family, row):
    second = family.corrected(("Hoja1, fila 6", row(2)), ("Hoja1, fila 7", row(3)))
    family.send(family.info)
    family.send(second)

    _, two, three = family.lines()
    assert (two.state, outcome_of(two), two.fixed.state) == (State.REJECTED_INPUT, Outcome.REJECTED, State.CANCELLED)
    assert two.fixed_in == Leader(second.id, 1, Position("Corregir", 2))
    assert (action_of(two).rule, action_of(two).person) == ("A27", False)
    remark = f"Corregida en el lote {second.id} (Corregir, fila 3): ANULADA."
    assert str(row_of(three).added.observaciones).endswith(remark)
    assert exit_code(family.lines()) == 0
    info = family.book.views.batch(family.info.id)
    report = summarise(info, family.lines(), ())
    assert report.headline.startswith("1 de 3 facturas quedó anulada; 2 más en la corrección 20261120-segundo")
    assert (report.todo, report.groups) == ((), ())
    assert info.shift == {"ANULADA": 2, "RECHAZADA": -2}


def test_a_row_of_a_correction_that_is_not_done_is_followed_there(family, row):
    second = family.corrected(
        ("Hoja1, fila 6", row(2)), ("Hoja1, fila 7", replace(row(3, Verdict.REJECTED), problems=(SHORT,)))
    )
    family.send(family.info)
    family.send(second, Event.IN_PROGRESS, PENDING)

    _, two, three = family.lines()
    assert [(action_of(one).rule, action_of(one).person) for one in (two, three)] == [("A29", False), ("A28", True)]
    assert exit_code(family.lines()) == 4


def test_a_correction_that_was_corrected_is_followed_to_its_end(family, row):
    second = family.corrected(
        ("Hoja1, fila 6", row(2)), ("Hoja1, fila 7", replace(row(3, Verdict.REJECTED), problems=(TYPED,), cufe=None))
    )
    third = family.corrected(("Hoja1, fila 7", row(3)), of=second, name="tercero")
    for info in (family.info, second, third):
        family.send(info)

    assert [one.fixed_in and one.fixed_in.batch for one in family.lines()] == [None, second.id, third.id]
    assert [exit_code(family.lines(info)) for info in (family.info, second, third)] == [0, 0, 0]


def test_of_two_corrections_the_row_that_is_done_counts_else_the_newest(family, row):
    wrong = replace(row(3, Verdict.REJECTED), problems=(TYPED,), cufe=None)
    second = family.corrected(("Hoja1, fila 6", row(2)), ("Hoja1, fila 7", wrong))
    family.send(second)
    third = family.corrected(
        ("Hoja1, fila 6", replace(row(2, Verdict.REJECTED), problems=(SHORT,))),
        ("Hoja1, fila 7", wrong),
        name="tercero",
    )

    assert [one.fixed_in and one.fixed_in.batch for one in family.lines()] == [None, second.id, third.id]


def test_a_row_that_repeats_another_in_the_correction_counts_as_that_one(family, row):
    family.send(family.info)
    leader = Leader(family.info.id, 1, Position("Hoja1", 5))
    same = replace(row(3, Verdict.DUPLICATE), cufe=row(1).cufe, leader=leader)
    family.corrected(("Hoja1, fila 7", same))

    assert family.lines()[2].fixed.state is State.CANCELLED


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([], "it was left out"),
        ([("Hoja1, fila 60", 2)], "another place"),
        ([("", 2)], "no place"),
        ([("Hoja1, fila 6", 2), ("Hoja1, fila 6", 4)], "the place twice"),
        ([("Hoja1, fila 6", 9)], "another invoice, though the code was never wrong"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_found_exactly_is_not_claimed(family, row, rows, why):
    second = family.corrected(("Hoja1, fila 700", row(8)), *((place, row(number)) for place, number in rows))
    family.send(second)

    assert [one.fixed for one in family.lines()] == [None, None, None], why
    assert [action_of(one).rule for one in family.lines()][1:] == ["A12", "A12"]


def test_a_line_that_is_no_invoice_any_more_corrects_nothing(family, row):
    family.corrected(("Hoja1, fila 6", replace(row(2, Verdict.NOT_APPLICABLE), cufe=None)))

    assert family.lines()[1].fixed is None


def test_of_rows_that_contradict_each_other_one_version_is_enough(book, row):
    family = Family(book, row)
    both = row(2, Verdict.CONFLICT)
    family.first(both, replace(row(3, Verdict.CONFLICT), cufe=both.cufe, reason="Otro motivo, más claro"))
    second = family.corrected(("Hoja1, fila 7", replace(row(3), cufe=both.cufe)))
    family.send(second)
    family.send(family.info)

    assert [one.fixed and one.fixed.state for one in family.lines()] == [None, State.CANCELLED, State.CANCELLED]
    assert exit_code(family.lines()) == 0


def test_a_batch_that_corrects_itself_by_a_circle_ends(book, row):
    family = Family(book, row)
    wrong = replace(row(1, Verdict.REJECTED), problems=(SHORT,))
    family.take([wrong], "uno", corrects="20261120-dos")
    family.take([replace(wrong, cells=("Hoja1, fila 5",))], "dos", "20261120-uno", ("fila_origen",))

    assert set(fixed_rows(book.database, "20261120-uno")) == {1}
    assert set(fixed_rows(book.database, "20261120-dos")) <= {1}


def test_a_batch_that_nobody_corrected_costs_one_question(family, monkeypatch):
    asked = []
    read = family.book.database.read
    monkeypatch.setattr(family.book.database, "read", lambda query: asked.append(query) or read(query))

    assert fixed_rows(family.book.database, family.info.id) == {}
    assert len(asked) == 1
