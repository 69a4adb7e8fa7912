"""Canary, ramp and breaker (reliability.md P8, D11, D14)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.domain.circuit_breaker import Advice, Caution
from pipeline.domain.lifecycle import Event
from pipeline.domain.records import Finding, Source

GOOD = Finding(Source.CANCELLATION, Event.CANCELLED, http=200)
HTML = Finding(Source.CANCELLATION, Event.UNCLEAR, http=200, understood=False)
LOST = Finding(Source.CANCELLATION, Event.UNCLEAR, note="read-timeout")


def tell(caution, *findings):
    return [caution.seen(finding) for finding in findings]


def test_one_row_goes_first_and_then_twice_as_many_with_each_understood_answer():
    caution = Caution(8)
    windows = [caution.window]
    for _ in range(5):
        caution.seen(GOOD)
        windows.append(caution.window)

    assert windows == [1, 2, 4, 8, 8, 8]


def test_a_canary_whose_answer_nobody_understands_stops_the_run():
    assert tell(Caution(8), HTML) == [Advice.STOP]


def test_a_canary_without_an_answer_is_followed_by_another_canary():
    caution = Caution(8)

    assert tell(caution, LOST) == [Advice.GO]
    assert caution.window == 1


def test_a_lost_canary_does_not_excuse_the_next_one():
    assert tell(Caution(8), LOST, HTML) == [Advice.GO, Advice.STOP]


def test_three_answers_in_a_row_that_are_not_understood_open_the_breaker():
    caution = Caution(8)

    assert tell(caution, GOOD, GOOD, HTML, HTML, HTML)[-1] is Advice.WAIT
    assert caution.window == 1


def test_five_unknown_outcomes_in_a_row_of_any_kind_open_the_breaker():
    assert tell(Caution(8), GOOD, LOST, HTML, LOST, HTML, LOST)[-1] is Advice.WAIT


def test_an_understood_answer_in_between_starts_the_count_again():
    assert Advice.WAIT not in tell(Caution(8), GOOD, HTML, HTML, GOOD, HTML, HTML, GOOD, LOST, LOST, LOST, LOST)


def test_the_third_opening_ends_the_run():
    three = [HTML, HTML, HTML]

    assert tell(Caution(8), GOOD, *three, GOOD, *three, GOOD, *three)[-1] is Advice.STOP


@pytest.mark.parametrize("finding", [HTML, LOST])
def test_the_canary_after_the_wait_has_to_be_understood_or_the_breaker_opens_again(finding):
    caution = Caution(8)
    tell(caution, GOOD, HTML, HTML, HTML)

    assert tell(caution, finding, finding) == [Advice.WAIT, Advice.STOP]


def test_an_understood_canary_after_the_wait_opens_the_ramp_again():
    caution = Caution(8)
    tell(caution, GOOD, HTML, HTML, HTML)

    assert tell(caution, GOOD, HTML, HTML, HTML) == [Advice.GO, Advice.GO, Advice.GO, Advice.WAIT]
    assert caution.openings == 2


@pytest.mark.parametrize("late", [GOOD, HTML, LOST])
def test_what_was_in_flight_when_the_breaker_opened_neither_opens_nor_closes_it(late):
    caution = Caution(8)
    tell(caution, GOOD, GOOD, HTML, HTML, HTML)

    assert [caution.seen(late, sent_under=0) for _ in range(7)] == [Advice.GO] * 7
    assert (caution.openings, caution.window) == (1, 1)
    assert caution.seen(HTML, sent_under=1) is Advice.WAIT


@pytest.mark.parametrize("event", [Event.NOTHING_LEFT, Event.STALE, Event.THROTTLED, Event.UNAUTHORISED])
def test_what_was_not_applied_neither_opens_the_ramp_nor_the_breaker(event):
    caution = Caution(8)

    assert set(tell(caution, *[Finding(Source.CANCELLATION, event)] * 20)) == {Advice.GO}
    assert caution.window == 1


@given(st.lists(st.sampled_from([GOOD, HTML, LOST]), max_size=60), st.integers(1, 32))
def test_the_window_is_always_between_one_and_the_most(findings, most):
    caution = Caution(most)
    for finding in findings:
        caution.seen(finding)

        assert 1 <= caution.window <= most


@given(st.lists(st.sampled_from([GOOD, HTML, LOST]), max_size=80))
def test_no_more_than_four_unknown_outcomes_in_a_row_pass_without_a_wait(findings):
    caution, unknown = Caution(4), 0
    for finding in findings:
        advice = caution.seen(finding)
        if advice is Advice.STOP:
            return
        unknown = 0 if finding is GOOD or advice is Advice.WAIT else unknown + 1

        assert unknown < 5
