"""Accounts from the terminal, and that one person is not two (web.md 6)."""

from __future__ import annotations

import pytest

from pipeline.approvals import identity
from pipeline.domain.errors import NotApproved, WrongUsage
from pipeline.office.people import account_of, has_people
from tests.support.pages import House


@pytest.fixture
def somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "_name", lambda: "aperez")


@pytest.mark.usefixtures("somebody")
def test_where_the_page_has_users_the_operating_systems_user_has_to_be_one(house: House):
    from pipeline.web.models import Person, PersonState

    assert identity.person_at_terminal(None) == "aperez"
    assert has_people(house.site.office)
    with pytest.raises(NotApproved) as refused:
        identity.person_at_terminal(house.site.office)
    assert (refused.value.code, refused.value.exit_code) == ("approval-not-linked", 7)
    Person.objects.filter(username="ana").update(system_user="aperez")
    assert identity.person_at_terminal(house.site.office) == "ana", "the same name as on the page"
    Person.objects.filter(username="ana").update(state=PersonState.SUSPENDED)
    with pytest.raises(NotApproved):
        identity.person_at_terminal(house.site.office)


def test_two_accounts_cannot_be_one_user_of_the_system(house: House):
    from django.db import IntegrityError, transaction

    from pipeline.web.models import Person

    Person.objects.filter(username="ana").update(system_user="aperez")
    with pytest.raises(IntegrityError), transaction.atomic():
        Person.objects.filter(username="luis").update(system_user="aperez")
    assert account_of(house.site.office, "aperez") == "ana"
    assert account_of(house.site.office, "nadie") is None


@pytest.fixture
def commands(house: House, monkeypatch: pytest.MonkeyPatch, somebody: None):
    """The functions behind ``anular web users``, on this page."""
    from contextlib import contextmanager

    from pipeline.cli import web_users
    from pipeline.cli.context import Talk

    @contextmanager
    def opened():
        yield house.site, Talk(False), "terminal: aperez"

    monkeypatch.setattr(web_users, "_opened", opened)
    return web_users


def test_an_invitation_from_the_terminal_is_shown_once_and_works(house: House, commands, capsys):
    commands.invite_user("rita", "Rita Sol", "rita@x.example", ["preparador"], "istmo")
    link = capsys.readouterr().out.split()[-1]
    assert house.client().get(link.removeprefix("http://localhost:8420")).status_code == 200
    line = house.audit("invitacion")[-1]
    assert (line.who, line.address, line.about, line.profile) == ("terminal: aperez", "terminal", "rita", "istmo")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("ana", "A", "x@x.example", ["preparador"], "istmo"), "ya existe"),
        (("rita", "A", "no es correo", ["preparador"], "istmo"), "no está bien escrito"),
        (("rita", "A", "x@x.example", ["jefe"], "istmo"), "No existe el papel «jefe»"),
        (("rita", "A", "x@x.example", ["preparador"], "otra"), "no tiene el perfil «otra»"),
    ],
)
def test_an_invitation_that_cannot_be_is_refused_in_words(commands, given, words):
    with pytest.raises(WrongUsage, match=words):
        commands.invite_user(*given)


def test_who_is_locked_out_is_let_in_again(house: House, commands):
    from tests.web.test_log_in import enter

    for _ in range(6):
        enter(house.client(), "ana", "no es esta")
    assert enter(house.client(), "ana").status_code == 429
    commands.unlock_user("ANA")
    assert enter(house.client(), "ana").status_code == 302


def test_a_lost_factor_is_taken_away_with_the_sessions_and_told(house: House, commands, ana):
    from pipeline.web.access import factors
    from tests.web.test_factors import set_up

    set_up(ana)
    commands.reset_factor("ana")
    assert factors.kinds(house.person("ana")) == set()
    assert ana.get("/").status_code == 302
    assert house.audit("factor-quitado")[-1].who == "terminal: aperez"


def test_a_link_of_the_terminal_is_a_new_password_or_an_invitation(house: House, commands, capsys, ana):
    commands.reset_link("ana")
    assert "/entrar/clave/" in capsys.readouterr().out
    commands.end_sessions("ana")
    assert ana.get("/").status_code == 302
    commands.link_user("ana", "aperez")
    with pytest.raises(WrongUsage, match="ya es ana"):
        commands.link_user("luis", "aperez")
    with pytest.raises(WrongUsage, match="no tiene el usuario"):
        commands.reset_link("nobody")
