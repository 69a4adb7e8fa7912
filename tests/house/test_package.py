"""The package that an office installs: the same bytes again; scripts that change nothing when they fail."""

from __future__ import annotations

import hashlib
import io
import os
import re
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.support.scripts import CI, loaded

ROOT = Path(__file__).resolve().parents[2]
WINDOWS, UNIX = ROOT / "installers" / "windows", ROOT / "installers" / "unix"
BATCHES = sorted(WINDOWS.glob("*.bat"))


package = loaded(CI / "package.py")
FILES = {
    "ruedas/a-1.0-py3-none-any.whl": b"wheel",
    "uv": b"\x7fELF",
    "instalar.sh": b"#!/bin/sh\n",
    "version.txt": b"1\n",
}


@pytest.mark.parametrize("ending", [".zip", ".tar.gz"])
def test_the_same_files_make_the_same_bytes_in_whatever_order_they_come(ending):
    once = package.packed(FILES, "anular-1", ending)
    again = package.packed(dict(reversed(FILES.items())), "anular-1", ending)
    assert once == again


def test_a_package_holds_its_files_in_one_folder_and_scripts_can_be_started():
    with zipfile.ZipFile(io.BytesIO(package.packed(FILES, "anular-1", ".zip"))) as archive:
        assert {name: archive.read(f"anular-1/{name}") for name in FILES} == FILES
        assert {info.date_time for info in archive.infolist()} == {package.MOMENT}
    with tarfile.open(fileobj=io.BytesIO(package.packed(FILES, "anular-1", ".tar.gz"))) as archive:
        modes = {member.name: member.mode for member in archive.getmembers()}
    assert modes["anular-1/uv"] == modes["anular-1/instalar.sh"] == 0o755
    assert modes["anular-1/version.txt"] == 0o644


def test_the_sums_are_those_of_the_files():
    told = dict(reversed(line.split("  ")) for line in package.sums(FILES).decode().splitlines())
    assert told == {name: hashlib.sha256(data).hexdigest() for name, data in FILES.items()}


def test_the_lock_of_a_package_has_the_one_hash_of_each_wheel_in_it():
    (line,) = package.lock_of({"jaraco_context-6.1.2-py3-none-any.whl": b"wheel"}).splitlines()
    assert line == f"jaraco_context==6.1.2 --hash=sha256:{hashlib.sha256(b'wheel').hexdigest()}"


def test_a_wheel_that_the_locks_do_not_hold_ends_the_making():
    with pytest.raises(SystemExit, match=r"a-1\.0"):
        package.check_locked({"a-1.0-py3-none-any.whl": b"wheel"}, "--hash=sha256:abc")
    package.check_locked({"a": b"wheel"}, f"--hash=sha256:{hashlib.sha256(b'wheel').hexdigest()}")


def test_uv_is_pinned_by_the_lock_of_the_tools():
    assert package.pin_of("uv", (ROOT / "requirements-dev.txt").read_text("utf-8")).startswith("uv==")


def test_a_text_for_windows_has_its_line_ends_once():
    assert package.as_on(b"a\nb\r\n", ".bat") == b"a\r\nb\r\n"
    assert package.as_on(b"a\n", ".sh") == b"a\n"


# --------------------------------------------------------------------------------------------------- batch files


@pytest.mark.parametrize("path", [*BATCHES, WINDOWS / "LEAME.txt"], ids=lambda path: path.name)
def test_what_is_read_in_a_console_of_windows_is_ascii(path):
    assert path.read_bytes().isascii()


@pytest.mark.parametrize("path", BATCHES, ids=lambda path: path.name)
def test_a_batch_file_takes_any_name_of_a_file(path):
    text = path.read_text("ascii")
    assert text.startswith("@echo off\n")
    assert "setlocal EnableExtensions DisableDelayedExpansion" in text  # ! in a name
    assert ("%*" in text) == (path.name == "tarea.bat")  # & and ( in a name; what is scheduled has all in quotes
    assert not re.search(r'(?<!")%~f?1|%~f?1(?!")', text)
    assert "ANULAR_" not in text  # the program refuses variables that it does not know
    assert text.rstrip().endswith("exit /b %RC%")


@pytest.mark.parametrize("path", BATCHES, ids=lambda path: path.name)
def test_every_place_that_a_batch_file_goes_to_is_there(path):
    text = path.read_text("ascii")
    labels = set(re.findall(r"^:(\w+)", text, re.MULTILINE))
    assert set(re.findall(r"goto (\w+)", text)) <= labels
    assert all(re.search(rf"goto {label}\b", text) for label in labels - {"apuntar"} if label)


