"""Warm process: has imported the program and forks a command for each order, in milliseconds instead of a second.

A script; ``warm.py`` starts it and gives orders over the socket at its standard input: a line of JSON and, with it, the
command's standard streams and a pipe. Back come the number of the process and, over the pipe, how it ended. It has one
thread, so that a fork is a whole process: with a session, folder, environment and streams of its own. What a command
starts of the program itself (the process that reads, the sandbox) is a fork of the command in the same way.
"""

from __future__ import annotations

import atexit
import fcntl
import gc
import importlib
import json
import logging
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, NoReturn

MOST = 1 << 20
_FIRST_FREE = 3
_OUR_MODULES = {"pipeline": ("pipeline.__main__", "start"), "pipeline.read.child": ("pipeline.read.child", "main")}
# Streams of the process that was forked: what is still in their buffers is not this process's to write.
_INHERITED: list[IO[str]] = []


def main() -> None:
    from tests.storm import rigging

    orders = socket.socket(fileno=os.dup(0))
    with Path(os.devnull).open() as nothing:
        os.dup2(nothing.fileno(), 0)
    for module, _ in _OUR_MODULES.values():
        importlib.import_module(module)
    importlib.import_module("pipeline.cli.app")
    importlib.import_module("pipeline.sandbox.serve")
    rigging.warm()
    subprocess.Popen = Forked  # type: ignore[misc]
    gc.collect()
    gc.freeze()
    orders.sendall(b"\n")
    _serve(orders)


def _serve(orders: socket.socket) -> None:
    """Forks until whoever orders has gone."""
    ended, wake = socket.socketpair()
    wake.setblocking(False)
    signal.set_wakeup_fd(wake.fileno())
    signal.signal(signal.SIGCHLD, lambda *_: None)
    alive: dict[int, int] = {}
    while True:
        ready, _, _ = select.select([orders, ended], [], [])
        if ended in ready:
            ended.recv(MOST)
            _tell_who_ended(alive)
        if orders in ready:
            line, descriptors, _, _ = socket.recv_fds(orders, MOST, _FIRST_FREE + 1)
            if not line:
                return
            while not line.endswith(b"\n"):
                line += orders.recv(MOST)
            *streams, told = descriptors
            number = os.fork()
            if number == 0:
                _obey(json.loads(line), streams)
            for descriptor in streams:
                os.close(descriptor)
            alive[number] = told
            orders.sendall(b"%d\n" % number)


def _tell_who_ended(alive: dict[int, int]) -> None:
    for number in list(alive):
        pid, status = os.waitpid(number, os.WNOHANG)
        if pid:
            told = alive.pop(number)
            with suppress(BrokenPipeError):  # nobody wants to know
                os.write(told, b"%d" % os.waitstatus_to_exitcode(status))
            os.close(told)


def _obey(order: dict[str, Any], streams: Sequence[int]) -> NoReturn:
    def run() -> None:
        if order["first"]:
            runpy.run_path(order["first"])
        _start("pipeline")

    os.setsid()
    _live(run, order["arguments"], streams, order["env"], order["folder"])


def _start(module: str) -> None:
    """What ``python -m module`` does."""
    place, name = _OUR_MODULES[module]
    getattr(importlib.import_module(place), name)()


class Forked(subprocess.Popen[Any]):
    """A child process; a fork where it would be a Python of its own that runs the program."""

    def _execute_child(self, args: Any, *more: Any) -> None:
        module = _module(args)
        if module is None:
            super()._execute_child(args, *more)  # type: ignore[misc]
            return
        folder, env, pipes = more[4], more[5], more[9:15]
        read, _, _, out, _, err = pipes
        streams = [number if end == -1 else end for number, end in enumerate((read, out, err))]
        number = os.fork()
        if number == 0:
            arguments = args[args.index(module) + 1 :]
            _live(lambda: _start(module), arguments, streams, env or os.environ.copy(), folder or Path.cwd())
        self.pid = number
        self._child_created = True
        self._close_pipe_fds(*pipes)  # type: ignore[attr-defined]


def _module(args: Any) -> str | None:
    """Which of the program's modules a command line runs with this very interpreter."""
    if isinstance(args, list | tuple) and args[0] == sys.executable and "-m" in args:
        name = args[args.index("-m") + 1]
        return name if name in _OUR_MODULES else None
    return None


def _live(
    run: Callable[[], None], arguments: Sequence[str], streams: Sequence[int], env: Mapping[str, str], folder: object
) -> NoReturn:
    """The life of a fork, as an interpreter has it that starts ``run``; only that it does not take itself apart."""
    code = 1
    try:
        _forget(streams)
        os.chdir(str(folder))
        for name in set(os.environ) - set(env):
            del os.environ[name]
        os.environ.update(env)
        time.tzset()
        sys.argv = ["anular", *arguments]
        code = _code_of(run)
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            with suppress(ValueError):  # closed already
                stream.flush()
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _code_of(run: Callable[[], None]) -> int:
    try:
        run()
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        sys.stderr.write(f"{end.code}\n")
        return 1
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def _forget(streams: Sequence[int]) -> None:
    """Takes ``streams`` and leaves everything else that belongs to the process that was forked."""
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals():
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    logging.root.handlers.clear()
    logging.root.setLevel(logging.WARNING)
    kept = [fcntl.fcntl(stream, fcntl.F_DUPFD, 16) for stream in streams]
    for place, stream in enumerate(kept):
        os.dup2(stream, place)
    os.closerange(_FIRST_FREE, os.sysconf("SC_OPEN_MAX"))
    _INHERITED.extend((sys.stdin, sys.stdout, sys.stderr))
    sys.stdin = sys.__stdin__ = open(0, encoding="utf-8", closefd=False)  # type: ignore[misc] # noqa: SIM115
    sys.stdout = sys.__stdout__ = open(1, "w", encoding="utf-8", closefd=False)  # type: ignore[misc] # noqa: SIM115
    sys.stderr = sys.__stderr__ = open(  # type: ignore[misc] # noqa: SIM115
        2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False
    )


if __name__ == "__main__":
    from tests.support.forks import main as serve  # as a module with a name: the warnings of `__main__` would be shown

    serve()
