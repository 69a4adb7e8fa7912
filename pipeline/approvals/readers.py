"""Reader children, parent side: at most a few at once, each one piece of work, and how far each is."""

from __future__ import annotations

import json
import os
import re
import subprocess  # nosec B404 - starts this very program, no shell
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pipeline.approvals import uploads
from pipeline.approvals.store import Proposals
from pipeline.domain.errors import AnularError, NotApproved
from pipeline.domain.problems import refused
from pipeline.domain.proposals import ProposalState
from pipeline.runtime.clock import Clock
from pipeline.runtime.os_error import os_words
from pipeline.runtime.own_process import NO_WINDOW, own_module
from pipeline.settings.model import Settings
from pipeline.wiring.office import opened_office

CHECK, BOOKS, DOWNLOAD = "revisar", "libros", "descarga"
"""What a child is asked for."""
FAILED = 70
"""Its exit code when that could not be done; the last line says why."""
MOST = 2
"""Children at once."""
COMMAND = tuple(own_module("pipeline.approvals.reader"))
_ROOT = Path(__file__).parents[2]
_SECRET = re.compile(r"ANULAR_(\w*_)?PASSWORD(_FILE)?|ANULAR_WEB_SECRET_FILE|ANULAR_\w+_KEY_FILE")
GOODBYE_S = 5.0


@dataclass(frozen=True, slots=True)
class Work:
    """How far one piece of work is."""

    #: one of the phases of a check; empty while it waits for its turn
    phase: str = ""
    #: rows that it works on; 0 while not known
    rows: int = 0
    #: why it could not be done, in words; empty while it goes on
    failed: str = ""


class Reading(Protocol):
    """What a page asks of the reader children."""

    def ask(self, settings: Settings, job: str, *arguments: str) -> None:
        """Has a piece of work done; nothing where it is being done already."""

    def work(self, settings: Settings, job: str, *arguments: str) -> Work | None:
        """Progress of a piece of work; None when it was not asked for, or is done."""


class Readers:
    """The reader children of this process, in the order in which they were asked for."""

    def __init__(self, clock: Clock, command: Sequence[str] = COMMAND, most: int = MOST) -> None:
        self._clock, self._command = clock, command
        self._lock, self._works = threading.Lock(), dict[tuple[str, ...], Work]()
        self._pool = ThreadPoolExecutor(most, thread_name_prefix="lector")
        self._running: set[subprocess.Popen[bytes]] = set()
        self._closed = False

    def ask(self, settings: Settings, job: str, *arguments: str) -> None:
        key = (settings.profile, job, *arguments)
        with self._lock:
            there = self._works.get(key)
            if self._closed or (there is not None and not there.failed):
                return
            self._works[key] = Work()
        self._pool.submit(self._do, settings, key)

    def work(self, settings: Settings, job: str, *arguments: str) -> Work | None:
        with self._lock:
            return self._works.get((settings.profile, job, *arguments))

    def close(self) -> None:
        """Ends the children and waits for them; what they were about is done again at the next start."""
        with self._lock:
            self._closed = True
            running = list(self._running)
        for process in running:
            process.kill()
        self._pool.shutdown(cancel_futures=True)

    def _do(self, settings: Settings, key: tuple[str, ...]) -> None:
        failed = "no se pudo"
        try:
            failed = self._result(settings, key)
        except OSError as error:
            failed = f"el sistema no permitió iniciar el proceso de lectura ({os_words(error)})"
        finally:
            with self._lock:
                if failed:
                    self._works[key] = Work(failed=failed)
                else:
                    del self._works[key]
        if failed.startswith(_DIED) and key[1] == CHECK and not self._closed:
            self._refuse(settings, int(key[2]), failed)

    def _result(self, settings: Settings, key: tuple[str, ...]) -> str:
        """Runs the child to its end; why it failed, "" when it did not."""
        process = subprocess.Popen(  # noqa: S603 # nosec B603 - our own interpreter and module
            [*self._command, *key],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**without_secrets(os.environ), **self._now(settings)},
            creationflags=NO_WINDOW,
        )
        with self._lock:
            self._running.add(process)
        last: dict[str, object] = {}
        try:
            assert process.stdout is not None
            for line in process.stdout:
                with suppress(ValueError):
                    last = json.loads(line)
                if "phase" in last:
                    with self._lock:
                        self._works[key] = Work(str(last["phase"]), int(str(last.get("rows", 0))))
            code = process.wait()
        finally:
            with self._lock:
                self._running.discard(process)
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with suppress(OSError):
                        pipe.close()
        if code == 0:
            return ""
        return str(last["failed"]) if code == FAILED and "failed" in last else f"{_DIED} ({code})"

    def _now(self, settings: Settings) -> dict[str, str]:
        """Setting of the demo's clock, which starts with each process: a child goes on where this one is."""
        return {"ANULAR_SANDBOX_NOW": self._clock.now().isoformat()} if settings.sandbox_now is not None else {}

    def _refuse(self, settings: Settings, number: int, why: str) -> None:
        """An upload whose check ended the process is not tried for ever."""
        with suppress(AnularError), opened_office(settings) as office:
            store = Proposals(office, settings.profile, str(settings.env), hours=settings.web_proposal_h)
            proposal = store.get(number)
            if proposal.state is ProposalState.CHECKING:
                refusal = refused("lectura-fallida", name=proposal.file_name, why=why)
                with suppress(NotApproved):
                    uploads.keep_refused(store, proposal, refusal, self._clock.now())


_DIED = "el proceso de lectura terminó de golpe"


def without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """``environment`` of a child that needs no password, and so gets none."""
    kept = {name: value for name, value in environment.items() if not _SECRET.fullmatch(name)}
    return {**kept, "PYTHONPATH": str(_ROOT), "PYTHONUTF8": "1"}
