"""An office database of its own for each test: a file, or a schema of a server."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.certificates.registry import Registry
from pipeline.office.place import place_of
from tests.support import ledgers
from tests.support.certificates import settings_with

NOW = datetime(2026, 11, 29, 15, 0, tzinfo=UTC)


@pytest.fixture
def office(tmp_path):
    with ledgers.fresh(tmp_path, tables=False) as url:
        opened = place_of(url).open(NOW)
        yield opened
        opened.close()


@pytest.fixture
def registry(office):
    return Registry(office, settings_with(), "ana")
