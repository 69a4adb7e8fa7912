"""Where the office database is: one per machine, or on the server that all companies share; made only by who writes."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pipeline.domain.errors import StorageTrouble
from pipeline.settings.load import load_settings
from pipeline.wiring.office import office_exists, office_if_any, opened_office

SERVER = "postgresql+psycopg://anular@servidor/anular"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A user's folders without anything of ours in them."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "datos"))
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def with_file(monkeypatch, home, text):
    path = home / "anular.toml"
    path.write_text(text)
    monkeypatch.setenv("ANULAR_CONFIG", str(path))


def test_by_default_it_is_a_file_in_the_users_data_folder(home):
    assert load_settings().office == f"sqlite:///{home / 'datos' / 'anular' / 'anular-office.db'}"


def test_companies_that_share_one_server_have_it_there(home, monkeypatch):
    with_file(monkeypatch, home, f'ledger = "{SERVER}"\n[profile.norte]\n[profile.sur]\n')
    assert load_settings("norte").office == load_settings("sur").office == load_settings().office == SERVER


def test_companies_with_ledgers_in_different_places_have_it_in_a_file(home, monkeypatch):
    with_file(monkeypatch, home, f'[profile.norte]\nledger = "{SERVER}"\n[profile.sur]\n')
    assert load_settings("norte").office == load_settings("sur").office
    assert load_settings("norte").office.startswith("sqlite:///")


def test_another_ledger_for_one_command_does_not_move_it(home):
    assert load_settings("", SERVER).office == load_settings().office


def test_a_setting_says_otherwise(home, monkeypatch):
    monkeypatch.setenv("ANULAR_OFFICE", f"sqlite:///{home}/otra.db")
    assert load_settings().office == f"sqlite:///{home}/otra.db"


def test_whoever_only_looks_makes_none(home):
    settings = load_settings()
    with office_if_any(settings) as office:
        assert office is None
    assert not office_exists(settings)
    with opened_office(settings):
        assert office_exists(settings)
    with office_if_any(settings) as office:
        assert office is not None


def test_where_there_is_none_nothing_of_it_is_imported(home):
    """Looking for it costs a command nothing."""
    code = (
        "import sys\n"
        "from pipeline.settings.load import load_settings\n"
        "from pipeline.wiring.office import office_if_any\n"
        "with office_if_any(load_settings()) as office: assert office is None\n"
        "print([name for name in sys.modules if name.startswith(('pipeline.office', 'alembic'))])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_in_a_place_that_others_may_write_it_is_refused(home, monkeypatch):
    folder = home / "comun"
    folder.mkdir()
    path = folder / "oficina.db"
    monkeypatch.setenv("ANULAR_OFFICE", f"sqlite:///{path}")
    with opened_office(load_settings()):
        pass
    path.chmod(0o666)
    with pytest.raises(StorageTrouble, match="La base de datos de la oficina"), opened_office(load_settings()):
        pass


def test_one_that_was_left_behind_in_a_file_is_not_forgotten(home, monkeypatch):
    """The companies moved to a server one after the other; proposals and certificates are still in the file."""
    with opened_office(load_settings()):
        pass
    with_file(monkeypatch, home, f'ledger = "{SERVER}"\n')
    with pytest.raises(StorageTrouble) as caught, opened_office(load_settings()):
        pass
    assert caught.value.code == "office-left-behind"
    assert f"--from sqlite:///{home}/datos/anular/anular-office.db --to {SERVER}" in caught.value.remedy
