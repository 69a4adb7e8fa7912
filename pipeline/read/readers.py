"""Reading processes for many files: each file has one of its own, forked from a process that is loaded already.

Where the system cannot do that, or does not, each is started anew (``process.py``); what it may do is the same.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess  # nosec B404 - starts this very program, no shell
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import IO, Self

from pipeline.read.process import Reader, deaf, environment
from pipeline.runtime.own_process import NO_WINDOW, own_module

COMMAND = tuple(own_module("pipeline.read.fork_server"))
_MOST = 64
_KILLED = -int(getattr(signal, "SIGKILL", 9))


class Readers:
    """Reading processes of a command that reads many files, in whichever thread; none is left after the ``with``
    block."""

    def __init__(self, command: Sequence[str] = COMMAND) -> None:
        self._command = command
        self._lock = threading.Lock()
        self._server: subprocess.Popen[bytes] | None = None
        self._orders: socket.socket | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._end()

    @property
    def server(self) -> int | None:
        """Process id of the fork server; None when there is none."""
        return self._server.pid if self._server is not None else None

    def reader(self) -> Reader:
        """A process for the next file."""
        return Reader(start=self._forked)

    if sys.platform == "linux":

        def _forked(self) -> Forked | None:
            """A new process of the server, which is started first if it has to be; None when it cannot be had."""
            with self._lock, suppress(OSError, ValueError):  # what others are reading goes on
                if self._orders is None or self._server is None or self._server.poll() is not None:
                    self._end()
                    self._begin()
                return self._fork()
            return None

        def _begin(self) -> None:
            self._orders, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with theirs, deaf():
                self._server = subprocess.Popen(  # noqa: S603 # nosec B603 - our own interpreter and module
                    [*self._command, str(os.getpid())],
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env=environment(),
                    creationflags=NO_WINDOW,
                )

        def _fork(self) -> Forked | None:
            assert self._orders is not None
            assert self._server is not None
            ours, theirs = _streams()
            number = 0
            try:
                with suppress(OSError):
                    socket.send_fds(self._orders, [b"+"], [*theirs])
                    number = int(self._orders.recv(_MOST) or b"0")
            finally:
                for descriptor in theirs if number else (*theirs, *ours):
                    os.close(descriptor)
            return Forked(number, self._server.pid, ours) if number else None

    else:

        def _forked(self) -> Forked | None:
            """None: here every process is started."""
            return None

    def _end(self) -> None:
        if self._orders is not None:
            self._orders.close()
        if self._server is not None:
            self._server.kill()  # with it end its forks
            self._server.wait()
        self._orders = self._server = None


def _streams() -> tuple[tuple[int, int, int, int], tuple[int, int, int, int]]:
    """Ends of the standard streams and of the control socket: ours, and those of a new process and the server."""
    (get_in, put_in), (get_out, put_out), (get_error, put_error) = os.pipe(), os.pipe(), os.pipe()
    ours, theirs = socket.socketpair()
    return (put_in, get_out, get_error, ours.detach()), (get_in, put_out, put_error, theirs.detach())


class Forked:
    """A process that the fork server made, as ``subprocess.Popen`` shows one."""

    def __init__(self, pid: int, parent: int, descriptors: tuple[int, int, int, int]) -> None:
        put, get, error, control = descriptors
        self.pid, self.parent = pid, parent
        self.stdin: IO[bytes] = os.fdopen(put, "wb")
        self.stdout: IO[bytes] = os.fdopen(get, "rb")
        self.stderr: IO[bytes] = os.fdopen(error, "rb")
        self._control = socket.socket(fileno=control)
        self._code: int | None = None

    def kill(self) -> None:
        """Has the process killed; nothing when it has ended."""
        with suppress(OSError):
            self._control.shutdown(socket.SHUT_WR)

    def wait(self, timeout: float | None = None) -> int:
        """Waits for the exit code. Raises ``TimeoutExpired``."""
        if self._code is None:
            self._control.settimeout(timeout)
            try:
                told = self._control.recv(_MOST)
            except (TimeoutError, BlockingIOError):
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0) from None
            except OSError:
                told = b""
            self._code = int(told) if told else _KILLED  # the server has ended without a word, and its forks with it
            self._control.close()
        return self._code

    def poll(self) -> int | None:
        """The exit code; None while it runs."""
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None
