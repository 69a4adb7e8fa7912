"""Metrics collector: counts events and ledger rows for one company and writes its part of the metrics file."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from threading import Event, Lock, Thread

from pipeline.domain.errors import AnularError
from pipeline.domain.records import Tally
from pipeline.runtime.clock import Clock
from pipeline.telemetry.prometheus import Samples, sample, update

EVERY_S = 15.0
SHARE = 50
"""Counting a large ledger blocks its writers for a while: counting takes at most one part in so many of the time."""
MINUTE_S = 60.0
KEPT = frozenset({"anular_requests_total", "anular_last_run_timestamp_seconds", "anular_last_run_exit_code"})
"""Samples kept from an earlier command: counters go on, and another command's last run is still its last run."""


class Collector:
    """Collector for one (environment, profile). ``rate`` is ``ANULAR_RATE``, in requests per second. ``trouble`` is the
    first error that kept the file from being written, or None."""

    def __init__(self, path: Path, clock: Clock, *, env: str, profile: str, rate: float, version: str) -> None:
        self._path, self._clock, self._rate = path, clock, rate
        self._own = {"env": env, "profile": profile}
        self._version = version
        self.trouble: OSError | None = None
        self._requests: Counter[tuple[str, str]] = Counter()  # since the last write
        self._gone: deque[float] = deque()
        self._tally: Tally | None = None
        self._count: Callable[[], Tally] | None = None
        self._counts, self._writes, self._counting = Lock(), Lock(), Lock()
        self._over = Event()
        self._thread: Thread | None = None

    def on_event(self, event: str, facts: Mapping[str, object]) -> None:
        if event == "departure":
            now = self._clock.monotonic()
            with self._counts:
                self._gone.append(now)
                self._forget(now)
        elif event == "request":
            status = facts["status"]
            told = f"{status // 100}xx" if isinstance(status, int) else "none"
            with self._counts:
                self._requests[str(facts["kind"]), told] += 1

    def ledger(self, count: Callable[[], Tally] | None) -> None:
        """Sets how rows are counted; from then on the file is written about every ``EVERY_S`` seconds. None counts the
        rows a last time."""
        if count is None:
            self._look()
        with self._counting:
            self._count = count
        if count is not None and self._thread is None:
            self._thread = Thread(target=self._serve, name="metrics", daemon=True)
            self._thread.start()

    def write(self, *, command: str = "", code: int = 0) -> None:
        """Updates the file; with ``command``, records that this command just ended with exit code ``code``."""
        with self._writes:
            with self._counts:
                requests, self._requests = self._requests, Counter()
            try:
                update(self._path, lambda before: self._merged(before, requests, command, code))
            except OSError as error:
                self.trouble = self.trouble or error
                with self._counts:
                    self._requests += requests  # for the next write

    def close(self) -> None:
        self._over.set()

    def _serve(self) -> None:
        pause = EVERY_S
        while not self._over.wait(pause):
            begun = time.perf_counter()
            if not self._look():
                continue
            pause = max(EVERY_S, SHARE * (time.perf_counter() - begun))
            self.write()

    def _look(self) -> bool:
        """Counts the rows, if possible now."""
        with self._counting:
            if self._count is None:
                return False
            try:
                self._tally = self._count()
            except AnularError:
                return False  # the ledger has a problem: the run reports it
        return True

    def _merged(self, before: Samples, requests: Counter[tuple[str, str]], command: str, code: int) -> Samples:
        """The samples of others, the kept ones of ours, and the current ones."""
        own, now = set(self._own.items()), self._clock.now().timestamp()
        after = {(n, labels): v for (n, labels), v in before.items() if not own <= set(labels) or n in KEPT}
        if self._tally is None:  # no ledger was opened: the counts of an earlier command still hold
            rows = {key: v for key, v in before.items() if own <= set(key[1]) and key[0] == "anular_rows"}
            oldest = before.get(sample("anular_oldest_pending_timestamp_seconds", **self._own), 0.0)
            held = before.get(sample("anular_held_limit_timestamp_seconds", **self._own), 0.0)
        else:
            rows = {sample("anular_rows", outcome=w, **self._own): float(n) for w, n in self._tally.rows.items()}
            oldest, held = _seconds(self._tally.oldest), _seconds(self._tally.held_until)
        after |= rows
        after[sample("anular_oldest_pending_timestamp_seconds", **self._own)] = oldest
        after[sample("anular_oldest_pending_seconds", **self._own)] = max(0.0, now - oldest) if oldest else 0.0
        after[sample("anular_held_limit_timestamp_seconds", **self._own)] = held
        after[sample("anular_rate_used_ratio", **self._own)] = self._used()
        after[sample("anular_build_info", version=self._version, **self._own)] = 1.0
        for (kind, status), number in requests.items():
            key = sample("anular_requests_total", kind=kind, status_class=status, **self._own)
            after[key] = after.get(key, 0.0) + number
        if command:
            after[sample("anular_last_run_timestamp_seconds", command=command, **self._own)] = now
            after[sample("anular_last_run_exit_code", command=command, **self._own)] = float(code)
        return after

    def _used(self) -> float:
        with self._counts:
            self._forget(self._clock.monotonic())
            return len(self._gone) / (self._rate * MINUTE_S)

    def _forget(self, now: float) -> None:
        while self._gone and self._gone[0] <= now - MINUTE_S:
            self._gone.popleft()


def _seconds(moment: datetime | None) -> float:
    """Unix time; 0 for none."""
    return moment.timestamp() if moment is not None else 0.0
