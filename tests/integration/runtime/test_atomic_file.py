"""A file is whole under its name, or what was there before."""

from __future__ import annotations

import fcntl
import os
import stat
import threading

import pytest

from pipeline.runtime.atomic_file import replace_file, sync_folder
from tests.support.warm import ROOT


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_a_file_is_replaced_whole_with_the_mode_that_was_asked_for_whatever_the_umask(tmp_path, mode):
    path = tmp_path / "nota.json"
    path.write_text("antes")
    before = os.umask(0o077)
    try:
        replace_file(path, b"despu\xc3\xa9s", mode=mode, sync=True)
    finally:
        os.umask(before)

    assert path.read_text("utf-8") == "después"
    assert stat.S_IMODE(path.stat().st_mode) == mode


@pytest.mark.parametrize("broken", ["fsync", "replace"])
def test_what_cannot_be_written_leaves_the_file_of_before_and_nothing_else(tmp_path, monkeypatch, broken):
    path = tmp_path / "nota.json"
    path.write_text("antes")

    def fail(*_given):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, broken, fail)

    with pytest.raises(OSError, match="No space"):
        replace_file(path, b"nuevo", sync=True)
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("nota.json", "antes")]


def test_a_link_in_the_way_is_not_followed(tmp_path):
    target, path = tmp_path / "de otro", tmp_path / "nota.json"
    target.write_text("ajeno")
    (tmp_path / f".{path.name}.{os.getpid()}-{threading.get_ident()}.tmp").symlink_to(target)

    with pytest.raises(OSError, match="symbolic links"):
        replace_file(path, b"nuevo")
    assert target.read_text() == "ajeno"


def test_a_folder_that_may_not_be_opened_is_no_trouble(tmp_path, monkeypatch):
    sync_folder(tmp_path)

    def forbidden(*_given):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", forbidden)
    sync_folder(tmp_path)


def test_on_macos_a_file_is_on_the_disk_and_not_in_its_cache(tmp_path, monkeypatch):
    asked: list[object] = []
    monkeypatch.setattr(fcntl, "F_FULLFSYNC", 51, raising=False)
    monkeypatch.setattr(fcntl, "fcntl", lambda handle, number: asked.append(number))
    replace_file(tmp_path / "nota.json", b"nuevo", sync=True)
    assert asked == [51]


def test_a_disk_of_macos_that_cannot_be_asked_is_synchronised_as_others_are(tmp_path, monkeypatch):
    asked: list[object] = []

    def refuse(handle, number):
        raise OSError(45, "Operation not supported")

    monkeypatch.setattr(fcntl, "F_FULLFSYNC", 51, raising=False)
    monkeypatch.setattr(fcntl, "fcntl", refuse)
    monkeypatch.setattr(os, "fsync", asked.append)
    replace_file(tmp_path / "nota.json", b"nuevo", sync=True)
    assert len(asked) == 1


def test_nothing_is_synchronised_by_another_way():
    texts = {path.name: path.read_text("utf-8") for path in (ROOT / "pipeline").rglob("*.py")}
    assert [name for name, text in texts.items() if "os.fsync(" in text] == ["atomic_file.py"]
