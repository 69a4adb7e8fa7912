"""Step 4: query when due, until final or out of time; never a second cancellation (reliability.md P6, 2.5)."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx
import pytest

from pipeline.domain.errors import Interrupted, ServiceRefused, StorageTrouble
from pipeline.domain.lifecycle import State
from pipeline.domain.outcomes import Outcome, outcome
from pipeline.poll import PollRules


def times(s, pos):
    return [at for who, at in s.queries if who == pos]


@pytest.mark.parametrize("transitory", [5, 7, 10, 20])
def test_a_transitory_state_is_queried_at_the_interval_until_it_is_final(scene, say, transitory):
    s = scene(2)
    s.on_post[2] = [say(transitory)]
    s.on_query[2] = [say(transitory), say(transitory), say(11)]
    s.run(s.sending(), s.asking(every=5.0))
    gaps = [b - a for a, b in zip(times(s, 2), times(s, 2)[1:], strict=False)]

    assert s.states == [State.CANCELLED] * 2
    assert len(times(s, 2)) == 3
    assert all(4.4 <= gap <= 5.7 for gap in gaps)
    assert s.post_counts[2] == 1


def test_what_stays_pending_is_left_for_the_next_run_when_the_budget_is_over(scene, say):
    s = scene(2)
    s.on_post[2] = [say(5)]
    s.on_query[2] = [say(5)]
    s.run(s.sending(), s.asking(every=5.0, lasting=60.0))

    assert s.states[1] is State.PENDING
    assert 10 <= len(times(s, 2)) <= 14
    assert s.book.views.followed()[0].queries == len(times(s, 2))


def test_the_next_run_goes_on_where_the_last_one_stopped(scene, say):
    s = scene(2)
    s.on_post[2] = [say(5)]
    s.on_query[2] = [say(5)]
    s.run(s.sending(), s.asking(every=5.0, lasting=20.0))
    s.on_query[2] = [say(11)]
    s.run(s.asking(now=True))

    assert s.states == [State.CANCELLED] * 2
    assert s.post_counts[2] == 1


def test_a_lost_answer_is_found_out_by_a_query(scene):
    s = scene(2)
    s.on_post[2] = [httpx.Response(500)]
    s.run(s.sending(), s.asking())

    assert s.states == [State.CANCELLED] * 2
    assert s.post_counts[2] == 1


def test_an_18_after_a_lost_answer_settles_by_the_schedule_and_never_sends(scene, say):
    s = scene(2)
    s.on_post[2] = [httpx.Response(500)]
    s.on_query[2] = [say(18)]
    s.run(s.sending(), s.asking(lasting=3 * 3600.0))
    sent = s.posts[1][1]
    offsets = [round(at - sent) for at in times(s, 2)]

    assert s.states[1] is State.UNKNOWN
    assert s.post_counts[2] == 1
    assert offsets[1:5] == pytest.approx([30, 120, 600, 1800], abs=12)


def test_late_delivery_turns_the_18_into_a_cancellation(scene, say):
    s = scene(2)
    s.on_post[2] = [httpx.Response(504)]
    s.on_query[2] = [say(18), say(18), say(5), say(11)]
    s.run(s.sending(), s.asking(lasting=600.0))

    assert s.states == [State.CANCELLED] * 2
    assert s.post_counts[2] == 1


def test_five_18s_over_a_day_hand_the_row_to_a_person(scene, say):
    s = scene(2)
    s.on_post[2] = [httpx.Response(500)]
    s.on_query[2] = [say(18)]
    s.run(s.sending(), s.asking(lasting=80 * 3600.0))
    line = s.book.views.lines(s.info)[1]

    assert (line.state, line.estado) == (State.REVIEW, 18)
    assert line.queries >= 5
    assert s.post_counts[2] == 1


def test_pending_for_three_days_hands_the_row_to_a_person(scene, say):
    s = scene(2)
    s.on_post[2] = [say(5)]
    s.on_query[2] = [say(5)]
    s.run(s.sending(), s.asking(every=1800.0, lasting=80 * 3600.0))

    assert s.states[1] is State.REVIEW
    assert 120 <= len(times(s, 2)) <= 165


def test_a_query_that_finds_the_invoice_alive_is_no_cancellation(scene, say):
    s = scene(2)
    s.on_post[2] = [say(5)]
    s.on_query[2] = [say(2)]
    s.run(s.sending(), s.asking(every=5.0, lasting=30.0))
    line = s.book.views.lines(s.info)[1]

    assert line.state is State.PENDING
    assert outcome(line.state, alive=line.estado == 2) is Outcome.STILL_ALIVE


def test_a_returned_duplicate_is_queried_once_and_was_cancelled_before(scene, say):
    s = scene(2)
    s.on_post[2] = [say(15)]
    s.run(s.sending(), s.asking())

    assert s.states[1] is State.ALREADY_CANCELLED
    assert len(times(s, 2)) == 1


@pytest.mark.parametrize("reply", [2, 5, 15, 18, 99])
def test_a_returned_row_stays_returned_after_its_one_query(scene, say, reply):
    s = scene(2)
    s.on_post[2] = [say(15)]
    s.on_query[2] = [say(reply)]
    s.run(s.sending(), s.asking(), s.asking(now=True))

    assert s.states[1] is State.RETURNED
    assert len(times(s, 2)) == 1


@pytest.mark.parametrize(
    ("reply", "state"),
    [(4, State.NEEDS_SUPPORT), (6, State.NEEDS_CORRECTION), (15, State.RETURNED), (11, State.CANCELLED)],
)
def test_a_final_answer_to_a_query_ends_the_following(scene, say, reply, state):
    s = scene(2)
    s.on_post[2] = [say(20)]
    s.on_query[2] = [say(reply)]
    s.run(s.sending(), s.asking())

    assert s.states[1] is state


def test_answers_that_flap_end_at_the_first_proof(scene, say):
    s = scene(2)
    s.on_post[2] = [say(5)]
    s.on_query[2] = [say(18), say(5), say(99), say(11), say(18)]
    s.run(s.sending(), s.asking())

    assert s.states[1] is State.CANCELLED
    assert len(times(s, 2)) == 4


def test_a_query_that_fails_decides_nothing(scene, say):
    s = scene(2)
    s.on_post[2] = [say(5)]
    s.on_query[2] = [httpx.Response(500), httpx.ConnectError("down"), httpx.Response(200, text="<html>"), say(11)]
    s.run(s.sending(), s.asking())

    assert s.states[1] is State.CANCELLED
    assert s.post_counts[2] == 1


def test_a_wrong_query_address_stops_the_polling_and_says_so(scene, say):
    s = scene(3)
    s.on_post[2] = s.on_post[3] = [say(5)]
    s.on_query[2] = [httpx.Response(404)]
    s.run(s.sending(), s.asking(concurrency=1))

    assert isinstance(s.stop_reason, ServiceRefused)
    assert s.states[1] is State.PENDING


def test_a_429_to_a_query_holds_all_queries(scene, say):
    s = scene(4)
    for pos in (2, 3, 4):
        s.on_post[pos] = [say(5)]
    s.on_query[2] = [httpx.Response(429, headers={"Retry-After": "60"}), say(11)]
    s.run(s.sending(), s.asking(every=5.0, concurrency=1))
    refused = times(s, 2)[0]

    assert all(at <= refused or at >= refused + 60 for _, at in s.queries)
    assert s.states == [State.CANCELLED] * 4


def test_being_asked_to_stop_ends_the_polling_at_once(scene, say):
    s = scene(2)
    s.on_post[2] = [say(5)]
    s.on_query[2] = [say(5)]
    ended = []

    async def asked(world, writer, stop):
        asyncio.get_running_loop().call_later(12.0, stop.ask, Interrupted())

    async def when(world, writer, stop):
        ended.append(world.clock.monotonic())

    s.run(s.sending(), asked, s.asking(every=5.0), when)

    assert ended[0] < 14
    assert s.states[1] is State.PENDING


def test_when_an_answer_cannot_be_stored_the_polling_stops(scene, say, monkeypatch):
    s = scene(2)
    s.on_post[2] = [say(5)]

    def full(_moves):
        raise StorageTrouble("el disco está lleno")

    async def fill(world, writer, stop):
        monkeypatch.setattr(s.book.store, "apply", full)

    s.run(s.sending(), fill, s.asking())

    assert isinstance(s.stop_reason, StorageTrouble)
    assert s.states[1] is State.PENDING


def test_no_more_queries_are_under_way_than_allowed(scene, say):
    s = scene(20)
    s.on_post = {pos: [say(5)] for pos in range(2, 21)}
    s.run(s.sending(), s.asking(concurrency=3, now=True))
    moments = [round(at, 3) for _, at in s.queries]

    assert max(moments.count(at) for at in moments) <= 3
    assert s.states == [State.CANCELLED] * 20


def test_a_wall_clock_that_jumped_back_does_not_hold_up_a_query(scene, say, book):
    s = scene(2)
    s.on_post[2] = [say(5)]
    s.run(s.sending())
    row = book.views.followed()[0]
    assert row.next_due is not None

    async def jump(world, writer, stop):
        world.clock.jump = timedelta(days=-3650)

    s.run(jump, s.asking(lasting=60.0))

    assert s.states[1] is State.CANCELLED


def test_limits_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="positive"):
        PollRules(every=0)
