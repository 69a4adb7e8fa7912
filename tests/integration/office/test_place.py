"""The office database: made once, complete, private, up to date, never taken for another; on either database."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError

from pipeline.domain.errors import StorageTrouble, WrongUsage
from pipeline.office import tables
from pipeline.office.database import Office
from pipeline.office.place import SCHEMA, FilePlace, place_of
from tests.support import ledgers

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
EVENT = {
    "proposal": 1, "version": 1, "at": "", "who": "ana", "address": "terminal", "event": "", "before": "", "after": "",
    "why": "", "data": "{}",
}  # fmt: skip


@pytest.fixture
def url(tmp_path):
    """Where an office database may be; nothing is there yet."""
    with ledgers.fresh(tmp_path, tables=False) as address:
        yield address


def ids(office: Office) -> list[str]:
    return [line.id for line in office.read(select(tables.office.c.id))]


def its(name: str, url: str) -> str:
    """The name of its table, for who goes past the program."""
    return name if url.startswith("sqlite") else f"anular_office.{name}"


def test_it_is_made_once_and_found_again(url):
    place = place_of(url)
    assert not place.exists()

    first = place.open(NOW)
    (made,) = ids(first)
    first.close()

    assert place.exists()
    again = place_of(url).open(NOW)
    assert ids(again) == [made]
    again.close()


@pytest.mark.sqlite
def test_a_file_is_never_in_wal_and_is_opened_as_the_library_of_the_pages_opens_it(url):
    """Two SQLites in one process would drop each other's locks."""
    office = place_of(url).open(NOW)
    with office.moment() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "delete"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 3
        assert isinstance(connection.connection.driver_connection, sqlite3.Connection)
    office.close()


def _open_in_a_process(url: str, out: str) -> None:
    office = place_of(url).open(NOW)
    Path(out).write_text(ids(office)[0])
    office.close()


def test_four_processes_that_open_it_for_the_first_time_have_the_same_one(url, tmp_path):
    told = [tmp_path / f"{number}.txt" for number in range(4)]
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_open_in_a_process, args=(url, str(path))) for path in told]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert len({path.read_text() for path in told}) == 1


def test_transactions_of_two_threads_come_one_after_the_other(url):
    offices = [place_of(url).open(NOW) for _ in range(2)]

    def add(office: Office) -> None:
        for _ in range(20):
            with office.write() as connection:
                newest = connection.execute(select(tables.proposal_event.c.version)).scalars().all()
                connection.execute(insert(tables.proposal_event).values(**EVENT | {"version": len(newest) + 1}))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(add, offices))
    found = offices[0].read(select(tables.proposal_event.c.version).order_by(tables.proposal_event.c.id))
    assert [line.version for line in found] == list(range(1, 41))
    for office in offices:
        office.close()


@pytest.mark.parametrize("name", tables.APPEND_ONLY)
@pytest.mark.parametrize("statement", ["UPDATE {} SET who = 'otro'", "DELETE FROM {}"])
def test_an_event_can_be_neither_changed_nor_removed(url, name, statement):
    office = place_of(url).open(NOW)
    table = tables.metadata.tables[name]
    values = {column.name: EVENT.get(column.name, 1) for column in table.columns if column.name != "id"}
    with office.write() as connection:
        connection.execute(insert(table).values(**values))

    with pytest.raises(StorageTrouble), office.write() as connection:
        connection.exec_driver_sql(statement.format(its(name, url)))

    assert [line.who for line in office.read(select(table.c.who))] == ["ana"]
    office.close()


def test_what_a_transaction_began_is_undone_when_it_ends_with_an_error(url):
    office = place_of(url).open(NOW)

    def begin_and_fail() -> None:
        with office.write() as connection:
            connection.execute(insert(tables.proposal_event).values(**EVENT))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        begin_and_fail()
    assert office.read(select(tables.proposal_event)) == []
    office.close()


def test_one_of_a_newer_version_is_refused(url):
    place_of(url).open(NOW).close()
    ledgers.change(url, f"UPDATE {its('alembic_version', url)} SET version_num = '9999'")
    with pytest.raises(StorageTrouble, match="versión más nueva") as caught:
        place_of(url).open(NOW)
    assert caught.value.code == "office-version"


