"""The office moves from a file to a server and back: the accounts go along, counted and compared."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.domain.errors import StorageTrouble, WrongUsage
from pipeline.office import copying
from pipeline.office.copying import Moved, move
from pipeline.office.place import place_of
from tests.support import ledgers, pages
from tests.support.desk import NOW
from tests.support.pages import PASSWORD, House
from tests.web.test_factors import code_of, set_up
from tests.web.test_log_in import enter

pytestmark = pytest.mark.postgres


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with ledgers.fresh(tmp_path, tables=False) as made:
        yield made


def file_of(folder: Path) -> str:
    return f"sqlite:///{folder / 'house' / 'office' / 'anular-office.db'}"


def moved(source: str, target: str) -> Moved:
    from pipeline.web.migrate import make_tables

    def prepare() -> None:
        for one in (source, target):
            make_tables(one)

    return move(place_of(source), place_of(target), NOW, prepare)


def everything(house: House) -> dict[str, list[Any]]:
    """What the models have of people, as Django reads it; not the sessions."""
    from allauth.mfa.models import Authenticator

    from pipeline.web.models import AccessRequest, AuditEvent, Link, Membership, Person

    models = (Person, Membership, AccessRequest, Link, AuditEvent, Authenticator)
    return {one.__name__: list(one.objects.order_by("pk").values()) for one in models}


@pytest.fixture
def secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A page on a file, where ana has a second factor; its secret."""
    with pages.house(tmp_path, monkeypatch, in_files=True) as here:
        found, _ = set_up(here.client("ana"))
        enter(here.client(), "luis", "no es esta")
        here.client("admin").post(
            "/usuarios/invitar",
            {"nombre": "Rita Sol", "correo": "rita@x.example", "usuario": "rita", "papeles": ["preparador"]},
        )
        return found


def test_people_roles_second_factors_and_the_log_are_the_same_on_the_server_and_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secret: str, url: str
):
    with pages.at(tmp_path, monkeypatch) as here:
        before = everything(here)
    assert len(before["AuditEvent"]) > 2
    assert len(before["Authenticator"]) == 2

    gone = moved(file_of(tmp_path), url)

    assert gone.counts["web_person"] == len(before["Person"]) == 7
    assert gone.counts["web_audit"] == len(before["AuditEvent"])
    with pages.at(tmp_path, monkeypatch, office=url) as there:
        assert everything(there) == before
        client = there.client()
        assert enter(client, "ana", PASSWORD).headers["Location"] == "/entrar/segundo-factor"
        there.later(minutes=5)
        enter(client, "ana", PASSWORD)
        assert client.post("/entrar/segundo-factor", {"codigo": code_of(secret)}).status_code == 302
        assert len(there.audit()) > len(before["AuditEvent"]), "new numbers begin behind those that came along"
        after = everything(there)

    home = tmp_path / "otra" / "house" / "office"
    home.mkdir(parents=True)
    moved(url, file_of(tmp_path / "otra"))
    with pages.at(tmp_path / "otra", monkeypatch) as back:
        assert everything(back) == after


def test_sessions_stay_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secret: str, url: str):
    from pipeline.web.models import WebSession

    with pages.at(tmp_path, monkeypatch) as here:
        ana = here.client("ana")
        assert ana.get("/cuenta").status_code == 200
    moved(file_of(tmp_path), url)
    with pages.at(tmp_path, monkeypatch, office=url):
        assert WebSession.objects.count() == 0


def test_a_target_that_has_any_person_is_refused_and_nothing_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secret: str, url: str
):
    from pipeline.web.models import Person

    with pages.at(tmp_path, monkeypatch, office=url) as there:
        from pipeline.web.migrate import bring_up_to_date

        bring_up_to_date()
        Person.objects.create(username="otra", name="Otra", email="o@x.example", made_at=NOW, changed_at=NOW)
    with pytest.raises(WrongUsage) as refused:
        moved(file_of(tmp_path), url)
    assert refused.value.code == "copy-not-empty"
    with pages.at(tmp_path, monkeypatch, office=url) as there:
        assert [one["username"] for one in everything(there)["Person"]] == ["otra"]
    place_of(file_of(tmp_path)).open(NOW).close()


@pytest.mark.parametrize("point", ["office-accounts-filled", "office-copied"])
def test_a_move_that_was_killed_is_finished_by_the_same_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secret: str, url: str, point: str
):
    def dies(name: str) -> None:
        if name == point:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(copying, "crashpoint", dies)
        with pytest.raises(KeyboardInterrupt):
            moved(file_of(tmp_path), url)
    place_of(file_of(tmp_path)).open(NOW).close()  # still the one that is used
    first = moved(file_of(tmp_path), url)
    assert moved(file_of(tmp_path), url).counts == first.counts
    with pytest.raises(StorageTrouble):
        place_of(file_of(tmp_path)).open(NOW)


def test_without_what_makes_their_tables_accounts_are_not_left_behind_in_silence(tmp_path: Path, secret: str, url: str):
    with pytest.raises(WrongUsage) as refused:
        move(place_of(file_of(tmp_path)), place_of(url), NOW)
    assert refused.value.code == "copy-accounts"
