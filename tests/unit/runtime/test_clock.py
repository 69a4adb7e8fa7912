"""The clock of the staleness guard goes on while the machine sleeps, on each system by its own."""

from __future__ import annotations

import sys
import time

import pytest

from pipeline.runtime.clock import Clock


@pytest.mark.parametrize(("system", "name"), [("linux", "CLOCK_BOOTTIME"), ("darwin", "CLOCK_MONOTONIC")])
def test_sleep_counts(monkeypatch, system, name):
    asked: list[object] = []
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(time, name, name, raising=False)
    monkeypatch.setattr(time, "clock_gettime", lambda clock: asked.append(clock) or 7.0, raising=False)
    assert Clock().since_boot() == 7.0
    assert asked == [name]


def test_on_windows_the_usual_clock_counts_sleep(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(time, "monotonic", lambda: 8.0)
    assert Clock().since_boot() == 8.0
