"""The log on a real disk: whole lines of several processes, rotation, and a disk that refuses (reliability.md F57)."""

from __future__ import annotations

import json
import os
import resource
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from pipeline.runtime.clock import Clock
from pipeline.telemetry.json_log import JsonLog

ROOT = Path(__file__).parents[3]


def lines(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def written(path, *events, **facts):
    """A log that hears ``events`` and is closed."""
    log = JsonLog(path, Clock())
    for event in events:
        log.on_event(event, facts)
    log.close()
    return log


def test_each_event_is_a_line_with_time_and_name_first(tmp_path):
    log = written(tmp_path / "a.log", "row_moved", "run_ended", batch="b", row=3, file="año\n\u2028.csv")

    assert log.trouble is None
    assert [list(one)[:2] for one in lines(tmp_path / "a.log")] == [["time", "event"]] * 2
    assert [one["event"] for one in lines(tmp_path / "a.log")] == ["row_moved", "run_ended"]
    assert lines(tmp_path / "a.log")[0]["time"].endswith("Z")
    assert lines(tmp_path / "a.log")[0]["file"] == "año\n\u2028.csv"


def test_it_is_private_to_its_user_and_never_cut_at_its_start(tmp_path):
    for _ in range(2):
        written(tmp_path / "a.log", "run_ended")

    assert stat.S_IMODE((tmp_path / "a.log").stat().st_mode) == 0o600
    assert len(lines(tmp_path / "a.log")) == 2


def test_what_is_only_counted_is_not_written(tmp_path):
    written(tmp_path / "a.log", "departure", "request", "run_ended")
    assert [one["event"] for one in lines(tmp_path / "a.log")] == ["run_ended"]


WRITER = """
import sys
from pathlib import Path
from pipeline.runtime.clock import Clock
from pipeline.telemetry.json_log import JsonLog
log = JsonLog(Path(sys.argv[1]), Clock())
for n in range(500):
    log.on_event("row_moved", {"who": sys.argv[2], "n": n, "filler": "x" * (n % 7) * 300})
log.close()
"""


def test_the_lines_of_several_processes_stay_whole_and_in_their_order(tmp_path):
    processes = [
        subprocess.Popen([sys.executable, "-c", WRITER, tmp_path / "a.log", name], env={"PYTHONPATH": str(ROOT)})
        for name in "abc"
    ]
    assert [process.wait(60) for process in processes] == [0, 0, 0]

    found = lines(tmp_path / "a.log")
    assert {name: [one["n"] for one in found if one["who"] == name] for name in "abc"} == {
        name: list(range(500)) for name in "abc"
    }


def test_after_a_rotation_the_next_line_is_in_the_new_file(tmp_path):
    log = JsonLog(tmp_path / "a.log", Clock())
    log.on_event("one", {})
    drained(log)
    (tmp_path / "a.log").rename(tmp_path / "a.log.1")
    log.on_event("two", {})
    drained(log)
    (tmp_path / "a.log").unlink()
    log.on_event("three", {})
    log.close()

    assert [one["event"] for one in lines(tmp_path / "a.log.1")] == ["one"]
    assert [one["event"] for one in lines(tmp_path / "a.log")] == ["three"]
    assert log.trouble is None


def drained(log):
    """Returns when the thread has written all that it was given: it takes the next line only then."""
    log._waiting.put(None)
    log._thread.join(30)
    assert not log._thread.is_alive()
    log._thread = type(log._thread)(target=log._serve, daemon=True)
    log._thread.start()


@pytest.mark.parametrize("kind", ["folder", "link", "fifo", "no-folder", "device"])
def test_a_place_that_cannot_be_written_costs_lines_and_nothing_else(tmp_path, kind):
    path = tmp_path / "a.log"
    if kind == "folder":
        path.mkdir()
    elif kind == "link":
        (tmp_path / "other").write_text("", "utf-8")
        path.symlink_to(tmp_path / "other")
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "no-folder":
        path = tmp_path / "no" / "a.log"
    else:
        path = Path("/dev/full")

    log = written(path, "one", "two")
    assert isinstance(log.trouble, OSError)
    assert kind != "link" or (tmp_path / "other").read_bytes() == b""


def test_what_a_full_disk_cost_is_said_in_the_first_line_that_fits_again(tmp_path):
    """A limit on the size of files is a disk that is full for this process alone."""
    code = (
        "import os, resource, signal, sys\n"
        "from pathlib import Path\n"
        "from pipeline.runtime.clock import Clock\n"
        "from pipeline.telemetry.json_log import JsonLog\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200, hard))\n"
        "log = JsonLog(Path(sys.argv[1]), Clock())\n"
        "def all_written():\n"
        "    log._waiting.put(None); log._thread.join(30)\n"
        "    log._thread = type(log._thread)(target=log._serve, daemon=True); log._thread.start()\n"
        "for n in range(10): log.on_event('row_moved', {'n': n})\n"
        "all_written()\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))\n"
        "log.on_event('run_ended', {})\n"
        "log.close()\n"
        "print(log.trouble.errno)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "a.log"], env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr

    text = (tmp_path / "a.log").read_text("utf-8").splitlines()
    whole = [json.loads(line) for line in text if line.endswith("}")]
    told = [one["n"] for one in whole if one["event"] == "row_moved"]
    assert [one["event"] for one in whole[len(told) :]] == ["log_gap", "run_ended"]
    assert whole[len(told)]["lines"] == 10 - len(told) > 0
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 200


def test_the_end_of_a_command_does_not_wait_for_a_disk_that_hangs(tmp_path, monkeypatch):
    hanging = threading.Event()
    monkeypatch.setattr("pipeline.telemetry.json_log.LAST_WORDS_S", 0.05)
    log = JsonLog(tmp_path / "a.log", Clock())

    def opened():
        hanging.wait(30)
        raise OSError

    monkeypatch.setattr(log, "_opened", opened)
    monkeypatch.setattr("pipeline.telemetry.json_log.MOST_WAITING", 3)
    for _ in range(9):
        log.on_event("row_moved", {})
    log.close()
    assert isinstance(log.trouble, TimeoutError)
    monkeypatch.undo()
    hanging.set()
