"""The pace: never above the rate in any second, all of it used when there is work, pauses for everybody."""

from __future__ import annotations

import asyncio
import bisect
import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.domain.errors import WrongUsage
from pipeline.edoc.limiter import PACE, Limiter, pause_after

Run = Callable[..., Any]
NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
RATES = st.one_of(st.integers(1, 60).map(float), st.floats(0.2, 60.0))


def most_in_a_second(times: list[float]) -> int:
    return max(bisect.bisect_left(times, start + 1.0 - 1e-9) - i for i, start in enumerate(times))


async def departures(limiter: Limiter, clock: Any, arrivals: list[float]) -> list[float]:
    left: list[float] = []

    async def one(at: float) -> None:
        await asyncio.sleep(at)
        await limiter.acquire()
        left.append(clock.monotonic())

    await asyncio.gather(*(one(at) for at in arrivals))
    return left


@settings(max_examples=25, deadline=None)
@given(
    rate=RATES,
    arrivals=st.lists(st.floats(0.0, 4.0), min_size=1, max_size=60),
    lateness=st.lists(st.floats(0.0, 0.3), min_size=1, max_size=10),
    pauses=st.lists(st.tuples(st.floats(0.0, 4.0), st.floats(0.0, 3.0)), max_size=3),
)
@example(rate=5.5, arrivals=[0.0] * 20, lateness=[0.17] + [0.0] * 30, pauses=[])
@example(rate=5.0, arrivals=[0.0] * 20, lateness=[0.19, 0.0, 0.0, 0.0], pauses=[(0.5, 1.0)])
def test_no_second_ever_sees_more_than_the_rate_and_one(
    virtually: Run,
    virtual_clock: Any,
    rate: float,
    arrivals: list[float],
    lateness: list[float],
    pauses: list[tuple[float, float]],
) -> None:
    late = itertools.cycle(lateness)
    clock = virtual_clock(lambda: next(late))

    async def main() -> list[float]:
        limiter = Limiter(rate, clock)
        for at, seconds in pauses:
            asyncio.get_running_loop().call_later(at, limiter.pause, seconds)
        return await departures(limiter, clock, arrivals)

    left = virtually(main())
    assert len(left) == len(arrivals)
    assert most_in_a_second(left) <= rate + 1


@settings(max_examples=15, deadline=None)
@given(rate=RATES, share=st.floats(0.0, 0.2))
def test_with_enough_waiting_the_rate_is_reached(virtually: Run, virtual_clock: Any, rate: float, share: float) -> None:
    late = itertools.cycle([share / rate, 0.0, share / rate / 2]) if rate.is_integer() else itertools.repeat(0.0)
    clock = virtual_clock(lambda: next(late))
    waiting = int(rate * 3) + 20
    left = virtually(departures(Limiter(rate, clock), clock, [0.0] * waiting))
    last = left[-1] - share / rate  # the last one's own lateness is nobody's lost turn
    assert (waiting - 1) / last >= 0.99 * rate


@settings(max_examples=25, deadline=None)
@given(rate=RATES, way=st.lists(st.floats(0.0, 2.0), min_size=1, max_size=10))
def test_turns_that_were_bunched_on_the_way_leave_apart(
    virtually: Run, virtual_clock: Any, rate: float, way: list[float]
) -> None:
    """A connection takes a while to make, one longer than the next: what leaves is held to the rate, not its turn."""
    clock, takes = virtual_clock(), itertools.cycle(way)

    async def main() -> list[float]:
        limiter, left = Limiter(rate, clock), []

        async def one(connecting: float) -> None:
            await limiter.acquire()
            await clock.sleep(connecting)
            await limiter.leave()
            left.append(clock.monotonic())

        await asyncio.gather(*(one(next(takes)) for _ in range(60)))
        return left

    left = virtually(main())
    assert len(left) == 60
    assert most_in_a_second(left) <= rate + 1


def test_those_who_wait_leave_in_the_order_they_came(virtually: Run, virtual_clock: Any) -> None:
    order: list[int] = []

    async def main() -> None:
        limiter = Limiter(5, virtual_clock())

        async def one(number: int) -> None:
            async with limiter:
                order.append(number)

        await asyncio.gather(*(one(number) for number in range(20)))

    virtually(main())
    assert order == list(range(20))


