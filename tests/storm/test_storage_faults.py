"""F51-F59, P17: whatever the disk does, the run stops before the next send and says so; afterwards it goes on."""

from __future__ import annotations

import shutil
import threading
import zipfile

import pytest

from pipeline.domain.lifecycle import State
from pipeline.ledger.storage import wal
from pipeline.ledger.storage.driver import has_wal, sqlite3
from tests.support import ledgers
from tests.support.long import long

ROWS = ["000", "000", "970", "000", "994", "000"]
FULL, IO, READ_ONLY = "database or disk is full", "disk I/O error", "attempt to write a readonly database"
MOST_COMMITS = 60


@pytest.fixture
def batch(scene):
    scene.write(ROWS)
    return scene


@pytest.fixture
def taken_in(batch):
    """A batch that is in the ledger, and nothing of it sent."""
    assert batch.go(crash="intake-after-commit")["code"] == -9
    return batch


def carry_through(scene):
    again = scene.go()
    assert again["code"] in (0, 4), again["words"]
    scene.check_promises()
    scene.check_results()
    return again


@pytest.mark.parametrize("step", [7, *long(1)])
def test_f51_f52_the_nth_commit_fails_for_every_n_until_a_run_is_clean(batch, step):
    """Each run gets a commit (or a few) further on a fresh ledger, and the next run carries on."""
    fresh = batch.cufes
    for nth in range(1, MOST_COMMITS, step):
        shutil.rmtree(batch.ledger.parent, ignore_errors=True)
        batch.acks.unlink(missing_ok=True)
        batch.cufes = []
        batch.write(ROWS, name=f"lote{nth}.csv")
        ended = batch.go(rig=[["failing-commit", nth, (FULL, IO, READ_ONLY)[nth % 3]]])
        if ended["code"] != 5:
            break
        batch.check_stopped_safely(ended)
        assert batch.go()["code"] in (0, 4)
        batch.check_promises()
    else:
        pytest.fail("no run was ever clean")
    assert nth > 8, "too few commits for a run of six rows"
    assert batch.cufes != fresh


@pytest.mark.parametrize("step", [12, *long(4)])
def test_f51_the_disk_is_full_at_any_size_of_the_ledger(taken_in, step):
    size, stopped = taken_in.ledger.stat().st_size, 0
    for more in range(-8, 40, step):
        ended = taken_in.go(rig=[["largest-file", size + 1024 * more]])
        if ended["code"] != 5:
            break
        stopped += 1
        taken_in.check_stopped_safely(ended)
        for cufe in taken_in.service.posts(set(taken_in.cufes)):
            assert taken_in.states()[cufe] is not State.READY
    assert stopped >= 2
    carry_through(taken_in)


def test_f54_a_ledger_that_may_only_be_read(taken_in):
    ended = taken_in.go(rig=[["read-only"]])
    taken_in.check_stopped_safely(ended)
    assert "solo lectura" in ended["words"]
    assert not taken_in.service.posts(set(taken_in.cufes))
    carry_through(taken_in)


def test_f54_a_ledger_whose_mode_forbids_writing(taken_in):
    taken_in.ledger.chmod(0o400)
    ended = taken_in.go(rig=[["mortal"]])
    taken_in.ledger.chmod(0o600)
    taken_in.check_stopped_safely(ended)
    assert not taken_in.service.posts(set(taken_in.cufes))
    carry_through(taken_in)


def test_f54_a_folder_that_forbids_the_journal(taken_in):
    """SQLite needs a journal beside the ledger; the lock file is there already."""
    with ledgers.opened(taken_in.ledger):
        """What a killed run left beside it is gone."""
    taken_in.ledger.parent.chmod(0o500)
    ended = taken_in.go(rig=[["mortal"]])
    taken_in.ledger.parent.chmod(0o700)
    taken_in.check_stopped_safely(ended)
    assert not taken_in.service.posts(set(taken_in.cufes))
    carry_through(taken_in)


@pytest.mark.skipif(not has_wal(), reason="this SQLite is too old for WAL")
def test_f54_where_the_log_is_there_already_a_folder_that_forbids_more_stops_nobody(taken_in):
    taken_in.ledger.parent.chmod(0o500)
    ended = taken_in.go(rig=[["mortal"]])
    taken_in.ledger.parent.chmod(0o700)
    assert ended["code"] in (0, 4), ended["words"]
    carry_through(taken_in)
    assert not wal.log_of(taken_in.ledger).exists()


def test_f54_a_file_stands_where_the_folder_should_be(batch):
    batch.ledger.parent.write_text("")
    ended = batch.go()
    assert ended["code"] == 5
    assert "✗" in ended["words"]
    assert not batch.service.posts(set(batch.cufes))
    batch.ledger.parent.unlink()
    carry_through(batch)


