"""What a process of Windows gives up by itself, seen at the calls that it makes."""

from __future__ import annotations

import ctypes
import threading
from typing import Any

import pytest

from pipeline.runtime.child_limits import JobLimits, end_after, in_a_job

JOB, OWN = 0x1_0000_0040, 0xFFFF_FFFF_FFFF_FFFF


class Call:
    """A function of the system that keeps what it was given."""

    def __init__(self, answer: int) -> None:
        self.answer, self.restype = answer, None
        self.given: list[tuple] = []

    def __call__(self, *given) -> int:
        self.given.append(given)
        return self.answer


class Kernel:
    SetInformationJobObject: Any
    AssignProcessToJobObject: Any

    def __init__(self, **answers: int) -> None:
        told = {"CreateJobObjectW": JOB, "SetInformationJobObject": 1, "AssignProcessToJobObject": 1, **answers}
        for name, answer in {"GetCurrentProcess": OWN, **told}.items():
            setattr(self, name, Call(answer))


def test_the_layout_is_that_of_windows_on_64_bits():
    assert ctypes.sizeof(JobLimits) == 144


def test_a_reading_process_limits_its_memory_its_time_and_its_children():
    kernel, seen = Kernel(), JobLimits()
    kernel.SetInformationJobObject = lambda job, kind, place, size: bool(
        ctypes.memmove(ctypes.byref(seen), place, size) and (job.value, kind) == (JOB, 9)
    )
    assert in_a_job(512 << 20, 61, kernel)
    assert seen.process_memory == 512 << 20
    assert seen.basic.process_time == 610_000_000
    assert (seen.basic.processes, seen.basic.flags) == (1, 0x2 | 0x8 | 0x100 | 0x400)
    ((job, process),) = kernel.AssignProcessToJobObject.given
    assert (job.value, process.value) == (JOB, OWN)


@pytest.mark.parametrize("name", ["CreateJobObjectW", "SetInformationJobObject", "AssignProcessToJobObject"])
def test_a_windows_that_refuses_is_no_trouble(name):
    assert not in_a_job(1 << 20, 1, Kernel(**{name: 0}))


def test_the_end_of_the_parent_ends_the_child():
    parent, ended = threading.Event(), threading.Event()
    end_after(parent.wait, ended.set)
    assert not ended.is_set()
    parent.set()
    assert ended.wait(20)
