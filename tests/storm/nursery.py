"""Processes of the program by the dozen: everything is imported once, then a command is a fork that costs milliseconds.

A script: JSON lines in (a job: processes to start together), JSON lines out (how each ended). It has one thread, so
that a fork is a whole process; the fork runs ``pipeline.cli.main.run_command``, the same that ``anular`` runs.
"""

from __future__ import annotations

import gc
import json
import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import Any

import tests.support.own_sqlite  # noqa: F401 - before the program
from tests.storm import rigging

MOST_S = 180.0


class Child:
    """One process and the signals that it will get.

    The result has its exit ``code`` (negative: the signal), the ``seconds`` it lived, and those since the ``last`` one.
    A spec has ``arguments``, ``env``, ``folder``, ``out`` (a file) and ``seed`` (a number). It may have ``acks`` (a
    file), ``rig`` (a list of names and arguments, see ``rigging``), ``most`` (the seconds after which it is ended),
    ``signals`` (pairs of seconds and number) and ``after`` (a count of acknowledged moves that the seconds count from;
    without it, the start).
    """

    def __init__(self, spec: dict[str, Any]) -> None:
        self._signals: list[list[float]] = sorted(spec.get("signals", []))
        self._most = float(spec.get("most", MOST_S))
        self._after, self._acks = int(spec.get("after", 0)), Path(spec.get("acks", ""))
        self._told, self._seen = 0, self._acks.stat().st_size if self._after and self._acks.exists() else 0
        self._from: float | None = None if self._after else time.monotonic()
        self.started = self._signalled = time.monotonic()
        self.result: dict[str, Any] = {"timeout": False, "signalled": []}
        out = os.open(spec["out"], os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        self.pid = os.fork()
        if self.pid == 0:
            _live(spec, out)
        os.close(out)

    def look(self) -> bool:
        """Sends what is due. True when the process has ended."""
        now = time.monotonic()
        if self._from is None and self._lines() >= self._after:
            self._from = now
        while self._signals and self._from is not None and now - self._from >= self._signals[0][0]:
            number = int(self._signals.pop(0)[1])
            self.result["signalled"].append(number)
            self._signalled = now
            os.kill(self.pid, number)
        if now - self.started > self._most:
            self.result["timeout"] = True
            os.kill(self.pid, signal.SIGKILL)
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid:
            self.result["code"] = os.waitstatus_to_exitcode(status)
            self.result["seconds"] = time.monotonic() - self.started
            self.result["last"] = time.monotonic() - self._signalled
        return bool(pid)

    def _lines(self) -> int:
        """How many moves were acknowledged since the start."""
        if self._acks.exists():
            with self._acks.open("rb") as lines:
                lines.seek(self._seen)
                new = lines.read()
            self._seen += len(new)
            self._told += new.count(b"\n")
        return self._told


def _live(spec: dict[str, Any], out: int) -> None:
    """The life of a fork; never returns."""
    code = 99
    try:
        # A shell starts what runs in the background with Ctrl-C ignored, and a child keeps that.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number in (1, 2):
            os.dup2(out, number)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for name in [name for name in os.environ if name.startswith("ANULAR_")]:
            del os.environ[name]
        os.environ.update(spec["env"])
        os.chdir(spec["folder"])
        random.seed(spec["seed"])  # the jitter of the program
        rigging.rig(spec)
        from pipeline.cli.main import run_command

        code = run_command(spec["arguments"])
        sys.stdout.flush()
    except BaseException:
        import traceback

        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(code)


def run(specs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Starts all, waits for all."""
    children = [Child(spec) for spec in specs]
    alive = list(children)
    pause = 0.001 if any(spec.get("signals") for spec in specs) else 0.01  # a kill has to meet its moment
    while alive:
        alive = [child for child in alive if not child.look()]
        time.sleep(pause)
    return [child.result for child in children]


def main() -> None:
    import pipeline.cli.app  # noqa: F401

    rigging.warm()
    rigging.read_here()
    gc.freeze()
    sys.stdout.write("{}\n")
    sys.stdout.flush()
    for line in sys.stdin:
        results = run(json.loads(line))
        sys.stdout.write(json.dumps(results) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
