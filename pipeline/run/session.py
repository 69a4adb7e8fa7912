"""Sending session: the service, the signals, the progress of one run, from its approval to its last answer.

A person's command, the drop folder under its policy and a worker all call this; what was done before is known from the
ledger and not done again.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.domain.errors import AnularError, StorageTrouble
from pipeline.domain.lifecycle import FOLLOWED, Event, State
from pipeline.domain.outcomes import outcome
from pipeline.domain.records import BatchInfo, Cancellation, Finding
from pipeline.domain.schedule import followed_enough
from pipeline.edoc.client import EdocClient
from pipeline.edoc.limiter import Limiter
from pipeline.ledger.store import Store
from pipeline.ledger.writer import Writer
from pipeline.poll import PollRules, poll
from pipeline.run.early_results import write_early
from pipeline.run.progress import Progress, waiting_words
from pipeline.runtime.clock import Clock
from pipeline.runtime.shutdown import Ending, Stop, signals
from pipeline.submit.submit import SendRules, submit
from pipeline.telemetry.events import SILENT, EventBus
from pipeline.wiring.ledger import Memory
from pipeline.wiring.rules import poll_rules
from pipeline.wiring.service import open_service


@dataclass(frozen=True, slots=True)
class Steps:
    """Service, rules and clock of a run, for sending and querying."""

    client: EdocClient
    limiter: Limiter
    clock: Clock
    #: None: this run only asks
    send: SendRules | None
    ask: PollRules
    bus: EventBus = SILENT


Work = Callable[[Steps, Stop], Coroutine[Any, Any, None]]
"""What is done with the service: sending, asking, or both; it ends early when the ``Stop`` is asked."""


def carry_out(
    memory: Memory,
    clock: Clock,
    base: str,
    work: Work,
    sending: SendRules | None = None,
    ending: Ending | None = None,
) -> AnularError | None:
    """Runs ``work`` with everything it needs; returns what ended it early, if anything did.

    ``base`` is the running sandbox's address. Without the rules of ``sending`` nothing can be sent, and every row is
    queried at once. A request to stop also reaches ``ending``, the pass that this session is a part of; what
    ``memory.stop_when`` answers is one too.
    """
    settings, bus = memory.settings, memory.bus

    async def inside() -> AnularError | None:
        stop = Stop(clock)
        async with open_service(settings, clock, base, bus) as service:
            asking = poll_rules(settings, now=sending is None)
            with _hears(stop, ending):
                async with _watching(stop, memory.stop_when):
                    await work(Steps(service.client, service.limiter, clock, sending, asking, bus), stop)
        if ending is not None:
            ending.asked |= stop.interrupted
        return stop.reason

    return asyncio.run(inside())


def _hears(stop: Stop, ending: Ending | None) -> AbstractContextManager[None]:
    """Signals reach the main thread alone; where several companies work side by side it passes them on."""
    if threading.current_thread() is threading.main_thread():
        return signals(stop)
    return (ending or Ending()).reaching(stop)


LOOK_S = 1.0
"""How often a session asks whether it is to end."""


@asynccontextmanager
async def _watching(stop: Stop, stop_when: Callable[[], AnularError | None] | None) -> AsyncIterator[None]:
    """Until the end of the block, asks ``stop_when``, in a thread, whether the session is to end. What keeps it from
    answering (the office database is busy) is no reason to end: it is asked again."""
    if stop_when is None:
        yield
        return

    async def look() -> None:
        while await stop.sleep(LOOK_S):
            with suppress(StorageTrouble):
                if (why := await asyncio.to_thread(stop_when)) is not None:
                    stop.stop_for(why)
                    return

    looking = asyncio.create_task(look())
    try:
        yield
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


def send_and_follow(
    batches: Sequence[BatchInfo],
    memory: Memory,
    progress: Progress,
    only: int | None = None,
    *,
    follows: bool = True,
    folder: Path | None = None,
) -> Work:
    """Sends what is ready in ``batches``, each only its first ``only`` rows, writes the results if a row has to be
    waited for (into ``folder``, else that of the settings), and queries all of them until they are final or the time
    is up; without ``follows`` it ends after sending."""

    async def work(steps: Steps, stop: Stop) -> None:
        await send(batches, steps, memory, stop, progress, only)
        if follows:
            sent = Sent(batches, folder or memory.settings.out)
            await follow([info.id for info in batches], steps, memory, stop, progress, sent=sent)

    return work


def follow_all(batches: Sequence[BatchInfo], memory: Memory, progress: Progress) -> Work:
    """Queries what is pending or uncertain in ``batches``; sends nothing."""

    async def work(steps: Steps, stop: Stop) -> None:
        await follow([info.id for info in batches], steps, memory, stop, progress)

    return work


@dataclass(frozen=True, slots=True)
class Sent:
    """What was just sent and whose results are written before anybody waits for an answer."""

    batches: Sequence[BatchInfo]
    #: where; None: where each batch has them
    folder: Path | None


async def send(
    batches: Sequence[BatchInfo], steps: Steps, memory: Memory, stop: Stop, progress: Progress, only: int | None = None
) -> None:
    """Sends what is ready in ``batches``. ``only`` limits each to its first rows that may be sent at all, so that the
    same command twice sends nothing new."""
    views = memory.views
    total = sum(views.unsent(info.id) for info in batches)
    with progress.phase("Enviando", total if only is None else min(only * len(batches), total)) as moved:
        for info in batches:
            if stop.asked:
                return
            last = None if only is None else views.cutoff(info.id, only)
            rows = [row for row in views.ready(info.id) if last is None or row.pos <= last]
            steps.bus.note("sending", batch=info.id, rows=len(rows))
            await send_rows(rows, steps, memory.store, stop, moved)


async def send_rows(
    rows: Sequence[Cancellation], steps: Steps, store: Store, stop: Stop, moved: Callable[[str], None]
) -> None:
    """Sends these very rows, until each has an outcome, whose word ``moved`` gets, or ``stop`` is asked."""
    assert steps.send is not None, "who only asks sends nothing"

    def watch(state: State, finding: Finding) -> None:
        moved(outcome(state, elsewhere=finding.event is Event.ELSEWHERE).value)

    async with Writer(store) as writer:
        await submit(
            rows,
            client=steps.client,
            limiter=steps.limiter,
            writer=writer,
            clock=steps.clock,
            rules=steps.send,
            stop=stop,
            watch=watch,
            bus=steps.bus,
        )


async def follow(
    ids: Collection[str],
    steps: Steps,
    memory: Memory,
    stop: Stop,
    progress: Progress,
    *,
    only: int | None = None,
    sent: Sent | None = None,
) -> None:
    """Queries the pending and uncertain rows of these batches until each is final or the time of this run is up: all
    of them where nothing is sent, else those not followed enough yet; ``only`` the one at this position. The results
    of what was just ``sent`` are written first, if there is anything to wait for."""
    ask = steps.ask
    rows = [
        row
        for row in memory.views.followed(list(ids), by_answer=ask.by_answer)
        if only in (None, row.pos)
        and (ask.now or not followed_enough(row.since, row.queried_at, row.misses, ask.every, ask.lasting))
    ]
    if stop.asked or not rows:
        return
    books = await _write_early(sent, memory, progress) if sent is not None else 0
    if stop.reason is not None:  # asked meanwhile
        return
    pending = sum(row.state is State.PENDING for row in rows)
    progress.say(waiting_words(pending, len(rows) - pending, ask.lasting, books))
    with progress.phase("Consultando", len(rows), ask.lasting) as moved:

        def watch(_before: State | None, after: State, _finding: Finding) -> None:
            if after not in FOLLOWED:
                moved(outcome(after).value)

        steps.bus.note("queries_started", rows=len(rows))
        async with Writer(memory.store) as writer:
            await poll(
                rows,
                client=steps.client,
                limiter=steps.limiter,
                writer=writer,
                clock=steps.clock,
                rules=ask,
                stop=stop,
                watch=watch,
            )
        steps.bus.note("queries_ended", interrupted=stop.asked)


async def _write_early(sent: Sent, memory: Memory, progress: Progress) -> int:
    """How many workbooks now say what is known; 0 when one of them could not be written. In a thread: a large batch
    takes seconds, in which a request to stop has to be heard."""
    troubles = await asyncio.to_thread(write_early, sent.batches, memory, sent.folder)
    for words in troubles:
        progress.warn(words)
    return 0 if troubles else len(sent.batches)
