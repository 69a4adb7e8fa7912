"""The locked requirements: hashes for everything, addresses for nothing, closed, and in step with pyproject.toml."""

from __future__ import annotations

import json
import re
import tomllib
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from tests.support.scripts import CI, loaded

ROOT = Path(__file__).resolve().parents[2]
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT: dict[str, Any] = PYPROJECT["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
LOCKS = ["requirements.txt", "requirements-dev.txt", "requirements-fuzz.txt", "requirements-docs.txt"]


requires = loaded(CI / "requires.py")


def normal(requirement: str) -> str:
    """The name of a requirement as the locks spell it."""
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", requirement)[0]).lower()  # type: ignore[index]


def locked(lock: str) -> dict[str, str]:
    """Each locked package and the lines that belong to it."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    return {normal(entry): entry for entry in entries}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_is_pinned_and_has_hashes(lock: str) -> None:
    entries = locked(lock)
    assert entries
    for name, entry in entries.items():
        assert re.match(r"[a-z0-9-]+==[0-9][\w.+!]*( ;[^\n]*)? \\\n", entry), f"{lock}: {name} is not pinned"
        assert re.search(r"^    --hash=sha256:[0-9a-f]{64}", entry, re.MULTILINE), f"{lock}: {name} has no hash"


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_address_and_no_place_of_a_machine(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert not re.search(r"://|file:|@ |--index|--extra-index|--find-links|(^|\s)(-i|-f|-e) |\s/\w", text, re.MULTILINE)


def test_what_the_program_needs_is_locked_and_so_is_the_build_backend() -> None:
    wanted = {normal(r) for r in [*PROJECT["dependencies"], *EXTRAS["build"], *EXTRAS["postgres"]]}
    assert len(wanted) > 15
    assert wanted <= locked("requirements.txt").keys()


def test_what_developers_need_is_locked() -> None:
    wanted = {normal(r) for extra in EXTRAS.values() for r in extra}
    assert wanted <= locked("requirements-dev.txt").keys()


def test_the_fuzzer_has_a_lock_of_its_own() -> None:
    """It is large, and there are machines for which it does not exist."""
    assert locked("requirements-fuzz.txt").keys() == {"atheris"}
    assert not {"atheris"} & (locked("requirements.txt").keys() | locked("requirements-dev.txt").keys())


def test_what_builds_the_site_has_a_lock_of_its_own() -> None:
    """It is large, and nothing else needs it."""
    assert {normal(each) for each in PYPROJECT["dependency-groups"]["docs"]} <= locked("requirements-docs.txt").keys()
    assert not {"mkdocs", "mkdocs-material"} & locked("requirements-dev.txt").keys()


def test_no_tool_of_developers_reaches_the_program() -> None:
    tools = {normal(r) for r in EXTRAS["dev"]} - {normal(r) for r in EXTRAS["build"]}
    assert not tools & locked("requirements.txt").keys()


def test_both_locks_hold_the_same_versions() -> None:
    def version(entry: str) -> str:
        return entry.split(" ", 1)[0]

    everything = {version(entry) for entry in locked("requirements-dev.txt").values()}
    assert {version(entry) for entry in locked("requirements.txt").values()} <= everything


def test_the_lock_of_a_registry_is_not_kept() -> None:
    assert not (ROOT / "uv.lock").exists()


# Whatever a locked package asks for is locked: a lock is installed without resolving (.ci/venv).

ROOTS = {
    "requirements.txt": [*PROJECT["dependencies"], *EXTRAS["build"], *EXTRAS["postgres"]],
    "requirements-dev.txt": [*PROJECT["dependencies"], *EXTRAS["build"], *EXTRAS["postgres"], *EXTRAS["dev"]],
    "requirements-fuzz.txt": PYPROJECT["dependency-groups"]["fuzz"],
    "requirements-docs.txt": PYPROJECT["dependency-groups"]["docs"],
}
NOT_HERE: dict[str, list[str]] = json.loads((ROOT / ".ci" / "requires.json").read_text(encoding="utf-8"))


def requires_of(name: str, version: str) -> list[str]:
    """What a package says that it needs, from its own metadata where it is installed."""
    try:
        if metadata.version(name) == version:
            return metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        pass
    assert f"{name}=={version}" in NOT_HERE, (
        f"{name}=={version} is neither installed nor in .ci/requires.json: make lock"
    )
    return NOT_HERE[f"{name}=={version}"]


@cache
def needs(name: str, version: str, extra: str) -> list[Requirement]:
    """The requirements that come with a package, or those that one of its extras adds to them."""
    every = map(Requirement, requires_of(name, version))
    return [each for each in every if ("extra ==" in str(each.marker)) == bool(extra)]


MACHINES: list[dict[str, str]] = list(requires.environments())
WITH_PYTHON_3_11 = [machine for machine in MACHINES if machine["python_version"] == "3.11"]


def holes(lock: str, roots: list[str], machines: list[dict[str, str]]) -> list[str]:
    """What is asked for on some machine by the project or by a locked package, and not locked for that machine."""
    found = []
    for machine in machines:
        here = {
            normal(pin.name): str(pin.specifier).removeprefix("==")
            for pin in requires.pins(lock)
            if pin.marker is None or pin.marker.evaluate(machine)
        }
        asked = {(name, "") for name in here}
        todo = [("pyproject.toml", Requirement(root), "") for root in roots]
        todo += [(name, need, "") for name, version in here.items() for need in needs(name, version, "")]
        while todo:
            who, need, extra = todo.pop()
            if need.marker is not None and not need.marker.evaluate({**machine, "extra": extra}):
                continue
            name = normal(need.name)
            where = f"Python {machine['python_version']}, {machine['platform_system']} {machine['platform_machine']}"
            if name not in here:
                found.append(f"{name} is not locked, and {who} asks for it ({where})")
            elif not need.specifier.contains(here[name], prereleases=True):
                found.append(f"{name} {here[name]} is locked, and {who} asks for {need} ({where})")
            else:
                new = {(name, each) for each in need.extras} - asked
                asked |= new
                todo += [(f"{name}[{e}]", each, e) for _, e in new for each in needs(name, here[name], e)]
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_is_closed_on_every_python_and_system(lock: str) -> None:
    assert holes((ROOT / lock).read_text(encoding="utf-8"), ROOTS[lock], MACHINES) == []


@pytest.mark.parametrize(
    ("lock", "gone", "asker"),
    [
        ("requirements.txt", "numpy", "pandas"),
        ("requirements.txt", "psycopg-binary", "psycopg[binary]"),
        ("requirements.txt", "httpx", "pyproject.toml"),
        ("requirements.txt", "colorama", "typer"),
        ("requirements.txt", "zipp", "importlib-metadata"),
        ("requirements-dev.txt", "coverage", "pytest-cov"),
    ],
)
def test_a_pin_that_is_missing_is_named(lock: str, gone: str, asker: str) -> None:
    """Also one that only an extra asks for, only Windows needs, or only Python 3.11."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    without = re.sub(rf"^{gone}==.*\n(    .*\n)+", "", text, flags=re.MULTILINE)
    assert len(without) < len(text)
    found = holes(without, ROOTS[lock], WITH_PYTHON_3_11)
    assert found
    assert all(line.startswith(f"{gone} is not locked, and ") for line in found)
    assert any(f" {asker} asks for it" in line for line in found)


def test_a_pin_of_the_wrong_version_is_named() -> None:
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    wrong = re.sub(r"^h11==\S+", "h11==0.9.0", text, flags=re.MULTILINE)
    NOT_HERE["h11==0.9.0"] = []
    try:
        found = holes(wrong, ROOTS["requirements.txt"], WITH_PYTHON_3_11)
    finally:
        del NOT_HERE["h11==0.9.0"]
    assert any(line.startswith("h11 0.9.0 is locked, and httpcore asks for h11>=0.16") for line in found)


def test_a_pin_for_one_system_only_is_missed_on_the_others() -> None:
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    narrow = re.sub(r"^(idna==\S+) \\", r"\1 ; sys_platform == 'linux' \\", text, flags=re.MULTILINE)
    found = holes(narrow, ROOTS["requirements.txt"], WITH_PYTHON_3_11)
    systems = ("Darwin x86_64", "Darwin arm64", "Windows AMD64", "Windows ARM64")
    assert {line.rsplit(" (", 1)[1] for line in found} == {f"Python 3.11, {system})" for system in systems}


def test_what_is_noted_of_packages_that_are_not_everywhere_is_what_they_say_where_they_are() -> None:
    assert NOT_HERE.keys() == {f"{pin.name}{pin.specifier}" for pin in requires.not_everywhere()}
    installed = {f"{normal(each.name)}=={each.version}": each.requires or [] for each in metadata.distributions()}
    here = NOT_HERE.keys() & installed.keys()
    assert here
    assert {name: NOT_HERE[name] for name in here} == {name: installed[name] for name in here}
