"""Rate limiter: one for all requests to the provider under one credential (edoc-api.md 6).

GCRA with a burst of one. Requests leave one by one at the agreed interval, in the order in which they asked; unused
time is not saved up. A pause (429, 503) holds all requests back, not one row.

A turn is not yet a departure: the connection comes first, and a busy moment of this process can bring several turns
close together. So there is a second gate right before the first byte, which counts what really left.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from pipeline.domain.errors import WrongUsage
from pipeline.runtime.clock import Clock
from pipeline.telemetry.events import SILENT, EventBus

PAUSE_DEFAULT_S = 5.0  # a 429 or 503 without a wait, or with one that is not readable
PAUSE_LEAST_S = 1.0  # "now" or a past date: still a wait, so that we do not flood the service
PAUSE_MOST_S = 900.0  # a longer wait is left to the next run (reliability.md F27)
JITTER_S = 0.1

PACE = 0.995
"""Share of the rate that is used. Half a per cent is the margin because requests arrive less evenly than they leave:
without it 203 instead of 201 arrived within a second at 200 per second, and some were answered with 429."""

_TINY = 1e-6  # seconds; less than a sleep can measure


class Limiter:
    """Rate limiter: at most ``rate`` departures per second (None: no limit), never over ``rate + 1`` in any one second.

    ``rate`` may be a fraction. Shared by token, cancellation and query. Also usable as ``async with limiter:``.
    Raises ``WrongUsage`` for a rate that is not a positive number.
    """

    def __init__(self, rate: float | None, clock: Clock, bus: EventBus = SILENT) -> None:
        if rate is not None and not (math.isfinite(rate) and rate > 0):
            raise WrongUsage(f"El ritmo debe ser mayor que cero; dice {rate:g} solicitudes por segundo.")
        self._clock, self._bus = clock, bus
        self._interval = 0.0 if rate is None else 1.0 / (PACE * rate)
        most = 0 if rate is None else math.floor(rate) + 1
        room = most * self._interval - 1.0
        # A sleep that ends late may be made up for by this much, so that the rate is reached in practice. It is half of
        # the margin that keeps every window of one second within rate + 1.
        self._slack = max(0.0, room / 2)
        self._span = 1.0 + 0.75 * room  # from one departure to the ``most``-th after it; the network is less even still
        self._gone: deque[float] = deque(maxlen=most)
        self._next = -math.inf
        self._open_at = -math.inf
        self._turn = asyncio.Lock()  # first come, first served

    async def acquire(self) -> None:
        """Waits for this request's turn. A task that is cancelled while waiting takes no turn from the others."""
        async with self._turn:
            aimed_at = None
            while (wait := max(self._next, self._open_at) - (now := self._clock.monotonic())) > _TINY:
                aimed_at = now + wait
                await self._clock.sleep(wait)
            # No await from here on: a task takes its departure completely or not at all.
            left_at = now if aimed_at is None else max(aimed_at, now - self._slack)
            self._next = left_at + self._interval

    async def leave(self) -> None:
        """Waits right before the first byte of a request that has had its turn, if turns came too close together.

        No more than ``rate + 1`` pass in any one second, with some margin for the network.
        """
        while self._gone and len(self._gone) == self._gone.maxlen:
            wait = self._gone[0] + self._span - self._clock.monotonic()
            if wait <= _TINY:
                break
            await self._clock.sleep(wait)
        self._gone.append(self._clock.monotonic())
        self._bus.note("departure")

    def pause(self, seconds: float) -> None:
        """Stops all departures for ``seconds`` from now; of two pauses the one that ends later counts."""
        if not math.isfinite(seconds):
            raise ValueError(f"a pause needs a finite number of seconds, not {seconds}")
        self._open_at = max(self._open_at, self._clock.monotonic() + max(0.0, seconds))

    def hold(self, headers: Mapping[str, str], received_at: datetime, jitter: float) -> float:
        """Pauses for as long as the 429 or 503 with these ``headers`` (lower case) asks; returns the seconds.

        A date is compared with the server's own ``Date``, or with ``received_at`` (aware) where it sent none.
        """
        now = http_date(headers.get("date")) or received_at
        seconds = pause_after(headers.get("retry-after"), now, jitter)
        self.pause(seconds)
        self._bus.note("paused", seconds=round(seconds, 3), asked="retry-after" in headers)
        return seconds

    def paused_for(self) -> float:
        """Seconds until the pause ends; 0.0 when there is none."""
        left = self._open_at - self._clock.monotonic()
        return left if left > _TINY else 0.0

    async def wait_open(self) -> None:
        """Waits until there is no pause, without taking a departure."""
        while left := self.paused_for():
            await self._clock.sleep(left)

    async def __aenter__(self) -> None:
        await self.acquire()

    async def __aexit__(self, *_: object) -> None:
        return None


def pause_after(value: str | None, now: datetime, jitter: float = 0.0) -> float:
    """Seconds to wait for this ``Retry-After`` (RFC 9110 10.2.3), between 1 and 900.

    ``now`` is the server's own date where it sent one (aware), so that a wrong local clock cannot make the wait longer.
    Unreadable or absent: 5 seconds. ``jitter`` is 0..1 and adds up to a tenth of a second.
    """
    seconds = _asked(value.strip(), now) if value is not None else None
    wait = PAUSE_DEFAULT_S if seconds is None else max(PAUSE_LEAST_S, seconds)
    return min(PAUSE_MOST_S, wait + JITTER_S * jitter)


def _asked(value: str, now: datetime) -> float | None:
    if value.isascii() and value.isdigit():
        return PAUSE_MOST_S if len(value) > 9 else float(value)
    moment = http_date(value)
    return None if moment is None else (moment - now).total_seconds()


def http_date(value: str | None) -> datetime | None:
    """An HTTP date as an aware datetime; None when absent or unreadable."""
    try:
        moment = parsedate_to_datetime(value or "")
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