def test_a_ledger_is_not_taken_for_one(tmp_path):
    from pipeline.ledger.storage.location import open_ledger

    url = f"sqlite:///{tmp_path / 'anular.db'}"
    open_ledger(url).close()
    with pytest.raises(StorageTrouble, match="otro programa"):
        place_of(url).open(NOW)


def test_on_a_server_it_stands_beside_the_ledger(tmp_path):
    if not ledgers.on_a_server():
        return  # on a file it is another file
    from pipeline.ledger.storage.location import open_ledger

    with ledgers.fresh(tmp_path, tables=False) as url:
        place_of(url).open(NOW).close()
        open_ledger(url).close()
        assert {"batch", "event"} <= ledgers.tables(url)
        place_of(url).open(NOW).close()


class TestOnAFile:
    def test_only_its_owner_may_read_it(self, tmp_path):
        path = tmp_path / "carpeta" / "oficina.db"
        place_of(f"sqlite:///{path}").open(NOW).close()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700

    def test_an_empty_file_is_one_that_was_emptied(self, tmp_path):
        path = tmp_path / "oficina.db"
        path.touch()
        with pytest.raises(StorageTrouble) as caught:
            place_of(f"sqlite:///{path}").open(NOW)
        assert caught.value.code == "office-empty"

    @pytest.mark.parametrize("noise", [b"no es una base de datos " * 50, os.urandom(0) + b"\0" * 4096])
    def test_anything_else_is_refused_in_one_sentence(self, tmp_path, noise):
        path = tmp_path / "oficina.db"
        path.write_bytes(noise)
        with pytest.raises(StorageTrouble, match="base de datos de la oficina"):
            place_of(f"sqlite:///{path}").open(NOW)
        assert path.read_bytes() == noise

    @pytest.mark.parametrize("url", ["sqlite:///oficina.db", "sqlite://", "mysql://a/b", "oficina"])
    def test_an_address_that_can_be_none_is_refused(self, url):
        with pytest.raises(WrongUsage):
            place_of(url)

    def test_a_process_that_dies_while_it_makes_one_leaves_none(self, tmp_path, monkeypatch):
        path = tmp_path / "oficina.db"

        def dies(name: str) -> None:
            if name == "office-before-commit":
                raise KeyboardInterrupt

        monkeypatch.setattr("pipeline.office.place.crashpoint", dies)
        with pytest.raises(KeyboardInterrupt):
            FilePlace(f"sqlite:///{path}").open(NOW)
        assert not path.exists()
        monkeypatch.undo()
        place_of(f"sqlite:///{path}").open(NOW).close()


def test_the_tables_are_those_that_its_steps_make(url):
    """Column by column: what the program writes is there after the steps, on a database of any age."""
    office = place_of(url).open(NOW)
    for table in tables.metadata.sorted_tables:
        office.read(select(*table.columns))
    office.close()
    assert SCHEMA == "0002"


def test_a_database_of_the_first_version_is_brought_up_to_date_and_keeps_its_lines(url):
    office = place_of(url).open(NOW)
    with office.write() as connection:
        connection.execute(insert(tables.proposal_event).values(EVENT))
        for table in (tables.decision_order_event, tables.decision_order, tables.sender_sign):
            connection.execute(text(f"DROP TABLE {its(table.name, url)}"))
        connection.execute(text(f"ALTER TABLE {its('proposal', url)} DROP COLUMN approved_way"))
        connection.execute(text(f"UPDATE {its('alembic_version', url)} SET version_num = '0001'"))
    (made,) = ids(office)
    office.close()

    again = place_of(url).open(NOW)

    assert ids(again) == [made]
    assert [line.who for line in again.read(select(tables.proposal_event))] == ["ana"]
    assert again.read(select(tables.decision_order)) == []
    assert again.read(select(tables.proposal.c.approved_way)) == []
    again.close()


def test_no_error_says_a_value(url):
    office = place_of(url).open(NOW)
    twice = insert(tables.proposal_event).values([EVENT | {"who": "secreto"}] * 2)
    with pytest.raises(StorageTrouble) as caught, office.write() as connection:
        connection.execute(twice)
    assert "secreto" not in str(caught.value)
    assert isinstance(caught.value.__cause__, DBAPIError)
    office.close()
