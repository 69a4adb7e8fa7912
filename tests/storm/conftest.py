"""One eDoc and one nursery for the tests of a process; each test has a folder, a ledger and CUFEs of its own."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.storm.scene import Nursery, Scene, Service, running_nursery, running_service
from tests.support import ledgers


@pytest.fixture(scope="session")
def standing_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_service(tmp_path_factory.mktemp("eDoc")) as service:
        yield service


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    with running_nursery() as nursery:
        yield nursery


@pytest.fixture
def service(standing_service: Service) -> Service:
    """eDoc, and its journal from this test on."""
    return replace(standing_service, since=standing_service.journal.stat().st_size)


@pytest.fixture
def scene(request: pytest.FixtureRequest, tmp_path: Path, service: Service, nursery: Nursery) -> Iterator[Scene]:
    own = zlib.crc32(request.node.nodeid.encode())  # whatever was tested before, the CUFEs of a test are the same
    with ledgers.fresh(tmp_path, tables=False) as url:
        yield Scene(tmp_path, service, nursery, url=url, numbers=itertools.count(own))
