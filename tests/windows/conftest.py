"""Windows, once installed from the package; only `make test-windows` has one."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.wine import DOWNLOADS, LOCAL, ROOT, USER, Done, Wine, windows

HOME = os.environ.get("ANULAR_TEST_WINE", "")
collect_ignore_glob = [] if HOME else ["test_*.py"]
VERSION = "0.1.0"
PACKAGE = rf"{DOWNLOADS}\anular-{VERSION}-windows"
NUMBERS = itertools.count(1)
DEMO = {"ANULAR_SANDBOX_NOW": "2026-11-20T10:00:00-05:00", "ANULAR_RATE": "50", "ANULAR_POLL_FOR": "15"}
"""Settings with which the sample files are of today, as in `make run`."""


@pytest.fixture(scope="session")
def wine() -> Iterator[Wine]:
    """Windows in which the package was extracted and its Instalar opened, by a user who has not used it yet."""
    with windows(Path(HOME), "usuaria") as made:
        made.unzipped(PACKAGE)
        made.installed = install(made, PACKAGE)
        made.mend_numpy(VERSION)
        yield made


@pytest.fixture
def desk(wine: Wine, request: pytest.FixtureRequest) -> Desk:
    """Folder and ledger of one test."""
    return Desk(wine, f"{request.node.name.partition('[')[0][:20]}-{next(NUMBERS)}")


def install(wine: Wine, folder: str, **variables: str) -> Done:
    """Instalar, opened in ``folder``."""
    return wine.batch(f'call "{folder}\\Instalar.bat"', folder=folder, **variables)


class Desk:
    """Work of one test: a folder, a ledger and an office database of its own."""

    def __init__(self, wine: Wine, name: str) -> None:
        self.wine, self.folder = wine, rf"{USER}\Documents\{name}"
        wine.path(self.folder).mkdir(parents=True)
        self.ledger = rf"{LOCAL}\anular\anular\{name}.db"
        self.settings = {
            **DEMO,
            "ANULAR_LEDGER": f"sqlite:///{self.ledger}".replace("\\", "/"),
            "ANULAR_OFFICE": f"sqlite:///{LOCAL}\\anular\\anular\\{name}-oficina.db".replace("\\", "/"),
            "ANULAR_ISSUERS": "155999991-2-2026,155999992-2-2026",
        }

    def sample(self, name: str, source: str = "lote_mensual.xlsx") -> str:
        """The sample batch under ``name``; its path."""
        return self.wine.put(rf"{self.folder}\{name}", (ROOT / "sample_data" / source).read_bytes())

    def anular(self, *words: str, **variables: str) -> Done:
        return self.wine.anular(*words, folder=self.folder, **{**self.settings, **variables})

    def journal(self) -> list[Any]:
        """What the sandbox received."""
        path = self.wine.path(f"{self.ledger}.sandbox.jsonl")
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []

    def names(self, pattern: str, folder: str = "") -> list[str]:
        """Names of the files that fit, sorted."""
        return sorted(path.name for path in self.wine.path(folder or self.folder).glob(pattern))
