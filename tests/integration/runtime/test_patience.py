"""A file that a scanner holds for a moment is moved a moment later."""

from __future__ import annotations

import os

import pytest

from pipeline.runtime import patience
from pipeline.runtime.atomic_file import replace_file
from pipeline.runtime.patience import Patience, is_held, rename, unlink
from tests.support.warm import ROOT


class Held(PermissionError):
    """What Windows raises while another program has the file open."""

    winerror = 32


@pytest.fixture
def holding(monkeypatch):
    """Makes the first ``times`` calls of an operation fail; returns the waits that followed."""

    def hold(name: str, times: int, error: type[OSError] = Held) -> list[float]:
        waits: list[float] = []
        monkeypatch.setattr(Patience.__init__, "__defaults__", (patience.WAITS_S, waits.append))
        real, left = getattr(os, name), [times]

        def held(*args, **more):
            left[0] -= 1
            if left[0] >= 0:
                raise error(13, "Access is denied")
            return real(*args, **more)

        monkeypatch.setattr(os, name, held)
        return waits

    return hold


@pytest.mark.parametrize("times", [1, 2, 6])
def test_a_file_that_is_held_for_a_moment_is_replaced_all_the_same(tmp_path, holding, times):
    waits = holding("replace", times)
    replace_file(tmp_path / "nota.json", b"nuevo")
    assert [path.name for path in tmp_path.iterdir()] == ["nota.json"]
    assert waits == list(patience.WAITS_S[:times])


def test_what_stays_held_fails_within_three_seconds_as_it_did(tmp_path, holding):
    waits = holding("replace", 100)
    with pytest.raises(PermissionError):
        replace_file(tmp_path / "nota.json", b"nuevo")
    assert sum(waits) < 3
    assert not list(tmp_path.iterdir())


def test_another_trouble_is_not_waited_for(tmp_path, holding):
    waits = holding("rename", 1, PermissionError)
    (tmp_path / "a").write_text("")
    with pytest.raises(PermissionError):
        rename(tmp_path / "a", tmp_path / "b")
    assert waits == []


def test_a_file_that_is_held_is_removed_a_moment_later(tmp_path, holding):
    waits = holding("unlink", 1)
    (tmp_path / "a").write_text("")
    unlink(tmp_path / "a")
    unlink(tmp_path / "a")
    assert waits == [patience.WAITS_S[0]]
    assert not (tmp_path / "a").exists()


def test_one_undertaking_waits_once_however_many_names_it_tries():
    waits: list[float] = []
    once = Patience(sleep=waits.append)

    def held() -> None:
        raise Held(13, "Access is denied")

    for _ in range(20):
        with pytest.raises(Held):
            once.run(held)
    assert sum(waits) == pytest.approx(sum(patience.WAITS_S))


@pytest.mark.parametrize(("number", "held"), [(5, True), (32, True), (33, True), (183, False), (None, False)])
def test_only_what_windows_says_of_a_held_file_is_waited_for(number, held):
    error = PermissionError(13, "Access is denied")
    if number is not None:
        error = type("OfWindows", (PermissionError,), {"winerror": number})(13, "Access is denied")
    assert is_held(error) is held


def test_every_move_of_a_file_is_patient():
    """Nothing in the program moves a file by itself."""
    moves = (".rename(", ".replace(target)", ".replace(path)", "os.replace(", "os.rename(", "shutil.move(")
    found = [
        f"{path}: {line.strip()}"
        for path in (ROOT / "pipeline").rglob("*.py")
        if path.name != "patience.py"
        for line in path.read_text("utf-8").splitlines()
        if any(move in line for move in moves) and "patience" not in line
    ]
    assert found == []
