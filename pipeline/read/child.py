"""The process that reads: takes a file's bytes on its standard input, answers on its standard output, can do no more.

Run as ``python -m pipeline.read.child`` by ``process.py`` (reliability.md P10). By the time the first byte of the file
arrives it has loaded all it needs and given up the rest: no more memory or processor time than allowed, no file, no
socket, no process, no core dump. Whatever a hostile file does to the parsers, it does it here.
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
from pipeline.read.order import NOTHING_TO_DO, OUT_OF_MEMORY, Order
from pipeline.read.parse import parse
from pipeline.read.protocol import told, told_refusal

_CODECS = ("utf-8-sig", "utf-16", "cp1252", "cp437", "cp850", "mac_roman", "ascii")
_PR_SET_PDEATHSIG = 1
_BUFFER = 256 * 1024
_STANDARD = 3  # input, output, error


def main() -> None:
    """Reads one order and one file, answers, ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # where it could not be started deaf to it (process.py)
    gc.disable()  # one file and the end: nothing that is worth looking for
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
    # No tidying: a process with a gigabyte of cells takes a while to take itself apart.
    os._exit(0)


def answer(data: bytes, order: Order, target: BinaryIO) -> None:
    """Reads ``data`` and writes the answer. Ends the process when memory runs out, with nothing more allocated."""
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
        target.writelines(told(table))
    except InputRefused as refusal:
        target.write(told_refusal(refusal))
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    target.flush()


def die_with(parent: int) -> None:
    """This process ends when ``parent`` does, however that one ends. Linux only; elsewhere time runs out on it."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:  # it went before we asked
                os._exit(NOTHING_TO_DO)


def bound(limits: Limits) -> None:
    """Gives up what reading does not need, for good. Where the platform has no such limits, the clock alone ends it."""
    # A thread in C, not in Python: it works on every platform and in the middle of any parser. The parent has the same
    # clock and comes first; this one is for a process whose parent has gone.
    faulthandler.dump_traceback_later(limits.wall + 1, exit=True)
    if sys.platform != "win32":
        import resource

        def lower(which: int, soft: int, *, hard: int | None = None) -> None:
            present = resource.getrlimit(which)[1]
            most = soft if hard is None else hard
            if present != resource.RLIM_INFINITY:
                most = min(most, present)
            with suppress(ValueError, OSError):  # a limit that this system has in name only
                resource.setrlimit(which, (min(soft, most), most))

        lower(resource.RLIMIT_CORE, 0)
        lower(resource.RLIMIT_FSIZE, 0)
        lower(resource.RLIMIT_NOFILE, _STANDARD)  # nothing can be opened, no socket made
        lower(resource.RLIMIT_NPROC, 0)
        lower(resource.RLIMIT_AS, limits.memory)
        # The soft limit ends it with SIGXCPU, which tells why; the hard one with SIGKILL, which does not.
        lower(resource.RLIMIT_CPU, limits.cpu, hard=limits.cpu + 1)


if __name__ == "__main__":
    main()
