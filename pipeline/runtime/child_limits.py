"""Limits that a process of Windows or macOS sets itself, where there are none of POSIX: memory, no process of its own,
an end together with its parent."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from collections.abc import Callable
from ctypes import c_int64, c_size_t, c_uint32, c_uint64
from typing import Any

PROCESS_TIME, ONE_PROCESS, PROCESS_MEMORY, NO_DIALOG = 0x2, 0x8, 0x100, 0x400
_PER_SECOND = 10_000_000
"""Windows counts processor time in 100 ns."""
_EXTENDED_LIMITS = 9
_SYNCHRONIZE = 0x0010_0000
_FOREVER = 0xFFFF_FFFF


class _Basic(ctypes.Structure):
    _fields_ = (
        ("process_time", c_int64),
        ("job_time", c_int64),
        ("flags", c_uint32),
        ("least_working_set", c_size_t),
        ("most_working_set", c_size_t),
        ("processes", c_uint32),
        ("affinity", c_size_t),
        ("priority", c_uint32),
        ("scheduling", c_uint32),
    )


class JobLimits(ctypes.Structure):
    """``JOBOBJECT_EXTENDED_LIMIT_INFORMATION``."""

    _fields_ = (
        ("basic", _Basic),
        ("counters", c_uint64 * 6),
        ("process_memory", c_size_t),
        ("job_memory", c_size_t),
        ("peak_process_memory", c_size_t),
        ("peak_job_memory", c_size_t),
    )


def in_a_job(memory: int, seconds: int, kernel: Any) -> bool:
    """Puts this process into a job of Windows of its own: so much memory (bytes) and processor time, no further
    process, no dialogue after a crash. Whether Windows took it. ``kernel`` is ``kernel32``."""
    limits = JobLimits()
    limits.basic.flags = PROCESS_TIME | ONE_PROCESS | PROCESS_MEMORY | NO_DIALOG
    limits.basic.processes = 1
    limits.basic.process_time = seconds * _PER_SECOND
    limits.process_memory = memory
    kernel.CreateJobObjectW.restype = kernel.GetCurrentProcess.restype = ctypes.c_void_p
    job = kernel.CreateJobObjectW(None, None)
    if not job:
        return False
    job = ctypes.c_void_p(job)
    taken = kernel.SetInformationJobObject(job, _EXTENDED_LIMITS, ctypes.byref(limits), ctypes.sizeof(limits))
    return bool(taken and kernel.AssignProcessToJobObject(job, ctypes.c_void_p(kernel.GetCurrentProcess())))


def end_after(wait: Callable[[], object], end: Callable[[], object] = lambda: os._exit(1)) -> threading.Thread:
    """Calls ``end`` when ``wait`` returns, in a thread of its own."""

    def watch() -> None:
        wait()
        end()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    return thread


def limit_process(memory: int, seconds: int) -> None:
    """Limits this process on Windows; elsewhere ``setrlimit`` does."""
    if sys.platform == "win32":
        in_a_job(memory, seconds, ctypes.windll.kernel32)


def end_with(parent: int) -> None:
    """Ends this process when ``parent`` ends, on Windows and macOS; one that is gone already ends it at once."""
    if sys.platform == "win32":
        kernel = ctypes.windll.kernel32
        kernel.OpenProcess.restype = ctypes.c_void_p
        handle = kernel.OpenProcess(_SYNCHRONIZE, 0, parent)
        if not handle:
            os._exit(1)
        end_after(lambda: kernel.WaitForSingleObject(ctypes.c_void_p(handle), _FOREVER))
    elif sys.platform == "darwin":
        import select

        queue = select.kqueue()
        event = select.kevent(parent, select.KQ_FILTER_PROC, select.KQ_EV_ADD, select.KQ_NOTE_EXIT)
        try:
            queue.control([event], 0)
        except ProcessLookupError:
            os._exit(1)
        end_after(lambda: queue.control(None, 1))
