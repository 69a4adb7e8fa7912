"""What an answer proves (edoc-api.md 5, domain.md 5): the table, row by row."""

from __future__ import annotations

import pytest

from pipeline.domain.edoc_states import (
    DGI_CODES,
    EDOC_STATES,
    TRANSITORY,
    Kind,
    QueryDescribes,
    judge,
    proves_cancellation,
)
from pipeline.domain.lifecycle import Event
from pipeline.domain.records import Source

C, Q = Source.CANCELLATION, Source.QUERY

BY_STATE = {
    2: (Event.CANCELLED, Event.ALIVE),
    4: (Event.SUPPORT, Event.SUPPORT),
    5: (Event.IN_PROGRESS, Event.IN_PROGRESS),
    6: (Event.CORRECT, Event.CORRECT),
    7: (Event.IN_PROGRESS, Event.IN_PROGRESS),
    10: (Event.IN_PROGRESS, Event.IN_PROGRESS),
    11: (Event.CANCELLED, Event.CANCELLED),
    15: (Event.RETURNED, Event.RETURNED),
    18: (Event.NOT_FOUND, Event.NOT_FOUND),
    20: (Event.IN_PROGRESS, Event.IN_PROGRESS),
}


@pytest.mark.parametrize("state", [*BY_STATE, 3, 99, -1, 0, None])
def test_each_state_means_what_the_table_says_in_both_services(state):
    expected = BY_STATE.get(state, (Event.UNCLEAR, Event.UNCLEAR))

    assert (judge(C, state, None), judge(Q, state, None)) == expected


def test_the_table_of_states_has_exactly_the_documented_ones():
    assert set(EDOC_STATES) == set(BY_STATE)
    assert {n for n, state in EDOC_STATES.items() if state.kind is Kind.PENDING} == TRANSITORY


@pytest.mark.parametrize(
    ("number", "resend", "query"),
    [
        (2, False, False),
        (4, True, False),
        (5, False, True),
        (6, True, False),
        (7, False, True),
        (10, False, True),
        (11, False, False),
        (15, False, True),
        (18, False, False),
        (20, False, True),
    ],
)
def test_resend_and_query_are_as_documented(number, resend, query):
    assert (EDOC_STATES[number].resend, EDOC_STATES[number].query) == (resend, query)


def test_a_two_from_a_query_is_the_invoice_itself_and_no_proof():
    assert not proves_cancellation(Q, 2, None)


def test_a_two_from_a_query_is_proof_only_when_the_setting_says_that_queries_describe_cancellations():
    assert proves_cancellation(Q, 2, None, QueryDescribes.CANCELLATION)
    assert judge(Q, 2, None, QueryDescribes.CANCELLATION) is Event.CANCELLED


@pytest.mark.parametrize("source", [C, Q])
@pytest.mark.parametrize("state", [None, 2, 4, 5, 6, 11, 15, 18, 99])
def test_0600_decides_over_every_state(source, state):
    assert judge(source, state, "0600") is Event.CANCELLED


@pytest.mark.parametrize("source", [C, Q])
@pytest.mark.parametrize("state", [None, 2, 4, 5, 6, 11, 15, 18, 99])
def test_0622_is_a_cancellation_of_before_whatever_the_state(source, state):
    assert judge(source, state, "0622") is Event.ALREADY


@pytest.mark.parametrize("code", ["0100", "1601", "1602", "1002"])
@pytest.mark.parametrize("state", [2, 11])
@pytest.mark.parametrize("source", [C, Q])
def test_success_beside_a_known_error_code_of_the_authority_proves_nothing(source, state, code):
    assert not proves_cancellation(source, state, code)
    assert judge(source, state, code) in (Event.UNCLEAR, Event.ALIVE)


@pytest.mark.parametrize("code", ["9999", "0000", "0260"])
def test_a_code_that_nobody_knows_turns_an_accepted_cancellation_into_an_unknown_outcome(code):
    assert judge(C, 2, code) is Event.UNCLEAR
    assert judge(C, 11, code) is Event.UNCLEAR


def test_a_query_that_says_eleven_is_proof_beside_the_invoices_own_code():
    assert judge(Q, 11, "0260") is Event.CANCELLED


@pytest.mark.parametrize(("code", "event"), [("1601", Event.CORRECT), ("0100", Event.CORRECT), ("1002", Event.PERSON)])
def test_an_error_code_of_the_authority_without_a_state_is_for_a_person(code, event):
    assert judge(C, None, code) is event


@pytest.mark.parametrize("code", ["1002", "1601", "9999"])
def test_a_refusal_is_the_states_whatever_code_explains_it(code):
    assert judge(C, 6, code) is Event.CORRECT
    assert judge(C, 15, code) is Event.RETURNED


def test_an_error_code_beside_a_transitory_state_is_for_a_person():
    assert judge(C, 5, "1002") is Event.PERSON


def test_an_unknown_code_alone_is_neither_success_nor_rejection():
    assert judge(C, None, "7777") is Event.UNCLEAR


def test_every_known_code_has_spanish_words():
    assert all(words.strip() for words in DGI_CODES.values())
