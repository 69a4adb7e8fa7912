"""A Windows user under wine: a folder C: of their own, and programs that run there (``.ci/wine.py`` makes the rest)."""

from __future__ import annotations

import os
import shutil
import subprocess
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.scripts import CI, loaded

ROOT = Path(__file__).resolve().parents[2]
USER = r"C:\users\wine"
LOCAL = rf"{USER}\AppData\Local"
PROGRAM = rf"{LOCAL}\Programs\anular"
DOWNLOADS = rf"{USER}\Downloads"
LONGEST_S = 300.0


ci = loaded(CI / "wine.py")


@dataclass(frozen=True)
class Done:
    """How a program ended, and all that it wrote."""

    code: int
    words: str
    #: of it, what went to standard output
    out: str = ""


@dataclass
class Wine:
    """One Windows: its folder C:, and the variables that its programs have."""

    home: Path
    name: str
    variables: dict[str, str] = field(default_factory=dict)
    #: what the first installation said
    installed: Done = Done(-1, "")

    @property
    def drive(self) -> Path:
        return self.home / "root" / "root" / self.name / "drive_c"

    def path(self, there: str) -> Path:
        """Where a path of C: is on this machine."""
        assert there[:2].upper() == "C:", there
        return self.drive.joinpath(*there[2:].strip("\\").split("\\"))

    def put(self, there: str, data: bytes) -> str:
        """Writes a file; its path."""
        self.path(there).parent.mkdir(parents=True, exist_ok=True)
        self.path(there).write_bytes(data)
        return there

    def command(self, *words: str, folder: str = USER, variables: Mapping[str, str] | None = None) -> list[str]:
        """Command of this machine that runs a program there."""
        place = "/" + str(self.path(folder).relative_to(self.home / "root"))
        given = {**self.variables, **(variables or {})}
        found: list[str] = ci.inside(
            self.home / "root", f"/root/{self.name}", given, "/usr/lib/wine/wine64", *words, folder=place
        )
        return found

    def run(self, *words: str, folder: str = USER, **variables: str) -> Done:
        """Runs a program to its end."""
        done = subprocess.run(
            self.command(*words, folder=folder, variables=variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=LONGEST_S,
            check=False,
        )
        out, err = (part.decode("utf-8", "replace").replace("\r\n", "\n") for part in (done.stdout, done.stderr))
        own = [line for line in err.splitlines() if "XDG_RUNTIME_DIR" not in line]  # the rest is wine's
        return Done(done.returncode, "\n".join([out, *own]), out)

    def batch(self, *lines: str, folder: str = USER, **variables: str) -> Done:
        """Runs lines of a batch file."""
        text = "\r\n".join(["@echo off", "chcp 65001 >nul", *lines, "exit /b %ERRORLEVEL%", ""])
        self.put(r"C:\prueba.bat", text.encode())
        return self.run("cmd", "/c", r"C:\prueba.bat", folder=folder, **variables)

    def anular(self, *words: str, folder: str = USER, **variables: str) -> Done:
        """Runs the version of anular that is in use."""
        version = self.path(rf"{PROGRAM}\actual.txt").read_text().strip()
        return self.run(rf"{PROGRAM}\v\{version}\Scripts\anular.exe", *words, folder=folder, **variables)

    def end(self) -> None:
        """Ends whatever still runs there."""
        words = ci.inside(self.home / "root", f"/root/{self.name}", {}, "/usr/lib/wine/wineserver", "-k")
        subprocess.run(words, check=False, capture_output=True, timeout=60)

    def unzipped(self, folder: str, *, version: str = "") -> str:
        """The package, extracted into ``folder`` with the Python that uv installs beside it, as ``version``."""
        (package,) = (ROOT / "build").glob("anular-*-windows.zip")
        target = self.path(folder)
        with zipfile.ZipFile(package) as archive:
            for name in archive.namelist():
                file = target.joinpath(*name.split("/")[1:])
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(archive.read(name))
        if version:
            (target / "version.txt").write_bytes(f"{version}\r\n".encode())
        shutil.copytree(self.home / "mirror", target / "python")
        return folder

    def mend_numpy(self, version: str) -> None:
        """Has the installed numpy find what wine lacks."""
        shutil.copy(self.home / ci.OURS, self.path(r"C:\windows\system32"))
        count = ci.patched(self.path(rf"{PROGRAM}\v\{version}\Lib\site-packages"))
        assert count, "numpy asks for no library that wine lacks: the shim is not needed any more"


@contextmanager
def windows(home: Path, name: str) -> Iterator[Wine]:
    """A Windows whose user has never done anything; what runs there is ended, and it is removed."""
    place = home / "root" / "root" / name
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(home / "root" / "root" / "first", place, symlinks=True)
    shutil.copy(home / "downloads.json", place / "drive_c")
    # Outside of a test uv asks its own list, which names the archives of every system; here it has one.
    wine = Wine(home, name, {"UV_PYTHON_DOWNLOADS_JSON_URL": r"C:\downloads.json", "SIN_PREGUNTAS": "1"})
    try:
        yield wine
    finally:
        wine.end()
        if not os.environ.get("KEEP_WINE"):
            shutil.rmtree(place, ignore_errors=True)


def posts(lines: list[Any]) -> int:
    """How many cancellations a sandbox received, by the lines of its journal."""
    return sum(1 for one in lines if one.get("route") == "cancel" and one["method"] == "POST")
