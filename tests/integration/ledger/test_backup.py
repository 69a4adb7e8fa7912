"""A copy of the ledger that can be trusted: of one moment, verified, under a name of its own, beside whoever works."""

from __future__ import annotations

import itertools
import stat
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.domain.errors import AnotherRun, StorageTrouble, WrongUsage
from pipeline.domain.lifecycle import Event
from pipeline.ledger import backup, copying, transfer
from pipeline.ledger.backup import back_up
from pipeline.ledger.ledger_events import id_of
from pipeline.ledger.reserve_journal import reserve_path
from pipeline.ledger.storage.driver import has_wal, sqlite3
from pipeline.ledger.storage.location import location_of, open_as_it_is
from pipeline.ledger.storage.sqlite import sqlite_path
from pipeline.ledger.verify import examine
from pipeline.ledger.views import Views
from tests.support import ledgers

TABLES = {
    "run": "id",
    "owner": "id",
    "batch": "id",
    "row": "batch, pos",
    "attempt": "id",
    "event": "seq",
    "ledger": "id",
}


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "copias"


def copy(book, folder, **more):
    return back_up(book.database, location_of(book.url), folder, book.now, **more)


def content(url):
    return {name: ledgers.lines(url, f'SELECT * FROM "{name}" ORDER BY {order}') for name, order in TABLES.items()}


def url_of(path: Path) -> str:
    return f"sqlite:///{path}"


def _refused(connection):
    try:
        connection.commit()
    except sqlite3.OperationalError as error:
        return str(error)
    return ""


def names(folder):
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_the_copy_is_the_ledger_line_for_line_with_its_id_and_its_seal(lived, folder):
    made = copy(lived, folder)

    assert content(url_of(made.path)) == content(lived.url)
    there = open_as_it_is(url_of(made.path))
    found = examine(there)
    assert (found.faults, found.head.hex(), found.events, found.rows) == ([], made.head, made.events, made.rows)
    assert id_of(there) == made.ident == id_of(lived.database)
    there.close()
    assert examine(lived.database).head.hex() == made.head


def test_its_name_has_the_day_and_the_hour_of_panama_and_it_is_private(lived, folder):
    made = copy(lived, folder)

    assert made.path.name.endswith("-20261120-100000.db")
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert names(folder) == [made.path.name]


def test_nothing_is_overwritten(lived, folder):
    first = copy(lived, folder)
    before = first.path.read_bytes()

    second = copy(lived, folder)

    assert second.path.name == f"{first.path.stem}-2.db"
    assert first.path.read_bytes() == before


