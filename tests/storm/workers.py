"""Workers of the queue as processes of their own, on the ledger of a scene."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.storm.machines import Machine
from tests.storm.scene import ROOT, Scene, _environment
from tests.support import ledgers

QUICK = {"ANULAR_QUEUE_EVERY": "0.3", "ANULAR_QUEUE_STALE": "3", "ANULAR_QUEUE_RETRY": "1"}
PATIENCE_S = 180.0
"""Only a machine that is busy with other things comes near it."""


@dataclass
class Running:
    """A worker, and where its words go."""

    process: subprocess.Popen[bytes]
    out: Path

    @property
    def words(self) -> str:
        return self.out.read_text("utf-8", "replace")

    def ask_to_stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=PATIENCE_S)

    def kill(self, *, with_job: bool) -> None:
        """Pulls its plug; ``with_job``: and that of the process that carries its job out."""
        jobs = children(self.process.pid) if with_job else []
        for pid in [self.process.pid, *jobs]:
            os.kill(pid, signal.SIGKILL)
        self.process.wait(timeout=PATIENCE_S)


def children(pid: int) -> list[int]:
    """The processes that ``pid`` has started and that are still there."""
    told = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(one) for one in told]


def loaded(pid: int, *libraries: str) -> list[str]:
    """Those of ``libraries`` of which a process has something in its memory."""
    maps = Path(f"/proc/{pid}/maps").read_text()
    return [name for name in libraries if f"/{name}/" in maps]


def working(scene: Scene, *arguments: str, **env: str) -> AbstractContextManager[Running]:
    """``anular worker`` until the end of the block, at the latest."""
    return working_on(None, scene, *arguments, **env)


@contextmanager
def working_on(
    machine: Machine | None, scene: Scene, *arguments: str, command: Sequence[str] = ("worker",), **env: str
) -> Iterator[Running]:
    """As ``working``, on a machine of its own, with folders of its own there; or another ``command`` that goes on."""
    own, prefix = (_of_its_own(scene, machine), machine.prefix) if machine else ({}, [])
    spec = scene.spec(*command, *arguments, env={**QUICK, **own, **env})
    started = [*prefix, sys.executable, "-m", "pipeline", *spec["arguments"]]
    with Path(spec["out"]).open("wb") as out:
        process = subprocess.Popen(
            started,
            env={**_environment(), **spec["env"], "PYTHONPATH": str(ROOT)},
            cwd=scene.folder,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    running = Running(process, Path(spec["out"]))
    try:
        yield running
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(timeout=PATIENCE_S)
    assert "Traceback" not in running.words, running.words


def _of_its_own(scene: Scene, machine: Machine) -> dict[str, str]:
    """The way to the ledger over the machine's cable; on its own disk, the reserve and what it remembers."""
    folder = scene.folder / machine.name
    return {
        "ANULAR_LEDGER": machine.address(scene.url),
        "XDG_DATA_HOME": str(folder / "data"),
        "XDG_STATE_HOME": str(folder / "state"),
    }


def work_once(scene: Scene, **env: str) -> Running:
    """A worker that ends when nothing waits."""
    with working(scene, "--once", **env) as worker:
        assert worker.process.wait(timeout=PATIENCE_S) == 0, worker.words
    return worker


def until(true: Callable[[], object], what: str) -> None:
    """Waits until something is so."""
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end, f"waited in vain until {what}"
        time.sleep(0.05)


def jobs(scene: Scene) -> list[str]:
    """The states of the jobs in the queue."""
    query = "SELECT status::text AS status FROM procrastinate_jobs ORDER BY id"
    return [line["status"] for line in ledgers.lines(scene.url, query)]


def is_empty(scene: Scene) -> bool:
    return not jobs(scene)
