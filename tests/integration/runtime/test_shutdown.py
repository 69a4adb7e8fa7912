"""Being asked to stop is never lost, also where something else had stopped the run before."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from pipeline.domain.errors import Interrupted, ServiceRefused
from pipeline.runtime.clock import Clock
from pipeline.runtime.shutdown import Stop, signals


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