def test_where_a_disk_has_no_links_the_copy_gets_its_name_all_the_same(lived, folder, monkeypatch):
    def no_links(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("pipeline.ledger.backup.os.link", no_links)
    first, second = copy(lived, folder), copy(lived, folder)

    assert names(folder) == sorted([first.path.name, second.path.name])


def test_a_run_goes_on_after_it_and_the_copy_stays_what_it_was(lived, row, folder):
    made = copy(lived, folder)
    before = content(url_of(made.path))

    lived.take([row(7)], "otro", "b")

    assert content(url_of(made.path)) == before
    assert examine(lived.database).good


def test_it_is_made_while_a_run_holds_the_ledger(lived, folder):
    with location_of(lived.url).working("sandbox", "x"):
        assert copy(lived, folder).path.exists()


@pytest.mark.sqlite
@pytest.mark.usefixtures("without_wal")
def test_a_copy_that_takes_long_holds_nobody_up_and_leaves_nothing(lived, folder):
    slow = itertools.count(0, backup.BESIDE_OTHERS_S + 1).__next__
    with location_of(lived.url).alone(), pytest.raises(AnotherRun) as busy:
        copy(lived, folder, seconds=slow)

    assert (busy.value.code, names(folder)) == ("backup-busy", [])
    assert copy(lived, folder, seconds=slow).path.exists(), "alone it may take as long as it takes"


@pytest.mark.sqlite
@pytest.mark.skipif(not has_wal(), reason="this SQLite is too old for WAL")
def test_in_wal_what_others_commit_meanwhile_waits_for_nothing_and_is_not_in_the_copy(lived, folder, monkeypatch):
    monkeypatch.setattr(backup, "_PAGES", 1)
    before = content(lived.url)
    told: list[int] = []

    def seconds():
        if told:
            lived.store.begin_run(lived.now)
        told.append(0)
        return 2.0 * backup.BESIDE_OTHERS_S * len(told)

    made = copy(lived, folder, seconds=seconds)

    assert len(told) > 2
    assert content(url_of(made.path)) == before
    assert content(lived.url) != before
    assert made.path.read_bytes()[18:20] == bytes([1, 1]), "the copy is a file of its own"
    assert names(folder) == [made.path.name]


@pytest.mark.sqlite
@pytest.mark.usefixtures("without_wal")
def test_what_is_committed_during_the_copy_is_not_in_it_by_half(lived, folder, monkeypatch):
    """Another process commits between two steps of the copy: it has to wait, and the copy is of one moment."""
    monkeypatch.setattr(backup, "_PAGES", 1)
    told: list[str] = []
    path = sqlite_path(lived.url)

    def seconds():
        with closing(sqlite3.connect(path, timeout=0)) as other:
            other.execute("BEGIN IMMEDIATE" if told else "BEGIN")  # not before the copy has begun
            if told:
                other.execute("INSERT INTO run (started_utc, who, host) VALUES ('x', 'x', 'x')")
            told.append(_refused(other))
        return 0.0

    before = content(lived.url)
    made = copy(lived, folder, seconds=seconds)

    assert told[1:].count("database is locked") == len(told) - 1 > 2
    assert content(url_of(made.path)) == before


@pytest.mark.postgres
def test_what_others_write_meanwhile_is_not_in_the_copy(lived, row, folder, monkeypatch):
    before, fill = content(lived.url), copying.fill

    def busy(source, target, ident, deed):
        other = location_of(lived.url).open()
        with other.write() as connection:
            connection.exec_driver_sql("INSERT INTO run (started_utc, who, host) VALUES ('x', 'x', 'x')")
        other.close()
        return fill(source, target, ident, deed)

    monkeypatch.setattr(copying, "fill", busy)
    made = copy(lived, folder)

    assert content(url_of(made.path)) == before
    assert content(lived.url) != before


def test_a_ledger_that_is_not_sound_gives_no_copy(lived, folder):
    ledgers.change(lived.url, "UPDATE event SET note='otra' WHERE seq=3")

    with pytest.raises(StorageTrouble) as refused:
        copy(lived, folder)

    assert (refused.value.code in ("backup-broken", "copy-differs"), names(folder)) == (True, [])


@pytest.mark.sqlite
def test_answers_that_wait_in_the_reserve_come_along(lived, folder):
    reserve_path(sqlite_path(lived.url)).write_bytes(b"una respuesta\n")

    made = copy(lived, folder)

    (kept,) = made.reserves
    assert (kept.name, kept.read_bytes()) == (f"{made.path.name}.reserve.jsonl", b"una respuesta\n")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


@pytest.mark.parametrize("place", ["archivo", "archivo/dentro", "no/hay"])
def test_what_cannot_be_a_folder_is_one_sentence(lived, tmp_path, place):
    (tmp_path / "archivo").write_text("x")

    with pytest.raises((WrongUsage, StorageTrouble)):
        copy(lived, tmp_path / place)

    assert not (tmp_path / "no").exists()


def test_a_full_disk_is_one_sentence_and_leaves_nothing(lived, folder, monkeypatch):
    def full(_path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backup, "synced", full)

    with pytest.raises(StorageTrouble, match="el disco está lleno"):
        copy(lived, folder)

    assert names(folder) == []


def test_a_copy_that_does_not_end_as_the_ledger_does_is_not_kept(lived, folder):
    other = type("Other", (), {"read": lambda *_: [], "place": "aquí"})()
    fresh = copy(lived, folder).path

    with pytest.raises(StorageTrouble, match="no termina con un evento del historial de envíos"):
        backup._verified(other, fresh)


@pytest.mark.postgres
def test_a_copy_of_a_server_goes_back_to_a_new_database(lived, folder, tmp_path):
    lived.send(lived.views.ready("20261120-lote")[0], Event.IN_PROGRESS)
    made = copy(lived, folder)
    with ledgers.fresh(tmp_path / "otra", tables=False) as url:
        transfer.move(url_of(made.path), url, lived.now, tmp_path / "notas")
        there = location_of(url).open()
        found = Views(there, "sandbox").batches()
        assert examine(there).good
        there.close()
    assert [one.counts for one in found] == [one.counts for one in lived.views.batches()]
