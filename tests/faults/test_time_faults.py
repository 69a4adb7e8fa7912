"""F67, F68, F69, P16: clocks that jump, machines that sleep, and a nightly job that meets itself.

The jumps happen at the named points of the program, so before and after everything that it waits for.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import cycle

import pytest

from pipeline.domain.deadline import PANAMA
from pipeline.domain.lifecycle import State
from tests.faults.actions import sends, state
from tests.faults.bench import Bench
from tests.faults.command import Command

Listen = Callable[[Callable[[str], None]], None]
CANCELLED, REVIEW = State.CANCELLED, State.REVIEW
YEAR, HOUR = timedelta(days=365), timedelta(hours=1)
TO_1970 = datetime(1970, 1, 1, tzinfo=UTC) - datetime.now(UTC)
LEAP = timedelta(seconds=-1)  # how a clock without a second number 60 shows it: one second comes twice
JUMPS = {"a-year-on": YEAR, "a-year-back": -YEAR, "to-1970": TO_1970, "an-hour-on": HOUR, "an-hour-back": -HOUR}
POINTS = (
    "token-after",
    "claim-before",
    "claim-after",
    "departure",
    "apply-before-commit",
    "post-before",
    "post-after",
    "exchange-after",
    "outcome-after",
    "query-before",
    "query-after",
    "poll-recorded",
)


LONG = 1200.0
"""Half a minute of this machine's: nothing has to be done by then that is not done in a second on a quiet one."""


def three_fates(bench: Bench) -> None:
    """One row that is accepted, one that takes a while, one whose answer is lost."""
    bench.batch(3, speed=40.0)
    bench.script("cancel", state(5, apply="late") | {"late": 0.05}, row=2)
    bench.script("cancel", sends(end="reset", apply="now"), row=3)


def check(bench: Bench) -> None:
    """Every row was sent once; what did not end as cancelled is with a person, who was told no more than is known."""
    assert bench.posts == {1: 1, 2: 1, 3: 1}
    assert bench.states[0] is CANCELLED
    assert set(bench.states) <= {CANCELLED, REVIEW}
    assert bench.exit_code == (0 if REVIEW not in bench.states else 4)
    assert bench.reason is None


@pytest.mark.one_in(4)
@pytest.mark.parametrize("point", POINTS[::2])
@pytest.mark.parametrize("jump", [pytest.param(by, id=f"F67-{name}") for name, by in JUMPS.items()])
def test_f67_the_wall_clock_is_set_once_while_rows_are_on_their_way(
    bench: Bench, at_points: Listen, jump: timedelta, point: str
) -> None:
    three_fates(bench)
    left = [jump]

    def on_event(name: str) -> None:
        if name == point and left:
            bench.clock.skip(left.pop())

    at_points(on_event)
    bench.run(lasting=LONG)
    assert not left, "it never came by"
    check(bench)
    if abs(jump) <= HOUR:
        assert bench.states == [CANCELLED] * 3, "an hour is no reason to give a row up"


@pytest.mark.parametrize(
    "jumps",
    [
        pytest.param((YEAR, -2 * YEAR, YEAR), id="F67-to-and-fro-by-a-year"),
        pytest.param((HOUR, -HOUR), id="F67-summer-time-on-and-off"),
        pytest.param((LEAP,), id="F67-a-leap-second-each-time"),
    ],
)
def test_f67_the_wall_clock_is_set_at_every_single_point(
    bench: Bench, at_points: Listen, jumps: tuple[timedelta, ...]
) -> None:
    three_fates(bench)
    following = cycle(jumps)
    at_points(lambda _: bench.clock.skip(next(following)))
    bench.run(lasting=LONG)
    check(bench)


def test_f67_panama_has_no_summer_time_and_no_leap_in_it() -> None:
    """Law: UTC-5 all the year (domain.md 4). Every hour of ten years."""
    moment, end = datetime(2024, 1, 1, tzinfo=UTC), datetime(2034, 1, 1, tzinfo=UTC)
    while moment < end:
        assert moment.astimezone(PANAMA).utcoffset() == timedelta(hours=-5)
        moment += timedelta(hours=1)


def test_f67_a_machine_in_a_zone_with_summer_time_writes_panamas_time(command: Command) -> None:
    """At an hour that does not exist where the machine stands."""
    command.batch(2)
    done = command.run(TZ="EST5EDT,M3.2.0,M11.1.0", ANULAR_SANDBOX_NOW="2027-03-14T02:30:00-05:00")
    assert done.code == 0
    assert [str(row["enviado_en"])[:14] for row in command.results] == ["2027-03-14 02:"] * 2


@pytest.mark.one_in(3)
@pytest.mark.parametrize("point", POINTS, ids=lambda point: f"F68-{point}")
def test_f68_a_machine_that_sleeps_for_eight_hours_sends_no_stale_intent_and_goes_on(
    bench: Bench, at_points: Listen, point: str
) -> None:
    """The monotonic clock stands still meanwhile; the intent's age is measured with the sleep in it."""
    three_fates(bench)
    left = [8 * 3600.0]

    def on_event(name: str) -> None:
        if name == point and left:
            bench.clock.suspend(left.pop())

    at_points(on_event)
    bench.run(lasting=LONG, stale_after=600.0)
    assert not left, "it never came by"
    check(bench)
    assert bench.states == [CANCELLED] * 3
    slept_on_an_intent = point in ("claim-before", "claim-after", "apply-before-commit", "departure")
    assert ("stale" in bench.events(1)) == slept_on_an_intent
    assert bench.events(1).count("claimed") == 1 + slept_on_an_intent


def test_f68_a_token_that_expired_while_the_machine_slept_is_renewed_before_the_next_request(
    bench: Bench, at_points: Listen
) -> None:
    bench.batch(4, lifetime=3600.0)
    seen = []

    def on_event(name: str) -> None:
        seen.append(name)
        if name == "outcome-after" and seen.count(name) == 2:
            bench.clock.suspend(8 * 3600.0)

    at_points(on_event)
    bench.run("send", concurrency=1, stale_after=600.0)
    assert bench.states == [CANCELLED] * 4
    assert set(bench.posts.values()) == {1}
    assert bench.tokens(16) == 2


@pytest.mark.parametrize(
    "later",
    [
        pytest.param(None, id="F69-twice"),
        pytest.param("2026-11-21T10:00:00-05:00", id="F69-into-the-next-night", marks=pytest.mark.long),
    ],
)
def test_f69_a_nightly_job_that_meets_itself_gives_way_and_the_first_one_is_unharmed(
    command: Command, later: str | None
) -> None:
    command.batch(4)
    command.script("cancel", {}, {"wait": 1.0}, {})
    first = command.start(ANULAR_READ_TIMEOUT="60")
    command.wait_for(2)
    first.send_signal(signal.SIGSTOP)  # slow, and for as long as the second one needs
    second = command.run(**({"ANULAR_SANDBOX_NOW": later} if later else {}))
    first.send_signal(signal.SIGCONT)
    done = command.ended(first)

    assert second.code == 6
    assert "Otra ejecución está usando el historial de envíos" in second.words
    assert done.code == 0
    assert command.outcomes == ["ANULADA"] * 4
    assert command.posts == 4
    assert command.run().code == 0
    assert command.posts == 4
