"""A folder that was not made for it is not taken for a drop folder: nothing is made in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.domain.errors import WrongUsage
from pipeline.watch.places import check_drop_folder, lay_out


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    folder = tmp_path / "home" / "ana"
    folder.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(folder))
    return folder


def refused(folder: Path) -> str:
    with pytest.raises(WrongUsage) as trouble:
        check_drop_folder(folder)
    assert trouble.value.code == "watch-not-a-drop-folder"
    return trouble.value.sentence


def test_the_root_of_a_disk_is_refused():
    assert "es la raíz de un disco" in refused(Path("/"))


def test_a_home_folder_is_refused_and_so_is_the_folder_of_all_homes(home):
    assert "carpeta personal" in refused(home)
    assert "carpeta personal" in refused(home.parent)


def test_a_link_to_the_root_is_the_root(tmp_path):
    (tmp_path / "atajo").symlink_to("/")

    assert "raíz" in refused(tmp_path / "atajo")


def test_a_folder_with_other_things_in_it_is_refused_until_inbox_is_made_in_it_or_another_is_named(tmp_path):
    folder = tmp_path / "contabilidad"
    folder.mkdir()
    (folder / "informe.xlsx").write_bytes(b"")

    assert "tiene otras cosas dentro" in refused(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["informe.xlsx"]

    (tmp_path / "vacia").mkdir()
    check_drop_folder(tmp_path / "vacia")
    (folder / "inbox").mkdir()
    check_drop_folder(folder)


@pytest.mark.parametrize(("windows", "found"), [(True, ["", "ACME"]), (False, [""])])
def test_where_capitals_do_not_count_a_folder_is_its_profiles_however_it_is_written(tmp_path, windows, found):
    (tmp_path / "inbox" / "acme").mkdir(parents=True)
    lanes, strange = lay_out(tmp_path, "", ["ACME", "beta"], windows=windows)
    assert [lane.profile for lane in lanes] == found
    assert len(strange) == (0 if windows else 1)


def test_of_two_profiles_that_differ_in_capitals_a_folder_is_one_or_none(tmp_path):
    for name in ("acme", "Acme"):
        (tmp_path / "inbox" / name).mkdir(parents=True)
    lanes, strange = lay_out(tmp_path, "", ["ACME", "acme"], windows=True)
    assert [lane.profile for lane in lanes] == ["", "acme"]
    assert [path.name for path in strange] == ["Acme"]
