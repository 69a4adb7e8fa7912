"""Rows that a person does not see are cancelled only after somebody said how many there are (reliability.md D7)."""

from __future__ import annotations

import pytest
from openpyxl import load_workbook

from tests.corpus.sheets import CACHED
from tests.e2e.test_approval import on_a_terminal


@pytest.fixture
def file(place):
    """Four good rows, two of them hidden."""
    path = place.batch(["000"] * 4)
    book = load_workbook(path)
    for line in (3, 5):
        book["Hoja1"].row_dimensions[line].hidden = True
    book.save(path)
    return path


def test_check_shows_them_and_asks_nothing(place, file):
    assert place.anular("check", file).code == 3
    done = place.anular("check", file, "--include-hidden", "--json")

    assert (done.code, done.data[0]["accepted"], done.data[0]["hidden"]) == (0, 4, 2)
    assert "Se incluyen 2 filas ocultas o filtradas: filas 3, 5." in done.words


@pytest.mark.parametrize("options", [[], ["--hidden-count", "1"], ["--hidden-count", "3"]])
def test_without_a_terminal_they_need_their_exact_number(place, file, options):
    done = place.anular("run", "--yes", file, "--include-hidden", *options)

    assert done.code == 3
    assert "lote.xlsx: 2 filas ocultas o filtradas (filas 3, 5)" in " ".join(done.err.split())
    assert "--hidden-count 2" in " ".join(done.err.split())
    assert place.posts() == {}
    assert not (place.folder / "ledger").exists()


def test_with_their_number_they_are_sent_and_flagged(place, file):
    done = place.anular("run", "--yes", file, "--include-hidden", "--hidden-count", 2, "--json")

    assert done.code == 0
    assert sum(place.posts().values()) == 4
    rows = list(load_workbook(done.data[0]["workbook"])["Resultados"].iter_rows(values_only=True))
    flagged = [any("estaba oculta" in str(value) for value in row) for row in rows]
    assert sum(flagged) == 2


def test_a_number_where_nothing_is_hidden_or_nothing_was_asked_for_stops_too(place, file):
    done = place.anular("run", "--yes", place.batch(["000"], "visible.xlsx"), "--include-hidden", "--hidden-count", 2)
    assert (done.code, "hay 0: nada oculto" in " ".join(done.err.split())) == (3, True)
    assert place.anular("run", "--yes", file, "--hidden-count", 2).code == 2
    assert place.posts() == {}


def test_the_refusal_is_in_the_json_answer_too(place, file):
    done = place.anular("run", "--yes", file, "--include-hidden", "--json")

    assert done.data[0]["refused"]["code"] == "ocultas-sin-confirmar"


@pytest.mark.parametrize(("reply", "code"), [("4", 130), ("si", 130), ("", 130)])
def test_on_a_terminal_anything_but_the_number_sends_nothing(place, file, reply, code):
    ended, shown = on_a_terminal(place, ["run", file, "--include-hidden"], reply)

    assert ended == code, shown
    assert "no confirmó lo oculto" in shown
    assert place.posts() == {}


def test_on_a_terminal_the_number_goes_on_to_the_usual_question(place, file):
    """The plan is shown with its note, and nothing goes without a yes of its own."""
    ended, shown = on_a_terminal(place, ["run", file, "--include-hidden"], "2\nno")

    assert ended == 130, shown
    assert "Se incluyen 2 filas ocultas" in shown
    assert "lo escrito no es la cantidad" in shown
    assert place.posts() == {}


def test_the_text_of_a_formula_is_taken_with_the_option_only(place):
    file = place.folder / "formulas.xlsx"
    file.write_bytes(CACHED)
    without = place.anular("check", file, "--json")
    taken = place.anular("check", file, "--json", "--accept-formulas")

    assert (without.code, without.data[0]["accepted"]) == (1, 1)
    assert {one["code"] for one in without.data[0]["problems"]} == {"celda-formula"}
    assert (taken.code, taken.data[0]["accepted"], taken.data[0]["problems"]) == (0, 2, [])
    rows = load_workbook(taken.data[0]["workbook"])["Resultados"].iter_rows(values_only=True)
    assert sum("--accept-formulas" in str(row) for row in rows) == 1


def test_a_formula_without_a_value_stays_refused(place, cufe):
    """openpyxl stores no value with a formula: such a cell stays refused, accepted or not."""
    file = place.file([[1, "a", f'="{cufe(1)}"&""', "Factura emitida con el monto equivocado", 1]])
    for options in ([], ["--accept-formulas"]):
        done = place.anular("check", file, "--json", *options)
        assert [one["code"] for one in done.data[0]["problems"]] == ["celda-formula-vacia"]
