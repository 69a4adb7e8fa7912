"""F44: the event loop stands still for a while (somebody works in it, or the machine swaps). Every timer is late at
once; nothing is sent twice, nothing too fast, and no deadline moves back."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter

import httpx
import pytest

from pipeline.domain.lifecycle import Event, State
from pipeline.ledger.verify import examine

STALL_S = 10.0
POINTS = {
    "token-after": (),
    "claim-before": (Event.STALE,),
    "claim-after": (Event.STALE,),
    "departure": (Event.STALE,),
    "post-before": (),
    "post-after": (),
    "exchange-after": (),
    "apply-before-commit": (Event.STALE,),
    "outcome-after": (Event.STALE,),  # the next row is claimed together with this outcome
    "query-before": (),
    "query-after": (),
    "poll-recorded": (),
}
"""Where it stands still, and what that leads to beside the usual: an intent that grew older than 5 s is not sent."""


@pytest.fixture
def stalls(monkeypatch, virtual_clock):
    """``stalls(point, seconds, nth)``: the loop's time goes on by so much while the program is at that point."""

    def at(point, seconds, nth=1):
        passed: Counter[str] = Counter()

        def crashpoint(name):
            passed[name] += 1
            if name == point and passed[name] == nth:
                virtual_clock.stall(seconds)

        for name, module in list(sys.modules.items()):
            if name.startswith("pipeline.") and hasattr(module, "crashpoint"):
                monkeypatch.setattr(module, "crashpoint", crashpoint)
        return passed

    return at


def lived(s):
    """Sends and queries; what is always true of it afterwards."""
    ends: list[float] = []

    async def note(world, writer, stop):
        ends.append(world.clock.monotonic())

    s.run(s.sending(concurrency=4, ahead=4), note, s.asking(every=5.0, lasting=120.0), note)
    events = list(s.book.views.log(s.info))
    stale = Counter(event.pos for event in events if event.event is Event.STALE)
    claimed = Counter(event.pos for event in events if event.event is Event.CLAIMED)
    assert set(s.post_counts.values()) == {1}, "sent twice"
    assert claimed == Counter({pos: 1 + stale[pos] for pos in s.post_counts})
    assert [line.pos for line in s.book.views.lines(s.info)] == list(range(1, len(s.states) + 1))
    times = [event.at for event in events if event.event is not Event.ACCEPTED]
    assert times == sorted(times)
    assert ends == sorted(ends)
    assert s.stop_reason is None
    assert examine(s.book.database).good
    return events


@pytest.mark.one_in(5)
@pytest.mark.parametrize("nth", [1, 3])
@pytest.mark.parametrize("point", POINTS)
def test_f44_a_loop_that_stands_still_sends_nothing_twice_and_no_stale_intent(scene, say, stalls, point, nth):
    s = scene(8)
    s.on_post[2] = [say(5)]
    s.on_query[2] = [say(5), say(11)]
    s.on_post[3] = [httpx.ReadError("reset")]
    s.on_post[4] = [say(7)]
    s.on_query[4] = [say(7), say(11)]
    wanted = 1 if point == "token-after" else nth
    passed = stalls(point, STALL_S, wanted)
    events = lived(s)

    assert passed[point] >= wanted, "it never came by"
    assert s.states == [State.CANCELLED] * 8
    if nth == 1:
        assert tuple({event.event for event in events} & {Event.STALE}) == POINTS[point]


@pytest.mark.parametrize("seconds", [70.0, 4000.0])
def test_f44_an_exchange_whose_deadline_passed_meanwhile_is_unknown_and_found_by_query(
    scene, virtual_clock, monkeypatch, seconds
):
    """The answer may lie in the socket, but the deadline of the whole exchange is over: it is queried, never sent."""
    s = scene(4)
    real = s.provider.__class__.__call__

    async def slow(provider, request):
        second = request.method == "POST" and len(s.posts) == 1
        answer = await real(provider, request)
        if second:
            virtual_clock.stall(seconds)
            await asyncio.sleep(0.1)
        return answer

    monkeypatch.setattr(s.provider.__class__, "__call__", slow)
    events = lived(s)

    assert Event.UNCLEAR in {event.event for event in events}
    assert s.states == [State.CANCELLED] * 4


def test_f44_the_time_that_was_lost_is_not_made_up_for_by_a_burst(scene, world, stalls):
    """Five requests a second stay five, though the turns of ten seconds have gone by unused."""
    s = scene(20)
    s.world = lambda: world(rate=5.0)
    stalls("outcome-after", STALL_S, 3)
    lived(s)
    times = sorted(s.provider.times)

    for first, later in zip(times, times[6:], strict=False):
        assert later - first >= 1.0 - 1e-6
