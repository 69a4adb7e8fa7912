"""The month of the sample on Windows: checked, sent once, watched, verified and copied, under any name of a file."""

from __future__ import annotations

import json

import pytest

from tests.support.wine import DOWNLOADS, LOCAL, USER, posts
from tests.windows.conftest import Desk


@pytest.mark.parametrize(
    "name",
    [
        "lote & (nov) hoy.xlsx",
        "anulaciones de Ñandú.xlsx",
        "a^b ! c.xlsx",
        pytest.param(
            "50% del mes.xlsx",
            marks=pytest.mark.xfail(strict=True, reason="wine's own cmd takes away a lone percent sign"),
        ),
    ],
)
def test_a_file_that_is_dropped_on_anular_is_checked_whatever_its_name(desk: Desk, name):
    file = desk.sample(name)
    # As the desktop starts it: the name is an argument, and stands in no batch file.
    done = desk.wine.run("cmd", "/c", rf"{USER}\Desktop\Anular.bat", file, folder=desk.folder, **desk.settings)
    assert done.code == 1, done.words  # there are rows to correct
    assert name in done.words
    assert desk.names("*__revision.xlsx") == [f"{name.removesuffix('.xlsx')}__revision.xlsx"]


def test_a_batch_is_sent_once_and_is_verified_copied_and_told(desk: Desk):
    file = desk.sample("lote & (ñ).xlsx")
    first = desk.anular("run", file, "--yes")
    assert first.code == 4, first.words
    sent = posts(desk.journal())
    assert sent >= 100
    assert len({one["cufe"] for one in desk.journal() if one.get("route") == "cancel" and one["status"] == 200}) > 80

    again = desk.anular("run", file, "--yes")
    assert again.code == 4, again.words
    assert "ya recibido" in again.words
    assert posts(desk.journal()) == sent, "a second run sent something"

    told = desk.anular("status", "--json")
    assert told.code == 0, told.words
    (batch,) = json.loads(told.out)
    assert (batch["file"], sum(batch["outcomes"].values())) == ("lote & (ñ).xlsx", 120)
    assert "íntegro" in desk.anular("verify").words
    copies = rf"{DOWNLOADS}\copias de Ñandú"
    assert desk.anular("backup", copies).code == 0
    (copy,) = desk.wine.path(copies).glob("*.db")
    assert desk.anular("verify", rf"{copies}\{copy.name}").code == 0
    assert len(desk.names("*__resultados*.xlsx")) == 1, "the second run left another workbook for the same"


def test_the_drop_folder_takes_a_file_and_puts_it_away(desk: Desk):
    inbox = rf"{desk.folder}\inbox"
    desk.wine.put(rf"{inbox}\nov.xlsx", desk.wine.path(desk.sample("nov.xlsx")).read_bytes())
    desk.wine.put(rf"{inbox}\nov.xlsx.ok", b"x")
    done = desk.anular("watch", desk.folder, "--once")
    assert done.code in (0, 4), done.words
    assert desk.names("nov*", rf"{desk.folder}\inbox") == []
    assert "nov.xlsx" in desk.names("*", rf"{desk.folder}\done"), done.words


@pytest.mark.parametrize(
    ("ledger", "words"),
    [
        (r"C:\users\wine\OneDrive - Firma\registro.db", "OneDrive - Firma"),
        (r"C:\users\wine\Dropbox\registro.db", "Dropbox"),
        (r"Y:\registro.db", "unidad de red"),
        (r"\\servidor\compartida\registro.db", "carpeta de red"),
    ],
)
def test_a_ledger_is_refused_where_it_would_be_copied_or_shared(desk: Desk, ledger, words):
    wine = desk.wine
    link = wine.drive.parent / "dosdevices" / "y:"
    if not link.is_symlink():
        shared = wine.home / "root" / "srv"
        shared.mkdir(exist_ok=True)
        link.symlink_to("/srv")
        key = r"HKLM\Software\Wine\Drives"
        assert wine.run("reg", "add", key, "/v", "y:", "/d", "network", "/f").code == 0
        wine.end()
    address = "sqlite:///" + ledger.replace("\\", "/")
    outside = {"ANULAR_ENV": "lab", "ANULAR_USER": "u", "ANULAR_PASSWORD": "p", "ANULAR_SANDBOX_NOW": ""}
    done = desk.anular("poll", ANULAR_LEDGER=address, **outside)
    assert done.code == 5, done.words
    assert words in done.words
    assert "ledger-place" in done.words


def test_a_ledger_in_the_folder_of_local_data_is_accepted(desk: Desk):
    outside = {"ANULAR_ENV": "lab", "ANULAR_SANDBOX_NOW": "", "ANULAR_ISSUERS": "155999991-2-2026"}
    done = desk.anular("poll", ANULAR_LEDGER=f"sqlite:///{LOCAL}/anular/lab.db".replace("\\", "/"), **outside)
    assert done.code == 2
    assert "credentials-missing" in done.words
