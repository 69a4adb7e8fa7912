"""Writes .ci/requires.json: what those locked packages ask for that not every machine has. Called by `make lock`.

A lock is installed without resolving, so it has to be closed: whatever a locked package asks for is locked too. The
test of that (tests/house/test_locks.py) reads the metadata of what is installed, and this file for the rest: packages
for Windows, for older Pythons, and the like, and all that is installed in a folder beside the environment. A package's
wheels are taken to ask for the same, whatever they are for.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

LOCKS = ("requirements.txt", "requirements-dev.txt")
BESIDE = ("requirements-fuzz.txt", "requirements-docs.txt")  # installed in folders of their own
FILE = Path(".ci/requires.json")

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
SYSTEMS = (
    {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "platform_machine": "x86_64"},
    {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "platform_machine": "aarch64"},
    {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix", "platform_machine": "x86_64"},
    {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix", "platform_machine": "arm64"},
    {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt", "platform_machine": "AMD64"},
    {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt", "platform_machine": "ARM64"},
)
WHEELS = ("manylinux_2_17_x86_64", "manylinux_2_28_x86_64", "manylinux_2_34_x86_64", "win_amd64", "macosx_11_0_arm64")


def environments() -> Iterator[dict[str, str]]:
    """Every machine that the program is for, as the markers of requirements ask about it."""
    same = {"implementation_name": "cpython", "platform_python_implementation": "CPython", "extra": ""}
    for python in PYTHONS:
        version = {
            "python_version": python,
            "python_full_version": f"{python}.9",
            "implementation_version": f"{python}.9",
        }
        for system in SYSTEMS:
            yield {**same, **version, **system}


def pins(lock: str) -> list[Requirement]:
    """What the text of a lock pins, each with its marker."""
    return [Requirement(line.strip()) for line in re.findall(r"^([a-z0-9][^\\\n]*) \\$", lock, re.MULTILINE)]


def not_everywhere() -> list[Requirement]:
    """The pins of all locks whose packages not every environment has."""
    locks = {lock: pins(Path(lock).read_text(encoding="utf-8")) for lock in (*LOCKS, *BESIDE)}
    return [pin for lock, held in locks.items() for pin in held if pin.marker is not None or lock in BESIDE]


def newest_python(pin: Requirement) -> str:
    """The newest Python for which the package is meant."""
    fitting = [e["python_version"] for e in environments() if pin.marker is None or pin.marker.evaluate(e)]
    return max(fitting, key=PYTHONS.index)


def ask(python: str, wanted: list[str]) -> list[dict[str, Any]]:
    """The metadata of the wheels of these versions, as pip reports it; nothing is installed."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--dry-run", "--ignore-installed", "--report", "-", "--only-binary", ":all:", "--target", folder]
        command += ["--python-version", python, *(f"--platform={wheel}" for wheel in WHEELS), *wanted]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return [package["metadata"] for package in json.loads(done.stdout)["install"]]


def main() -> None:
    """Asks the package index only when the file says something else than the locks."""
    conditional = {f"{pin.name}{pin.specifier}": pin for pin in not_everywhere()}
    known = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    found = {name: known[name] for name in conditional if name in known}
    for python in PYTHONS:
        wanted = [n for n, pin in conditional.items() if n not in found and newest_python(pin) == python]
        for metadata in ask(python, wanted) if wanted else ():
            name = re.sub(r"[-_.]+", "-", metadata["name"]).lower()
            found[f"{name}=={metadata['version']}"] = metadata.get("requires_dist", [])
    FILE.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