@pytest.mark.parametrize("damage", ["half", "zeros", "other-program", *long("header")])
def test_f55_a_damaged_ledger_is_refused_and_nothing_is_sent(taken_in, damage):
    if damage == "other-program":
        with ledgers.opened(taken_in.ledger):
            """SQLite removes a log beside a file that it makes."""
    good = taken_in.ledger.read_bytes()
    bad = bytearray(good)
    if damage == "half":
        bad = bad[: len(bad) // 2]
    elif damage == "header":
        bad[0:16] = b"this is no SQLit"
    elif damage == "zeros":
        bad[4096 : 4096 * 3] = bytes(8192)
    if damage == "other-program":
        taken_in.ledger.unlink()
        with sqlite3.connect(taken_in.ledger) as other:
            other.execute("CREATE TABLE customers (id)")
        other.close()
    else:
        taken_in.ledger.write_bytes(bad)
    ended = taken_in.go()
    assert ended["code"] == 5, ended["words"]
    assert [line for line in ended["words"].splitlines() if line.startswith("✗")]
    assert not taken_in.service.posts(set(taken_in.cufes))
    taken_in.ledger.write_bytes(good)
    carry_through(taken_in)


def test_f56_a_reader_that_never_lets_go_stops_the_run_before_it_sends(taken_in):
    with ledgers.opened(taken_in.ledger):
        """Without a log a reader has to let go before there may be one."""
    with ledgers.reading(taken_in.ledger):
        ended = taken_in.go(rig=[["busy", 300]])
    taken_in.check_stopped_safely(ended)
    assert "bloqueado" in ended["words"]
    assert not taken_in.service.posts(set(taken_in.cufes))
    carry_through(taken_in)


@pytest.mark.skipif(not has_wal(), reason="this SQLite is too old for WAL")
def test_f56_in_wal_a_reader_that_never_lets_go_stops_nobody_and_the_log_stays(taken_in):
    with ledgers.reading(taken_in.ledger):
        ended = taken_in.go()
        assert ended["code"] in (0, 4), ended["words"]
    assert wal.log_of(taken_in.ledger).exists()
    taken_in.check_promises()
    carry_through(taken_in)
    assert not wal.log_of(taken_in.ledger).exists()


def test_f56_a_reader_that_lets_go_in_time_only_costs_time(taken_in):
    with ledgers.opened(taken_in.ledger):
        """As before."""
    with ledgers.reading(taken_in.ledger) as reader:
        letting_go = threading.Timer(0.4, reader.rollback)
        letting_go.start()
        ended = taken_in.go()
        letting_go.join()
    assert ended["code"] in (0, 4)
    taken_in.check_promises()


def test_f57_the_disk_is_full_when_the_results_are_written(batch):
    ended = batch.go(rig=[["full-before-results", 2000]])
    assert ended["code"] == 5
    assert "no se pudo guardar el libro de resultados" in ended["words"]
    assert not [*(batch.folder / "out").iterdir()], "something half-done stayed"
    batch.check_promises()
    posts = batch.service.posts(set(batch.cufes)).total()
    (name,) = batch_ids(batch)
    assert batch.anular("report", name)["code"] in (0, 4)
    batch.check_results()
    assert batch.service.posts(set(batch.cufes)).total() == posts


@pytest.mark.parametrize("writes", [2, 4, *long(0, 1, 3, 6)])
def test_f57_nobody_can_read_what_the_program_says_and_what_it_did_is_recorded_all_the_same(batch, writes):
    """Standard output and error go to a disk that is full after so many writes: either before the sending, and then
    nothing is sent, or later, and then nothing stops."""
    ended = batch.go(rig=[["mute-after", writes]])
    assert ended["code"] == 5
    states = set(batch.states().values()) if "attempt" in batch.tables() else set()
    if states:
        batch.check_promises()
        batch.check_results()
    else:
        assert not batch.service.posts(set(batch.cufes))
    carry_through(batch)


def test_f57_the_screen_is_lost_in_both_ways_above(batch):
    """Fewer and more writes than the plan takes; else the test before this one would show one half only."""
    assert batch.go(rig=[["mute-after", 0]])["code"] == 5
    assert not batch.service.posts(set(batch.cufes))
    assert batch.go(rig=[["mute-after", 6]])["code"] == 5
    assert batch.service.posts(set(batch.cufes))


@pytest.mark.parametrize(
    "point",
    ["results-before-sync", "results-replaced", *long("results-begun", "results-after-sync", "results-verified")],
)
def test_f58_a_kill_while_the_results_are_written_shows_no_half_of_them(batch, point):
    assert batch.go(crash=point)["code"] == -9
    for path in (batch.folder / "out").iterdir():
        if not path.name.startswith("."):
            with zipfile.ZipFile(path) as book:
                assert book.testzip() is None
    carry_through(batch)


def batch_ids(scene):
    return [line["id"] for line in ledgers.lines(scene.url, "SELECT id FROM batch")]


def test_f59_the_name_of_the_results_is_taken_by_something_that_cannot_be_replaced(batch):
    batch.go()
    path = batch.check_results()
    path.unlink()
    path.mkdir()
    (path / "x").write_text("")
    ended = batch.go()
    assert ended["code"] in (0, 4)
    numbered = [other for other in (batch.folder / "out").iterdir() if other != path]
    assert len(numbered) == 1
    assert zipfile.is_zipfile(numbered[0])
    assert numbered[0].name in ended["words"]
    batch.check_promises()


def test_f59_the_folder_of_the_results_may_not_be_written(batch):
    out = batch.folder / "out"
    out.mkdir()
    out.chmod(0o500)
    ended = batch.go(rig=[["mortal"]])
    out.chmod(0o700)
    assert ended["code"] == 5
    assert "no hay permiso" in ended["words"]
    assert not batch.service.posts(set(batch.cufes))
    batch.check_promises(finished=False)
    carry_through(batch)


def test_f59_the_folder_of_the_results_is_a_file(batch):
    out = batch.folder / "out"
    out.write_text("")
    ended = batch.go()
    assert ended["code"] == 5
    assert "No se podría guardar el libro de resultados: la ruta existe y no es una carpeta" in ended["words"]
    assert not batch.service.posts(set(batch.cufes))
    batch.check_promises(finished=False)
    out.unlink()
    carry_through(batch)


def test_f59_a_name_so_long_that_the_results_cannot_have_it(batch):
    long = batch.folder / ("ñ" * 120 + ".csv")
    batch.file = batch.file.rename(long)
    ended = batch.go()
    assert ended["code"] in (0, 4, 5), ended["words"]
    batch.check_promises()
    if ended["code"] != 5:
        batch.check_results()
