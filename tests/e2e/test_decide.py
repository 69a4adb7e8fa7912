"""People decide: `anular resolve`, one row, with who and why, and nothing happens without a confirmation."""

from __future__ import annotations

import os

import pytest

from tests.support.warm import LONGEST_S

ROW, REASON = 3, "Consultado en el portal de la DGI, caso 4471"


@pytest.fixture
def stuck(place):
    """A batch of two: the first was cancelled; of the second nobody knows (HTTP 500, then always 18)."""
    done = place.anular("run", place.batch(["000", "930"]), "--yes", "--json", ANULAR_POLL_FOR="1")
    assert (done.code, done.data[0]["outcomes"]) == (4, {"ANULADA": 1, "RESULTADO DESCONOCIDO": 1})
    place.batch_id = done.data[0]["batch"]
    return place


def resolve(stuck, *more, row=ROW, decision="cancelled", by="Ana Pérez", reason=REASON):
    return stuck.anular(
        "resolve", stuck.batch_id, "--row", row, "--as", decision, "--by", by, "--reason", reason, *more
    )


def at_a_terminal(place, typed, *arguments):
    """The command with a terminal at its standard input, and somebody who types."""
    master, slave = os.openpty()
    process = place.start(*arguments, stdin=slave)
    os.close(slave)
    os.write(master, f"{typed}\n".encode())
    out, err = process.communicate(timeout=LONGEST_S)
    os.close(master)
    return process.returncode, out + err


def last8(cufe, number=2, scenario="930"):
    return cufe(number, scenario)[-8:]


def test_a_decision_stands_in_the_results_with_who_and_why_and_is_never_touched_again(stuck, cufe):
    done = resolve(stuck, "--confirm", last8(cufe), "--json")

    assert (done.code, done.data[0]["outcomes"]) == (0, {"ANULADA": 1, "RESUELTA": 1})
    row = stuck.rows()[1]
    assert row["resultado"] == "RESUELTA"
    assert f"Decisión de Ana Pérez: Quedó anulada [cancelled]. Motivo: {REASON}." in row["observaciones"]
    entry = stuck.rows("Bitácora")[-1]
    assert "Ana Pérez" in entry.values()
    assert any(REASON in str(value) for value in entry.values())

    before = len(stuck.entries())
    assert stuck.anular("run", stuck.folder / "lote.xlsx", "--yes").code == 0
    assert [e["route"] for e in stuck.entries()[before:] if e["route"] != "token"] == []
    again = resolve(stuck, "--confirm", last8(cufe))
    assert (again.code, "definitivo" in again.err) == (2, True)
    assert stuck.anular("verify").code == 0


def test_at_a_terminal_the_end_of_the_code_is_typed(stuck, cufe):
    arguments = ("resolve", stuck.batch_id, "--row", ROW, "--as", "not-cancelled", "--by", "Ana", "--reason", REASON)
    code, words = at_a_terminal(stuck, "si", *arguments)

    assert (code, "últimos 8 caracteres" in words) == (130, True)
    assert stuck.anular("status", "--json").data[0]["outcomes"]["RESULTADO DESCONOCIDO"] == 1
    assert at_a_terminal(stuck, last8(cufe), *arguments)[0] == 0
    assert "No quedó anulada [not-cancelled]" in stuck.rows()[1]["observaciones"]


def test_the_row_may_be_named_as_the_results_show_it_and_the_decision_in_spanish(stuck, cufe):
    shown = stuck.rows()[1]["fila_origen"]

    done = resolve(stuck, "--confirm", last8(cufe), "--json", row=shown, decision="no-anulada")

    assert (done.code, done.data[0]["outcomes"]) == (0, {"ANULADA": 1, "RESUELTA": 1})
    assert "No quedó anulada [not-cancelled]" in stuck.rows()[1]["observaciones"]


def test_what_cannot_be_decided_changes_nothing_and_says_why(stuck, cufe):
    right = ("--confirm", last8(cufe))
    refused = {
        "No se cambió nada": resolve(stuck),
        "no coincide": resolve(stuck, "--confirm", "00000000"),
        "definitivo": resolve(stuck, *right, row=2),
        "no tiene la fila 99": resolve(stuck, *right, row=99),
        "--as debe ser": resolve(stuck, *right, decision="quizas"),
        "Hoja1, fila 3 (así": resolve(stuck, *right, row="fila 99"),
        "no hay filas de «Octubre»": resolve(stuck, *right, row="Octubre, fila 3"),
        "no nombra una sola fila": resolve(stuck, *right, row="2, 3"),
        "--by": resolve(stuck, *right, by=" "),
    }

    assert {words: done.code for words, done in refused.items()} == dict.fromkeys(refused, 2)
    assert [words for words, done in refused.items() if words not in done.err] == []
    assert stuck.anular("status", "--json").data[0]["outcomes"]["RESULTADO DESCONOCIDO"] == 1
