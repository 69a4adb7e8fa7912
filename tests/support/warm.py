"""Commands that a warm process forks (``forks.py``), to be used like ``subprocess.Popen``."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
LONGEST_S = 300.0
"""Nothing in the tests takes this long, on whatever machine."""


def without_settings() -> dict[str, str]:
    """The environment, without what a developer has set for the program."""
    return {key: value for key, value in os.environ.items() if not key.startswith("ANULAR_")}


class Warm:
    """The process that forks, ended with ``end``."""

    def __init__(self) -> None:
        self.orders, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.forks"],
                cwd=ROOT,
                env=without_settings(),
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
            )
        self.orders.settimeout(LONGEST_S)
        assert self.orders.recv(1), "the warm process did not start"

    def start(
        self,
        arguments: Sequence[object],
        *,
        folder: Path,
        env: Mapping[str, str],
        first: Path | None = None,
        **streams: Any,
    ) -> Started:
        """``anular`` with these arguments, in a session of its own. ``first`` is a file of Python to run before it."""
        return Started(self, [*map(str, arguments)], folder, env, first, **streams)

    def end(self) -> None:
        self.orders.close()
        self._process.wait(timeout=LONGEST_S)


class Started(subprocess.Popen[str]):
    """One command. It is the warm process that is its parent and says how it ended."""

    def __init__(
        self,
        warm: Warm,
        arguments: list[str],
        folder: Path,
        env: Mapping[str, str],
        first: Path | None,
        *,
        stdin: Any = subprocess.DEVNULL,
        stdout: Any = subprocess.PIPE,
        stderr: Any = subprocess.PIPE,
    ) -> None:
        self._warm, self._ended = warm, -1
        self._order = {"arguments": arguments, "folder": str(folder), "env": dict(env), "first": str(first or "")}
        super().__init__(["anular", *arguments], stdin=stdin, stdout=stdout, stderr=stderr, text=True, encoding="utf-8")

    def _execute_child(self, args: Any, *more: Any) -> None:
        read, _, _, out, _, err = pipes = more[9:15]
        streams = [number if end == -1 else end for number, end in enumerate((read, out, err))]
        self._ended, told = os.pipe()
        line = json.dumps(self._order).encode() + b"\n"
        sent = socket.send_fds(self._warm.orders, [line], [*streams, told])
        self._warm.orders.sendall(line[sent:])
        os.close(told)
        self._close_pipe_fds(*pipes)  # type: ignore[attr-defined]
        self.pid = int(self._warm.orders.recv(32))
        self._child_created = True

    def _wait(self, timeout: float | None) -> int:
        """Popen's own: waits, without asking again and again."""
        if self.returncode is None:
            if not select.select([self._ended], [], [], timeout)[0]:
                assert timeout is not None
                raise subprocess.TimeoutExpired(self.args, timeout)
            self.returncode = int(os.read(self._ended, 16))
            os.close(self._ended)
        return self.returncode

    def _internal_poll(self, _deadstate: Any = None) -> int | None:
        """Popen's own: looks whether it has ended."""
        with suppress(subprocess.TimeoutExpired):
            self._wait(0)
        return self.returncode
