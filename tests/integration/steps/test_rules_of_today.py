"""E2: issuer, environment and deadline are judged once more right before the claim, by the rules of that day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from pipeline.domain.actions import CREDIT_NOTE, RULES_OF_TODAY, recommend
from pipeline.domain.cufe import check_digit
from pipeline.domain.eligibility import Rules
from pipeline.domain.lifecycle import Event, State
from pipeline.domain.outcomes import Outcome
from pipeline.ledger.verify import examine
from pipeline.report.lines import outcome_of, row_of

OTHERS = Rules(issuers=frozenset({"8-1-1"}))


def issued(row, pos: int, day: date = date(2026, 11, 15), ruc: str = "29-29-29"):
    text = f"FE012{ruc.rjust(20, '0')}-567632{day:%Y%m%d}{pos:010d}939012012345678"
    return row(pos, cufe=f"{text}{check_digit(text)}")


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        (OTHERS, "emisor-no-permitido"),
        (Rules(env_digit="1"), "otro-ambiente"),
        (Rules(late="reject", deadline_hours=24), "plazo-vencido"),
    ],
)
def test_a_row_that_no_longer_passes_stays_unsent_with_the_reason(scene, rules, code):
    s = scene(1)
    s.run(s.sending(allowed=rules))

    (line,) = s.book.views.lines(s.info)
    assert (s.posts, s.queries, line.state) == ([], [], State.NOT_SENT)
    assert (line.sent_cufe, outcome_of(line)) == (None, Outcome.NOT_SENT)
    assert f"[{code}]" in (row_of(line).added.observaciones or "")
    assert recommend(line) is (CREDIT_NOTE if code == "plazo-vencido" else RULES_OF_TODAY)
    assert s.stop_reason is None, "the others go on, and the run ends as it should"
    assert examine(s.book.database).good


def test_rows_that_pass_are_sent_beside_those_that_do_not(scene_of, row):
    s = scene_of([issued(row, 1), issued(row, 2, ruc="8-1-1"), issued(row, 3)])
    s.run(s.sending(allowed=OTHERS))

    assert [pos for pos, _ in s.posts] == [2]
    assert s.states == [State.NOT_SENT, State.CANCELLED, State.NOT_SENT]


def test_under_rules_that_let_it_leave_again_the_same_row_is_sent_once(scene):
    s = scene(1)
    s.run(s.sending(allowed=OTHERS))
    s.book.store.reopen(s.info.id, s.book.now + timedelta(hours=1))
    s.run(s.sending(allowed=Rules(issuers=frozenset({"29-29-29"}))))

    assert [pos for pos, _ in s.posts] == [1]
    assert s.states == [State.CANCELLED]


def test_a_resend_whose_first_request_may_have_arrived_keeps_its_code(scene, say):
    s = scene(1)
    s.on_post[1], s.on_query[1] = [say(None, 500)], [say(2)]
    s.run(s.sending())
    unknown = s.book.views.followed([s.info.id])[0]
    s.book.move(unknown.attempt, unknown.version, 1, State.UNKNOWN, Event.RESEND, batch=s.info.id, retry=True)
    s.run(s.sending(allowed=OTHERS))

    (line,) = s.book.views.lines(s.info)
    assert len(s.posts) == 1
    assert (line.state, outcome_of(line)) == (State.REVIEW, Outcome.UNKNOWN)
    assert "[emisor-no-permitido]" in (row_of(line).added.observaciones or "")
    assert line.cufe in s.book.views.seen([line.cufe or ""]), "no other file may send it"


def test_without_rules_nothing_is_judged(scene):
    s = scene(1)
    s.run(s.sending(allowed=None))

    assert s.states == [State.CANCELLED]
    assert replace(OTHERS, issuers=frozenset()) == Rules()