def test_the_pointer_is_written_after_everything_that_can_fail():
    text = (WINDOWS / "Instalar.bat").read_text("ascii")
    pointer = text.index('>"%RAIZ%\\actual.txt" echo')
    for before in ("backup", "python install", 'uv.exe" venv', "--require-hashes", "--version"):
        assert text.index(before) < pointer


def test_going_back_is_tried_with_the_version_of_before_first():
    text = (WINDOWS / "Volver.bat").read_text("ascii")
    assert text.index('backup "%COPIAS%" --all --idle') < text.index('>"%RAIZ%\\actual.txt" echo')


# ------------------------------------------------------------------------------------------------- Linux and macOS

# An ``anular`` that says what it was told; its ``backup`` ends with 6 while something is at work.
FAKE_UV = """#!/bin/sh
[ ! -e "$(dirname "$0")/broken" ] || exit 1
for last; do :; done
case "$*" in
*venv*) mkdir -p "$last/bin" ;;
*pip*install*)
    target=$(printf '%s\\n' "$@" | sed -n 's|/bin/python$||p')
    printf '#!/bin/sh\\necho "anular %s $*"\\n[ "$1" != backup ] || [ ! -e "$HOME/busy" ] || exit 6\\n' \\
        "$(cat "$(dirname "$0")/version.txt")" > "$target/bin/anular"
    chmod 755 "$target/bin/anular" ;;
esac
"""


@pytest.fixture
def home(tmp_path):
    """A home folder, and a function that unpacks a version and installs it."""
    folder = tmp_path / "casa de Ñandú"
    folder.mkdir()
    environment = {"HOME": str(folder), "PATH": os.environ["PATH"]}

    def run(*command):
        return subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=180)

    def install(version, *, broken=False):
        place = tmp_path / f"anular & ({version})"
        place.mkdir(exist_ok=True)
        for script in UNIX.iterdir():
            (place / script.name).write_bytes(script.read_bytes())
        (place / "uv").write_text(FAKE_UV)
        (place / "uv").chmod(0o755)
        files = {"version.txt": version, "python.txt": "3.13", "requirements.txt": "", "ejemplo.xlsx": ""}
        for name, text in files.items():
            (place / name).write_text(f"{text}\n")
        (place / "broken").unlink(missing_ok=True)
        if broken:
            (place / "broken").write_text("")
        return run("sh", str(place / "instalar.sh"))

    def anular():
        return run(str(folder / ".local" / "bin" / "anular"), "status").stdout

    return install, anular, lambda: run("sh", str(folder / ".local/share/anular-programa/volver.sh"))


def test_an_update_goes_on_to_the_new_version_and_back_again(home):
    install, anular, back = home
    assert install("0.1.0").returncode == 0
    assert anular() == "anular 0.1.0 status\n"
    assert back().returncode == 1  # there is none before
    assert "0.1.0" in install("0.2.0").stdout
    assert anular() == "anular 0.2.0 status\n"
    assert back().returncode == 0
    assert anular() == "anular 0.1.0 status\n"
    assert back().returncode == 0
    assert anular() == "anular 0.2.0 status\n"


def test_an_installation_that_fails_changes_nothing_and_can_be_done_again(home):
    install, anular, _ = home
    assert install("0.1.0").returncode == 0
    failed = install("0.2.0", broken=True)
    assert failed.returncode == 1
    assert "No se cambió nada" in failed.stderr
    assert anular() == "anular 0.1.0 status\n"
    assert install("0.2.0").returncode == 0
    assert anular() == "anular 0.2.0 status\n"


def test_the_same_version_again_is_no_version_before(home):
    install, anular, back = home
    install("0.1.0")
    assert install("0.1.0").returncode == 0
    assert back().returncode == 1
    assert anular() == "anular 0.1.0 status\n"


def test_nothing_is_updated_or_taken_back_while_a_ledger_is_in_use(home, tmp_path):
    install, anular, back = home
    install("0.1.0")
    busy = tmp_path / "casa de Ñandú" / "busy"
    busy.touch()
    refused = install("0.2.0")
    assert refused.returncode == 1
    assert "Sigue la versión 0.1.0" in refused.stderr
    assert anular() == "anular 0.1.0 status\n"
    busy.unlink()
    assert "backup" in install("0.2.0").stdout, "the version of before copies the ledgers"
    busy.touch()
    assert back().returncode == 1
    assert anular() == "anular 0.2.0 status\n"
    busy.unlink()
    assert back().returncode == 0
