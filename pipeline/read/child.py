"""Reading process: reads a file's bytes from standard input, answers on standard output, and can do nothing else.

Run as ``python -m pipeline.read.child`` by ``process.py`` (reliability.md P10). Before the first byte of the file
arrives it has loaded all it needs and given up the rest: limited memory and processor time, no file, no socket, no
process, no core dump. Whatever a hostile file does to the parsers, it does it here.
"""

from __future__ import annotations

import codecs
import ctypes
import faulthandler
import gc
import os
import signal
import sys
from contextlib import suppress
from typing import BinaryIO

import python_calamine  # noqa: F401 - loaded while there are files to load from

from pipeline.domain.errors import InputRefused
from pipeline.read.limits import Limits
from pipeline.read.parse import parse
from pipeline.read.protocol import NOTHING_TO_DO, OUT_OF_MEMORY, Order, encode, encode_refusal
from pipeline.runtime.child_limits import end_with, limit_process

_CODECS = ("utf-8-sig", "utf-16", "cp1252", "cp437", "cp850", "mac_roman", "ascii")
_PR_SET_PDEATHSIG = 1
_BUFFER = 256 * 1024
_STANDARD = 3  # input, output, error


def main() -> None:
    """Reads one order and one file, answers, ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # where it was not started with signals blocked (process.py)
    gc.disable()  # short-lived process: nothing to collect
    for name in _CODECS:
        codecs.lookup(name)
    source = sys.stdin.buffer
    try:
        order = Order.of(source.readline())
    except ValueError:
        os._exit(NOTHING_TO_DO)
    die_with(order.parent)
    bound(order.limits)
    data = source.read(order.size)
    if len(data) < order.size:
        os._exit(NOTHING_TO_DO)
    with open(sys.stdout.fileno(), "wb", buffering=_BUFFER, closefd=False) as target:
        answer(data, order, target)
    # No clean-up: freeing a gigabyte of cells takes a while.
    os._exit(0)


def answer(data: bytes, order: Order, target: BinaryIO) -> None:
    """Reads ``data`` and writes the answer. When memory runs out it ends the process without allocating more."""
    try:
        table = parse(
            data,
            order.name,
            order.limits,
            sheet=order.sheet,
            include_hidden=order.include_hidden,
            prefer=order.prefer,
            columns=order.columns,
        )
        target.writelines(encode(table))
    except InputRefused as refusal:
        target.write(encode_refusal(refusal))
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    target.flush()


def die_with(parent: int) -> None:
    """Ends this process when ``parent`` ends, however that happens."""
    end_with(parent)  # on Windows and macOS
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:  # it ended before this call
                os._exit(NOTHING_TO_DO)


def bound(limits: Limits) -> None:
    """Gives up for good what reading does not need. macOS limits no memory: there the time limit remains."""
    # A thread in C, not in Python: it works on every platform and in the middle of any parser. The parent has the same
    # time limit and acts first; this one is for a process whose parent is gone.
    faulthandler.dump_traceback_later(limits.wall + 1, exit=True)
    limit_process(limits.memory, int(limits.cpu) + 1)  # on Windows
    if sys.platform != "win32":
        import resource

        def lower(which: int, soft: int, *, hard: int | None = None) -> None:
            present = resource.getrlimit(which)[1]
            most = soft if hard is None else hard
            if present != resource.RLIM_INFINITY:
                most = min(most, present)
            with suppress(ValueError, OSError):  # this system does not really have that limit
                resource.setrlimit(which, (min(soft, most), most))

        lower(resource.RLIMIT_CORE, 0)
        lower(resource.RLIMIT_FSIZE, 0)
        lower(resource.RLIMIT_NOFILE, _STANDARD)  # nothing can be opened, not even a socket
        lower(resource.RLIMIT_NPROC, 0)
        lower(resource.RLIMIT_AS, limits.memory)
        # The soft limit ends it with SIGXCPU, which shows why; the hard one with SIGKILL, which does not.
        lower(resource.RLIMIT_CPU, limits.cpu, hard=limits.cpu + 1)


if __name__ == "__main__":
    main()
