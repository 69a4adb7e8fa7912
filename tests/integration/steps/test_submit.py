"""Step 3: every row at most once on the wire, the intent before the request, the outcome before the word."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from functools import partial

import httpx
import pytest

from pipeline.domain.deadline import Deadline, Window
from pipeline.domain.errors import (
    Bug,
    CredentialsRefused,
    Interrupted,
    ServiceRefused,
    ServiceUnclear,
    StorageTrouble,
)
from pipeline.domain.lifecycle import Event, State
from pipeline.ledger.ledger_events import id_of
from pipeline.ledger.sent import Sending, Sent
from pipeline.ledger.store import Store
from pipeline.report.lines import outcome_of
from pipeline.submit.submit import SendRules, by_urgency
from tests.conftest import START
from tests.integration.steps.conftest import answer

HTML = httpx.Response(200, text="<html>mantenimiento</html>")


def test_every_ready_row_is_posted_once_and_recorded(scene):
    s = scene(30)
    s.run(s.sending())

    assert set(s.post_counts.values()) == {1}
    assert s.states == [State.CANCELLED] * 30
    assert len(s.heard) == 30
    assert s.stop_reason is None


def test_sending_again_posts_nothing(scene):
    s = scene(10)
    s.run(s.sending())
    s.run(s.sending())

    assert len(s.posts) == 10


def test_the_intent_is_durable_before_the_request_leaves(scene):
    s = scene(12)
    seen = []
    original = s._next

    def spy(log, script, default):
        result = original(log, script, default)
        seen.append(s.states[s.posts[-1][0] - 1])
        return result

    s._next = spy
    s.run(s.sending())

    assert seen == [State.SENDING] * 12


def test_what_another_ledger_of_the_machine_sent_does_not_leave(scene, tmp_path):
    s = scene(6)
    cufes = {pos: cufe for cufe, pos in s.by_cufe.items()}
    other = Sent(tmp_path / "enviados.db", "sandbox", "another")
    other.insert([Sending(cufes[n], 1, b"x", "20261119-anterior", "2026-11-19T09:00:00Z") for n in (1, 4)])
    mine = Sent(tmp_path / "enviados.db", "sandbox", id_of(s.book.database))
    s.book.store = Store(s.book.database, "sandbox", sent=mine)
    s.book.store.begin_run(s.book.now)
    s.run(s.sending())

    assert sorted(s.post_counts) == [2, 3, 5, 6]
    assert s.stop_reason is None
    found = s.book.views.lines(s.info)
    assert [outcome_of(line).value for line in found] == [
        *("CONFLICTO", "ANULADA", "ANULADA", "CONFLICTO", "ANULADA", "ANULADA")
    ]
    assert [(line.state, line.note, line.sent_cufe) for line in found if line.pos in (1, 4)] == [
        (State.NOT_SENT, "elsewhere", None)
    ] * 2
    assert (s.book.views.unsent(s.info.id), s.book.views.elsewhere(s.info.id)) == (0, 2)
    assert s.book.store.reopen(s.info.id, s.book.now) == 0, "the same file again sends nothing new"
    other.close()
    mine.close()


def test_what_a_person_sends_although_another_ledger_did_is_asked_about_first(scene, tmp_path):
    s = scene(1)
    (cufe,) = s.by_cufe
    other = Sent(tmp_path / "enviados.db", "sandbox", "another")
    other.insert([Sending(cufe, 1, b"x", "20261119-anterior", "2026-11-19T09:00:00Z")])
    mine = Sent(tmp_path / "enviados.db", "sandbox", id_of(s.book.database))
    s.book.store = Store(s.book.database, "sandbox", sent=mine)
    s.book.store.begin_run(s.book.now)
    s.run(s.sending())
    s.on_query[1] = [answer(2)]

    assert s.book.store.reopen(s.info.id, s.book.now, known_elsewhere_by="ana") == 1
    s.run(s.sending(sent_before=mine.asks))

    assert (len(s.queries), len(s.posts), s.states) == (1, 1, [State.CANCELLED])
    assert [(e.who, e.note) for e in s.book.views.log(s.info) if e.event is Event.RETRY] == [
        ("ana", "attempt-2 known-elsewhere")
    ]
    other.close()
    mine.close()


def test_the_outcome_is_durable_before_anybody_hears_of_it(scene):
    s = scene(6)
    states_when_heard = []

    class Listening(list):
        def append(self, item):
            states_when_heard.append(s.states.count(State.CANCELLED))
            super().append(item)

    s.heard = Listening()
    s.run(s.sending(concurrency=1, ahead=1))

    assert states_when_heard == [1, 2, 3, 4, 5, 6]


def test_the_most_urgent_row_goes_first_and_late_rows_last(scene):
    s = scene(1)
    base = s.book.views.ready(s.info.id)[0]
    rows = [
        replace(base, pos=1, hours_left=50.0),
        replace(base, pos=2, hours_left=-3.0, late=False),
        replace(base, pos=3, hours_left=-90.0, late=True),
        replace(base, pos=4, hours_left=None),
        replace(base, pos=5, hours_left=50.0),
    ]

    assert [one.pos for one in by_urgency(rows)] == [2, 1, 5, 4, 3]


def test_one_row_goes_first_alone_then_two_then_four(scene):
    s = scene(15)
    s.run(s.sending(concurrency=4))
    times = [round(at, 3) for _, at in s.posts]
    together = [times.count(at) for at in sorted(set(times))]

    assert together[0] == 1
    assert max(together) <= 4
    assert together[:3] == [1, 2, 4]


@pytest.mark.parametrize(
    ("reply", "state"),
    [
        ("2", State.CANCELLED),
        (11, State.CANCELLED),
        (4, State.NEEDS_SUPPORT),
        (5, State.PENDING),
        (6, State.NEEDS_CORRECTION),
        (7, State.PENDING),
        (10, State.PENDING),
        (15, State.RETURNED),
        (18, State.NOT_FOUND),
        (20, State.PENDING),
        (99, State.UNKNOWN),
        (2.0, State.UNKNOWN),
        (True, State.UNKNOWN),
        (None, State.UNKNOWN),
    ],
)
def test_each_answer_leads_to_its_state(scene, say, reply, state):
    s = scene(2)
    s.on_post[2] = [say(reply)]
    s.run(s.sending())

    assert s.states == [State.CANCELLED, state]
    assert set(s.post_counts.values()) == {1}


@pytest.mark.parametrize("status", [400, 408, 409, 422, 425, 500, 502, 503, 504, 520])
def test_an_error_without_an_edoc_state_is_an_unknown_outcome_and_never_repeated(scene, status):
    s = scene(3)
    s.on_post[2] = [httpx.Response(status, text="")]
    s.run(s.sending())

    assert s.states[1] is State.UNKNOWN
    assert s.post_counts[2] == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308, 403, 404, 405, 413, 415])
def test_a_wrong_address_or_missing_rights_stop_the_run_at_once(scene, status):
    s = scene(40)
    s.on_post[3] = [httpx.Response(status, text="no")]
    s.run(s.sending(concurrency=2, ahead=2))

    assert isinstance(s.stop_reason, ServiceRefused)
    assert s.states[2] is State.UNKNOWN
    assert len(s.posts) <= 3 + 2
    assert s.states.count(State.READY) == 40 - len(s.posts)


def test_a_401_renews_the_token_and_sends_that_row_once_more(scene, say):
    s = scene(3)
    s.on_post[2] = [httpx.Response(401), say("2")]
    s.run(s.sending())

    assert s.post_counts == {1: 1, 2: 2, 3: 1}
    assert s.states == [State.CANCELLED] * 3
    assert [line.attempts for line in s.book.views.lines(s.info)] == [1, 2, 1]


def test_a_second_401_of_the_same_row_stops_the_run(scene):
    s = scene(20)
    s.on_post[2] = [httpx.Response(401)]
    s.run(s.sending(concurrency=1, ahead=1))

    assert isinstance(s.stop_reason, CredentialsRefused)
    assert s.post_counts[2] == 2
    assert s.states[1] is State.REFUSED_AUTH


def test_a_429_waits_as_told_and_sends_the_row_again(scene, say):
    s = scene(4)
    s.on_post[2] = [httpx.Response(429, headers={"Retry-After": "7"}), say("2")]
    s.run(s.sending(concurrency=1, ahead=1))
    times = [at for pos, at in s.posts if pos == 2]

    assert s.states == [State.CANCELLED] * 4
    assert times[1] - times[0] >= 7


def test_a_pause_holds_every_row_not_only_its_own(scene, say):
    s = scene(8)
    s.on_post[2] = [httpx.Response(429, headers={"Retry-After": "30"}), say("2")]
    s.run(s.sending(concurrency=4))
    refused_at = next(at for pos, at in s.posts if pos == 2)
    later = [at for _, at in s.posts if at > refused_at + 0.1]

    assert min(later) - refused_at >= 30


def test_a_refused_connection_is_tried_five_times_with_longer_waits_then_the_run_stops(scene):
    s = scene(5)
    s.on_post[1] = [httpx.ConnectError("refused")]
    s.run(s.sending())

    assert s.states == [State.NOT_SENT] + [State.READY] * 4
    assert s.post_counts == {1: 5}
    assert isinstance(s.stop_reason, ServiceRefused)
    waits = [b - a for (_, a), (_, b) in zip(s.posts, s.posts[1:], strict=False)]
    assert all(later > 0.4 for later in waits)
    assert waits[-1] > waits[0]


def test_three_answers_in_a_row_that_nobody_understands_stop_the_sending_for_a_while(scene):
    s = scene(12)
    for pos in (3, 4, 5):
        s.on_post[pos] = [HTML]
    s.run(s.sending(concurrency=1, ahead=1, breaker_wait=30.0))
    times = dict(s.posts)

    assert times[6] - times[5] >= 30
    assert s.states.count(State.CANCELLED) == 9
    assert s.stop_reason is None


def test_a_canary_that_nobody_understands_ends_the_run_after_one_post(scene):
    s = scene(12)
    s.on_post = {pos: [HTML] for pos in range(1, 13)}
    s.run(s.sending())

    assert len(s.posts) == 1
    assert isinstance(s.stop_reason, ServiceUnclear)


def test_a_service_that_turns_to_html_reaches_no_more_rows_than_were_in_flight(scene):
    s = scene(200)
    s.on_post = {pos: [HTML] for pos in range(20, 201)}
    s.run(s.sending(concurrency=8))
    unknown = s.states.count(State.UNKNOWN)

    assert isinstance(s.stop_reason, ServiceUnclear)
    assert unknown <= 8 + 3 + 3 + 3
    assert s.states.count(State.READY) == 200 - len(s.posts)


def test_being_asked_to_stop_claims_no_more_rows_and_records_those_in_flight(scene):
    s = scene(50)

    def during(world, stop):
        asyncio.get_running_loop().call_later(0.27, stop.ask, Interrupted())

    s.run(s.sending(during, concurrency=4))

    assert isinstance(s.stop_reason, Interrupted)
    assert State.SENDING not in s.states
    assert s.states.count(State.CANCELLED) == len(s.posts) < 50


def test_requests_that_hang_when_the_grace_is_over_are_unknown_never_unsent(scene, monkeypatch):
    s = scene(3)

    def during(world, stop):
        asyncio.get_running_loop().call_later(1.0, stop.ask, Interrupted())
        post = world.client._post

        async def hanging(url, token, body, *, fresh=False):
            if fresh:
                await asyncio.sleep(10_000)
            return await post(url, token, body, fresh=fresh)

        monkeypatch.setattr(world.client, "_post", hanging)

    s.run(s.sending(during))

    assert s.states == [State.UNKNOWN, State.READY, State.READY]


def test_a_second_request_to_stop_does_not_wait_for_the_grace(scene, monkeypatch):
    s = scene(1)
    ended = []

    def during(world, stop):
        loop = asyncio.get_running_loop()
        loop.call_later(1.0, stop.ask, Interrupted())
        loop.call_later(2.0, stop.ask, Interrupted())

        async def hanging(*_args, **_more):
            await asyncio.sleep(10_000)

        monkeypatch.setattr(world.client, "_post", hanging)
        ended.append(world.clock)

    async def when(world, writer, stop):
        ended.append(world.clock.monotonic())

    s.run(s.sending(during), when)

    assert ended[1] == pytest.approx(2.0, abs=0.1)
    assert s.states == [State.UNKNOWN]


def test_an_intent_that_grew_too_old_is_not_sent_and_tried_again(scene, monkeypatch):
    s = scene(2)
    slept: list[float] = []  # the machine sleeps a minute while the first intent is being stored
    apply = s.book.store.apply

    def sleepy(moves):
        slept.append(60.0) if not slept else None
        return apply(moves)

    def during(world, stop):
        since = world.clock.since_boot
        monkeypatch.setattr(world.clock, "since_boot", lambda: since() + sum(slept))

    monkeypatch.setattr(s.book.store, "apply", sleepy)
    s.run(s.sending(during, concurrency=1, ahead=1))
    events = [event.event for event in s.book.views.log(s.info)]

    assert events.count(Event.STALE) == 1
    assert s.states == [State.CANCELLED] * 2
    assert s.post_counts == {1: 1, 2: 1}


def test_rows_that_wait_for_their_turn_to_be_claimed_are_not_claimed_after_the_end_was_asked_for(scene):
    """With a slow rate more workers wait than rows may be claimed ahead."""
    s = scene(40)
    s.world = partial(s.world, rate=4.0)
    asked = []

    def during(world, stop):
        def ask():
            asked.append(world.clock.now())
            stop.ask(Interrupted())

        asyncio.get_running_loop().call_later(4.1, ask)

    s.run(s.sending(during, ahead=2))
    claimed = [event.at for event in s.book.views.log(s.info) if event.event is Event.CLAIMED]

    assert len(claimed) > 8, "the window never opened: this showed nothing"
    assert max(claimed) <= asked[0]
    assert len(s.posts) == len(claimed)
    assert s.states.count(State.READY) == 40 - len(claimed)


def test_rows_that_wait_for_their_turn_to_be_claimed_wait_for_the_breaker_too(scene):
    s = scene(40)
    s.world = partial(s.world, rate=4.0)
    for n in range(20, 23):
        s.on_post[n] = [HTML]
    s.run(s.sending(ahead=2, breaker_wait=30.0))
    claimed = [event.at for event in s.book.views.log(s.info) if event.event is Event.CLAIMED]
    opened = START + timedelta(seconds=max(at for pos, at in s.posts if pos in range(20, 23)))

    assert s.states.count(State.CANCELLED) == 37
    assert [at for at in claimed if opened < at < opened + timedelta(seconds=30)] == []


def test_intents_that_always_grow_too_old_end_the_run_with_the_true_reason(scene, monkeypatch):
    s = scene(2)
    asleep: list[float] = []  # every time that an intent is stored, the machine sleeps a minute
    apply = s.book.store.apply

    def sleepy(moves):
        asleep.extend(60.0 for one in moves if one.event is Event.CLAIMED)
        return apply(moves)

    def during(world, stop):
        since = world.clock.since_boot
        monkeypatch.setattr(world.clock, "since_boot", lambda: since() + sum(asleep))

    monkeypatch.setattr(s.book.store, "apply", sleepy)
    s.run(s.sending(during, concurrency=1, ahead=1, tries=3))

    assert s.posts == []
    assert s.states == [State.NOT_SENT, State.READY]
    assert "demasiado tiempo entre" in s.stop_reason.sentence
    assert "conectar" not in s.stop_reason.sentence


@pytest.mark.parametrize("where", ["heard", "recorded"])
def test_an_error_of_our_own_after_an_answer_ends_the_run_but_not_the_others_in_flight(scene, monkeypatch, where):
    s = scene(20)
    apply = s.book.store.apply

    class Stumbling(list):
        def append(self, item):
            super().append(item)
            if len(self) == 9:
                raise RuntimeError("a bug")

    def stumbling(moves):
        if any(one.pos == 9 and one.event is Event.CANCELLED for one in moves):
            raise Bug("a compare-and-set found another state")
        return apply(moves)

    if where == "heard":
        s.heard = Stumbling()
    else:
        monkeypatch.setattr(s.book.store, "apply", stumbling)
    s.run(s.sending(concurrency=4))

    assert "Error interno" in s.stop_reason.sentence
    assert set(s.post_counts.values()) == {1}
    assert s.states.count(State.CANCELLED) == len(s.posts) - (where == "recorded")
    assert s.states.count(State.SENDING) == (where == "recorded")
    assert 9 < len(s.posts) < 20


def test_when_the_intent_cannot_be_stored_nothing_is_sent(scene, monkeypatch):
    s = scene(5)

    def full(_moves):
        raise StorageTrouble("el disco está lleno")

    monkeypatch.setattr(s.book.store, "apply", full)
    s.run(s.sending())

    assert s.posts == []
    assert isinstance(s.stop_reason, StorageTrouble)


def test_when_an_outcome_cannot_be_stored_nobody_hears_it_and_no_more_is_sent(scene, monkeypatch):
    s = scene(5)
    apply = s.book.store.apply

    def second_time_full(moves):
        if any(one.event is not Event.CLAIMED for one in moves):
            raise StorageTrouble("el disco está lleno")
        return apply(moves)

    monkeypatch.setattr(s.book.store, "apply", second_time_full)
    s.run(s.sending())

    assert len(s.posts) == 1
    assert s.heard == []
    assert s.states == [State.SENDING] + [State.READY] * 4


def test_an_error_of_our_own_in_the_exchange_is_an_unknown_outcome_and_ends_the_run(scene, monkeypatch):
    s = scene(5)

    def during(world, stop):
        async def broken(*_args, **_more):
            raise RuntimeError("a bug")

        monkeypatch.setattr(world.client, "_post", broken)

    s.run(s.sending(during))

    assert s.states == [State.UNKNOWN] + [State.READY] * 4
    assert "RuntimeError" in s.stop_reason.sentence


def test_refused_credentials_stop_before_the_first_claim(scene, provider):
    s = scene(5)
    provider.on("/Auth/ServicioEDOC", httpx.Response(401))
    s.run(s.sending())

    assert isinstance(s.stop_reason, CredentialsRefused)
    assert s.states == [State.READY] * 5
    assert s.posts == []


def test_limits_below_one_are_refused():
    with pytest.raises(ValueError, match="start at 1"):
        SendRules(concurrency=0)


def test_late_and_limit_day_rows_keep_their_flag(scene):
    s = scene(2, deadline=Deadline(Window.LATE, -40.0))

    assert all(one.late for one in s.book.views.ready(s.info.id))


def test_an_outcome_that_cannot_be_stored_is_kept_beside_the_ledger_until_the_next_start(scene, monkeypatch, secrets):
    s = scene(5)
    apply = s.book.store.apply

    def full_after_the_claim(moves):
        if any(one.event is not Event.CLAIMED for one in moves):
            raise StorageTrouble("el disco está lleno")
        return apply(moves)

    with monkeypatch.context() as patch:
        patch.setattr(s.book.store, "apply", full_after_the_claim)
        s.run(s.sending())
    journal = s.book.database.reserve(None)
    assert not [word for word in (*secrets.values(), "token-1") if word in journal.read_text()]

    s.book.store.begin_run(s.book.now)
    s.book.store.recover(s.book.now)

    assert s.states == [State.CANCELLED] + [State.READY] * 4
    assert len(s.posts) == 1
