"""`preflight = on`: every row is asked about before it is claimed; nothing is sent on doubt (reliability.md 2.3)."""

from __future__ import annotations

import asyncio

import pytest

from pipeline.domain.actions import DOUBT_BEFORE, recommend
from pipeline.domain.errors import Interrupted, ServiceRefused, ServiceUnclear
from pipeline.domain.lifecycle import State
from pipeline.domain.outcomes import Outcome
from pipeline.ledger.verify import examine
from pipeline.report.lines import outcome_of, row_of


def test_a_row_that_is_found_alive_is_claimed_and_sent_and_what_was_seen_is_remembered(scene, say):
    s = scene(3)
    s.on_query = {pos: [say(2)] for pos in (1, 2, 3)}
    s.run(s.sending(preflight=True))

    assert s.states == [State.CANCELLED] * 3
    assert [pos for pos, _ in s.queries] == [pos for pos, _ in s.posts] == [1, 2, 3]
    assert examine(s.book.database).good


def test_what_was_seen_before_does_not_look_like_an_answer_afterwards(scene, say):
    s = scene(1)
    s.on_query[1], s.on_post[1] = [say(2)], [say(None, 500)]
    s.run(s.sending(preflight=True))

    (line,) = s.book.views.lines(s.info)
    assert (line.state, line.estado, line.queries, line.queried_at) == (State.UNKNOWN, None, 0, None)
    assert outcome_of(line) is Outcome.UNKNOWN
    assert s.book.views.followed([s.info.id])[0].preflight == 2


@pytest.mark.parametrize(
    ("reply", "state", "word"),
    [
        ((11,), State.ALREADY_CANCELLED, Outcome.ALREADY),
        ((18,), State.NOT_FOUND, Outcome.NOT_FOUND),
        *(((number,), State.REVIEW, Outcome.HELD) for number in (4, 5, 6, 7, 10, 15, 20, 99)),
    ],
)
def test_any_other_answer_sends_nothing_and_claims_nothing(scene, say, reply, state, word):
    s = scene(1)
    s.on_query[1] = [say(*reply)]
    s.run(s.sending(preflight=True))

    (line,) = s.book.views.lines(s.info)
    assert (line.state, s.posts, line.sent_cufe, line.sent_at) == (state, [], None, None)
    assert outcome_of(line) is word
    assert s.book.views.counts(s.info.id) == {word.value: 1}
    assert s.heard[0][0] is state
    if state is State.REVIEW:
        assert recommend(line) is DOUBT_BEFORE
        assert "Consulta previa al envío: HTTP 200." in (row_of(line).added.observaciones or "")


def test_the_others_go_on_when_one_row_is_held(scene, say):
    s = scene(3)
    s.on_query = {1: [say(5)], 2: [say(2)], 3: [say(2)]}
    s.run(s.sending(preflight=True))

    assert s.states == [State.REVIEW, State.CANCELLED, State.CANCELLED]


@pytest.mark.parametrize("status", [500, 503, 404])
def test_when_the_query_service_gives_no_answer_the_run_stops_and_the_rows_stay_ready(scene, say, status):
    s = scene(3)
    s.on_query = {pos: [say(None, status)] for pos in (1, 2, 3)}
    s.run(s.sending(preflight=True))

    assert (s.states, s.posts) == ([State.READY] * 3, [])
    assert isinstance(s.stop_reason, ServiceUnclear | ServiceRefused)


def test_being_asked_to_stop_ends_the_wait_for_the_query(scene, monkeypatch):
    s = scene(2)

    def during(world, stop):
        async def hanging(_cufe):
            stop.ask(Interrupted())
            await asyncio.Event().wait()

        monkeypatch.setattr(world.client, "query", hanging)

    s.run(s.sending(during, preflight=True))

    assert (s.states, s.posts) == ([State.READY] * 2, [])


def test_a_row_that_was_there_before_the_sending_and_is_gone_stops_the_run(scene, say):
    """2.5.1: we ask in the wrong place. It stays unknown and is never closed as missing."""
    s = scene(2)
    s.on_query = {1: [say(2), say(18)], 2: [say(2), say(18)]}
    s.on_post[2] = [say(None, 500)]
    s.run(s.sending(preflight=True), s.asking())

    assert s.states == [State.CANCELLED, State.UNKNOWN]
    assert isinstance(s.stop_reason, ServiceRefused)
    assert s.stop_reason.code == "vanished"
    assert "existía en eDoc antes del envío y ahora no consta" in s.stop_reason.sentence


def test_a_row_that_was_not_asked_about_before_is_followed_on_when_it_is_missing(scene, say):
    s = scene(2)
    s.on_query[2] = [say(18)]
    s.on_post[2] = [say(None, 500)]
    s.run(s.sending(), s.asking())

    assert (s.states, s.stop_reason) == ([State.CANCELLED, State.UNKNOWN], None)


def test_off_asks_nothing(scene):
    s = scene(3)
    s.run(s.sending())

    assert s.queries == []
