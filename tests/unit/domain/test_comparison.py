"""What the comparison of a row with eDoc's answer comes to, for every answer that there is."""

from __future__ import annotations

import pytest

from pipeline.domain.comparison import DIFFERENT, TITLES, Conclusion, advice, conclude, is_cancelled
from pipeline.domain.lifecycle import Event, State
from pipeline.domain.outcomes import Outcome

CANCELLED = (Event.CANCELLED, Event.ALREADY)


@pytest.mark.parametrize("event", CANCELLED)
def test_both_have_it_cancelled(event):
    assert conclude(cancelled_here=True, event=event) is Conclusion.AGREES


@pytest.mark.parametrize("event", CANCELLED)
def test_only_edoc_has_it_cancelled(event):
    assert conclude(cancelled_here=False, event=event) is Conclusion.ELSEWHERE


def test_only_we_have_it_cancelled():
    assert conclude(cancelled_here=True, event=Event.ALIVE) is Conclusion.ALIVE
    for event in (Event.NOT_FOUND, Event.IN_PROGRESS, Event.SUPPORT, Event.CORRECT, Event.RETURNED, Event.PERSON):
        assert conclude(cancelled_here=True, event=event) is Conclusion.OTHER
        assert conclude(cancelled_here=False, event=event) is Conclusion.AGREES


@pytest.mark.parametrize("cancelled", [True, False])
def test_an_answer_that_is_not_clear_is_neither_agreement_nor_difference(cancelled):
    assert conclude(cancelled_here=cancelled, event=Event.UNCLEAR) is Conclusion.UNKNOWN
    assert conclude(cancelled_here=cancelled, event=None) is Conclusion.NOT_ASKED
    assert not {Conclusion.UNKNOWN, Conclusion.NOT_ASKED} & DIFFERENT


def test_a_person_s_decision_counts_by_its_own_code_and_not_by_what_was_typed():
    assert is_cancelled(Outcome.RESOLVED, "Quedó anulada [cancelled]. Motivo: visto en el portal")
    assert not is_cancelled(Outcome.RESOLVED, "No quedó anulada [not-cancelled]. Motivo: decía [cancelled]")
    assert [word for word in Outcome if is_cancelled(word)] == [Outcome.CANCELLED, Outcome.ALREADY]


def test_there_is_advice_for_every_conclusion_and_state_and_never_to_send():
    for conclusion in Conclusion:
        assert conclusion in TITLES
        for state in (None, *State):
            words = advice(conclusion, state)
            assert words
            assert "reenvíe" not in words.lower()


def test_who_finds_it_cancelled_elsewhere_is_told_what_fits_the_row():
    assert "poll" in advice(Conclusion.ELSEWHERE, State.PENDING)
    assert "withdraw" in advice(Conclusion.ELSEWHERE, State.READY)
    assert "resolve" in advice(Conclusion.ELSEWHERE, State.REVIEW)
    assert "portal" in advice(Conclusion.ELSEWHERE, None)
