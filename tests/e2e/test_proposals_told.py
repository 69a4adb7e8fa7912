"""Who has to do something about a proposal is told once: it waits, was not approved, is too late or done."""

from __future__ import annotations

import json

import pytest

from tests.e2e.conftest import Place
from tests.e2e.test_two_people import As, proposed
from tests.e2e.test_two_people import office as office
from tests.storm.test_nightly import told as told


@pytest.fixture
def heard(told, monkeypatch):
    monkeypatch.setenv("ANULAR_WEBHOOK_URL", told.url)
    monkeypatch.setenv("ANULAR_COMPANY", "Comercial Norte, S.A.")
    return told.got


def subjects(heard) -> list[str]:
    return [one["subject"].partition("] ")[2] for one in heard]


@pytest.mark.long
def test_from_the_request_to_the_end_each_step_that_somebody_waits_for_is_told_once(office: As, place: Place, heard):
    file = place.batch(["000", "000"])
    proposed(office, file)
    (said,) = heard
    assert said["subject"] == "[Comercial Norte, S.A.] Por aprobar: lote.xlsx"
    assert said["lines"][:2] == [
        "La propuesta 1 (lote.xlsx) la preparó ana y espera la aprobación de otra persona.",
        "Facturas por anular: 2 de 2 filas.",
    ]
    assert "anular approve 1" in said["lines"][-1]
    assert said["data"]["to_send"] == 2

    office("ana", "propose", file)  # it is open already
    office("luis", "proposals")
    assert len(heard) == 1

    office("luis", "approve", 1, "--confirm", 2)
    assert office("ana", "run", "--approved", 1).code == 0
    assert subjects(heard) == ["Por aprobar: lote.xlsx", "2 anuladas", "Terminada: lote.xlsx"]
    assert not [cufe for cufe in place.posts() if cufe in json.dumps(heard)]


def test_what_was_not_approved_is_told_with_who_and_why(office: As, place: Place, heard):
    proposed(office, place.batch(["000"]))
    assert office("luis", "reject", 1, "--reason", "falta el visto bueno").code == 0
    assert subjects(heard)[1:] == ["No se aprobó: lote.xlsx"]
    assert heard[1]["lines"][0] == "La propuesta 1 (lote.xlsx): luis no la aprobó. No se envía nada."
    assert heard[1]["lines"][-1] == "Motivo: falta el visto bueno"


def test_who_takes_back_their_own_tells_nobody(office: As, place: Place, heard):
    proposed(office, place.batch(["000"]))
    assert office("ana", "reject", 1, "--reason", "me equivoqué de archivo").code == 0
    assert subjects(heard) == ["Por aprobar: lote.xlsx"]


def test_what_nobody_approved_in_time_is_told_by_the_next_command_of_anybody(
    office: As, place: Place, heard, monkeypatch
):
    proposed(office, place.batch(["000"]))
    monkeypatch.setenv("ANULAR_SANDBOX_NOW", "2026-11-25T10:00:00-05:00")
    office("eva", "proposals")
    assert subjects(heard)[1:] == ["Caducó: lote.xlsx"]
    office("eva", "proposals")
    assert len(heard) == 2


def test_one_that_could_not_be_told_waits_for_the_next_command(office: As, place: Place, heard, told, monkeypatch):
    monkeypatch.setenv("ANULAR_WEBHOOK_URL", "http://127.0.0.1:9/")
    done = office("ana", "propose", place.batch(["000"]))
    assert done.code == 0
    assert "No se pudo avisar por el webhook" in done.words
    monkeypatch.setenv("ANULAR_WEBHOOK_URL", told.url)
    office("luis", "proposals")
    assert subjects(heard) == ["Por aprobar: lote.xlsx"]


def test_where_nobody_is_named_nothing_is_kept_for_later(office: As, place: Place, told, monkeypatch):
    proposed(office, place.batch(["000"]))
    monkeypatch.setenv("ANULAR_WEBHOOK_URL", told.url)
    office("luis", "proposals")
    assert told.got == []
