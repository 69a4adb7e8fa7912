"""Step 3: ready rows -> eDoc, concurrently. The intent is durable before its request leaves; no row is sent twice.

The order for one row: a valid token and an open limiter, then the claim (READY -> SENDING, durable), then the
limiter's turn, the staleness guard, one POST, and its outcome (durable) before anybody hears of it. What went
wrong becomes a record, never an exception that would sink the other rows; only a bug escapes.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from pipeline.domain.circuit_breaker import Advice, Caution
from pipeline.domain.cufe import Cufe
from pipeline.domain.deadline import PANAMA
from pipeline.domain.edoc_states import PLAIN_NO
from pipeline.domain.eligibility import Rules, barred
from pipeline.domain.errors import ServiceRefused, ServiceUnclear, StoppedEarly
from pipeline.domain.lifecycle import FOLLOWED, NOT_ACCEPTED, RETRIED, Event, State, move
from pipeline.domain.outcomes import BARRED, ELSEWHERE, PREFLIGHT
from pipeline.domain.payload import payload_sha256
from pipeline.domain.records import Cancellation, Finding, Source
from pipeline.edoc.client import EdocClient
from pipeline.edoc.limiter import Limiter
from pipeline.ledger.moves import Move, next_try
from pipeline.ledger.writer import Writer
from pipeline.runtime.clock import Clock
from pipeline.runtime.failpoints import crashpoint
from pipeline.runtime.internal_error import internal
from pipeline.runtime.shutdown import Stop, first
from pipeline.submit.departure import Departure
from pipeline.submit.stop_reasons import no_preflight, out_of_tries
from pipeline.telemetry.events import SILENT, EventBus

Watch = Callable[[State, Finding], None]

AGREED = frozenset({Event.NOT_FOUND, Event.UNCLEAR, Event.SUPPORT, Event.CORRECT, Event.RETURNED, Event.PERSON})
"""What a query before a resend may answer for a person to agree to it all the same (reliability.md 2.5)."""


@dataclass(frozen=True, kw_only=True)
class SendRules:
    """Rules of sending.

    ``concurrency`` requests in flight. ``ahead`` rows that may be claimed before the limiter lets them go: as
    many as it lets go in about a second, so that no intent grows stale. ``tries`` per row and run while it is
    proven that nothing was applied. ``stale_after`` seconds between intent and departure (reliability.md R9).
    ``breaker_wait`` and ``first_query`` (after an answer that is not final) in seconds. ``preflight`` asks eDoc about
    every row before it is claimed (reliability.md D3); a row that a person had resent is always asked about, and after
    a lost ledger every document issued up to ``ask_until``, or dated in the future, or ``sent_before`` (asked with the
    CUFE) by this machine. ``allowed``: today's rules, by which a row that was taken in before is judged once more right
    before its claim; None judges nothing.
    """

    concurrency: int = 4
    ahead: int = 4
    tries: int = 5
    stale_after: float = 5.0
    breaker_wait: float = 30.0
    first_query: float = 5.0
    preflight: bool = False
    ask_until: date | None = None
    sent_before: Callable[[str], bool] = field(default=lambda _: False)
    allowed: Rules | None = None

    def bars(self, row: Cancellation, now: datetime) -> str:
        """Why ``row`` may not be claimed now, in words; "" when it may. Whatever has to be so at the claim is asked
        here, beside the rules of the day."""
        return barred(self.allowed, row.cufe, now) if self.allowed is not None else ""

    def asks(self, row: Cancellation, today: date) -> bool:
        """Whether eDoc is asked about ``row`` before it is claimed. ``today`` is the Panamanian day."""
        if self.preflight or row.possible_duplicate or self.sent_before(row.cufe):
            return True
        if self.ask_until is None:
            return False
        issued = Cufe.parse(row.cufe, allow_bad_check_digit=True).issued_on
        return issued <= self.ask_until or issued > today

    def __post_init__(self) -> None:
        if min(self.concurrency, self.ahead, self.tries) < 1:
            raise ValueError("concurrency, ahead and tries start at 1")


async def submit(
    rows: Iterable[Cancellation],
    *,
    client: EdocClient,
    limiter: Limiter,
    writer: Writer,
    clock: Clock,
    rules: SendRules,
    stop: Stop,
    watch: Watch,
    bus: EventBus = SILENT,
) -> None:
    """Sends ``rows``, most urgent first, until each has an outcome or ``stop`` is asked (then see its reason).

    ``watch`` hears every outcome after it is durable, except of tries that are followed by another.
    """
    sender = _Sender(client, limiter, writer, clock, rules, stop, watch, bus)
    await sender.send(by_urgency(rows))


def by_urgency(rows: Iterable[Cancellation]) -> list[Cancellation]:
    """Closest to the legal limit first; what is late already comes last (domain.md 4)."""

    def key(row: Cancellation) -> tuple[bool, float, int]:
        return row.late, float("inf") if row.hours_left is None else row.hours_left, row.pos

    return sorted(rows, key=key)


@dataclass(frozen=True, slots=True)
class _Turn:
    """A row and how often this run has tried it. ``refused`` counts its 401s; ``opening`` how often the breaker had
    opened when it left."""

    row: Cancellation
    tries: int = 1
    refused: int = 0
    opening: int = 0


class _Sender:
    """Workers, as many as caution allows, that take rows from one queue."""

    def __init__(
        self,
        client: EdocClient,
        limiter: Limiter,
        writer: Writer,
        clock: Clock,
        rules: SendRules,
        stop: Stop,
        watch: Watch,
        bus: EventBus,
    ) -> None:
        self._client, self._limiter, self._writer, self._clock = client, limiter, writer, clock
        self._rules, self._stop, self._watch, self._bus = rules, stop, watch, bus
        self._queue: deque[_Turn] = deque()
        self._caution = Caution(rules.concurrency)
        self._closed_until = clock.monotonic()  # later than now: the breaker is open
        self._ahead = asyncio.Semaphore(rules.ahead)
        self._exchanges: set[asyncio.Task[Finding]] = set()
        self._workers = 0

    async def send(self, rows: Iterable[Cancellation]) -> None:
        self._queue.extend(_Turn(row) for row in rows)
        giving_up = asyncio.create_task(self._give_up_after_grace())
        try:
            async with asyncio.TaskGroup() as self._group:
                self._hire()
        except ExceptionGroup as bugs:
            raise bugs.exceptions[0] from bugs
        finally:
            giving_up.cancel()

    def _hire(self) -> None:
        """As many workers as the window allows and the queue can use."""
        while self._workers < self._caution.window and self._queue and not self._stop.asked:
            self._workers += 1
            self._group.create_task(self._work())

    async def _work(self) -> None:
        try:
            while self._queue and not self._stop.asked and self._workers <= self._caution.window:
                if await self._may_send() and self._queue:
                    await self._one(self._queue.popleft())
        except Exception as bug:
            # Ends the run, but not the others in flight: what eDoc answers to them has to be recorded.
            self._stop.stop_for(internal(bug))
        finally:
            self._workers -= 1
        self._hire()  # a retried row may have come back after the last worker looked

    async def _may_send(self) -> bool:
        """Waits for the breaker, a token and an open limiter. False: look again before taking a row."""
        wait = self._closed_until - self._clock.monotonic()
        if wait > 0:
            await self._stop.sleep(wait)
            return False
        try:
            if not self._client.has_token():
                await first(self._client.ready(), self._stop.wait())  # a token may have to wait for a pause
        except StoppedEarly as trouble:
            self._stop.stop_for(trouble)
            return False
        if self._limiter.paused_for() > 0:
            await self._stop.sleep(self._limiter.paused_for())
            return False
        return not self._stop.asked

    async def _one(self, turn: _Turn) -> None:
        """One row from its claim to its recorded outcome."""
        if why := self._rules.bars(turn.row, self._clock.now()):
            await self._leave_unsent(turn.row, why)
            return
        if self._rules.asks(turn.row, self._clock.now().astimezone(PANAMA).date()):
            version = await self._asked_first(turn.row)
            if version is None or self._stop.asked:
                return  # nothing left; where the row may still be sent, it is READY
            turn = replace(turn, row=replace(turn.row, version=version))
        row = turn.row
        async with Departure(self._clock, self._rules.stale_after, self._ahead) as departure:
            if self._stop.asked or self._closed_until > self._clock.monotonic():
                self._queue.appendleft(turn)  # it happened while this row waited for its place
                return
            opening = self._caution.openings
            now = self._clock.now()
            claim = Move.of(row, State.READY, Event.CLAIMED, now, cufe=row.cufe)
            departure.claimed()
            crashpoint("claim-before")
            try:
                claimed = await self._writer.record(claim)
            except StoppedEarly as trouble:
                self._stop.stop_for(trouble)  # not durable, so nothing left and the row is still READY
                return
            crashpoint("claim-after")
            if claimed.elsewhere is None:
                finding = await self._exchange(row, departure)
            else:  # another ledger of this machine sent it: nothing leaves
                finding = Finding(Source.CANCELLATION, Event.ELSEWHERE, note=ELSEWHERE)
        crashpoint("exchange-after")
        settling = self._settle(replace(turn, row=replace(row, version=claimed.version), opening=opening), finding)
        if _leaves_worker_free(finding):
            # The next claim joins this outcome in one commit. It queues behind it, so that never more rows than
            # workers are SENDING on the disk: P8 counts those, not the requests in flight.
            self._group.create_task(self._aside(settling))
            await asyncio.sleep(0)
        else:
            await settling

    async def _aside(self, settling: Coroutine[Any, Any, None]) -> None:
        try:
            await settling
        except Exception as bug:
            self._stop.stop_for(internal(bug))

    async def _leave_unsent(self, row: Cancellation, why: str) -> None:
        """Today's rules keep ``row`` from being claimed. One whose first request may have arrived keeps its code, so
        that no other file sends it: a person has to look."""
        event = Event.PERSON if row.possible_duplicate else Event.BARRED
        now, note = self._clock.now(), f"{BARRED}: {why}"
        try:
            moved = await self._writer.record(Move.of(row, State.READY, event, now, note=note))
        except StoppedEarly as trouble:
            self._stop.stop_for(trouble)
            return
        self._watch(moved.state, Finding(Source.CANCELLATION, event, note=note))

    async def _asked_first(self, row: Cancellation) -> int | None:
        """The row's version when a fresh query leaves no doubt that it may be sent (2.3), else None."""
        asking = asyncio.ensure_future(self._client.query(row.cufe))
        if await first(asking, self._stop.wait()) != 0:
            return None
        finding = asking.result()
        if finding.stop is not None:
            self._stop.stop_for(ServiceRefused(finding.stop))
            return None
        agreed = AGREED & NOT_ACCEPTED if row.corrected and row.preflight in PLAIN_NO else AGREED
        if row.possible_duplicate and finding.event in agreed and finding.estado == row.preflight:
            return row.version  # the very answer that a person saw and agreed to, recorded with the decision
        if finding.event is Event.UNCLEAR and finding.estado is None:
            self._stop.stop_for(no_preflight(finding))
            return None
        now = self._clock.now()
        try:
            moved = await self._writer.record(Move.of(row, State.READY, finding.event, now, finding, PREFLIGHT))
        except StoppedEarly as trouble:
            self._stop.stop_for(trouble)
            return None
        if moved.state is State.READY:
            return moved.version
        self._watch(moved.state, finding)
        return None

    async def _exchange(self, row: Cancellation, departure: Departure) -> Finding:
        """Finding of one POST. Whatever escapes the client after the departure is an unknown outcome."""
        task = asyncio.create_task(self._client.cancel(row, departure.leave))
        self._exchanges.add(task)
        try:
            await asyncio.wait({task})
        finally:
            self._exchanges.discard(task)
            task.cancel()  # without effect on a finished one: only when a bug elsewhere ends this worker
        if task.cancelled():
            return departure.broken_off("interrupted")
        if (error := task.exception()) is not None:
            self._stop.stop_for(internal(error))
            return departure.broken_off(f"error-{type(error).__name__}")
        return task.result()

    async def _settle(self, turn: _Turn, finding: Finding) -> None:
        """Records the outcome, then draws the consequences for the row and for the run."""
        row, now = turn.row, self._clock.now()
        target = move(State.SENDING, finding.event)
        again = target in RETRIED and self._may_try_again(turn, finding)
        event = finding.event
        if row.possible_duplicate and target in RETRIED and not again and event is not Event.ELSEWHERE:
            event = Event.PERSON  # keeps its code, as in _leave_unsent: the request before may have arrived
        due = now + timedelta(seconds=self._rules.first_query) if target in FOLLOWED else None
        wish = Move.of(
            row,
            State.SENDING,
            event,
            now,
            finding,
            next_due=due,
            retry=again,
            payload=payload_sha256(row.cufe, row.reason, row.email),
        )
        try:
            moved = await self._writer.record(wish)
        except StoppedEarly as trouble:
            # Not durable, so not shown: the next start finds it in the reserve journal, else asks eDoc about the row.
            self._stop.stop_for(trouble)
            return
        crashpoint("outcome-after")
        if not again:
            self._watch(moved.state, finding)
        crashpoint("outcome-shown")
        if finding.event is Event.ELSEWHERE:
            return  # eDoc was not asked, so it has said nothing
        self._consequences(finding, target, turn.opening, again=again)
        following = next_try(row, moved)
        if following is not None:
            crashpoint("retry-before")
            if finding.event is Event.NOTHING_LEFT:
                await self._stop.sleep(2.0 ** (turn.tries - 1) * random.uniform(0.5, 1.0))  # noqa: S311
            refused = turn.refused + (finding.event is Event.UNAUTHORISED)
            self._queue.appendleft(_Turn(following, turn.tries + 1, refused))

    def _may_try_again(self, turn: _Turn, finding: Finding) -> bool:
        if self._stop.asked or finding.stop is not None or turn.tries >= self._rules.tries:
            return False
        if finding.event is Event.ELSEWHERE:
            return False
        return finding.event is not Event.UNAUTHORISED or turn.refused == 0

    def _consequences(self, finding: Finding, target: State, opening: int, *, again: bool) -> None:
        if finding.stop is not None:
            self._stop.stop_for(ServiceRefused(finding.stop))
        elif target in RETRIED and not again:
            self._stop.stop_for(out_of_tries(finding))
        doubted = self._caution.doubting
        advice = self._caution.seen(finding, opening)
        if advice is not Advice.GO:
            self._bus.note("breaker_opened", seconds=self._rules.breaker_wait, final=advice is Advice.STOP)
        elif doubted and not self._caution.doubting:
            self._bus.note("breaker_closed")
        if advice is Advice.STOP:
            self._stop.stop_for(ServiceUnclear())
        elif advice is Advice.WAIT:
            self._closed_until = self._clock.monotonic() + self._rules.breaker_wait
        else:
            self._hire()

    async def _give_up_after_grace(self) -> None:
        await self._stop.grace_over()
        for task in list(self._exchanges):
            task.cancel()


def _leaves_worker_free(finding: Finding) -> bool:
    """Whether the worker may take another row before the consequences of ``finding`` are known."""
    if finding.event is Event.UNCLEAR or not finding.understood:
        return False
    return finding.stop is None and finding.pause is None and move(State.SENDING, finding.event) not in RETRIED
