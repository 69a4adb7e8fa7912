"""Graceful shutdown: the request to stop, from a signal or from the run itself (reliability.md P14).

``Stop`` is for code that sends and queries: all waiting code observes it. ``Ending`` is for files that are read and put
away: it is checked between two of them.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from pipeline.domain.errors import AnularError, Interrupted
from pipeline.runtime.clock import Clock

SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)]
"""Signals of Ctrl-C, the service manager and a closed terminal; SIGBREAK is Ctrl-Break on Windows."""
GRACE_S = 25.0
"""Seconds that requests in flight may go on after the first Ctrl-C or SIGTERM."""


CLOSING = frozenset({2, 5, 6})
"""What Windows says before it ends a console program: window closed, user logs off, machine shuts down."""
CLOSING_S = (2.5, 1.5)
"""Windows waits about 5 s. Seconds that requests in flight have then, and after them what is written last."""


class Stop:
    """The stop request and its reason. The first reason wins; a second request also ends the grace period."""

    def __init__(self, clock: Clock, grace: float = GRACE_S) -> None:
        self._clock = clock
        self._grace = grace
        self._asked = asyncio.Event()
        self._hurried = asyncio.Event()
        self.reason: AnularError | None = None
        #: a person or the system asked, whatever else had stopped it before: nothing more is begun after this
        self.interrupted = False

    def ask(self, reason: AnularError) -> None:
        """Requests a stop: no new row is claimed from now on. A second request also gives up the requests in flight."""
        self.interrupted |= isinstance(reason, Interrupted)
        if self._asked.is_set():
            self._hurried.set()
            return
        self.reason = reason
        self._asked.set()

    def stop_for(self, reason: AnularError) -> None:
        """Like ``ask``, for an internal problem: many workers may report the same one, which never shortens the
        grace."""
        if not self._asked.is_set():
            self.ask(reason)

    @property
    def asked(self) -> bool:
        return self._asked.is_set()

    async def wait(self) -> None:
        """Waits for a stop request."""
        await self._asked.wait()

    async def sleep(self, seconds: float) -> bool:
        """Waits ``seconds``, or until a stop request. True when the whole time has passed."""
        return await first(self._clock.sleep(seconds), self._asked.wait()) == 0

    async def grace_over(self) -> None:
        """Waits for a stop request, then for the end of the grace period or a second request."""
        await self._asked.wait()
        await first(self._clock.sleep(self._grace), self._hurried.wait())


def held_open(event: int, ask: Callable[[], None], sleep: Callable[[float], object] = time.sleep) -> bool:
    """Answer to what Windows says to a console program: whether it was dealt with. When it is to end, ``ask`` asks for
    it, a second time after a while, and this keeps Windows waiting; the program ends meanwhile, or is ended."""
    if event not in CLOSING:
        return False
    for seconds in CLOSING_S:
        ask()
        sleep(seconds)
    return True


if sys.platform == "win32":
    import ctypes

    @contextmanager
    def window_closed(ask: Callable[[], None]) -> Iterator[None]:
        """Has ``ask`` called, in a thread of Windows, when the window is closed, and before log-off and shutdown."""
        listener = ctypes.WINFUNCTYPE(ctypes.c_int, ctypes.c_uint)(lambda event: int(held_open(event, ask)))
        ctypes.windll.kernel32.SetConsoleCtrlHandler(listener, 1)
        try:
            yield
        finally:
            ctypes.windll.kernel32.SetConsoleCtrlHandler(listener, 0)

else:

    @contextmanager
    def window_closed(ask: Callable[[], None]) -> Iterator[None]:  # noqa: ARG001 - SIGHUP and SIGTERM say it
        """Nothing: other systems send a signal."""
        yield


@contextmanager
def signals(stop: Stop) -> Iterator[None]:
    """Ctrl-C, SIGTERM and a closed terminal request a stop; a second one gives up the requests in flight.

    The earlier handlers are restored afterwards: the loop itself would leave the system's defaults behind.
    """
    loop = asyncio.get_running_loop()

    def asked() -> None:
        with suppress(RuntimeError):  # the loop has ended by itself
            loop.call_soon_threadsafe(stop.ask, Interrupted())

    with ExitStack() as undo, window_closed(asked):
        for number in SIGNALS:
            before = signal.getsignal(number)
            try:
                loop.add_signal_handler(number, stop.ask, Interrupted())
                undo.callback(signal.signal, number, before)
                undo.callback(loop.remove_signal_handler, number)
            except NotImplementedError:  # Windows: no handlers in the loop, so wake it from the C-level one
                signal.signal(number, lambda *_: asked())
                undo.callback(signal.signal, number, before)
        yield


@contextmanager
def handled(handlers: Mapping[signal.Signals, Any]) -> Iterator[None]:
    """Signal handlers for a while; the earlier ones are restored afterwards."""
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def when_input_closes(call: Callable[[], object]) -> None:
    """Has ``call`` called, in a thread of its own, when standard input closes: the process that gave it is gone, or
    asks this one to end."""

    def listen() -> None:
        # os.read and not sys.stdin.read: a thread in a buffered reader would block the end of the interpreter.
        with suppress(OSError):
            read_to_the_end(waiting_in_input(), lambda: os.read(0, 4096))
        call()

    threading.Thread(target=listen, daemon=True).start()


INPUT_LOOK_S = 0.2
"""Seconds between two looks at an input in which nothing may be waited for."""


def read_to_the_end(
    waiting: Callable[[], int] | None, read: Callable[[], bytes], sleep: Callable[[float], object] = time.sleep
) -> None:
    """Reads until nothing comes any more. ``waiting`` says how many bytes are there, and raises ``OSError`` at the end;
    where it is given, nothing is read before something is there."""
    while True:
        if waiting is not None and not waiting():
            sleep(INPUT_LOOK_S)
        elif not read():
            return


if sys.platform == "win32":
    import _winapi
    import msvcrt

    def waiting_in_input() -> Callable[[], int] | None:
        """How many bytes wait in a pipe that is standard input; None where it is something else.

        While one thread waits in a read of a pipe, Windows lets nobody ask anything about it, and a library that
        begins with its own C runtime (that of numpy does) asks what standard input is: loading it would never end.
        """
        handle = msvcrt.get_osfhandle(0)
        if _winapi.GetFileType(handle) != _winapi.FILE_TYPE_PIPE:
            return None
        return lambda: int(_winapi.PeekNamedPipe(handle, 0)[0])

else:

    def waiting_in_input() -> Callable[[], int] | None:
        """None: elsewhere a read may wait."""
        return None


async def first(*waits: object) -> int:
    """Index of the awaitable that ends first; the others are cancelled. Raises what that one raised."""
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
    """Whether the pass was requested to end: no further file or company is started, and what is being sent or queried
    for others in threads of its own is requested to stop."""

    asked: bool = False
    _stops: dict[Stop, asyncio.AbstractEventLoop] = field(default_factory=dict, repr=False)

    @property
    def reaches_any(self) -> bool:
        """Whether anything is being sent or queried in another thread."""
        return bool(self._stops)

    def ask(self) -> None:
        """Requests the end, of everything that goes on; again: gives up the requests in flight."""
        self.asked = True
        for stop, loop in list(self._stops.items()):
            with suppress(RuntimeError):  # its loop has just ended
                loop.call_soon_threadsafe(stop.ask, Interrupted())

    @contextmanager
    def reaching(self, stop: Stop) -> Iterator[None]:
        """Block of another thread, where no signal arrives: a request to end also reaches ``stop``."""
        self._stops[stop] = asyncio.get_running_loop()
        if self.asked:
            stop.ask(Interrupted())
        try:
            yield
        finally:
            del self._stops[stop]


@contextmanager
def listening(ending: Ending) -> Iterator[None]:
    """Ctrl-C, SIGTERM and a closed terminal request the end; a second one also gives up the file being read, or the
    requests in flight."""

    def asked(_number: int, _frame: object) -> None:
        if ending.asked and not ending.reaches_any:
            raise KeyboardInterrupt
        ending.ask()

    with handled(dict.fromkeys(SIGNALS, asked)), window_closed(ending.ask):
        yield
