"""A ledger in WAL: only while its owner has it open, and never without its log (docs/decisions/0110)."""

from __future__ import annotations

import shutil
import stat
import subprocess
import sys
from contextlib import closing

import pytest
from sqlalchemy import func, select, text

from pipeline.domain.errors import StorageTrouble
from pipeline.ledger import tables
from pipeline.ledger.storage import sqlite, wal
from pipeline.ledger.storage.driver import WAL_SINCE, has_wal, sqlite3
from pipeline.ledger.storage.location import location_of, open_as_it_is, open_ledger

pytestmark = [pytest.mark.sqlite, pytest.mark.skipif(not has_wal(), reason="this SQLite is too old for WAL")]

COUNT = select(func.count()).select_from(tables.run)


def head(path):
    """Whether the file is in WAL, and its mark."""
    read = path.read_bytes()[:100]
    return read[18] == 2, read[63]


def beside(path):
    return sorted(one.name.removeprefix(path.name) for one in path.parent.iterdir() if one.name.startswith(path.name))


def runs(database):
    return database.read(COUNT)[0][0]


@pytest.fixture
def killed(book, row, tmp_path):
    """A ledger as a killed run left it, and its path; what was acknowledged is in its log only."""
    book.take([row(1)])
    folder = tmp_path / "muerto"
    folder.mkdir()
    for one in (book.database.path, wal.log_of(book.database.path)):
        shutil.copy2(one, folder)
    return folder / book.database.path.name


def url_of(path):
    return f"sqlite:///{path}"


def test_the_versions_with_a_known_fault_are_not_trusted_with_it():
    assert [has_wal(one) for one in ((3, 40, 1), (3, 51, 2), WAL_SINCE, (3, 53, 4))] == [False, False, True, True]


def test_an_open_ledger_is_in_wal_with_the_mark_in_its_file_and_a_closed_one_is_one_file(book, row):
    path = book.database.path
    assert head(path) == (True, wal.MARK)
    assert beside(path) == ["", "-shm", "-wal"]
    assert {stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir()} == {0o600}

    book.take([row(1)])
    book.database.close()

    assert (head(path), beside(path)) == ((False, 0), [""])


def test_a_killed_run_has_lost_nothing(killed, book):
    with closing(open_ledger(url_of(killed))) as again:
        assert runs(again) == 1
        assert head(killed) == (True, wal.MARK)
    assert (head(killed), beside(killed)) == ((False, 0), [""])


def test_a_run_that_goes_on_after_a_kill_first_has_the_log_written_into_the_file(killed):
    """The killed one may have written the mark there, and not yet had it synchronised."""
    alone = wal.read_only(killed, past_log=True)
    with closing(open_ledger(url_of(killed))), closing(sqlite3.connect(alone, uri=True)) as file:
        assert file.execute("SELECT count(*) FROM run").fetchone() == (1,)


@pytest.mark.parametrize("left", [None, b"", b"x" * 32])
def test_a_copy_without_its_log_is_refused_and_stays_as_it_is(killed, left):
    wal.log_of(killed).unlink()
    if left is not None:
        wal.log_of(killed).write_bytes(left)
    before = killed.read_bytes()
    for way in (open_ledger, open_as_it_is, lambda url: location_of(url).open_to_read()):
        with pytest.raises(StorageTrouble, match=r"falta «registro\.db-wal»") as refused:
            way(url_of(killed))
        assert "adopt --restored" in refused.value.remedy
    assert killed.read_bytes() == before


def test_a_person_may_say_that_a_copy_without_its_log_is_what_there_is(killed):
    wal.log_of(killed).unlink()

    location_of(url_of(killed)).open(restored=True).close()

    assert (head(killed), beside(killed)) == ((False, 0), [""])
    open_ledger(url_of(killed)).close()


def test_a_killed_ledger_that_another_program_opened_is_refused_with_what_to_do_and_has_lost_nothing(killed):
    with closing(sqlite3.connect(killed)) as other:
        other.execute("SELECT count(*) FROM run").fetchall()
    assert (head(killed), beside(killed)) == ((True, wal.MARK), [""])

    with pytest.raises(StorageTrouble, match="abrió el historial con otro programa") as refused:
        open_ledger(url_of(killed))

    assert "adopt --restored" in refused.value.remedy
    with closing(location_of(url_of(killed)).open(restored=True)) as again:
        assert runs(again) == 1


def test_a_backup_beside_the_log_of_another_ledger_is_refused(killed, book):
    book.database.close()
    shutil.copy(book.database.path, killed)
    before = killed.read_bytes()

    with pytest.raises(StorageTrouble, match="no es suyo"):
        open_ledger(url_of(killed))

    assert killed.read_bytes() == before
    wal.log_of(killed).rename(killed.with_name("aparte"))
    open_ledger(url_of(killed)).close()


