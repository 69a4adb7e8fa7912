"""Clock: time as a value that is passed in. Wall clock to record, monotonic clocks to wait and to measure."""

from __future__ import annotations

import asyncio
import sys
import time
from datetime import UTC, datetime, timedelta


class Clock:
    """The machine's clocks.

    ``shift`` moves the *recorded* time only (the sandbox's demo date); waits and ages never use it,
    so a jump of the wall clock can neither shorten nor lengthen a wait (reliability.md P16).
    """

    def __init__(self, shift: timedelta = timedelta(0)) -> None:
        self._shift = shift

    @classmethod
    def starting_at(cls, moment: datetime) -> Clock:
        """A clock whose recorded time starts at ``moment`` (aware) and then runs as usual."""
        return cls(moment - datetime.now(UTC))

    def now(self) -> datetime:
        """The recorded time, aware, UTC."""
        return datetime.now(UTC) + self._shift

    def stamps(self) -> float:
        """Seconds since the epoch on the clock of file timestamps; never shifted, only for ages of files."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds on a clock that never jumps; stops while the machine sleeps on some systems."""
        return time.monotonic()

    def since_boot(self) -> float:
        """Seconds since boot *including* sleep, for the staleness guard (reliability.md R9)."""
        if sys.platform == "linux":
            return time.clock_gettime(time.CLOCK_BOOTTIME)
        elif sys.platform == "darwin":
            return time.clock_gettime(time.CLOCK_MONOTONIC)
        else:
            return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Waits without blocking other tasks; a negative time counts as zero."""
        await asyncio.sleep(max(0.0, seconds))
