"""An office with its database and a ledger, on whichever database is tested."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.desk import Desk, settings_of


@pytest.fixture
def desk(tmp_path: Path, ledger_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    found = Desk(tmp_path, settings_of(tmp_path, ledger_url), monkeypatch)
    yield found
    found.close()
