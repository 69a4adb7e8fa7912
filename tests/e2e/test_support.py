"""`anular support`: the case for eDoc's support desk, ready to mail."""

from __future__ import annotations

import pytest


@pytest.fixture
def stuck(place):
    """A batch of three: one cancelled, two in state 4."""
    done = place.anular("run", place.batch(["000", "904", "904"]), "--yes", "--json", ANULAR_POLL_FOR="1")
    place.batch_id, place.outcomes = done.data[0]["batch"], done.data[0]["outcomes"]
    return place


def test_the_case_of_the_rows_in_state_4_is_written_beside_the_results_and_recorded(stuck, cufe):
    assert stuck.outcomes == {"ANULADA": 1, "ERROR eDoc": 2}
    sent = len(stuck.entries())

    done = stuck.anular("support", stuck.batch_id, "--by", "Ana Pérez", "--json")

    assert (done.code, done.data["rows"]) == (0, ["Hoja1, fila 3", "Hoja1, fila 4"])
    folder = next((stuck.folder / "out").glob("*__soporte"))
    assert str(folder) == done.data["folder"]
    text = (folder / "caso.txt").read_text("utf-8")
    assert cufe(2, "904") in text
    assert cufe(1, "000") not in text
    assert "Ana Pérez" in text
    assert len(list((folder / "respuestas").iterdir())) >= 2
    assert len(stuck.entries()) == sent, "nothing is sent or asked"
    assert stuck.anular("verify").code == 0
    again = stuck.anular("support", stuck.batch_id, "--row", "Hoja1, fila 2", "--row", "3")
    assert (again.code, "Ya se preparó un caso" in again.out, "por Ana Pérez" in again.out) == (0, True, True)
    assert cufe(1, "000") in (folder.parent / f"{folder.name} (2)" / "caso.txt").read_text("utf-8")


def test_an_evidence_pack_made_after_it_is_whole(stuck):
    assert stuck.anular("support", stuck.batch_id).code == 0
    pack = stuck.anular("report", stuck.batch_id, "--evidence", "--json").data["evidence"]

    assert stuck.anular("verify", pack).code == 0
    assert stuck.anular("support", stuck.batch_id).code == 0
    assert stuck.anular("verify", pack).code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "Falta indicar LOTE"),
        (("no-hay",), "No existe el lote"),
        (("{}", "--row", "99"), "no tiene la fila 99"),
        (("{}", "--row", "todas"), "no nombra una sola fila"),
        (("{}", "--by", "A"), "--by"),
    ],
)
def test_what_is_not_there_is_one_sentence_and_writes_nothing(stuck, arguments, words):
    done = stuck.anular("support", *(one.format(stuck.batch_id) for one in arguments))

    assert (done.code, words in done.err) == (2, True)
    assert not list((stuck.folder / "out").glob("*soporte*"))


def test_a_batch_without_such_rows_says_so(place):
    batch = place.anular("run", place.batch(["000"]), "--yes", "--json").data[0]["batch"]

    done = place.anular("support", batch)

    assert (done.code, "[no-support-rows]" in done.err) == (2, True)


def test_without_a_ledger_none_is_made(place):
    done = place.anular("support", "20261120-b7020992")

    assert (done.code, "[no-batch]" in done.err) == (2, True)
    assert not (place.folder / "ledger").exists()
