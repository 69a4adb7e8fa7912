"""Which folders of Windows and macOS may hold a ledger."""

from __future__ import annotations

import json

import pytest

from pipeline.domain.errors import StorageTrouble
from pipeline.ledger import ownership
from pipeline.runtime.drives import against_on_mac, against_on_windows
from tests.support.windows import LOCAL, PretendedWindows

DROPBOX = json.dumps({"personal": {"path": r"D:\Nube de Ana"}, "business": {"path": r"D:\Nube de la firma"}})
WINDOWS = PretendedWindows(
    drives={"C:\\": 3, "D:\\": 3, "E:\\": 2, "F:\\": 3, "G:\\": 5, "R:\\": 6, "Z:\\": 4},
    systems={"C:\\": "NTFS", "D:\\": "ReFS", "F:\\": "exFAT"},
    marked={
        r"C:\Users\ana\Documents": 0x10 | 0x400,
        r"C:\trabajo\fijada": 0x10 | 0x8_0000,
        r"C:\trabajo\lejos.db": 0x20 | 0x1000,
        r"C:\trabajo\abre.db": 0x20 | 0x4_0000,
        r"C:\trabajo\trae.db": 0x20 | 0x40_0000,
    },
    links={
        r"C:\enlace": r"\\servidor\compartida",
        r"C:\hacia-z": "Z:\\datos",
        r"C:\hacia-nube": r"C:\Users\ana\Empresa",
    },
    variables={
        "LOCALAPPDATA": LOCAL,
        "APPDATA": r"C:\Users\ana\AppData\Roaming",
        "OneDrive": r"C:\Users\ana\Cosas mías",
        "OneDriveCommercial": r"C:\Users\ana\Empresa",
    },
    onedrive=[r"D:\Otra cuenta"],
    files={LOCAL + r"\Dropbox\info.json": DROPBOX},
)


@pytest.mark.parametrize(("path", "word"), [
    (r"\\servidor\x\registro.db", "de red"),
    (r"\\?\UNC\servidor\x\registro.db", "de red"),
    (r"\\wsl.localhost\Debian\home\ana\registro.db", "de red"),
    (r"C:\enlace\registro.db", "de red"),
    (r"Z:\registro.db", "unidad de red (Z:)"),
    (r"z:\registro.db", "unidad de red"),
    (r"C:\hacia-z\registro.db", "unidad de red"),
    (r"E:\registro.db", "extraíble"),
    (r"G:\registro.db", "CD"),
    (r"R:\registro.db", "memoria"),
    (r"Q:\registro.db", "no conoce"),
    (r"\registro.db", "letra"),
    (r"C:registro.db", "letra"),
    (r"\\.\PhysicalDrive0", "red"),
    (r"F:\registro.db", "exFAT"),
    (r"C:\Users\ana\Cosas mías\registro.db", "OneDrive"),
    (r"c:\users\ANA\cosas mías\a\b\registro.db", "OneDrive"),
    (r"C:\Users\ana\Empresa\registro.db", "OneDrive"),
    (r"C:\hacia-nube\registro.db", "OneDrive"),
    (r"\\?\C:\Users\ana\Empresa\registro.db", "OneDrive"),
    (r"D:\Otra cuenta\registro.db", "OneDrive"),
    (r"D:\Nube de Ana\registro.db", "Dropbox"),
    (r"D:\Nube de la firma\registro.db", "Dropbox"),
    (r"C:\Users\luis\OneDrive\registro.db", "OneDrive"),
    (r"C:\Users\luis\OneDrive - Firma Pérez, S.A\Clientes\registro.db", "OneDrive - Firma"),
    (r"C:\Users\luis\Dropbox (Firma)\registro.db", "Dropbox (Firma)"),
    (r"C:\Users\luis\Google Drive\registro.db", "Google Drive"),
    (r"C:\Users\luis\iCloudDrive\registro.db", "iCloudDrive"),
    (r"C:\Users\luis\Box\registro.db", "Box"),
    (r"C:\Users\luis\Nextcloud\registro.db", "Nextcloud"),
    (r"C:\Users\ana\Documents\registro.db", "Documents"),
    (r"C:\trabajo\fijada\registro.db", "fijada"),
    (r"C:\trabajo\lejos.db", "lejos.db"),
    (r"C:\trabajo\abre.db", "abre.db"),
    (r"C:\trabajo\trae.db", "trae.db"),
])  # fmt: skip
def test_a_place_on_windows_that_is_shared_copied_or_not_durable_is_refused_with_its_reason(path, word):
    assert word in against_on_windows(path, WINDOWS)


