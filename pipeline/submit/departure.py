"""Departure of one request: from the claim of its row to its first byte."""

from __future__ import annotations

import asyncio
from types import TracebackType

from pipeline.domain.lifecycle import Event
from pipeline.domain.records import Finding, Source
from pipeline.runtime.clock import Clock
from pipeline.runtime.failpoints import crashpoint


class Departure:
    """From the claim to the first byte: holds one of the ``ahead`` places, and knows whether the row has gone."""

    def __init__(self, clock: Clock, stale_after: float, ahead: asyncio.Semaphore) -> None:
        self._clock, self._stale_after, self._ahead = clock, stale_after, ahead
        self._claimed_at = 0.0
        self._left = self._released = False

    async def __aenter__(self) -> Departure:
        await self._ahead.acquire()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._release()

    def claimed(self) -> None:
        """The age of the intent counts from here, sleep of the machine included."""
        self._claimed_at = self._clock.since_boot()

    def leave(self) -> bool:
        """Called right before the first byte. False when the intent is too old: then nothing may leave."""
        crashpoint("departure")
        self._release()
        self._left = self._clock.since_boot() - self._claimed_at <= self._stale_after
        return self._left

    def broken_off(self, note: str) -> Finding:
        """The finding of an exchange that was given up: nothing left before ``leave``, anything after it."""
        event = Event.UNCLEAR if self._left else Event.NOTHING_LEFT
        return Finding(Source.CANCELLATION, event, note=note, understood=not self._left)

    def _release(self) -> None:
        if not self._released:
            self._released = True
            self._ahead.release()
