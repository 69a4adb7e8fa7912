"""A person takes back a row that nobody has tried to send: `anular withdraw`."""

from __future__ import annotations

import json

import pytest

REASON = "El cliente pidió conservar la factura"


@pytest.fixture
def begun(place):
    """A batch of three of which the first was sent and the others wait."""
    done = place.anular("run", place.batch(["000", "000", "000"]), "--yes", "--only", "1", "--json")
    assert (done.code, done.data[0]["outcomes"]) == (1, {"ANULADA": 1, "NO ENVIADA": 2})
    place.batch_id = done.data[0]["batch"]
    return place


def withdraw(place, cufe, *more, row=4, number=3):
    last8 = cufe(number, "000")[-8:]
    who = ("--by", "Ana Pérez", "--reason", REASON)
    return place.anular("withdraw", place.batch_id, "--row", row, *who, "--confirm", last8, *more)


def test_what_was_withdrawn_is_never_sent_and_says_who_and_why(begun, cufe):
    done = withdraw(begun, cufe, "--json")

    assert done.data[0]["outcomes"] == {"ANULADA": 1, "NO ENVIADA": 1, "RETIRADA": 1}, done.words
    row = begun.rows()[2]
    assert row["resultado"] == "RETIRADA"
    assert f"Decisión de Ana Pérez: Retirada antes de enviarla [withdrawn]. Motivo: {REASON}." in row["observaciones"]

    rest = begun.anular("run", begun.folder / "lote.xlsx", "--yes", "--json")
    assert (rest.code, rest.data[0]["outcomes"]) == (0, {"ANULADA": 2, "RETIRADA": 1}), rest.words
    assert begun.posts() == {cufe(1, "000"): 1, cufe(2, "000"): 1}
    assert begun.anular("verify").code == 0
    assert begun.anular("report", begun.batch_id, "--evidence").code == 0
    (pack,) = (begun.folder / "out").glob("*__evidencia.zip")
    judged = begun.anular("verify", pack)
    assert judged.code == 0, judged.words


def test_a_withdrawn_document_may_come_again_in_another_file(begun, cufe):
    assert withdraw(begun, cufe).code == 1  # the second still waits
    again = begun.file([[1, "ACME", cufe(3, "000"), "Ahora sí: factura con el monto equivocado", 1]], "otra vez.xlsx")
    done = begun.anular("run", again, "--yes", "--json")

    assert (done.code, done.data[0]["outcomes"]) == (0, {"ANULADA": 1}), done.words
    assert begun.posts()[cufe(3, "000")] == 1


def test_only_what_nobody_tried_to_send_can_be_withdrawn(begun, cufe):
    sent = withdraw(begun, cufe, row=2, number=1)
    assert (sent.code, "nunca se intentó enviar" in sent.err) == (2, True)

    assert withdraw(begun, cufe).code == 1
    twice = withdraw(begun, cufe)
    assert (twice.code, "no se puede retirar: está «RETIRADA»" in twice.err) == (2, True)


def test_the_technical_log_tells_of_it(begun, cufe):
    begun.env["ANULAR_LOG"] = str(begun.folder / "anular.log")
    assert withdraw(begun, cufe).code == 1
    lines = [json.loads(line) for line in (begun.folder / "anular.log").read_text("utf-8").splitlines()]
    (moved,) = [line for line in lines if line["event"] == "row_moved"]
    assert (moved["command"], moved["to"]) == ("withdraw", "WITHDRAWN")


def test_without_the_end_of_the_code_nothing_is_withdrawn(begun):
    done = begun.anular("withdraw", begun.batch_id, "--row", 4, "--by", "Ana Pérez", "--reason", REASON)
    assert (done.code, "No se cambió nada" in done.err) == (2, True)
    assert begun.anular("status", "--json").data[0]["outcomes"]["NO ENVIADA"] == 2
