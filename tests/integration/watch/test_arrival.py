"""A file in the inbox is taken whatever the system's listing knows of it."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import pytest

from pipeline.watch.arrival import arrivals
from pipeline.watch.claim import claim
from pipeline.watch.places import lay_out

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)


class WindowsEntry:
    """Entry of a listing on Windows, whose status has neither inode nor device."""

    def __init__(self, entry: os.DirEntry[str]) -> None:
        self._entry = entry
        self.name, self.path = entry.name, entry.path

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        values = list(self._entry.stat(follow_symlinks=follow_symlinks))
        values[1] = values[2] = 0  # st_ino, st_dev
        return os.stat_result(values)


@pytest.fixture
def lane(tmp_path):
    lanes, _ = lay_out(tmp_path, "", [])
    (lanes[0].inbox / "lote.csv").write_text("CUFE\n")
    return lanes[0]


def test_a_file_is_taken_where_a_listing_has_no_inodes(lane, monkeypatch):
    real = os.scandir
    with monkeypatch.context() as windows:
        windows.setattr("pipeline.watch.arrival.os.scandir", lambda at: [WindowsEntry(one) for one in real(at)])
        (found,) = arrivals(lane.inbox)
    taken = claim(lane, found, NOW, "0a1b2c3d")
    assert taken is not None
    assert taken.file is not None
    assert taken.file.read_text() == "CUFE\n"
    assert not found.path.exists()


def test_a_file_that_another_program_has_open_waits_in_the_inbox(lane, monkeypatch):
    (found,) = arrivals(lane.inbox)

    def held(*_given):
        raise type("Held", (PermissionError,), {"winerror": 32})(13, "in use")

    with monkeypatch.context() as windows:
        windows.setattr("pipeline.watch.claim.rename", held)
        assert claim(lane, found, NOW, "0a1b2c3d") is None
    assert found.path.exists()
    assert not list(lane.work.iterdir())


def test_a_file_that_changed_since_it_was_looked_at_stays(lane):
    (found,) = arrivals(lane.inbox)
    found.path.write_text("CUFE\nanother row\n")
    assert claim(lane, found, NOW, "0a1b2c3d") is None
    assert found.path.exists()
