"""Being asked to stop: one object that everything that waits looks at (reliability.md P14)."""

from __future__ import annotations

import asyncio

from pipeline.domain.errors import AnularError
from pipeline.runtime.clock import Clock

GRACE_S = 25.0
"""How long requests in flight may go on after the first Ctrl-C or SIGTERM."""


class Stop:
    """Why the run should end, if it should. The first reason wins; a second request ends the grace as well."""

    def __init__(self, clock: Clock, grace: float = GRACE_S) -> None:
        self._clock = clock
        self._grace = grace
        self._asked = asyncio.Event()
        self._hurried = asyncio.Event()
        self.reason: AnularError | None = None

    def ask(self, reason: AnularError) -> None:
        """No new row is claimed from now on; asked again, the requests in flight are given up as well."""
        if self._asked.is_set():
            self._hurried.set()
            return
        self.reason = reason
        self._asked.set()

    def because(self, reason: AnularError) -> None:
        """Like ``ask`` for a trouble found inside: many workers may find the same one, which hurries nobody."""
        if not self._asked.is_set():
            self.ask(reason)

    @property
    def asked(self) -> bool:
        return self._asked.is_set()

    async def wait(self) -> None:
        """Until somebody asks."""
        await self._asked.wait()

    async def sleep(self, seconds: float) -> bool:
        """Waits ``seconds``, or until somebody asks. True when the whole time has passed."""
        return await first(self._clock.sleep(seconds), self._asked.wait()) == 0

    async def grace_over(self) -> None:
        """Until the requests in flight have to be given up: asked, and then the grace or a second request."""
        await self._asked.wait()
        await first(self._clock.sleep(self._grace), self._hurried.wait())


async def first(*waits: object) -> int:
    """Index of whichever awaitable ends first; the others are cancelled. Raises what that one raised."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]  # type: ignore[call-overload]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    index: int = next(i for i, task in enumerate(tasks) if task in done)
    tasks[index].result()
    return index
