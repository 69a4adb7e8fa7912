"""Instalar.bat, Anular.bat and Volver.bat on Windows: for one user, from the package alone, and nothing half done."""

from __future__ import annotations

import shutil

import pytest

from tests.support.wine import DOWNLOADS, LOCAL, PROGRAM, USER, Wine
from tests.windows.conftest import PACKAGE, VERSION, Desk, install


def pointer(wine: Wine, name: str = "actual") -> str:
    path = wine.path(rf"{PROGRAM}\{name}.txt")
    return path.read_text().strip() if path.exists() else ""


def test_the_package_installs_itself_for_this_user_with_a_python_of_its_own(wine: Wine):
    assert wine.installed.code == 0, wine.installed.words
    assert f"Listo: anular {VERSION}" in wine.installed.words
    assert pointer(wine) == VERSION
    assert wine.path(rf"{USER}\Desktop\Anular.bat").exists()
    assert wine.anular("--version").words.strip() == f"anular {VERSION}"
    assert [one.name for one in wine.path(rf"{PROGRAM}\python").glob("cpython-3.13*")]


@pytest.mark.parametrize(
    ("folder", "words"),
    [
        (rf"{LOCAL}\Temp\Temp1_anular.zip\p", "Primero extraiga el ZIP"),
        (rf"{USER}\OneDrive - Firma\p", "se sincroniza"),
        (rf"{USER}\Dropbox\p", "se sincroniza"),
    ],
)
def test_it_is_not_installed_from_within_the_zip_or_from_a_folder_that_is_copied(wine: Wine, folder, words):
    shutil.copytree(wine.path(PACKAGE), wine.path(folder))
    done = install(wine, folder)
    assert done.code == 1
    assert words in done.words
    assert pointer(wine) == VERSION


@pytest.mark.parametrize("fault", ["gone", "changed"])
def test_a_package_that_is_not_whole_installs_nothing_and_the_version_of_before_goes_on(wine: Wine, fault):
    folder = wine.unzipped(rf"{DOWNLOADS}\incompleto & ({fault})", version="0.9.0")
    (wheel,) = wine.path(folder).glob("ruedas/rich-*.whl")
    if fault == "gone":
        wheel.unlink()
    else:
        wheel.write_bytes(wheel.read_bytes()[:-1] + b"x")
    done = install(wine, folder)
    assert done.code == 1
    assert "No se cambio nada" in done.words
    assert pointer(wine) == VERSION
    assert wine.anular("--version").code == 0


def test_another_version_takes_over_and_volver_goes_back_and_forth(wine: Wine, desk: Desk):
    assert install(wine, wine.unzipped(rf"{DOWNLOADS}\nueva", version="0.2.0")).code == 0
    assert (pointer(wine), pointer(wine, "anterior")) == ("0.2.0", VERSION)
    wine.mend_numpy("0.2.0")
    try:
        back = wine.batch(f'call "{PROGRAM}\\Volver.bat"')
        assert back.code == 0, back.words
        assert (pointer(wine), pointer(wine, "anterior")) == (VERSION, "0.2.0")
        assert wine.batch(f'call "{PROGRAM}\\Volver.bat"').code == 0
        assert pointer(wine) == "0.2.0"
        assert desk.anular("check", desk.sample("lote.xlsx")).code == 1
    finally:
        assert wine.batch(f'call "{PROGRAM}\\Volver.bat"').code == 0
    assert pointer(wine) == VERSION
