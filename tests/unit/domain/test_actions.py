"""What to do about each outcome (interface.md 5, edoc-api.md 5)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.domain.actions import ACTIONS, CREDIT_NOTE, MISSING_AFTER_INTENT, STILL_ALIVE, recommend
from pipeline.domain.deadline import Deadline, Window
from pipeline.domain.lifecycle import FOLLOWED, PERSON, SETTLED, SUCCESS, State
from pipeline.domain.records import Leader, Position, Problem, ResultLine, Source

LINE = ResultLine(pos=1, position=Position("Hoja1", 2), cells=(), state=State.READY)
LATE = Deadline(Window.LATE, -30.0)


@pytest.mark.parametrize("state", State)
def test_every_state_has_an_action_with_words_for_an_accountant(state):
    action = recommend(replace(LINE, state=state))

    assert action.words.endswith(".")
    assert action.rule.startswith("A")


def test_rule_ids_are_unique():
    assert len({action.rule for action in ACTIONS}) == len(ACTIONS) >= 20


@pytest.mark.parametrize("state", sorted(PERSON, key=str))
def test_what_waits_for_a_person_says_so(state):
    assert recommend(replace(LINE, state=state)).person


@pytest.mark.parametrize("state", sorted(SUCCESS, key=str))
def test_what_is_cancelled_asks_nothing_of_anybody(state):
    assert not recommend(replace(LINE, state=state)).person


@pytest.mark.parametrize("state", [State.PENDING, State.UNKNOWN, State.REVIEW])
def test_an_invoice_that_a_query_found_alive_is_said_to_be_not_cancelled(state):
    assert recommend(replace(LINE, state=state, estado=2, source=Source.QUERY)) is STILL_ALIVE


def test_a_two_in_the_answer_to_the_cancellation_is_not_that():
    assert recommend(replace(LINE, state=State.UNKNOWN, estado=2, source=Source.CANCELLATION)) is not STILL_ALIVE


def test_a_late_row_that_was_not_cancelled_needs_a_credit_note():
    problem = Problem("plazo-vencido", "Hoja1!A2", "CUFE", "FE", "El plazo venció.")

    assert recommend(replace(LINE, state=State.REJECTED_INPUT, problems=(problem,))) is CREDIT_NOTE
    assert recommend(replace(LINE, state=State.RETURNED, deadline=LATE)) is CREDIT_NOTE


def test_a_late_row_that_was_cancelled_all_the_same_needs_nothing():
    assert recommend(replace(LINE, state=State.CANCELLED, deadline=LATE)).rule == "A01"


def test_a_code_that_an_earlier_batch_holds_with_another_reason_is_not_to_be_loaded_again():
    problem = Problem("conflicto-lote", "Hoja1!A2", "CUFE", "FE", "Está en otro lote.")

    assert recommend(replace(LINE, state=State.CONFLICT, problems=(problem,))).rule == "A21"
    assert recommend(replace(LINE, state=State.CONFLICT)).rule == "A13"


def test_a_resend_that_could_not_leave_is_still_to_be_sent_and_says_who_allowed_it():
    assert recommend(replace(LINE, state=State.NOT_SENT, again=True)).rule == "A20"
    assert recommend(replace(LINE, state=State.NOT_SENT)).rule == "A16"


def test_not_found_after_a_lost_answer_sends_a_person_to_the_portal_before_any_resend():
    assert recommend(replace(LINE, state=State.REVIEW, estado=18)) is MISSING_AFTER_INTENT


@pytest.mark.parametrize("state", [State.PENDING, State.UNKNOWN, State.SENDING, State.REVIEW])
def test_nobody_is_told_to_send_again_what_may_have_arrived(state):
    words = recommend(replace(LINE, state=state)).words.lower()

    assert "no reenviar" in words


@pytest.mark.parametrize(
    ("there", "rule", "person"),
    [
        *((state, "A27", False) for state in sorted(SETTLED, key=str)),
        *((state, "A29", False) for state in sorted(FOLLOWED, key=str)),
        *(
            (state, "A28", True)
            for state in (State.REJECTED_INPUT, State.READY, State.HELD, State.REVIEW, State.RETURNED)
        ),
    ],
)
def test_a_row_that_was_corrected_elsewhere_asks_for_what_is_left_there(there, rule, person):
    where = Leader("20261121-abc", 1, LINE.position)
    line = replace(LINE, state=State.REJECTED_INPUT, fixed_in=where, fixed=replace(LINE, state=there))

    assert (recommend(line).rule, recommend(line).person) == (rule, person)
