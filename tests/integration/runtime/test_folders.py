"""The folder of state lies apart from that of data, so that a restored one does not bring the other."""

from __future__ import annotations

import pytest
from platformdirs.macos import MacOS
from platformdirs.windows import Windows, get_win_folder_from_env_vars
from pydantic import SecretStr

from pipeline.domain.errors import StorageTrouble
from pipeline.ledger import watermark
from pipeline.ledger.storage.location import open_ledger
from pipeline.runtime import folders
from pipeline.settings.load import default_ledger
from pipeline.settings.model import Env, Settings
from pipeline.wiring.ledger import open_memory
from tests.support.windows import PretendedWindows


@pytest.fixture(params=["win32", "darwin"])
def system(request, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "ana"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "ana" / "Local"))
    monkeypatch.setenv("APPDATA", str(tmp_path / "ana" / "Roaming"))
    monkeypatch.setattr(folders, "SYSTEM", request.param)
    monkeypatch.setattr("platformdirs.windows.get_win_folder", get_win_folder_from_env_vars)  # another needs Windows
    return request.param


def test_data_is_where_it_was(system):
    before = Windows("anular") if system == "win32" else MacOS("anular")
    assert str(folders.data_folder()) == before.user_data_dir
    assert str(folders.config_folder()) == before.user_config_dir


def test_state_is_not_within_the_folder_of_data_nor_data_within_that_of_state(system):
    data, state = folders.data_folder(), folders.state_folder()
    assert not state.is_relative_to(data)
    assert not data.is_relative_to(state)


def test_what_an_earlier_version_kept_is_brought_once(system):
    before = folders.data_folder()
    (before / "registros").mkdir(parents=True)
    (before / "registros" / "lugar-1.json").write_text("{}")
    (before / "anular.db").write_text("ledger")

    assert (folders.state_folder() / "registros" / "lugar-1.json").read_text() == "{}"
    assert sorted(path.name for path in before.iterdir()) == ["anular.db"]
    (before / "registros").mkdir()  # as a restored folder has it
    folders.state_folder()
    assert (before / "registros").exists()


def test_on_linux_every_folder_is_where_it_was(tmp_path, monkeypatch):
    for name in ("DATA", "STATE", "CONFIG"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name))
    monkeypatch.setattr(folders, "SYSTEM", "linux")
    assert folders.data_folder() == tmp_path / "DATA" / "anular"
    assert folders.state_folder() == tmp_path / "STATE" / "anular"
    assert folders.config_folder() == tmp_path / "CONFIG" / "anular"


def configured() -> Settings:
    bare: dict = {}
    values = {"env": Env.LAB, "ledger": default_ledger(), "user": "usuario", "password": SecretStr("clave")}
    return Settings(**bare).model_copy(update=values)


@pytest.mark.sqlite
def test_a_folder_of_data_that_was_restored_or_deleted_is_noticed(system, tmp_path):
    with open_memory(configured()):
        pass
    data, backup = folders.data_folder(), tmp_path / "backup"
    data.rename(backup)
    with pytest.raises(StorageTrouble) as lost, open_memory(configured()):
        pass
    assert lost.value.code == "ledger-lost"
    assert lost.value.exit_code == 5


def windows_notes(tmp_path, monkeypatch):
    windows = PretendedWindows()
    monkeypatch.setattr(watermark, "this_windows", lambda: windows)
    return tmp_path / "registros"


@pytest.mark.sqlite
def test_the_registry_of_windows_knows_a_ledger_whose_notes_are_gone(book, row, tmp_path, monkeypatch):
    notes = windows_notes(tmp_path, monkeypatch)
    watermark.keep(notes, book.database)
    for note in notes.iterdir():
        note.unlink()
    assert watermark.missed(notes, book.database.key)
    assert not watermark.missed(notes, b"another place")


@pytest.mark.sqlite
def test_notes_that_were_restored_are_older_than_those_of_the_registry(without_wal, book, row, tmp_path, monkeypatch):
    notes = windows_notes(tmp_path, monkeypatch)
    watermark.keep(notes, book.database)
    older = {note.name: note.read_bytes() for note in notes.iterdir()}
    copy = book.database.path.read_bytes()
    book.take([row(1)])
    watermark.keep(notes, book.database)
    book.database.close()
    book.database.path.write_bytes(copy)
    for name, data in older.items():
        (notes / name).write_bytes(data)

    back = open_ledger(book.url)
    assert any("copia anterior" in doubt for doubt in watermark.doubts(notes, back))
    back.close()
