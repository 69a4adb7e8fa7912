"""Who may import whom: the contracts of pyproject.toml hold, and none of them was lost."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Which may import which; what is not named here stands in between.
HOUSE = [
    ["__main__"],
    ["cli"],
    ["watch", "web"],
    ["queue"],
    ["run", "doctor"],
    ["certificates"],
    ["wiring", "notify"],
    ["settings"],
    ["read", "validate", "submit", "poll", "report"],
    ["edoc", "ledger", "sandbox"],
    ["runtime"],
    ["domain"],
]


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [str(program), "--no-cache"],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(folder)},
        check=False,
        capture_output=True,
        text=True,
        timeout=180,
    )


def test_the_import_contracts_hold() -> None:
    answer = lint(ROOT)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "0 broken" in answer.stdout


def test_the_contracts_are_those_of_the_house() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    contracts = {contract["id"]: contract for contract in settings["contracts"]}
    assert contracts.keys() == {
        "layers",
        "domain",
        "schemas",
        "schemas-users",
        "sandbox",
        "sandbox-edoc",
        "http",
        "queue",
        "certificates",
        "django",
        "web",
        "terminal",
    }
    assert contracts["layers"]["exhaustive"] is True
    levels = {
        name.strip(" ()"): level
        for level, layer in enumerate(contracts["layers"]["layers"])
        for name in layer.split("|")
    }
    for higher, lower in pairwise(HOUSE):
        assert max(levels[name] for name in higher) < min(levels[name] for name in lower), (higher, lower)


@pytest.mark.one_in(6)
@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("pipeline/domain/x.py", "import pandas", "The domain is the standard library"),
        ("pipeline/domain/x.py", "from pipeline.runtime import clock", "Higher may import lower"),
        ("pipeline/submit/x.py", "from pipeline import poll", "Higher may import lower"),
        ("pipeline/settings/x.py", "def f() -> None:\n    from pipeline import wiring", "Higher may import lower"),
        ("pipeline/helpers.py", "", "Higher may import lower"),
        ("schemas/x.py", "from pipeline.runtime import clock", "schemas know the domain"),
        ("pipeline/run/x.py", "from schemas import x", "Only validate and report"),
        ("pipeline/wiring/x.py", "from pipeline.sandbox import x", "Only the command line"),
        ("pipeline/sandbox/x.py", "from pipeline.edoc import transport", "never imports edoc"),
        ("pipeline/submit/x.py", "import httpx", "Two files speak HTTP"),
        ("pipeline/run/x.py", "from http import client", "Two files speak HTTP"),
        ("pipeline/run/x.py", "import rich", "Only the command line draws"),
        ("pipeline/run/x.py", "import procrastinate", "Only the queue knows procrastinate"),
        ("pipeline/run/x.py", "from cryptography import x509", "One file reads certificates"),
        ("pipeline/run/x.py", "import holidays", "One file reads certificates"),
        ("pipeline/run/x.py", "import django", "Only the page knows Django"),
        ("pipeline/cli/x.py", "from allauth.mfa import models", "Only the page knows Django"),
        ("pipeline/web/x.py", "from pipeline.edoc import transport", "The page sends nothing"),
        ("pipeline/web/x.py", "from pipeline.submit import x", "The page sends nothing"),
        ("pipeline/web/x.py", "from pipeline.ledger import store", "The page sends nothing"),
    ],
)
def test_a_forbidden_import_breaks_its_contract(tmp_path: Path, file: str, line: str, contract: str) -> None:
    write_small_house(tmp_path)
    (tmp_path / file).write_text(line + "\n", encoding="utf-8")
    assert any(contract in broken for broken in broken_contracts(tmp_path))


def test_allowed_imports_break_none(tmp_path: Path) -> None:
    write_small_house(tmp_path)
    assert broken_contracts(tmp_path) == []


def write_small_house(folder: Path) -> None:
    """The modules the contracts speak of, empty but for imports that are allowed."""
    names = "__init__ __main__ watch poll"
    files = {f"pipeline/{name}.py": "" for name in names.split()}
    for package in (
        "cli",
        "run",
        "wiring",
        "settings",
        "validate",
        "submit",
        "read",
        "report",
        "edoc",
        "ledger",
        "sandbox",
        "runtime",
        "web",
    ):
        files |= {f"pipeline/{package}/__init__.py": "", f"pipeline/{package}/x.py": ""}
    files |= {
        "pipeline/domain/__init__.py": "",
        "pipeline/domain/x.py": "import re",
        "schemas/__init__.py": "",
        "schemas/x.py": "from pipeline.domain import x",
        "pipeline/validate/x.py": "from schemas import x",
        "pipeline/cli/x.py": "from pipeline.sandbox import x\nimport rich",
        "pipeline/edoc/transport.py": "import httpx",
        "pipeline/ledger/store.py": "",
        "pipeline/web/x.py": "import django\nfrom allauth.mfa import models",
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")
    shutil.copy(ROOT / "pyproject.toml", folder / "pyproject.toml")


def broken_contracts(folder: Path) -> list[str]:
    answer = lint(folder)
    assert "Contracts:" in answer.stdout, answer.stdout + answer.stderr
    return [line for line in answer.stdout.splitlines() if line.endswith("BROKEN") or " BROKEN " in line]