def test_who_is_cancelled_while_waiting_takes_no_turn(virtually: Run, virtual_clock: Any) -> None:
    clock = virtual_clock()

    async def main() -> float:
        limiter = Limiter(1, clock)
        await limiter.acquire()
        waiting = [asyncio.create_task(limiter.acquire()) for _ in range(5)]
        await asyncio.sleep(0.1)
        for task in waiting[:4]:
            task.cancel()
        await waiting[4]
        return float(clock.monotonic())

    assert virtually(main()) == pytest.approx(1.0 / PACE)


def test_idle_time_is_not_saved_up(virtually: Run, virtual_clock: Any) -> None:
    clock = virtual_clock()

    async def main() -> list[float]:
        limiter = Limiter(2, clock)
        await limiter.acquire()
        await asyncio.sleep(60)
        return await departures(limiter, clock, [0.0] * 4)

    left = virtually(main())
    assert left[-1] - left[0] == pytest.approx(3 * 0.5 / PACE)


def test_a_pause_holds_everybody_and_the_spacing_stays_after_it(virtually: Run, virtual_clock: Any) -> None:
    clock = virtual_clock()

    async def main() -> list[float]:
        limiter = Limiter(10, clock)
        asyncio.get_running_loop().call_later(0.05, limiter.pause, 7.0)
        return await departures(limiter, clock, [0.0] * 5)

    left = virtually(main())
    assert left[0] == 0.0
    assert left[1] == pytest.approx(7.05)
    assert left[-1] - left[1] == pytest.approx(3 * 0.1 / PACE)


def test_of_two_pauses_the_later_end_counts(virtually: Run, virtual_clock: Any) -> None:
    clock = virtual_clock()

    async def main() -> tuple[float, float, float]:
        limiter = Limiter(None, clock)
        limiter.pause(30)
        limiter.pause(5)
        before = limiter.paused_for()
        await limiter.wait_open()
        await limiter.acquire()
        return before, limiter.paused_for(), clock.monotonic()

    assert virtually(main()) == (30.0, 0.0, 30.0)


def test_without_a_rate_nobody_waits(virtually: Run, virtual_clock: Any) -> None:
    clock = virtual_clock()
    assert virtually(departures(Limiter(None, clock), clock, [0.0] * 500)) == [0.0] * 500


@pytest.mark.parametrize("rate", [0, -1, float("nan"), float("inf")])
def test_a_rate_that_is_no_rate_is_refused(virtual_clock: Any, rate: float) -> None:
    with pytest.raises(WrongUsage, match="ritmo"):
        Limiter(rate, virtual_clock())


def test_a_pause_without_end_is_refused(virtual_clock: Any) -> None:
    with pytest.raises(ValueError, match="finite"):
        Limiter(1, virtual_clock()).pause(float("inf"))


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("2", 2.0),
        (" 120 ", 120.0),
        ("0", 1.0),
        ("Fri, 20 Nov 2026 09:00:30 GMT", 30.0),
        ("Fri, 20 Nov 2026 04:00:30 -0500", 30.0),
        ("Fri, 20 Nov 2020 09:00:30 GMT", 1.0),
        ("Fri, 20 Nov 2099 09:00:30 GMT", 900.0),
        (str(10**9), 900.0),
        ("9" * 10000, 900.0),
        ("soon", 5.0),
        ("", 5.0),
        ("2.5", 5.0),
        ("-3", 5.0),
        ("٣", 5.0),
        (None, 5.0),
    ],
)
def test_retry_after_is_read_in_all_its_forms(value: str | None, seconds: float) -> None:
    assert pause_after(value, NOW) == seconds


@settings(max_examples=50)
@given(value=st.text("0123456789 ,:+-.FriNovGMTñ٣", max_size=60), jitter=st.floats(0.0, 1.0))
def test_whatever_retry_after_says_the_wait_is_between_a_second_and_a_quarter_of_an_hour(
    value: str, jitter: float
) -> None:
    assert 1.0 <= pause_after(value, NOW, jitter) <= 900.0


def test_jitter_adds_at_most_a_tenth_of_a_second() -> None:
    assert pause_after("2", NOW, 1.0) == pytest.approx(2.1)


def test_a_date_is_read_against_the_date_of_the_server_not_against_ours(virtually: Run, virtual_clock: Any) -> None:
    async def main() -> float:
        limiter = Limiter(None, virtual_clock())
        headers = {"date": "Fri, 20 Nov 2020 09:00:00 GMT", "retry-after": "Fri, 20 Nov 2020 09:00:20 GMT"}
        assert limiter.hold(headers, NOW + timedelta(days=3650), 0.0) == 20.0
        return limiter.paused_for()

    assert virtually(main()) == 20.0
