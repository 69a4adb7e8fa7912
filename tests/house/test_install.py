"""`.ci/venv` on another day: an index of empty wheels in which every locked project has a newer release."""

from __future__ import annotations

import base64
import ensurepip
import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.support import needs

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.txt", "requirements-dev.txt")
PYTHON = sys._base_executable  # type: ignore[attr-defined]
# Those that ask for an extra of each other: what pip below 24 looks up anew beside the lock.
TRAPS = {
    "requirements.txt": {"procrastinate", "psycopg", "psycopg-pool"},
    "requirements-dev.txt": {"pytest-cov", "coverage"},
}


def wheel(folder: Path, name: str, version: str, asks_for: list[str]) -> str:
    """An empty wheel in ``folder``; returns its digest."""
    stem = f"{name.replace('-', '_')}-{version}"
    extras = sorted({extra for each in asks_for for extra in re.findall(r"extra == ['\"]([\w.-]+)['\"]", each)})
    head = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    head += [f"Provides-Extra: {extra}" for extra in extras] + [f"Requires-Dist: {each}" for each in asks_for]
    files = {
        f"{stem}.dist-info/METADATA": "\n".join(head) + "\n",
        f"{stem}.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    digests = {path: base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()) for path, text in files.items()}
    record = [f"{path},sha256={digests[path].decode().rstrip('=')},{len(text)}" for path, text in files.items()]
    files[f"{stem}.dist-info/RECORD"] = "\n".join([*record, f"{stem}.dist-info/RECORD,,"]) + "\n"
    path = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for member, text in files.items():
            archive.writestr(zipfile.ZipInfo(member), text)  # of 1980, so that the same wheel has the same digest
    return hashlib.sha256(path.read_bytes()).hexdigest()


def another_day(folder: Path, only: dict[str, set[str]] | None = None) -> dict[str, set[str]]:
    """A checkout whose locks pin what they pin, and an index that has a newer release of each; what each lock holds.

    With ``only`` these packages are all that is locked and all that they ask for.
    """
    (folder / ".ci").mkdir()
    (folder / "index").mkdir()
    shutil.copy(ROOT / ".ci" / "venv", folder / ".ci" / "venv")
    held: dict[str, set[str]] = {}
    wanted = set().union(*only.values()) if only else None
    for lock in LOCKS:
        lines = re.findall(r"^([a-z0-9][^\\\n]*) \\$", (ROOT / lock).read_text(encoding="utf-8"), re.MULTILINE)
        pinned, held[lock] = [], set()
        for line in lines:
            pin = Requirement(line)
            # An empty pip could install nothing more.
            if pin.name == "pip" or (pin.marker is not None and not pin.marker.evaluate()):
                continue
            if only is not None and pin.name not in only[lock]:
                continue
            version = str(pin.specifier).removeprefix("==")
            newer = f"{int(version.split('.')[0]) + 1}.0"
            asks_for = metadata.requires(pin.name) or []
            if wanted is not None:
                asks_for = [each for each in asks_for if Requirement(each).name in wanted]
            digest = wheel(folder / "index", pin.name, version, asks_for)
            wheel(folder / "index", pin.name, newer, asks_for)
            pinned.append(f"{line} --hash=sha256:{digest}\n")
            held[lock].add(f"{pin.name.replace('-', '_')}-{version}")
        (folder / lock).write_text("".join(pinned), encoding="utf-8")
    return held


def venv(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    own = {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder / "index")}
    return subprocess.run(
        [".ci/venv", *words], cwd=folder, env=clean | own | variables, check=False, capture_output=True, text=True
    )


def installed(folder: Path) -> set[str]:
    found = {
        path.name.removesuffix(".dist-info") for path in folder.glob(".venv/lib/python*/site-packages/*.dist-info")
    }
    return {name for name in found if not name.startswith(("pip-", "setuptools-"))}


def python_with(pip: Path, folder: Path) -> str:
    """This Python, but its environments begin with that wheel of pip, unpacked: installing it takes seconds."""
    python = folder / "python"
    unpack = f'"{PYTHON}" -m zipfile -e "{pip}" .venv/lib/python3.{sys.version_info[1]}/site-packages'
    python.write_text(
        '#!/bin/sh\ncase "$*" in\n'
        '*_base_executable*) echo "$0" ;;\n'
        f'"-m venv .venv") "{PYTHON}" -m venv --without-pip .venv && {unpack} ;;\n'
        f'*) exec "{PYTHON}" "$@" ;;\nesac\n'
    )
    python.chmod(0o755)
    return str(python)


def pip_of_this_python() -> Path | None:
    places = Path(ensurepip.__file__).parent / "_bundled", Path("/usr/share/python-wheels")
    return next((wheel for place in places for wheel in place.glob("pip-*.whl")), None)


Steps = dict[str, tuple[subprocess.CompletedProcess[str], set[str], set[str]]]
"""For each lock: how its installation ended, what was installed then, and what should be."""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("checkout")


@pytest.fixture(scope="module")
def steps(checkout: Path) -> Steps:
    held = another_day(checkout, only=TRAPS)
    pip = pip_of_this_python()
    python = python_with(pip, checkout) if pip else PYTHON
    places = f"{checkout}/index {checkout}/nowhere"
    first = venv(checkout, "requirements.txt", python, PIP_FIND_LINKS=places)
    program = installed(checkout)
    second = venv(checkout, "--add", "requirements-dev.txt", PIP_FIND_LINKS=places)
    both = held["requirements.txt"] | held["requirements-dev.txt"]
    return {
        "requirements.txt": (first, program, held["requirements.txt"]),
        "requirements-dev.txt": (second, installed(checkout), both),
    }


@pytest.mark.parametrize("lock", LOCKS)
def test_what_is_installed_is_what_the_lock_says_though_every_project_has_a_newer_release(
    lock: str, steps: Steps
) -> None:
    done, found, wanted = steps[lock]
    assert done.returncode == 0, done.stderr
    assert found == wanted


@pytest.mark.parametrize("lock", LOCKS)
def test_a_mirror_that_lacks_packages_is_no_reason_to_warn_about_each(lock: str, steps: Steps) -> None:
    assert steps[lock][0].stderr == ""


def test_a_file_that_is_not_the_locked_one_is_refused_and_pip_says_why(checkout: Path, steps: Steps) -> None:
    other = wheel(checkout / "index", "strange", "1.0", [])
    (checkout / "wrong.txt").write_text(f"strange==1.0 --hash=sha256:{other[::-1]}\n", encoding="utf-8")
    done = venv(checkout, "--add", "wrong.txt")
    assert done.returncode == 1
    assert f"Got        {other}" in done.stderr
    assert "anular: could not install wrong.txt" in done.stderr
    assert not [name for name in installed(checkout) if name.startswith("strange")]


def test_nothing_is_built_from_source(checkout: Path, steps: Steps) -> None:
    """What a build needs is in no lock."""
    source = checkout / "index" / "source-1.0.tar.gz"
    source.write_bytes(b"anything")
    digest = hashlib.sha256(b"anything").hexdigest()
    (checkout / "source.txt").write_text(f"source==1.0 --hash=sha256:{digest}\n", encoding="utf-8")
    done = venv(checkout, "--add", "source.txt")
    assert done.returncode == 1
    assert "No matching distribution found for source==1.0" in done.stderr


# ------------------------------------------------------------------------ the whole locks, and the oldest pip there is

# Debian 12's. Newer Pythons do not run it and come with a newer one, which the tests above use.
OLDEST_PIP = "pip==23.0.1 --hash=sha256:236bcb61156d76c4b8a05821b988c7b8c35bf0da28a4b614e8d6ab5212c25c6f\n"


def oldest_pip(folder: Path) -> Path:
    (folder / "pip.txt").write_text(OLDEST_PIP)
    fetch = [sys.executable, "-m", "pip", "download", "--quiet", "--require-hashes", "-r", "pip.txt", "-d", "."]
    if subprocess.run(fetch, cwd=folder, check=False, capture_output=True).returncode:
        needs.missing("the oldest pip comes from the package index, once: make it reachable")
    return next(folder.glob("pip-*.whl"))


@pytest.mark.long
@pytest.mark.skipif(sys.version_info >= (3, 12), reason="no Python from 3.12 on runs the pip of Debian 12")
def test_whole_locks_are_installed_by_the_oldest_pip_of_a_supported_python(tmp_path: Path) -> None:
    python = python_with(oldest_pip(tmp_path), tmp_path)
    held = another_day(tmp_path)
    for words in (["requirements.txt", python], ["--add", "requirements-dev.txt"]):
        done = venv(tmp_path, *words)
        assert done.returncode == 0, done.stderr
        assert list(tmp_path.glob(".venv/lib/python*/site-packages/pip-23.0.1.dist-info"))
        assert installed(tmp_path) >= held[words[-1] if "--add" in words else "requirements.txt"]
    assert installed(tmp_path) == held["requirements.txt"] | held["requirements-dev.txt"]
