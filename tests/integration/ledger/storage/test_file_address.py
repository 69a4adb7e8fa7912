"""A ledger lies in the folder that was named, whatever signs its name has, and nowhere else."""

from __future__ import annotations

import pytest

from pipeline.ledger.storage.location import location_of, open_ledger
from pipeline.ledger.storage.sqlite import connect, sqlite_path
from pipeline.runtime import folders
from pipeline.runtime.file_address import file_address
from pipeline.settings.load import default_ledger, default_office

NAMES = ["a%20b", "a%2520b", "100%", "¿qué?", "Compañía #1; & hijos", "a b"]


@pytest.mark.parametrize("name", NAMES)
def test_an_address_leads_to_the_file_it_was_made_of(tmp_path, name):
    assert sqlite_path(file_address(tmp_path / name / "registro.db")) == tmp_path / name / "registro.db"


@pytest.mark.parametrize("name", NAMES)
def test_a_ledger_lies_in_its_folder_and_nowhere_else(tmp_path, name):
    path = tmp_path / name / "registro.db"
    open_ledger(file_address(path)).close()
    assert [one.name for one in tmp_path.iterdir()] == [name]
    assert path.stat().st_size > 0
    with location_of(file_address(path)).alone():
        assert [one.name for one in tmp_path.iterdir()] == [name]


def test_a_name_is_not_decoded_a_second_time(tmp_path):
    (tmp_path / "a%20b").mkdir()
    connect(tmp_path / "a%20b" / "x.db").connect().close()
    assert (tmp_path / "a%20b" / "x.db").exists()


def test_the_usual_places_are_in_a_home_of_any_name(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "50%41"))
    monkeypatch.setattr(folders, "SYSTEM", "linux")
    assert sqlite_path(default_ledger()) == tmp_path / "50%41" / "anular" / "anular.db"
    assert sqlite_path(default_office([])) == tmp_path / "50%41" / "anular" / "anular-office.db"


@pytest.mark.parametrize("written", ["registro.db", "REGISTRO.DB"])
def test_where_capitals_do_not_count_a_missing_ledger_is_missed_however_it_is_written(tmp_path, monkeypatch, written):
    monkeypatch.setattr("os.path.normcase", lambda path: str(path).lower())
    there = location_of(file_address(tmp_path / "registro.db")).key
    assert location_of(file_address(tmp_path / written)).key == there
