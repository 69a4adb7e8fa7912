"""Step 4: pending rows -> query when due, at a regular interval, until final or out of time. A query is safe to
repeat; nothing here can send a cancellation."""

from __future__ import annotations

import asyncio
import heapq
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count

from pipeline.domain import schedule
from pipeline.domain.errors import ServiceRefused, StoppedEarly
from pipeline.domain.lifecycle import FOLLOWED, Event, State, move
from pipeline.domain.records import Finding, Tracked
from pipeline.edoc.client import EdocClient
from pipeline.edoc.limiter import Limiter
from pipeline.ledger.moves import Move
from pipeline.ledger.writer import Writer
from pipeline.runtime.clock import Clock
from pipeline.runtime.failpoints import crashpoint
from pipeline.runtime.internal_error import internal
from pipeline.runtime.shutdown import Stop, first

Watch = Callable[[State, State, Finding], None]


@dataclass(frozen=True, kw_only=True)
class PollRules:
    """``every`` seconds between two queries of a row (jittered by a tenth), for at most ``lasting`` seconds in
    this run, ``concurrency`` at a time. ``now`` queries everything once at once, whatever its schedule says.
    ``by_answer``: a query's 2 may speak of the cancellation (``query_describes``), which it can only for a row whose
    cancellation was answered; otherwise nobody has to know which rows these are."""

    every: float = 5.0
    lasting: float = 300.0
    concurrency: int = 4
    now: bool = False
    by_answer: bool = False

    def __post_init__(self) -> None:
        if self.every <= 0 or self.lasting < 0 or self.concurrency < 1:
            raise ValueError("every and concurrency are positive, lasting is not negative")


async def poll(
    rows: Iterable[Tracked],
    *,
    client: EdocClient,
    limiter: Limiter,
    writer: Writer,
    clock: Clock,
    rules: PollRules,
    stop: Stop,
    watch: Watch,
) -> None:
    """Follows ``rows`` until each is final, none is due any more within the budget, or ``stop`` is asked.

    ``watch`` hears from which state to which every durable move led. What stays pending stays in the ledger.
    """
    poller = _Poller(client, limiter, writer, clock, rules, stop, watch)
    await poller.follow(rows)


class _Poller:
    """A dispatcher that starts each query when it is due; results put the row back with its next time."""

    def __init__(
        self,
        client: EdocClient,
        limiter: Limiter,
        writer: Writer,
        clock: Clock,
        rules: PollRules,
        stop: Stop,
        watch: Watch,
    ) -> None:
        self._client, self._limiter, self._writer, self._clock = client, limiter, writer, clock
        self._rules, self._stop, self._watch = rules, stop, watch
        self._end = clock.monotonic() + rules.lasting
        self._due: list[tuple[float, int, Tracked]] = []
        self._order = count()
        self._asking = 0
        self._changed = asyncio.Event()

    async def follow(self, rows: Iterable[Tracked]) -> None:
        for row in rows:
            wait = 0.0 if self._rules.now else self._wait_for(row.next_due)
            self._plan(row, self._clock.monotonic() + wait)
        asked: set[asyncio.Task[None]] = set()
        try:
            async with asyncio.TaskGroup() as group:
                while (self._due or self._asking) and not self._stop.asked:
                    await self._step(group, asked)
                for task in list(asked):  # asked to stop: a query that waits its turn may as well not be made
                    task.cancel()
        except ExceptionGroup as bugs:
            raise bugs.exceptions[0] from bugs

    async def _step(self, group: asyncio.TaskGroup, asked: set[asyncio.Task[None]]) -> None:
        """Starts the query that is due now, or waits until one is, or until a result changes the plan."""
        self._changed.clear()
        if self._due and self._asking < self._rules.concurrency:
            at, _, row = self._due[0]
            if at > self._end and self._asking == 0:
                self._due.clear()  # nothing more is due in this run; the ledger keeps it for the next
                return
            wait = at - self._clock.monotonic()
            if wait <= 0:
                heapq.heappop(self._due)
                self._asking += 1
                task = group.create_task(self._ask(row))
                asked.add(task)
                task.add_done_callback(asked.discard)
                return
            if at <= self._end:
                await first(self._clock.sleep(wait), self._changed.wait(), self._stop.wait())
                return
        await first(self._changed.wait(), self._stop.wait())

    async def _ask(self, row: Tracked) -> None:
        try:
            crashpoint("query-before")
            finding = await self._client.query(row.cufe, answered=row.answered)
            crashpoint("query-after")
            following = await self._record(row, finding)
            if following is not None:
                self._plan(following, self._clock.monotonic() + self._wait_for(following.next_due))
            if finding.stop is not None:
                self._stop.stop_for(ServiceRefused(finding.stop))
            elif _vanished(row, finding):
                self._stop.stop_for(_wrong_place(row))
        except StoppedEarly as trouble:
            self._stop.stop_for(trouble)
        except Exception as bug:
            self._stop.stop_for(internal(bug))
        finally:
            self._asking -= 1
            self._changed.set()

    async def _record(self, row: Tracked, finding: Finding) -> Tracked | None:
        """Makes the finding durable. The row to follow on, or None when the machine is done with it."""
        now = self._clock.now()
        target = move(row.state, finding.event)
        miss = finding.event is Event.NOT_FOUND and row.state is State.UNKNOWN
        misses = row.misses + miss
        due = self._next_due(row, now, misses if miss else 0) if target in FOLLOWED else None
        wish = Move.of(row, row.state, finding.event, now, finding, next_due=due, miss=miss)
        moved = await self._writer.record(wish)
        crashpoint("poll-recorded")
        self._watch(row.state, target, finding)
        if target not in FOLLOWED:
            return None
        following = replace(
            row, version=moved.version, state=target, queries=row.queries + 1, misses=misses, next_due=due
        )
        if schedule.expired(row.since, now) or (miss and schedule.settled(row.since, misses, now)):
            await self._hand_over(following, finding, now)
            return None
        return following

    async def _hand_over(self, row: Tracked, finding: Finding, now: datetime) -> None:
        """Out of time: from here a person has to look; the machine will never send it again."""
        note = "18-tras-intento" if finding.event is Event.NOT_FOUND else "sin-respuesta-final"
        wish = Move.of(row, row.state, Event.OUT_OF_TIME, now, note=note)
        crashpoint("hand-over-before")
        await self._writer.record(wish)
        crashpoint("hand-over-after")
        self._watch(row.state, State.REVIEW, finding)

    def _next_due(self, row: Tracked, now: datetime, misses: int) -> datetime:
        interval = timedelta(seconds=self._rules.every * random.uniform(0.9, 1.1))  # noqa: S311 - jitter
        return schedule.settle_due(row.since, misses, now, interval) if misses else now + interval

    def _wait_for(self, due: datetime | None) -> float:
        return schedule.still_to_come(due, self._clock.now()).total_seconds()

    def _plan(self, row: Tracked, at: float) -> None:
        heapq.heappush(self._due, (at, next(self._order), row))
        self._changed.set()


def _vanished(row: Tracked, finding: Finding) -> bool:
    """It was there right before the sending and now it is not: we ask in the wrong place (reliability.md 2.5)."""
    return row.preflight == 2 and row.state is State.UNKNOWN and finding.event is Event.NOT_FOUND


def _wrong_place(row: Tracked) -> ServiceRefused:
    return ServiceRefused(
        f"El documento {row.cufe} existía en eDoc antes del envío y ahora no consta.",
        code="vanished",
        remedy="Revise el ambiente, la dirección y las credenciales antes de seguir.",
    )
