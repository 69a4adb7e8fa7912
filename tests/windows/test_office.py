"""The first settings and the scheduled commands of an office, on Windows."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from tests.support.wine import LOCAL, USER
from tests.windows.conftest import VERSION, Desk

ANSWERS = r"""
ambiente = "probar"
carpeta = 'CARPETA'
personas = 1
[[empresa]]
nombre = "uno"
ruc = "155999991-2-2026"
[[empresa]]
nombre = "dos"
ruc = "155999992-2-2026"
"""
TASK = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"


def test_init_makes_an_office_of_two_companies_and_again_changes_nothing(desk: Desk):
    folder = rf"{USER}\Documents\Anular"
    answers = desk.wine.put(rf"{desk.folder}\respuestas.toml", ANSWERS.replace("CARPETA", folder).encode())
    settings = rf"{LOCAL}\anular\anular\anular.toml"
    bare = {"ANULAR_LEDGER": "", "ANULAR_ISSUERS": "", "ANULAR_SANDBOX_NOW": ""}
    try:
        first = desk.anular("init", "--respuestas", answers, **bare)
        assert first.code == 0, first.words
        made = desk.wine.path(settings).read_bytes()
        assert desk.names("*", rf"{folder}\inbox") == ["dos", "uno"]
        again = desk.anular("init", "--respuestas", answers, **bare)
        assert again.code == 0, again.words
        assert desk.wine.path(settings).read_bytes() == made
        assert desk.names("anular.toml*", rf"{LOCAL}\anular\anular") == ["anular.toml"]
        run = desk.anular(
            "run", desk.sample("lote.xlsx"), "--yes", "--profile", "uno", ANULAR_LEDGER="", ANULAR_ISSUERS=""
        )
        assert run.code in (1, 4), run.words
        assert desk.names("*.db", rf"{LOCAL}\anular\anular\registro") == ["uno.db"]
    finally:
        desk.wine.path(settings).unlink(missing_ok=True)


@pytest.mark.parametrize(
    ("words", "network"), [(("poll",), "true"), (("watch", USER), "true"), (("backup", USER), "false")]
)
def test_a_task_starts_this_installation_also_on_batteries(desk: Desk, words, network):
    folder = rf"{desk.folder}\Tareas"
    done = desk.anular("schedule", *words, "--at", "04:35", "--out", folder)
    assert done.code == 0, done.words
    assert "schtasks /Create" in done.words
    (path,) = desk.wine.path(folder).glob(f"anular-{words[0]}.xml")
    task = ElementTree.fromstring(path.read_bytes().decode("utf-16").partition("?>")[2])
    assert {one.text for one in task.iter(f"{TASK}DisallowStartIfOnBatteries")} == {"false"}
    assert {one.text for one in task.iter(f"{TASK}StopIfGoingOnBatteries")} == {"false"}
    assert {one.text for one in task.iter(f"{TASK}RunOnlyIfNetworkAvailable")} == {network}
    (command,) = (one.text or "" for one in task.iter(f"{TASK}Command"))
    assert desk.wine.path(command).exists()
    assert desk.wine.run("cmd", "/c", command, "--version").words.strip() == f"anular {VERSION}"
    assert command.endswith(r"\tarea.bat"), "it is to start the version in use, also after an update"
