"""The table of a proposal's steps, who may take them, and until when (approvals.md 1, 2)."""

from __future__ import annotations

import itertools
from collections.abc import Set
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.domain.errors import Bug
from pipeline.domain.outcomes import Outcome
from pipeline.domain.proposals import (
    CLOCK_SLACK,
    DUE,
    ENDS,
    MAY_SEND,
    MOVES,
    OPEN,
    WORDS,
    People,
    ProposalState,
    Step,
    clock_went_back,
    lapse,
    lasts_until,
    move,
    proven,
    refusal,
)

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
ANA_S = People(prepared_by="ana", submitted_by="ana")


def reached(starts: Set[ProposalState], without: Set[Step] = frozenset()) -> set[ProposalState]:
    found = set(starts)
    while more := {end for (state, step), end in MOVES.items() if state in found and step not in without} - found:
        found |= more
    return found


@pytest.mark.parametrize(("pair", "target"), MOVES.items(), ids=str)
def test_every_step_of_the_table_leads_where_it_says(pair, target):
    assert move(*pair) is target


def test_every_other_step_is_a_bug():
    for pair in itertools.product(ProposalState, Step):
        if pair not in MOVES:
            with pytest.raises(Bug):
                move(*pair)


def test_nothing_leaves_an_end_and_everything_else_reaches_one():
    assert {state for state, _ in MOVES} == set(OPEN)
    for state in OPEN:
        assert reached({state}) & ENDS, state


def test_every_state_is_reached_from_an_upload_and_every_step_is_used():
    assert reached({ProposalState.CHECKING}) == set(ProposalState)
    assert {step for _, step in MOVES} == set(Step)


def test_no_path_leads_to_sending_without_an_approval():
    assert not reached({ProposalState.CHECKING}, without={Step.APPROVED}) & (MAY_SEND | DUE | {ProposalState.STOPPED})


def test_only_what_was_submitted_is_approved():
    assert {state for state, step in MOVES if step is Step.APPROVED} == {ProposalState.WAITING}
    assert ProposalState.WAITING not in reached({ProposalState.CHECKING}, without={Step.SUBMITTED})


def test_an_approval_does_not_lapse_once_it_was_begun():
    begun = reached({ProposalState.SENDING})
    assert not [state for state, step in MOVES if step is Step.LAPSED and state in begun]


def test_what_was_stopped_goes_on_only_by_a_person():
    assert {step for state, step in MOVES if state is ProposalState.STOPPED} == {
        Step.CONTINUED,
        Step.NOTHING_LEFT,
        Step.GIVEN_UP,
    }
    assert ProposalState.STOPPED not in DUE


def test_each_state_has_a_word_and_none_is_that_of_a_row():
    assert set(WORDS) == set(ProposalState)
    assert len(set(WORDS.values())) == len(WORDS)
    assert not {word.upper() for word in WORDS.values()} & {outcome.value.upper() for outcome in Outcome}


@pytest.mark.parametrize("step", [Step.APPROVED, Step.DECLINED])
def test_where_two_are_asked_for_nobody_approves_or_declines_what_is_theirs(step):
    people = People(prepared_by="ana", submitted_by="eva")
    assert refusal(step, "ana", people, two=True) == "approval-own"
    assert refusal(step, "eva", people, two=True) == "approval-own"
    assert refusal(step, "luis", people, two=True) == ""


def test_one_person_alone_may_where_the_office_says_so():
    assert refusal(Step.APPROVED, "ana", ANA_S, two=False) == ""


def test_nobody_submits_or_takes_back_what_another_prepared():
    assert refusal(Step.SUBMITTED, "luis", People("ana"), two=True) == "approval-not-yours"
    assert refusal(Step.DISCARDED, "luis", ANA_S, two=False) == "approval-not-yours"
    assert refusal(Step.DISCARDED, "ana", ANA_S, two=True) == ""


def test_what_the_folder_held_is_submitted_by_anybody_who_then_may_not_approve_it():
    assert refusal(Step.SUBMITTED, "ana", People(), two=True) == ""
    assert refusal(Step.APPROVED, "ana", People(submitted_by="ana"), two=True) == "approval-own"


@pytest.mark.parametrize("step", Step)
def test_who_has_no_name_takes_no_step(step):
    assert refusal(step, "", People(), two=False) == "approval-nobody"


def test_an_approval_is_proven_by_another_person_where_two_are_asked_for():
    assert not proven(ANA_S, two=False)
    assert proven(People("ana", "ana", "ana"), two=False)
    assert not proven(People("ana", "ana", "ana"), two=True)
    assert not proven(People("ana", "eva", "eva"), two=True)
    assert proven(People("ana", "eva", "luis"), two=True)


def test_a_proposal_that_nobody_approved_lapses_and_a_draft_is_forgotten():
    until = lasts_until(ProposalState.WAITING, NOW, 72)
    assert until == NOW + timedelta(hours=72)
    assert lapse(ProposalState.WAITING, until, until - timedelta(seconds=1)) is None
    assert lapse(ProposalState.WAITING, until, until) is Step.LAPSED
    draft = lasts_until(ProposalState.DRAFT, NOW, 72)
    assert draft == NOW + timedelta(days=30)
    assert lapse(ProposalState.DRAFT, draft, draft) is Step.FORGOTTEN


@pytest.mark.parametrize("state", ProposalState)
def test_the_clock_takes_no_step_that_is_not_in_the_table(state):
    step = lapse(state, NOW, NOW)
    assert step is None or (state, step) in MOVES
    assert lapse(state, None, NOW) is None


def test_a_clock_that_went_back_is_noticed_and_a_small_difference_is_none():
    assert clock_went_back(NOW, NOW - CLOCK_SLACK - timedelta(seconds=1))
    assert not clock_went_back(NOW, NOW - CLOCK_SLACK)
    assert not clock_went_back(NOW, NOW + timedelta(days=400))
