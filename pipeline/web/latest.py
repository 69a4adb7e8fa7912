"""What many pages look at at once, read once a second for all of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")
FRESH_S = 0.9
"""Seconds for which a look counts for others too."""
MOST = 1_000


@dataclass
class Latest:
    """Newest looks by what they were at."""

    #: seconds on a clock that never jumps
    clock: Callable[[], float]
    _found: dict[Hashable, tuple[float, Any]] = field(default_factory=dict)
    _locks: dict[Hashable, threading.Lock] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, key: Hashable, look: Callable[[], T]) -> T:
        """What ``look`` returned within the last moment, or returns now: for who asks meanwhile too."""
        with self._lock:
            if len(self._locks) > MOST:
                self._locks.clear()
                self._found.clear()
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            at, found = self._found.get(key, (float("-inf"), None))
            if self.clock() - at >= FRESH_S:
                found = look()
                self._found[key] = (self.clock(), found)
            return found  # type: ignore[no-any-return]
