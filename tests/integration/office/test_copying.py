"""Copies of the office database: every line, under the same id, to a server and back; a kill loses nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, select, update

from pipeline.domain.errors import StorageTrouble, WrongUsage
from pipeline.ledger.storage.location import open_ledger
from pipeline.office import copying, tables
from pipeline.office.copying import back_up, move
from pipeline.office.place import place_of
from tests.support import ledgers

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
AT = "2026-11-20T15:00:00.000000Z"
CERTIFICATE = dict.fromkeys(("profile", "holder", "authority", "request", "mail", "observations", "serial"), "") | {
    **{"version": 1, "env": "sandbox", "ruc": "29-29-29", "state": "En trámite", "fingerprint": "", "source": "a mano"},
    **{"who": "Ana Núñez", "at": AT, "requested_on": "2026-10-28"},
}


@pytest.fixture
def url(tmp_path):
    with ledgers.fresh(tmp_path, tables=False) as address:
        yield address


@pytest.fixture
def office(url):
    """One with a certificate, an upload of two pieces, and a message."""
    office = place_of(url).open(NOW)
    with office.write() as connection:
        connection.execute(insert(tables.certificate).values(CERTIFICATE))
        connection.execute(insert(tables.upload).values(proposal=7, name="ñ.csv", sha256="0" * 64, size=3))
        connection.execute(insert(tables.upload_chunk), [{"upload": 1, "n": n, "data": b"\0" * n} for n in (1, 2)])
        connection.execute(insert(tables.outbox).values(key="a", at=AT, profile="", notification="{}"))
    yield office
    office.close()


def everything(office):
    return {name: office.read(select(table)) for name, table in tables.metadata.tables.items() if name != "office"}


def ident(office):
    return office.read(select(tables.office.c.id))[0].id


def test_a_backup_is_the_same_database_in_a_file_of_its_own(office, tmp_path):
    path = back_up(office, tmp_path, NOW)
    assert path.name == "oficina-20261120-100000.db"
    copy = place_of(f"sqlite:///{path}").open(NOW)
    assert (ident(copy), everything(copy)) == (ident(office), everything(office))
    copy.close()


def test_two_backups_of_one_second_do_not_overwrite_each_other(office, tmp_path):
    assert back_up(office, tmp_path, NOW) != back_up(office, tmp_path, NOW)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_backup_that_cannot_be_written_leaves_nothing(office, tmp_path):
    (tmp_path / "archivo").touch()
    with pytest.raises(StorageTrouble):
        back_up(office, tmp_path / "archivo", NOW)
    (tmp_path / "archivo").unlink()


@pytest.mark.parametrize("back", [False, True], ids=["away", "and back"])
def test_a_move_takes_every_line_and_the_old_place_is_no_longer_used(office, url, tmp_path, back):
    before = ident(office), everything(office)
    there = f"sqlite:///{tmp_path / 'otra' / 'oficina.db'}"

    moved = move(place_of(url), place_of(there), NOW)

    assert moved.counts["certificate"] == 1
    with pytest.raises(StorageTrouble) as caught:
        place_of(url).open(NOW)
    assert caught.value.code == "office-moved"
    if back:
        with ledgers.fresh(tmp_path / "tercera", tables=False) as home:
            move(place_of(there), place_of(home), NOW)
            office_of_now = place_of(home).open(NOW)
            assert (ident(office_of_now), everything(office_of_now)) == before
            with office_of_now.write() as connection:  # new numbers start behind the copied ones
                connection.execute(insert(tables.certificate).values(CERTIFICATE))
            assert [line.id for line in office_of_now.read(select(tables.certificate.c.id))] == [1, 2]
            office_of_now.close()


@pytest.mark.parametrize("point", ["office-filled", "office-copied"])
def test_a_move_that_was_killed_is_finished_by_the_same_command(office, url, tmp_path, monkeypatch, point):
    there = f"sqlite:///{tmp_path / 'otra' / 'oficina.db'}"

    def dies(name):
        if name == point:
            raise KeyboardInterrupt

    monkeypatch.setattr(copying, "crashpoint", dies)
    with pytest.raises(KeyboardInterrupt):
        move(place_of(url), place_of(there), NOW)
    place_of(url).open(NOW).close()  # still the one that is used
    monkeypatch.undo()

    move(place_of(url), place_of(there), NOW + timedelta(hours=1))

    copy = place_of(there).open(NOW)
    assert (ident(copy), everything(copy)) == (ident(office), everything(office))
    copy.close()
    move(place_of(url), place_of(there), NOW)  # once more changes nothing


def test_a_place_with_other_lines_is_refused_and_nothing_is_changed(office, url, tmp_path):
    there = f"sqlite:///{tmp_path / 'oficina.db'}"
    other = place_of(there).open(NOW)
    with other.write() as connection:
        connection.execute(insert(tables.certificate).values(CERTIFICATE | {"ruc": "otro"}))
    with pytest.raises(WrongUsage) as caught:
        move(place_of(url), place_of(there), NOW)
    assert caught.value.code == "copy-not-empty"
    assert [line.ruc for line in other.read(select(tables.certificate))] == ["otro"]
    other.close()
    place_of(url).open(NOW).close()


def test_a_copy_that_differs_in_one_value_is_not_taken_for_finished(office, url, tmp_path):
    there = f"sqlite:///{tmp_path / 'otra.db'}"
    move(place_of(url), place_of(there), NOW)
    with office.write() as connection:  # as if the mark had been lost, and work had gone on
        connection.execute(update(tables.office).values(moved_to=None))
        connection.execute(update(tables.certificate).values(state="Aceptado"))
    with pytest.raises(WrongUsage) as caught:
        move(place_of(url), place_of(there), NOW)
    assert caught.value.code == "copy-not-empty"


def test_to_itself_from_nowhere_and_to_a_third_place_it_is_refused(office, url, tmp_path):
    there, third = (place_of(f"sqlite:///{tmp_path / name}.db") for name in ("dos", "tres"))
    for source, target, code in ((url, place_of(url), "copy-same"), (None, there, "no-office")):
        with pytest.raises(WrongUsage) as caught:
            move(place_of(source) if source else third, target, NOW)
        assert caught.value.code == code
    move(place_of(url), there, NOW)
    with pytest.raises(WrongUsage, match="ya se movió"):
        move(place_of(url), third, NOW)


def test_a_ledger_is_not_opened_where_an_office_database_is(tmp_path):
    """Its steps would be run over the other's tables."""
    url = f"sqlite:///{tmp_path / 'oficina.db'}"
    place_of(url).open(NOW).close()
    with pytest.raises(StorageTrouble, match="otro programa"):
        open_ledger(url)
    place_of(url).open(NOW).close()
