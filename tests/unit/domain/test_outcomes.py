"""The words of ``resultado`` and the exit code (interface.md 2 and 5)."""

from __future__ import annotations

import pytest

from pipeline.domain.lifecycle import State
from pipeline.domain.outcomes import Outcome, exit_code, outcome, worst

WORDS = {
    "ANULADA", "YA ANULADA", "PENDIENTE", "RECHAZADA", "DUPLICADA", "CONFLICTO", "NO ENVIADA", "DEVUELTA",
    "ERROR eDoc", "NO ENCONTRADA", "SIGUE AUTORIZADA", "RESULTADO DESCONOCIDO", "RETENIDA", "RETIRADA", "RESUELTA",
    "NO APLICA",
}  # fmt: skip


def test_the_words_are_those_of_the_contract():
    assert {word.value for word in Outcome} == WORDS


@pytest.mark.parametrize("state", State)
def test_every_state_has_a_word(state):
    assert outcome(state).value in WORDS


def test_success_is_said_of_proven_states_only():
    said = {state for state in State if outcome(state) in (Outcome.CANCELLED, Outcome.ALREADY)}

    assert said == {State.CANCELLED, State.ALREADY_CANCELLED}


def test_not_sent_is_never_said_of_a_row_that_may_have_been_received():
    said = {state for state in State if outcome(state) is Outcome.NOT_SENT}

    assert not said & {State.SENDING, State.UNKNOWN, State.PENDING, State.REVIEW}


@pytest.mark.parametrize("state", [State.PENDING, State.UNKNOWN, State.REVIEW])
def test_a_row_whose_last_query_found_the_invoice_alive_is_still_authorised(state):
    assert outcome(state, alive=True) is Outcome.STILL_ALIVE


def test_a_cancelled_row_stays_cancelled_whatever_a_query_said_before():
    assert outcome(State.CANCELLED, alive=True) is Outcome.CANCELLED


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("unsent", [False, True])
def test_nothing_that_becomes_of_a_resend_says_that_the_row_was_not_sent(state, unsent):
    assert outcome(state, unsent=unsent, again=True) not in (Outcome.NOT_SENT, Outcome.HELD)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ({Outcome.CANCELLED, Outcome.ALREADY}, 0),
        ({Outcome.CANCELLED, Outcome.RESOLVED, Outcome.WITHDRAWN}, 0),
        ({Outcome.CANCELLED, Outcome.REJECTED}, 1),
        ({Outcome.NOT_SENT}, 1),
        ({Outcome.CANCELLED, Outcome.NOT_APPLICABLE}, 0),
        ({Outcome.PENDING, Outcome.NOT_APPLICABLE}, 4),
        ({Outcome.REJECTED, Outcome.PENDING}, 4),
        ({Outcome.UNKNOWN}, 4),
        ({Outcome.STILL_ALIVE}, 4),
        (set(), 0),
    ],
)
def test_the_exit_code_says_the_most_pressing_thing(words, code):
    assert exit_code(words) == code


def test_a_held_row_waits_for_a_persons_approval_before_all_that_is_open():
    assert exit_code([Outcome.HELD, Outcome.PENDING, Outcome.REJECTED]) == 7


@pytest.mark.parametrize(
    ("codes", "first"),
    [([], 0), ([0, 1, 4], 4), ([1, 7, 4], 7), ([7, 2], 2), ([2, 3], 3), ([5, 6], 6), ([130, 6], 130)],
)
def test_of_several_exit_codes_the_one_that_matters_most_counts(codes, first):
    assert worst(codes) == first
