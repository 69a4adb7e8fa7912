"""What every page says without being asked: the environment, one person alone, a sender that is gone; and `/salud`."""

from __future__ import annotations

import pytest

from pipeline.approvals.work import sign
from pipeline.settings.model import Env
from tests.support.pages import CANAL, House
from tests.web.test_log_in import text_of

STALLED = "Nada se está enviando"
ALONE = "ANULAR_APPROVAL=none"


@pytest.mark.parametrize(
    ("house", "words"),
    [
        ({}, "Sandbox: pruebas en este equipo"),
        ({"env": Env.LAB, "sandbox_now": None, "user": "x"}, "Laboratorio de eDoc"),
        (
            {"env": Env.PRODUCTION, "sandbox_now": None, "user": "x"},
            "PRODUCCIÓN: lo que se apruebe aquí anula facturas",
        ),
    ],
    indirect=["house"],
)
def test_the_environment_stands_on_every_page_in_words(house: House, words):
    client = house.client("ana")
    for where in ("/cuenta", "/nada"):
        assert words in text_of(client.get(where)), where


@pytest.mark.parametrize("house", [{"approval": "none"}], indirect=True)
def test_one_person_alone_is_said_on_every_page(house: House):
    assert ALONE in text_of(house.client("ana").get("/cuenta"))


def test_two_people_are_the_rule_of_the_page_and_nothing_is_said(house: House, ana):
    assert ALONE not in text_of(ana.get("/cuenta"))


def test_a_sender_that_is_gone_is_said_and_health_says_so(house: House, ana):
    assert STALLED in text_of(ana.get("/cuenta"))
    assert house.client().get("/salud").status_code == 503
    sign(house.site.office, "here:1", house.clock.now())
    assert STALLED not in text_of(ana.get("/cuenta"))
    answer = house.client().get("/salud")
    assert (answer.status_code, answer.content) == (200, b"ok\n")
    house.later(seconds=61)
    assert STALLED in text_of(ana.get("/cuenta"))
    assert house.client().get("/salud").status_code == 503


def test_who_has_two_companies_chooses_and_sees_one_at_a_time(house: House):
    from pipeline.web.models import Membership

    Membership.objects.create(
        person=house.person("ana"), profile=CANAL, role="consulta", given_by="admin", given_at=house.clock.now()
    )
    client = house.client("ana")
    assert "<strong>Distribuidora Istmo" not in text_of(client.get("/cuenta")), "there is a choice instead"
    assert client.post("/empresa", {"empresa": CANAL}).status_code == 302
    page = text_of(client.get("/cuenta"))
    assert '<option value="canal" selected>' in page
    assert "Consulta" in page


def test_who_has_no_role_sees_so_and_nothing_else(house: House):
    client = house.client("nadie")
    assert client.get("/cuenta").status_code == 200
    assert client.get("/usuarios").status_code == 403
