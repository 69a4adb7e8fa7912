"""A process for each of many files, forked from one that has loaded: the same answers, and nothing of one file for the
next (P10)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.domain.errors import InputRefused
from pipeline.read.limits import MEGABYTE, Limits
from pipeline.read.readers import Readers
from pipeline.read.sheet import read_sheet

Make = Callable[..., Path]
Xml = Callable[..., str]
SAMPLES = Path(__file__).parents[3] / "sample_data"
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="as Linux has it")


@pytest.fixture
def path(book: Make, sheet_xml: Xml, good_rows: list[str]) -> Path:
    return book(sheet_xml(*good_rows))


@pytest.fixture
def readers() -> Iterator[Readers]:
    with Readers() as readers:
        yield readers


def refused(path: Path, readers: Readers, limits: Limits | None = None) -> str:
    with pytest.raises(InputRefused) as caught:
        read_sheet(path, limits=limits or Limits(), reader=readers.reader())
    return caught.value.code


def alive(pid: int | None) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def soon(what: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not what():
        assert time.monotonic() < end, "it never came so far"
        os.sched_yield()


@pytest.mark.parametrize("name", ["lote_mensual.xlsx", "lote_mensual.csv", "lote_con_errores.xlsx"])
def test_a_file_is_read_as_by_a_process_of_its_own(name: str, readers: Readers) -> None:
    ours, theirs = read_sheet(SAMPLES / name, reader=readers.reader()), read_sheet(SAMPLES / name)
    assert ours.cells.equals(theirs.cells)
    assert (ours.headings, ours.roles, ours.notes) == (theirs.headings, theirs.roles, theirs.notes)


def test_a_file_that_is_refused_is_refused_in_the_same_words(write: Make, readers: Readers) -> None:
    path = write("Motivo\ny\n", "a.csv")
    with pytest.raises(InputRefused) as ours:
        read_sheet(path, reader=readers.reader())
    with pytest.raises(InputRefused) as theirs:
        read_sheet(path)
    assert ours.value.sentence == theirs.value.sentence


@linux
def test_each_file_has_a_process_of_its_own_that_ends_with_it(path: Path, readers: Readers) -> None:
    first, second = readers.reader(), readers.reader()
    assert first.pid != second.pid
    for one in (first, second):
        assert alive(one.pid)
        assert len(read_sheet(path, reader=one).cells) == 2
        assert not alive(one.pid)
    assert alive(readers.server)


@linux
def test_a_process_has_nothing_open_but_its_three_streams(readers: Readers) -> None:
    others = [readers.reader() for _ in range(3)]
    soon(lambda: {one.name for one in Path(f"/proc/{others[-1].pid}/fd").iterdir()} == {"0", "1", "2"})
    for one in others:
        one.close()


SERVER = """
import os, pathlib, sys
held = [os.dup2(0, number) for number in range(40, 60)]
os.sysconf = lambda _: 1_073_741_816
def close_one_by_one(low, high):  # as where there is no close_range(2)
    assert high < 100_000, "it would take minutes"
    for number in range(low, high):
        try:
            os.close(number)
        except OSError:
            pass
os.closerange = close_one_by_one
WITHOUT
from pipeline.read import fork_server
fork_server.main()
"""
WITHOUT = """
def missing(*_):
    raise FileNotFoundError
pathlib.Path.iterdir = missing
"""


@linux
@pytest.mark.parametrize("without", ["", WITHOUT], ids=["listed", "without-proc"])
def test_what_the_server_holds_is_closed_however_high_the_limit_is(path: Path, without: str) -> None:
    with Readers([sys.executable, "-c", SERVER.replace("WITHOUT", without)]) as readers:
        reader = readers.reader()
        held = {one.name for one in Path(f"/proc/{readers.server}/fd").iterdir()}
        assert {str(number) for number in range(40, 60)} <= held
        soon(lambda: {one.name for one in Path(f"/proc/{reader.pid}/fd").iterdir()} == {"0", "1", "2"})
        assert len(read_sheet(path, reader=reader).cells) == 2


@linux
def test_neither_the_server_nor_its_forks_know_a_setting(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANULAR_PASSWORD", "cláve")
    with Readers() as readers, readers.reader() as one:
        for pid in (readers.server, one.pid):
            assert b"ANULAR" not in Path(f"/proc/{pid}/environ").read_bytes()


@linux
def test_one_that_is_killed_costs_only_its_own_file(path: Path, readers: Readers) -> None:
    lost = readers.reader()
    assert lost.pid is not None
    os.kill(lost.pid, signal.SIGKILL)
    with pytest.raises(InputRefused) as caught:
        read_sheet(path, reader=lost)
    assert (caught.value.code, "falta de memoria" in caught.value.message) == ("lectura-fallida", True)
    server = readers.server
    assert len(read_sheet(path, reader=readers.reader()).cells) == 2
    assert readers.server == server


@linux
def test_one_without_enough_memory_costs_only_its_own_file(path: Path, write: Make, readers: Readers) -> None:
    large = write("CUFE;Motivo\n" + "x;Anulación\n" * 400_000, "a.csv")
    assert refused(large, readers, Limits(memory=100 * MEGABYTE, rows=500_000)) == "lectura-memoria"
    assert len(read_sheet(path, reader=readers.reader()).cells) == 2


@linux
def test_one_that_hangs_is_ended_by_the_clock_of_its_file(
    path: Path, readers: Readers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.read.limits.PATIENCE", 0.2)
    stuck = readers.reader()
    assert stuck.pid is not None
    os.kill(stuck.pid, signal.SIGSTOP)
    with pytest.raises(InputRefused) as caught:
        read_sheet(path, limits=Limits(cpu=1), reader=stuck)
    assert caught.value.code == "lectura-tiempo"
    assert not alive(stuck.pid)


@linux
def test_a_server_that_was_killed_takes_its_forks_along_and_the_next_file_has_a_new_one(
    path: Path, readers: Readers
) -> None:
    waiting = readers.reader()
    server = readers.server
    assert server is not None
    os.kill(server, signal.SIGKILL)
    soon(lambda: not alive(waiting.pid))
    with pytest.raises(InputRefused):
        read_sheet(path, reader=waiting)
    assert len(read_sheet(path, reader=readers.reader()).cells) == 2
    assert readers.server not in (None, server)


def test_where_no_server_can_be_had_each_file_has_a_process_that_is_started_for_it(path: Path, tmp_path: Path) -> None:
    for command in ([str(tmp_path / "no-such-python")], [sys.executable, "-c", "raise SystemExit(3)"]):
        with Readers(command) as readers:
            assert len(read_sheet(path, reader=readers.reader()).cells) == 2


def test_many_threads_read_at_the_same_time(path: Path, readers: Readers) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: len(read_sheet(path, reader=readers.reader()).cells), range(24)))
    assert found == [2] * 24


@linux
def test_none_is_left_at_the_end(path: Path) -> None:
    with Readers() as readers:
        idle, server = readers.reader(), readers.server
    soon(lambda: not alive(idle.pid))
    assert not alive(server)
    idle.close()


OWNER = """
import threading
from pipeline.read.readers import Readers
readers = Readers()
reader = readers.reader()
print(readers.server, reader.pid, flush=True)
threading.Event().wait()
"""


@linux
def test_an_owner_that_is_killed_leaves_none_behind() -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE)
    assert owner.stdout is not None
    pids = [int(one) for one in owner.stdout.readline().split()]
    assert all(map(alive, pids))
    owner.kill()
    owner.wait()
    owner.stdout.close()
    soon(lambda: not any(map(alive, pids)))
