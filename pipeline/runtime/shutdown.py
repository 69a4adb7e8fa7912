"""Graceful shutdown: a signal asks, and what runs ends itself (reliability.md P14).

``Stop`` is for what sends and queries: everything that waits looks at it. ``Ending`` is for files that are read and put
away: it is looked at between two of them.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from pipeline.domain.errors import AnularError, Interrupted
from pipeline.runtime.clock import Clock

SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
"""Ctrl-C, the service manager and a closed terminal."""
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


@contextmanager
def signals(stop: Stop) -> Iterator[None]:
    """Ctrl-C, SIGTERM and a closed terminal ask to stop; a second one gives up what is in flight.

    Whoever listened before listens again afterwards: the loop itself would leave the system's default behind.
    """
    loop = asyncio.get_running_loop()
    with ExitStack() as undo:
        for number in SIGNALS:
            before = signal.getsignal(number)
            try:
                loop.add_signal_handler(number, stop.ask, Interrupted())
                undo.callback(signal.signal, number, before)
                undo.callback(loop.remove_signal_handler, number)
            except NotImplementedError:  # Windows: no handlers in the loop, so wake it from the C-level one
                signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.ask, Interrupted()))
                undo.callback(signal.signal, number, before)
        yield


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


@dataclass
class Ending:
    """Whether the pass was asked to end: no further file is begun."""

    asked: bool = False


@contextmanager
def listening(ending: Ending) -> Iterator[None]:
    """Ctrl-C, SIGTERM and a closed terminal ask for the end; asked again, what is being read is given up as well."""

    def asked(_number: int, _frame: object) -> None:
        if ending.asked:
            raise KeyboardInterrupt
        ending.asked = True

    before = {number: signal.signal(number, asked) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
