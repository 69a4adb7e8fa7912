"""The accounts in a schema of a PostgreSQL server, beside the office's own tables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import ledgers, pages
from tests.support.pages import House
from tests.web.test_log_in import enter, text_of

pytestmark = pytest.mark.postgres


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    with (
        ledgers.fresh(tmp_path, tables=False) as url,
        pages.filled(tmp_path, monkeypatch, office=url) as made,
    ):
        yield made


def test_log_in_limits_roles_and_sessions_work_on_a_server(house: House):
    client = house.client()
    assert enter(client, "ana").status_code == 302
    assert client.get("/cuenta").status_code == 200
    for _ in range(5):
        assert enter(house.client(), "luis", "no es esta").status_code == 422
    assert enter(house.client(), "luis").status_code == 429
    admin = house.client("admin")
    assert "ana" in text_of(admin.get("/usuarios"))
    admin.post(f"/usuarios/{house.person('ana').pk}", {"hacer": "suspender"})
    assert client.get("/cuenta").status_code == 302


def test_the_tables_stand_in_the_schema_of_the_office(house: House):
    found = ledgers.lines(
        house.site.settings.office,
        "SELECT table_schema AS space FROM information_schema.tables WHERE table_name IN ('web_person', 'proposal')",
    )
    assert [one["space"] for one in found] == ["anular_office"] * 2


@pytest.mark.parametrize("verb", ["UPDATE web_audit SET ok = true", "DELETE FROM web_audit", "TRUNCATE web_audit"])
def test_s24_nothing_changes_the_log_of_accesses_on_a_server(house: House, verb):
    from django.db import DatabaseError, connection, transaction

    enter(house.client(), "ana")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(verb)
    assert len(house.audit("entrada")) == 1


def test_a_code_works_once_on_a_server(house: House):
    from tests.web.test_factors import code_of, set_up

    secret, _ = set_up(house.client("ana"))
    answers = []
    for _ in range(2):
        client = house.client()
        enter(client, "ana")
        answers.append(client.post("/entrar/segundo-factor", {"codigo": code_of(secret)}).status_code)
    assert answers == [302, 422]


def test_the_account_of_the_operating_systems_user_is_found_on_a_server(house: House):
    from pipeline.office.people import account_of, has_people
    from pipeline.web.models import Person

    Person.objects.filter(username="ana").update(system_user="aperez")
    assert has_people(house.site.office)
    assert account_of(house.site.office, "aperez") == "ana"
