"""One eDoc and one nursery for the tests of a module; each test has a folder, a ledger and CUFEs of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import ledgers
from tests.storm.scene import Nursery, Scene, Service, running_nursery, running_service


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_service(tmp_path_factory.mktemp("eDoc")) as service:
        yield service


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with running_nursery() as nursery:
        yield nursery


@pytest.fixture
def scene(tmp_path: Path, service: Service, nursery: Nursery) -> Iterator[Scene]:
    with ledgers.fresh(tmp_path, tables=False) as url:
        yield Scene(tmp_path, service, nursery, url=url)
