"""Who may import whom (style.md): the contracts of pyproject.toml hold, and none of them was lost."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LINT = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()", "--no-cache"]


def test_the_import_contracts_hold() -> None:
    answer = subprocess.run(LINT, cwd=ROOT, check=False, capture_output=True, text=True, timeout=60)
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
    }
    assert contracts["layers"]["exhaustive"] is True
    assert contracts["layers"]["layers"] == [
        "(__main__)",
        "(cli)",
        "(watch)",
        "(wiring)",
        "(settings)",
        "(run)",
        "(read) | (validate) | (submit) | (poll) | (report)",
        "(edoc) | (ledger) | (sandbox)",
        "(clock)",
        "(domain)",
    ]
