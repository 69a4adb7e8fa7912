"""A person changes their mail address: a link sent to the new one makes it theirs, and the old one is told."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.pages import House
from tests.web.test_log_in import enter, shape, text_of
from tests.web.test_people import DEAD, MAIL, link_in

NEW = "ana.nueva@empresa.example"
OLD = "ana@empresa.example"

with_mail = pytest.mark.parametrize("house", [MAIL], indirect=True)


def links() -> int:
    from pipeline.web.models import Link

    return int(Link.objects.count())


def asked(house: House, client: Any, email: str = NEW) -> str:
    """Path of the link that was sent to the new address."""
    answer = client.post("/cuenta/correo", {"correo": email})
    assert answer.status_code == 200, text_of(answer)
    return link_in(house.mails[-2].text)


@with_mail
def test_until_the_link_is_used_the_old_address_counts_and_afterwards_the_new_one(house: House, ana):
    link = asked(house, ana)
    assert [one.to for one in house.mails] == [NEW, OLD]
    assert "a••••@e••••.example" in house.mails[1].text
    assert link not in house.mails[1].text
    assert enter(house.client(), OLD).status_code == 302
    assert enter(house.client(), NEW).status_code == 422

    stranger = house.client()
    assert "El correo del usuario ana será" in text_of(stranger.get(link))
    assert house.person("ana").email == OLD, "looking changes nothing"
    assert "Su correo cambió." in text_of(stranger.post(link))
    assert house.person("ana").email == NEW
    assert house.mails[-1].to == OLD
    assert enter(house.client(), NEW).status_code == 302
    assert enter(house.client(), OLD).status_code == 422
    for again in (stranger.get(link), stranger.post(link)):
        assert again.status_code == 410
    assert [one.event for one in house.audit() if one.event.startswith("correo")] == ["correo-pedido", "correo-nuevo"]
    assert all(NEW not in f"{one.about}{one.detail}" for one in house.audit())


@with_mail
def test_s17_who_one_is_is_confirmed_before(house: House, ana):
    house.later(minutes=6)
    for answer in (ana.get("/cuenta/correo"), ana.post("/cuenta/correo", {"correo": NEW})):
        assert answer.headers["Location"].startswith("/entrar/confirmar")
    assert house.mails == []


@with_mail
@pytest.mark.parametrize("how", ["time", "password", "another", "suspended", "sessions", "suspended, and active again"])
def test_s26_a_link_dies_with_time_password_a_newer_one_and_the_account(house: House, ana, how):
    from pipeline.web.access import people_rules
    from pipeline.web.access.first import set_password
    from pipeline.web.models import Person, PersonState

    link = asked(house, ana)
    if how == "time":
        house.later(minutes=31)
    elif how == "password":
        set_password(house.person("ana"), "nueve gatos sobre el tejado azul")
    elif how == "another":
        asked(house, ana, "otra@empresa.example")
    elif how == "sessions":
        people_rules.end_sessions(house.person("admin"), house.person("ana"))
    elif how == "suspended, and active again":
        people_rules.suspend(house.person("admin"), house.person("ana"))
        people_rules.resume(house.person("admin"), house.person("ana"))
    else:
        Person.objects.filter(username="ana").update(state=PersonState.SUSPENDED)
    assert DEAD in text_of(house.client().post(link))
    assert house.person("ana").email == OLD


@with_mail
def test_an_address_of_another_account_gets_no_link_and_the_page_says_the_same(house: House, ana):
    first = shape(ana.post("/cuenta/correo", {"correo": NEW})).replace(NEW, "X")
    taken = shape(ana.post("/cuenta/correo", {"correo": "luis@empresa.example"})).replace("luis@empresa.example", "X")
    assert taken == first
    assert [one.to for one in house.mails] == [NEW, OLD, OLD]


@with_mail
def test_of_two_who_confirm_the_same_address_one_gets_it(house: House, ana, luis):
    mine, his = asked(house, ana), asked(house, luis)
    assert house.client().post(his).status_code == 200
    answer = house.client().post(mine)
    assert answer.status_code == 410
    assert (house.person("luis").email, house.person("ana").email) == (NEW, OLD)


@with_mail
def test_a_link_for_a_password_that_lies_in_the_old_box_ends(house: House, ana):
    house.client().post("/entrar/olvide-clave", {"usuario": "ana"})
    reset = link_in(house.mails[-1].text)
    house.client().post(asked(house, ana))
    assert house.client().get(reset).status_code == 410


@with_mail
def test_s28_three_an_hour_are_the_most(house: House, ana):
    answers = [ana.post("/cuenta/correo", {"correo": f"a{n}@empresa.example"}).status_code for n in range(4)]
    assert answers == [200, 200, 200, 429]
    assert len(house.mails) == 6


@with_mail
@pytest.mark.parametrize(
    "wrong", ["", "nada", "a@b", OLD, OLD.upper(), "a b@c.example", "<a@c.example", "a,b@c.example"]
)
def test_what_is_no_new_address_is_said_on_the_form(house: House, ana, wrong):
    assert ana.post("/cuenta/correo", {"correo": wrong}).status_code == 422
    assert links() == 0


@pytest.mark.parametrize("house", [{}], indirect=True)
def test_without_mail_set_up_the_page_says_so_and_sends_nothing(house: House, ana):
    for answer in (ana.get("/cuenta/correo"), ana.post("/cuenta/correo", {"correo": NEW})):
        assert "no tiene correo configurado" in text_of(answer)
    assert links() == 0