@pytest.mark.parametrize(
    "path",
    [
        LOCAL + r"\anular\anular.db",
        "\\\\?\\" + LOCAL + r"\anular\anular.db",
        r"D:\contabilidad\registro.db",
        r"C:\Users\ana\Boxeo\registro.db",
        r"C:\Users\ana\Megatienda\registro.db",
        r"C:\Users\ana\Cosas mías y más\registro.db",
    ],
)
def test_a_disk_of_this_machine_is_good(path):
    assert against_on_windows(path, WINDOWS) == ""


def test_the_python_of_the_store_is_refused_since_its_files_lie_elsewhere():
    store = PretendedWindows(home=r"C:\Program Files\WindowsApps\PythonSoftwareFoundation.Python.3.13")
    assert "Microsoft Store" in against_on_windows(LOCAL + r"\anular\anular.db", store)


def test_a_damaged_note_of_dropbox_says_nothing():
    for text in ("", "{", "[1]", '{"personal": 3}'):
        assert against_on_windows(LOCAL + r"\a.db", PretendedWindows(files={LOCAL + r"\Dropbox\info.json": text})) == ""


def test_a_ledger_is_refused_there_and_in_the_sandbox_not(tmp_path):
    path = tmp_path / "OneDrive" / "registro.db"
    windows = PretendedWindows(links={str(tmp_path): r"C:\Users\luis"})
    windows.links[str(path)] = r"C:\Users\luis\OneDrive\registro.db"
    with pytest.raises(StorageTrouble, match=r"historial de envíos .*\. No se envió nada"):
        ownership.check_place(path, strict=True, windows=windows)
    ownership.check_place(path, strict=False, windows=windows)


MOUNTS = """\
/dev/disk3s1s1 on / (apfs, sealed, local, read-only, journaled)
/dev/disk3s5 on /System/Volumes/Data (apfs, local, journaled, nobrowse)
//ana@servidor/datos on /Volumes/datos (smbfs, nodev, nosuid, mounted by ana)
/dev/disk4s1 on /Volumes/LLAVE USB (msdos, local, nodev)
"""


@pytest.mark.parametrize(("path", "word"), [
    ("Library/Mobile Documents/com~apple~CloudDocs/registro.db", "iCloud"),
    ("Library/CloudStorage/OneDrive-Firma/registro.db", "sincronizada"),
    ("Desktop/registro.db", "Escritorio"),
    ("documents/Contabilidad/registro.db", "Documentos"),
])  # fmt: skip
def test_a_folder_of_macos_that_is_copied_elsewhere_is_refused(tmp_path, path, word):
    assert word in against_on_mac(tmp_path / path, tmp_path, MOUNTS)


def test_a_disk_of_the_network_is_refused_on_macos(tmp_path):
    mounts = f"{MOUNTS}//x on {tmp_path} (smbfs, nodev)\n"
    assert "smbfs" in against_on_mac(tmp_path / "a" / "registro.db", tmp_path / "home", mounts)
    assert "exfat" in against_on_mac(tmp_path / "a.db", tmp_path / "home", f"/dev/disk5 on {tmp_path} (exfat, local)")


def test_the_usual_folder_of_macos_is_good(tmp_path):
    assert against_on_mac(tmp_path / "Library/Application Support/anular/anular.db", tmp_path, MOUNTS) == ""
    assert against_on_mac(tmp_path / "Documentos viejos/registro.db", tmp_path, "nonsense") == ""
