"""Reading process, parent side: starts it, sends the bytes, and checks its answer.

However that process ends (out of memory or time, killed, crashed, invalid output), the result here is a Table or
one ``InputRefused`` in Spanish; nothing it does can harm the process that sends.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess  # nosec B404 - starts this very program, no shell
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import IO, TYPE_CHECKING

from pipeline.domain.errors import InputRefused
from pipeline.domain.problems import refused
from pipeline.read.limits import MEGABYTE, Limits
from pipeline.read.protocol import OUT_OF_MEMORY, Nonsense, Order, decode
from pipeline.read.source import Source
from pipeline.read.table import Table
from pipeline.runtime.garbage import loading
from pipeline.runtime.os_error import os_words
from pipeline.runtime.own_process import NO_WINDOW, ROOT, own_module

if TYPE_CHECKING:
    from typing import TypeAlias

    from pipeline.read.readers import Forked

    Process: TypeAlias = subprocess.Popen[bytes] | Forked

COMMAND = tuple(own_module("pipeline.read.child"))
"""Our own interpreter and module."""

_KEPT = ("HOME", "USERPROFILE", "APPDATA", "SYSTEMROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONHOME")
# What an interpreter needs to find its libraries, wherever they are installed.
_ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "MALLOC_ARENA_MAX")
_COMPLAINT = 16 * 1024
GOODBYE_S = 1.0
"""Seconds that a process with an invalid answer has to end by itself, so that we learn how it ended."""
_NO_ROOM = re.compile(rb"memory allocation of \d+ bytes failed|MemoryError|out of memory|cannot allocate", re.I)


class Reader:
    """One process that reads one file. It loads while its owner does other work; ends with the ``with`` block."""

    def __init__(self, command: Sequence[str] = COMMAND, *, start: Callable[[], Forked | None] = lambda: None) -> None:
        """Starts the process, with ``start`` where that has one; if the system refuses, ``read`` reports it."""
        self._process: Process | None = start()
        self._failure = ""
        self._late = False
        self._parent = getattr(self._process, "parent", os.getpid())
        if self._process is not None:
            return
        try:
            with deaf():
                self._process = subprocess.Popen(  # noqa: S603 # nosec B603 - our own interpreter and module
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    env=environment(),
                    creationflags=NO_WINDOW,
                )
        except OSError as error:
            self._failure = os_words(error)

    @property
    def pid(self) -> int | None:
        """Process id; None when there is none."""
        return self._process.pid if self._process is not None else None

    def __enter__(self) -> Reader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the process if it still runs, and waits for it: none is left behind."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                with suppress(OSError):  # input that was not sent
                    pipe.close()

    def read(
        self,
        source: Source,
        limits: Limits,
        *,
        sheet: str | None,
        include_hidden: bool,
        prefer: str = "",
        columns: str = "",
    ) -> Table:
        """The table in ``source``. Raises ``InputRefused`` for any problem with the file or the process.

        May be called once.
        """
        name, process = source.path.name, self._process
        if process is None:
            why = f"el sistema no permitió iniciar el proceso de lectura ({self._failure})"
            raise refused("lectura-fallida", name=name, why=why)
        order = Order(self._parent, len(source.data), name, sheet, include_hidden, limits, prefer, columns)
        clock = threading.Timer(limits.wall, self._too_late)
        clock.daemon = True
        clock.start()
        try:
            return _ask(process, order, source.data)
        except Nonsense:
            raise self._diagnosis(process, order) from None
        finally:
            clock.cancel()
            self.close()

    def _too_late(self) -> None:
        self._late = True
        if self._process is not None:
            self._process.kill()

    def _diagnosis(self, process: Process, order: Order) -> InputRefused:
        """The refusal after a process without a usable answer."""
        with suppress(subprocess.TimeoutExpired):
            process.wait(GOODBYE_S)
        code = process.poll()  # None: it is still running
        process.kill()
        complaint = process.stderr.read(_COMPLAINT) if process.stderr is not None else b""
        if self._late or code == _died_of("SIGXCPU"):
            return refused("lectura-tiempo", name=order.name, limit=order.limits.cpu)
        if code == OUT_OF_MEMORY or (code and _NO_ROOM.search(complaint)):
            return refused("lectura-memoria", name=order.name, limit=f"{order.limits.memory / MEGABYTE:g}")
        return refused("lectura-fallida", name=order.name, why=_why(code))


@contextmanager
def deaf() -> Iterator[None]:
    """Blocks the stop signals in processes started here: a terminal and a service manager signal every process, and a
    reader that ended would turn a good file into a refusal. Only the parent ends it."""
    if sys.platform == "win32":  # a closed console ends both
        yield
    else:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _ask(process: Process, order: Order, data: bytes) -> Table:
    """Sends ``order`` and ``data`` and reads the answer. Raises ``Nonsense``, ``InputRefused``."""
    assert process.stdin is not None
    assert process.stdout is not None
    with suppress(OSError):  # it ended already; its exit code says why
        process.stdin.write(order.line())
        process.stdin.write(data)
        process.stdin.close()
    with loading():
        import pandas  # noqa: F401 - whoever reads needs it next: it loads while the other process does its work

    table = decode(_lines(process.stdout, order.limits.memory), order.limits)
    if process.wait() != 0:
        raise Nonsense
    return table


def _why(code: int | None) -> str:
    """The Spanish explanation of a reading process's exit ``code``."""
    if not code:
        return "el proceso de lectura no dio una respuesta que se entienda"
    if code == _died_of("SIGKILL"):
        return "el sistema cortó el proceso de lectura, casi siempre por falta de memoria en el equipo"
    how = f"señal {-code}" if code < 0 else f"código {code}"
    return f"el proceso de lectura terminó de golpe ({how})"


def _died_of(name: str) -> int | None:
    """The exit code of a process that this signal ended; None where the signal does not exist."""
    number = getattr(signal, name, None)
    return None if number is None else -number


def _lines(stdout: IO[bytes], most: int) -> Iterator[bytes]:
    """The lines of the answer. Raises ``Nonsense`` when there are more bytes than ``most``."""
    while line := stdout.readline(most + 1):
        most -= len(line)
        if most < 0:
            raise Nonsense
        yield line


def environment() -> dict[str, str]:
    """No setting, credential or proxy of ours; and one thread, for which the memory limit is made."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**kept, **dict.fromkeys(_ONE_THREAD, "1"), "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
