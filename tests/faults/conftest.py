"""One fault server and one proxy for all tests of a worker; a bench for each test, judged when the test is over."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

# The helpers of this folder are modules of their own, also for a pytest that was not started as ``python -m pytest``.
sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.faults.bench import Bench
from tests.faults.command import Command
from tests.faults.processes import FaultServer, Proxy
from tests.support.warm import Warm


@pytest.fixture(scope="session")
def fault_server() -> Iterator[FaultServer]:
    with FaultServer() as server:
        yield server


@pytest.fixture(scope="session")
def proxy_process() -> Iterator[Proxy]:
    with Proxy() as proxy:
        yield proxy


@pytest.fixture
def proxy(proxy_process: Proxy) -> Iterator[Proxy]:
    yield proxy_process
    proxy_process.do("reset")


@pytest.fixture
def bench(request: pytest.FixtureRequest, fault_server: FaultServer, tmp_path: Path) -> Iterator[Bench]:
    """``bench.batch(n)`` first. The common checks P1, P3, P4, P5 and P12 follow every test by themselves; the first of
    the cases of a test has its workbook written and read."""
    case = getattr(request.node, "callspec", None)
    made = Bench(tmp_path / "work", fault_server, workbook=case is None or not any(case.indices.values()))
    yield made
    made.check()


@pytest.fixture
def at_points(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[str], None]], None]:
    """``at_points(hear)``: from now on ``hear(name)`` is called wherever the program passes one of its named points."""

    def listen(hear: Callable[[str], None]) -> None:
        for name, module in list(sys.modules.items()):
            if name.startswith("pipeline.") and hasattr(module, "crashpoint"):
                monkeypatch.setattr(module, "crashpoint", hear)

    return listen


@pytest.fixture
def command(fault_server: FaultServer, warm: Warm, tmp_path: Path) -> Iterator[Command]:
    """``command.batch(n)`` first; judged like a bench when the test is over."""
    made = Command(tmp_path / "work", fault_server, warm)
    yield made
    made.check()
