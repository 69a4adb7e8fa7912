"""Being asked to stop is never lost, also where something else had stopped the run before."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import contextmanager

import pytest

from pipeline.domain.errors import Interrupted, ServiceRefused
from pipeline.runtime import shutdown
from pipeline.runtime.clock import Clock
from pipeline.runtime.shutdown import INPUT_LOOK_S, Ending, Stop, held_open, listening, read_to_the_end, signals


def test_the_first_reason_is_told_and_the_request_to_stop_is_known_all_the_same():
    async def asked() -> Stop:
        stop = Stop(Clock())
        stop.stop_for(ServiceRefused("No respondió."))
        assert (stop.asked, stop.interrupted) == (True, False)
        stop.ask(Interrupted())
        return stop

    stop = asyncio.run(asked())
    assert (type(stop.reason), stop.interrupted) == (ServiceRefused, True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_asks_also_while_the_run_is_ending_for_another_reason(number):
    async def ended() -> Stop:
        stop = Stop(Clock())
        with signals(stop):
            stop.stop_for(ServiceRefused("No respondió."))
            os.kill(os.getpid(), number)
            await stop.grace_over()  # the second request ends the grace
        return stop

    before = signal.getsignal(number)
    assert asyncio.run(asyncio.wait_for(ended(), 60)).interrupted
    assert signal.getsignal(number) == before


@pytest.mark.parametrize("event", [2, 5, 6], ids=["closed", "log-off", "shutdown"])
def test_windows_is_kept_waiting_four_seconds_while_the_program_ends(event):
    heard: list[object] = []
    assert held_open(event, lambda: heard.append("asked"), heard.append)
    assert heard == ["asked", 2.5, "asked", 1.5]


@pytest.mark.parametrize("event", [0, 1], ids=["Ctrl-C", "Ctrl-Break"])
def test_what_comes_as_a_signal_is_left_to_it(event):
    assert not held_open(event, lambda: pytest.fail("asked"), lambda _: pytest.fail("waited"))


class Window:
    """Stands for the console of Windows; ``close`` says that the window is closed."""

    def __init__(self, monkeypatch) -> None:
        self.asks: list = []
        monkeypatch.setattr(shutdown, "window_closed", self.listened)

    @contextmanager
    def listened(self, ask):
        self.asks.append(ask)
        yield
        self.asks.remove(ask)

    def close(self) -> None:
        for ask in self.asks:
            assert held_open(2, ask, lambda _: None)


def test_a_closed_window_ends_the_sending_and_gives_up_what_is_in_flight(monkeypatch):
    window = Window(monkeypatch)

    async def ended() -> Stop:
        stop = Stop(Clock())
        with signals(stop):
            await asyncio.to_thread(window.close)
            await stop.grace_over()  # asked twice: no 25 seconds
        return stop

    assert asyncio.run(asyncio.wait_for(ended(), 20)).interrupted
    assert window.asks == []


def test_a_closed_window_ends_the_pass_over_the_drop_folder(monkeypatch):
    window, ending = Window(monkeypatch), Ending()
    with listening(ending):
        window.close()
    assert ending.asked


def test_an_input_that_nobody_may_wait_in_is_read_only_when_something_is_there():
    waits, read, slept = iter([0, 0, 3, 0]), list[str](), list[float]()

    def waiting() -> int:
        for count in waits:
            return count
        raise BrokenPipeError  # the other end is closed

    def take() -> bytes:
        read.append("read")
        return b"abc"

    with pytest.raises(BrokenPipeError):
        read_to_the_end(waiting, take, slept.append)
    assert (len(read), slept) == (1, [INPUT_LOOK_S] * 3)


def test_an_input_that_may_be_waited_in_is_read_to_its_end():
    parts, slept = iter([b"a", b"b", b""]), list[float]()
    read_to_the_end(None, lambda: next(parts), slept.append)
    assert (next(parts, None), slept) == (None, [])
