"""Carrying a run through: the service, the signals, the progress. Whoever decides what is sent calls this: a person's
command, or the drop folder under its policy."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Collection, Coroutine, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from typing import Any

from rich.console import Console

from pipeline import run, screen, wiring
from pipeline.domain.errors import AnularError, Interrupted
from pipeline.domain.lifecycle import FOLLOWED, Event, State
from pipeline.domain.outcomes import outcome
from pipeline.domain.records import BatchInfo, Finding
from pipeline.ledger.sent import Sent
from pipeline.run import Steps
from pipeline.runtime.clock import Clock
from pipeline.runtime.shutdown import Stop
from pipeline.settings import Settings
from pipeline.telemetry.events import SILENT, Journal
from pipeline.wiring import Memory, Service

Work = Callable[[Steps, Stop], Coroutine[Any, Any, None]]
"""What is done with the service: sending, asking, or both; it ends early when the ``Stop`` is asked."""


def carry_out(
    settings: Settings,
    clock: Clock,
    base: str,
    work: Work,
    *,
    now: bool,
    anew: datetime | None = None,
    sent: Sent | None = None,
    journal: Journal = SILENT,
) -> AnularError | None:
    """Runs ``work`` with everything it needs; what ended it early, if anything did.

    ``base`` is the running sandbox's address; ``now`` asks about every row at once, and can send nothing; ``anew`` and
    ``sent`` of a ``Memory``. Raises ``WrongUsage`` when it may send and the settings do not say whose documents.
    """

    async def inside() -> AnularError | None:
        stop = Stop(clock)
        async with wiring.open_service(settings, clock, base, journal) as service:
            with _signals(stop):
                await work(_steps(settings, clock, service, now=now, anew=anew, sent=sent, journal=journal), stop)
        return stop.reason

    return asyncio.run(inside())


def _steps(
    settings: Settings,
    clock: Clock,
    service: Service,
    *,
    now: bool,
    anew: datetime | None,
    sent: Sent | None,
    journal: Journal,
) -> Steps:
    return Steps(
        client=service.client,
        limiter=service.limiter,
        clock=clock,
        send=None if now else wiring.send_rules(settings, anew, sent),
        ask=wiring.poll_rules(settings, now=now),
        journal=journal,
    )


@contextmanager
def _signals(stop: Stop) -> Iterator[None]:
    """Ctrl-C, SIGTERM and a closed terminal ask to stop; a second one gives up what is in flight.

    Whoever listened before listens again afterwards: the loop itself would leave the system's default behind.
    """
    loop = asyncio.get_running_loop()
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    with ExitStack() as undo:
        for number in numbers:
            before = signal.getsignal(number)
            try:
                loop.add_signal_handler(number, stop.ask, Interrupted())
                undo.callback(signal.signal, number, before)
                undo.callback(loop.remove_signal_handler, number)
            except NotImplementedError:  # Windows: no handlers in the loop, so wake it from the C-level one
                signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.ask, Interrupted()))
                undo.callback(signal.signal, number, before)
        yield


async def send(
    batches: Sequence[BatchInfo], steps: Steps, memory: Memory, stop: Stop, progress: Console, only: int | None = None
) -> None:
    """Sends what is ready in ``batches``, ``only`` the first rows of each; says on ``progress`` how it goes."""
    total = sum(memory.views.unsent(info.id) for info in batches)
    ticker = screen.Ticker(progress, "Enviando", total if only is None else min(only * len(batches), total))
    with ticker.running():
        await run.send(
            batches,
            steps,
            memory.store,
            memory.views,
            stop,
            lambda _, state, found: ticker.moved(None, outcome(state, elsewhere=found.event is Event.ELSEWHERE).value),
            only,
        )


async def follow(
    ids: Collection[str], steps: Steps, memory: Memory, stop: Stop, progress: Console, *, only: int | None = None
) -> None:
    """Queries the rows of these batches that are due; ``only`` the one at this position."""
    rows = [row for row in run.to_follow(list(ids), memory.views, steps.ask) if only in (None, row.pos)]
    ticker = screen.Ticker(progress, "Consultando", len(rows))

    def watch(_before: State | None, after: State, _finding: Finding) -> None:
        if after not in FOLLOWED:
            ticker.moved(None, outcome(after).value)

    with ticker.running():
        await run.follow(rows, steps, memory.store, stop, watch)