def test_who_says_that_a_backup_was_restored_does_not_accept_the_log_of_another_ledger(killed, book):
    """It is what a person says next after a backup was put there."""
    book.database.close()
    shutil.copy(book.database.path, killed)
    before = killed.read_bytes()

    with pytest.raises(StorageTrouble, match="no es suyo"):
        location_of(url_of(killed)).open(restored=True)

    assert killed.read_bytes() == before


def test_a_log_beside_no_ledger_is_put_aside_before_a_new_one_has_the_name(killed):
    log = wal.log_of(killed).read_bytes()
    killed.unlink()

    with closing(open_ledger(url_of(killed))) as fresh:
        assert runs(fresh) == 0

    assert killed.with_name("registro.db-wal.1").read_bytes() == log


def test_who_looks_while_a_run_ends_is_not_refused(killed, monkeypatch):
    """It took its mark away after it was seen, and its log before that was looked for."""
    seen = iter([False])
    filled = wal._filled
    monkeypatch.setattr(wal, "_filled", lambda path: next(seen, None) is None and filled(path))

    with closing(location_of(url_of(killed)).open_to_read()) as looking:
        assert runs(looking) == 1


def test_who_looks_beside_a_run_in_the_same_process_does_not_drop_its_locks(book):
    """A file that is opened and closed past SQLite takes all locks of its process along; then another program with an
    older SQLite takes itself for the last one, and removes the log of a run that goes on."""
    location_of(book.url).open_to_read().close()
    open_as_it_is(book.url).close()

    orders = (
        "import sqlite3, sys",
        "other = sqlite3.connect(sys.argv[1])",
        "other.execute('SELECT count(*) FROM run').fetchall()",
        "other.close()",
    )
    subprocess.run([sys.executable, "-c", "; ".join(orders), book.database.path], check=True)

    assert beside(book.database.path) == ["", "-shm", "-wal"]


@pytest.mark.parametrize("way", [open_as_it_is, lambda url: location_of(url).open_to_read()])
def test_who_looks_after_a_kill_sees_everything_and_changes_nothing(killed, way):
    before, log = killed.read_bytes(), wal.log_of(killed).read_bytes()

    with closing(way(url_of(killed))) as looking:
        assert runs(looking) == 1
        assert looking.structure("quick_check") == []
        with pytest.raises(StorageTrouble, match="solo lectura"), looking.write() as connection:
            connection.exec_driver_sql("DELETE FROM run")

    assert (killed.read_bytes(), wal.log_of(killed).read_bytes()) == (before, log)
    assert open_ledger(url_of(killed)).close() is None


def test_whoever_reads_and_whoever_writes_do_not_wait_for_each_other(book):
    with closing(location_of(book.url).open_to_read()) as looking:
        with looking.moment() as moment:
            assert moment.read(COUNT)[0][0] == 1
            book.store.begin_run(book.now)
            assert moment.read(COUNT)[0][0] == 1
        assert runs(looking) == 2


def test_a_run_that_ends_while_somebody_has_it_open_leaves_it_whole_and_without_the_mark(book):
    path = book.database.path
    with closing(location_of(book.url).open_to_read()) as looking:
        assert runs(looking) == 1
        book.database.close()
        assert head(path) == (True, 0)
        assert runs(looking) == 1
    wal.log_of(path).unlink()
    with closing(open_ledger(book.url)) as again:
        assert runs(again) == 1


def test_a_run_that_ends_while_somebody_reads_an_older_state_keeps_its_log(book, monkeypatch):
    monkeypatch.setattr(wal, "PATIENCE_MS", 10)
    path = book.database.path
    looking = location_of(book.url).open_to_read()
    with looking.moment() as moment:
        moment.read(COUNT)
        book.store.begin_run(book.now)
        book.database.close()
        assert head(path) == (True, wal.MARK)
    looking.close()

    assert beside(path) == ["", "-shm", "-wal"]
    with closing(open_ledger(book.url)) as again:
        assert runs(again) == 2


def test_a_run_that_ends_as_the_last_one_in_trouble_keeps_its_log(book, monkeypatch):
    """SQLite removes the log with the last connection that may write."""
    path = book.database.path
    monkeypatch.setattr(wal, "end", lambda _connection: False)
    book.database.close()
    monkeypatch.undo()

    assert (head(path), beside(path)) == ((True, wal.MARK), ["", "-shm", "-wal"])
    open_ledger(book.url).close()
    assert beside(path) == [""]


def test_who_looked_before_a_run_began_and_goes_after_it_was_killed_leaves_the_log(book, monkeypatch):
    path = book.database.path
    book.database.close()
    looking = location_of(book.url).open_to_read()
    run = open_ledger(book.url)
    assert runs(looking) == 1
    wal.close_beside(path, run._engine.dispose)  # as a kill leaves it

    looking.close()

    assert (head(path), beside(path)) == ((True, wal.MARK), ["", "-shm", "-wal"])


