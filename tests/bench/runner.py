"""What every benchmark shares: ways that take turns, each in a process of its own; medians, ratios, JSON lines.

A *way* is one manner of doing the same thing: ours, its floor, what a user would otherwise pick. Ways run A B C A B C,
so that whatever else the machine does falls on all of them; of each the median counts, and what is compared is the
ratio of medians from the same run. Seconds belong to the machine, ratios travel.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "bench"
Numbers = dict[str, float]


def build() -> Path:
    """Where everything that is measured writes: on the disk of the tree, not in a memory file system."""
    BUILD.mkdir(parents=True, exist_ok=True)
    return BUILD


@dataclass(frozen=True)
class Scale:
    """How much is measured. ``quick`` is a smoke test: small sizes, one turn, figures that mean nothing. ``most`` turns
    at most; what takes long has three at most anyway."""

    quick: bool = False
    most: int = 5

    def of(self, full: int, quick: int) -> int:
        return quick if self.quick else full

    @property
    def turns(self) -> int:
        return 1 if self.quick else self.most


@dataclass
class Figure:
    """One line of the results: what was measured, each way's values, and the figure with its goal.

    ``values`` holds per way the values of all turns in ``unit``; ``name`` says what ``value`` is (``anular ÷ httpx``);
    ``goal`` is ``(">=" or "<=", limit)`` or None; ``more`` whatever else was counted.
    """

    bench: str
    case: str
    unit: str
    values: dict[str, list[float]]
    name: str = ""
    value: float | None = None
    goal: tuple[str, float] | None = None
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def met(self) -> bool | None:
        if self.goal is None or self.value is None:
            return None
        sign, limit = self.goal
        return self.value >= limit if sign == ">=" else self.value <= limit

    def medians(self) -> Numbers:
        return {way: median(values) for way, values in self.values.items() if values}

    def as_line(self) -> str:
        return json.dumps({**asdict(self), "medians": self.medians(), "met": self.met}, ensure_ascii=False)


Way = Callable[[], Numbers]


def in_turn(ways: Mapping[str, Way], turns: int, *, warm: bool = False) -> dict[str, list[Numbers]]:
    """Every way ``turns`` times, one after the other. ``warm``: one turn before that does not count."""
    told: dict[str, list[Numbers]] = {name: [] for name in ways}
    for turn in range(turns + warm):
        for name, way in ways.items():
            numbers = way()
            if turn >= warm:
                told[name].append(numbers)
    return told


def column(told: Mapping[str, list[Numbers]], key: str) -> dict[str, list[float]]:
    return {way: [round(one[key], 6) for one in numbers] for way, numbers in told.items()}


def over(values: Mapping[str, list[float]], above: str, below: str) -> float:
    """Ratio of the medians of two ways."""
    return round(median(values[above]) / median(values[below]), 4)


def apart(module: str, way: str, **parameters: Any) -> Numbers:
    """Runs ``WAYS[way](**parameters)`` of a benchmark module in a process of its own.

    What it returns, plus ``cpu`` (seconds, user and system, of that process and its children) and ``peak_mb``
    (its own resident memory at most). Raises ``RuntimeError`` with its words when it fails.
    """
    command = [sys.executable, "-m", "tests.bench.child", module, way, json.dumps(parameters)]
    done = subprocess.run(command, cwd=ROOT, env=clean(), check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{module} {way} {parameters} failed:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
    numbers: Numbers = json.loads(done.stdout.splitlines()[-1])
    return numbers


def clean(**more: str) -> dict[str, str]:
    """The environment without anybody's settings, plus ``more``."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANULAR_")}
    return {**kept, **more}


def command(arguments: list[str], *, codes: tuple[int, ...] = (0,), **options: Any) -> Numbers:
    """Runs a command to its end: ``seconds``, ``cpu`` (with its children), ``code``; output is thrown away."""
    before, start = os.times(), time.perf_counter()
    done = subprocess.run(arguments, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **options)
    seconds, after = time.perf_counter() - start, os.times()
    if done.returncode not in codes:
        raise RuntimeError(f"{arguments} ended with {done.returncode}: {done.stderr[-3000:]!r}")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return {"seconds": seconds, "cpu": cpu, "code": done.returncode}


@contextmanager
def server(latency_ms: float = 0.0, limit: float | None = None) -> Iterator[str]:
    """The eDoc of ``server.py`` in its own process; its base address with a slash at the end."""
    arguments = [sys.executable, "-m", "tests.bench.server", "--latency-ms", str(latency_ms)]
    if limit is not None:
        arguments += ["--limit", str(limit)]
    process = subprocess.Popen(arguments, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        yield process.stdout.readline().strip() + "/"
    finally:
        process.stdin.close()
        process.wait(timeout=20)
        process.stdout.close()


def journal(base: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{base}journal", timeout=20) as answer:
        said: dict[str, Any] = json.load(answer)
        return said


def reset(base: str) -> None:
    urllib.request.urlopen(f"{base}reset", timeout=20).close()


@contextmanager
def watched_memory(pid: int, every: float = 0.1) -> Iterator[dict[str, float]]:
    """The peak resident memory in MB of a process (``parent``) and of its largest descendant (``child``).

    Read from the kernel's own high-water marks while it runs, so that a short peak between two looks is not missed,
    except of a child that lives for less than ``every`` seconds.
    """
    peaks = {"parent": 0.0, "child": 0.0}
    over_now = threading.Event()

    def look() -> None:
        while not over_now.wait(every):
            peaks["parent"] = max(peaks["parent"], high_water(pid))
            for child in descendants(pid):
                peaks["child"] = max(peaks["child"], high_water(child))

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield peaks
    finally:
        over_now.set()
        watcher.join()


def high_water(pid: int) -> float:
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in text.splitlines() if line.startswith("VmHWM")), 0.0)


def descendants(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            numbers = [int(one) for one in task.read_text().split()]
        except OSError:
            continue
        for one in numbers:
            found += [one, *descendants(one)]
    return found
