"""The locked requirements: hashes for everything, addresses for nothing, and both files agree with pyproject.toml."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
LOCKS = ["requirements.txt", "requirements-dev.txt", "requirements-fuzz.txt"]


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
    wanted = {normal(r) for r in [*PROJECT["dependencies"], *EXTRAS["build"]]}
    assert len(wanted) > 15
    assert wanted <= locked("requirements.txt").keys()


def test_what_developers_need_is_locked() -> None:
    wanted = {normal(r) for extra in EXTRAS.values() for r in extra}
    assert wanted <= locked("requirements-dev.txt").keys()


def test_the_fuzzer_has_a_lock_of_its_own() -> None:
    """It is large, and there are machines for which it does not exist."""
    assert locked("requirements-fuzz.txt").keys() == {"atheris"}
    assert not {"atheris"} & (locked("requirements.txt").keys() | locked("requirements-dev.txt").keys())


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
