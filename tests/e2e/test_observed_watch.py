"""Months of ``anular watch DIR``, in small: what its log says of each pass, whatever becomes of the log meanwhile."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest

from tests.e2e.conftest import kill_group
from tests.support.warm import LONGEST_S


class Watching:
    """A drop folder that a program of its own watches, and the log that it writes."""

    def __init__(self, place):
        self.place = place
        self.root = place.folder / "caja"
        self.inbox = self.root / "inbox"
        self.inbox.mkdir(parents=True, mode=0o750)
        self.root.chmod(0o750)
        (place.folder / "log").mkdir()
        self.log = place.folder / "log" / "anular.log"
        self.metrics = place.folder / "anular.prom"
        place.env |= {"ANULAR_LOG": str(self.log), "ANULAR_METRICS": str(self.metrics)}
        place.env |= {"ANULAR_WATCH_QUIET": "0", "ANULAR_WATCH_EVERY": "1"}
        self.process = place.start("watch", self.root)

    def drop(self, name, first, *scenarios):
        """A file that is complete at once."""
        made = self.place.batch(scenarios or ["000"], "hecho.xlsx", first)
        made.rename(self.inbox / name)

    def until(self, what, seconds=LONGEST_S):
        """Returns when ``what`` is true; the program has to live until then."""
        end = time.monotonic() + seconds
        while not what():
            assert self.process.poll() is None, self.process.stderr.read()
            assert time.monotonic() < end, (self.told(), sorted(map(str, self.root.rglob("*"))))
            time.sleep(0.01)

    def told(self, path=None):
        path = path or self.log
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []

    def ended(self):
        return [one["exit_code"] for one in self.told() if one["event"] == "run_ended"]

    def until_another_pass(self):
        """Each one ends with the metrics, whether it did anything or not."""
        before = self.metrics.stat().st_mtime_ns if self.metrics.exists() else 0
        self.until(lambda: self.metrics.exists() and self.metrics.stat().st_mtime_ns != before)

    def put_away(self, name):
        return (self.root / "done" / name).with_suffix(".txt").exists()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        out, err = self.process.communicate(timeout=LONGEST_S)
        return self.process.returncode, out, err


@pytest.fixture
def watching(place):
    started = []

    def start():
        started.append(Watching(place))
        return started[-1]

    yield start
    for one in started:
        kill_group(one.process)


def files(lines):
    return [Path(one["file"]).name for one in lines if one["event"] == "file_claimed"]


def test_each_pass_that_did_something_is_in_the_log_though_it_is_rotated_away_and_deleted_meanwhile(watching):
    seen = watching()
    seen.drop("a.xlsx", 10)
    seen.until(lambda: seen.ended() == [0])
    rotated = seen.log.rename(seen.log.with_name("anular.log.1"))
    seen.drop("b.xlsx", 20)
    seen.until(lambda: seen.ended() == [0])
    second = seen.told()
    seen.log.unlink()
    seen.drop("c.xlsx", 30)
    seen.until(lambda: seen.ended() == [0])
    third = seen.told()
    code, out, err = seen.stop()

    assert code == 130, err
    assert "Aviso" not in err
    assert "✓ c.xlsx" in out
    passes = [seen.told(rotated), second, third]
    assert [files(lines) for lines in passes] == [["a.xlsx"], ["b.xlsx"], ["c.xlsx"]]
    assert [lines[-1]["event"] for lines in passes] == ["run_ended"] * 3
    assert [(lines[-1]["run"], lines[-1]["outcomes"]) for lines in passes] == [(n, {"ANULADA": 1}) for n in (1, 2, 3)]
    assert len({one["batch"] for lines in passes for one in lines if one["event"] == "batch_finished"}) == 3
    assert not [one for lines in passes for one in lines if one["event"] == "log_gap"]
    assert [one["exit_code"] for one in seen.told()[len(third) :]] == [130], "its last word, and nothing of idle passes"


@pytest.mark.long
def test_an_idle_pass_says_nothing_and_what_found_no_place_is_counted_in_the_first_line_that_does(watching):
    seen = watching()
    away = seen.log.parent.rename(seen.log.parent.with_name("fuera"))
    seen.drop("a.xlsx", 10)
    seen.until(lambda: seen.put_away("a.xlsx"))
    for _ in range(3):  # the pass that was at work, and idle ones
        seen.until_another_pass()
    away.rename(seen.log.parent)
    seen.until_another_pass()
    assert not seen.log.exists()
    seen.drop("b.xlsx", 20)
    seen.until(lambda: seen.ended() == [0])
    first, *others = seen.told()
    code, _, err = seen.stop()

    assert code == 130
    assert err.count("No se pudo escribir la bitácora técnica") == 1
    assert (first["event"], first["lines"]) == ("log_gap", len(others)), "the one file tells as much as the other"
    assert files(others) == ["b.xlsx"]
    assert all(seen.put_away(name) for name in ("a.xlsx", "b.xlsx"))
    assert set(seen.place.posts().values()) == {1}