def test_a_process_that_ends_without_closing_its_ledger_leaves_the_log(book):
    path = book.database.path
    book.database.close()
    orders = (
        "from sqlalchemy import text",
        "from pipeline.ledger.storage.location import open_ledger",
        f"database = open_ledger({book.url!r})",
        "database.read(text('SELECT 1'))",
    )
    subprocess.run([sys.executable, "-c", "; ".join(orders)], check=True)

    assert (head(path), beside(path)) == ((True, wal.MARK), ["", "-shm", "-wal"])
    with closing(open_ledger(book.url)) as again:
        assert runs(again) == 1


def test_an_emptied_file_is_not_made_a_ledger_by_who_only_reads(tmp_path):
    path = tmp_path / "registro.db"
    path.touch()
    with pytest.raises(StorageTrouble, match="0 bytes"):
        location_of(url_of(path)).open_to_read()
    assert path.stat().st_size == 0


def test_a_folder_with_odd_signs_is_one_like_any_other(tmp_path):
    path = tmp_path / "Mis envíos 50 % #1 ñ" / "registro.db"
    with closing(open_ledger(url_of(path))), closing(location_of(url_of(path)).open_to_read()) as looking:
        assert runs(looking) == 0
        assert beside(path) == ["", "-shm", "-wal"]
    open_ledger(url_of(path)).close()
    assert [one.name for one in path.parent.iterdir()] == ["registro.db"]


def test_a_ledger_that_is_refused_for_another_reason_keeps_its_log(killed, monkeypatch):
    log = wal.log_of(killed).read_bytes()
    monkeypatch.setattr("pipeline.ledger.storage.schema.SCHEMA", "0001")
    with pytest.raises(StorageTrouble, match="más nueva"):
        open_ledger(url_of(killed))
    monkeypatch.undo()

    assert wal.log_of(killed).read_bytes() == log
    open_ledger(url_of(killed)).close()


def test_a_run_does_not_begin_before_its_mark_is_in_the_file(book, monkeypatch):
    """Somebody reads a state from before the mark, so it cannot be written there."""
    path = book.database.path
    with closing(location_of(book.url).open_to_read()) as looking:
        runs(looking)
        book.database.close()
        assert head(path) == (True, 0)
        monkeypatch.setattr(sqlite, "BUSY_MS", 10)
        monkeypatch.setattr(sqlite, "PRAGMAS", (*sqlite.PRAGMAS[:-1], "PRAGMA busy_timeout=10"))
        with looking.moment() as moment:
            moment.read(COUNT)
            with pytest.raises(StorageTrouble, match="otro programa lo tiene bloqueado"):
                open_ledger(book.url)
        open_ledger(book.url).close()


def test_an_older_sqlite_takes_a_killed_ledger_out_of_wal_with_everything(killed, monkeypatch):
    monkeypatch.setattr(sqlite, "has_wal", lambda: False)

    with closing(open_ledger(url_of(killed))) as older:
        assert runs(older) == 1
        assert (head(killed), beside(killed)) == ((False, 0), [""])


def test_an_older_sqlite_waits_for_others_as_long_as_ever_after_that(killed, monkeypatch):
    monkeypatch.setattr(sqlite, "has_wal", lambda: False)

    with closing(open_ledger(url_of(killed))) as older:
        assert older.read(text("PRAGMA busy_timeout"))[0][0] == sqlite.BUSY_MS


def test_who_only_looks_does_not_take_a_killed_ledger_of_an_older_version_out_of_wal(killed, monkeypatch):
    """A run may be about to begin, and would go on without its mark."""
    log = wal.log_of(killed).read_bytes()
    monkeypatch.setattr(sqlite, "SCHEMA", "9999")

    with pytest.raises(StorageTrouble, match="versión anterior") as refused:
        location_of(url_of(killed)).open_to_read()

    assert "poll" in refused.value.remedy
    assert (head(killed), wal.log_of(killed).read_bytes()) == ((True, wal.MARK), log)


def test_an_older_sqlite_does_not_write_into_a_ledger_in_wal(book, monkeypatch):
    monkeypatch.setattr(sqlite, "has_wal", lambda: False)

    with pytest.raises(StorageTrouble, match="otro programa lo tiene bloqueado"):
        open_ledger(book.url)
    with closing(location_of(book.url).open_to_read()) as looking:
        assert runs(looking) == 1

    assert head(book.database.path)[0]


def test_a_mark_that_another_program_left_in_a_file_out_of_wal_means_nothing(killed):
    with closing(sqlite3.connect(killed)) as other:
        other.execute("PRAGMA journal_mode=DELETE")
    assert head(killed) == (False, wal.MARK)

    with closing(open_ledger(url_of(killed))) as again:
        assert runs(again) == 1
        assert head(killed) == (True, wal.MARK)
    assert head(killed) == (False, 0)
