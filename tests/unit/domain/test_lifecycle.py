"""The table of legal moves and what it must never allow (reliability.md 2.2 - 2.4)."""

from __future__ import annotations

import itertools

import pytest

from pipeline.domain.errors import Bug
from pipeline.domain.lifecycle import FOLLOWED, LIVE_NEVER, MOVES, RETRIED, SUCCESS, Event, State, move

FINAL = {
    State.REJECTED_INPUT,
    State.DUPLICATE,
    State.CONFLICT,
    State.NOT_APPLICABLE,
    State.WITHDRAWN,
    State.CANCELLED,
    State.ALREADY_CANCELLED,
    State.CLOSED_BY_PERSON,
}


@pytest.mark.parametrize(("pair", "target"), MOVES.items(), ids=lambda x: str(x))
def test_every_move_of_the_table_leads_where_it_says(pair, target):
    assert move(*pair) is target


def test_every_other_pair_is_a_bug():
    for pair in itertools.product(State, Event):
        if pair not in MOVES:
            with pytest.raises(Bug):
                move(*pair)


def test_only_a_claim_leads_to_sending():
    assert {pair for pair, target in MOVES.items() if target is State.SENDING} == {(State.READY, Event.CLAIMED)}


def test_only_validation_a_person_or_a_proof_of_nothing_applied_leads_to_ready():
    before = {state for (state, event), target in MOVES.items() if target is State.READY and event is not Event.ALIVE}

    assert before == {State.RECEIVED, State.HELD, State.NOT_SENT, State.REFUSED_AUTH, State.CLOSED_RESEND}


def test_a_query_before_the_sending_leaves_a_row_ready_only_when_it_finds_it_alive():
    assert [pair for pair, target in MOVES.items() if pair[0] is target is State.READY] == [(State.READY, Event.ALIVE)]


def test_an_unknown_outcome_never_leads_back_to_sending_without_a_person():
    reached = {State.UNKNOWN}
    machine = {(pair, target) for pair, target in MOVES.items() if pair[1] not in (Event.RESOLVED, Event.RESEND)}
    while more := {target for (state, _), target in machine if state in reached} - reached:
        reached |= more

    assert not reached & {State.READY, State.SENDING, State.NOT_SENT, State.REFUSED_AUTH}


def test_a_row_that_was_found_in_sending_is_unknown():
    assert move(State.SENDING, Event.RECOVERED) is State.UNKNOWN


@pytest.mark.parametrize("state", sorted(FINAL, key=str))
def test_final_states_are_left_by_nothing(state):
    assert not [pair for pair in MOVES if pair[0] is state]


def test_every_state_that_is_not_final_can_be_left():
    assert {state for state, _ in MOVES} == set(State) - FINAL


def test_a_cancelled_code_stays_live_for_ever():
    assert not SUCCESS & set(LIVE_NEVER)


def test_a_code_is_freed_only_by_proof_or_a_person():
    assert set(LIVE_NEVER) == RETRIED | {State.WITHDRAWN, State.CLOSED_RESEND}


@pytest.mark.parametrize("state", sorted(FOLLOWED, key=str))
def test_what_polling_follows_ends_with_a_person_when_time_is_up(state):
    assert move(state, Event.OUT_OF_TIME) is State.REVIEW


@pytest.mark.parametrize("state", sorted(FOLLOWED, key=str))
@pytest.mark.parametrize("event", [Event.NOT_FOUND, Event.ALIVE, Event.UNCLEAR])
def test_not_found_alive_and_unclear_decide_nothing_in_a_query(state, event):
    assert move(state, event) is state
