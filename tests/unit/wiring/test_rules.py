"""Which rows eDoc is asked about before they are claimed (reliability.md D3, 2.4)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pipeline.domain.cufe import Cufe, check_digit
from pipeline.settings.model import Settings
from pipeline.submit.submit import SendRules
from pipeline.wiring.rules import ASKED_AFTER, send_rules

NOTHING: dict[str, Any] = {}
DAYS = st.dates(date(2020, 1, 1), date(2035, 12, 31))


def issued(cancellation, day: date, **more):
    text = f"FE01200000000000029-29-29-560001{day:%Y%m%d}0000000001001012000001000"
    cufe = text + check_digit(text)
    assert Cufe.parse(cufe).issued_on == day
    return cancellation(cufe=cufe, **more)


def test_without_a_reason_to_ask_nothing_is_asked(cancellation):
    assert not SendRules().asks(issued(cancellation, date(2026, 11, 20)), date(2026, 11, 20))


def test_the_setting_asks_about_every_row_and_a_resend_is_always_asked_about(cancellation):
    day = date(2026, 11, 20)

    assert SendRules(preflight=True).asks(issued(cancellation, day), day)
    assert SendRules().asks(issued(cancellation, day, possible_duplicate=True), day)


@given(lost=DAYS, later=st.integers(0, 400), age=st.integers(-400, 800))
def test_after_a_lost_ledger_whatever_it_may_have_sent_is_asked_about(cancellation, lost, later, age):
    """It can only have sent what was issued before it was lost, or bore a date that had not come yet."""
    today = lost + timedelta(days=later)
    day = today - timedelta(days=age)
    moment = datetime(lost.year, lost.month, lost.day, 17, tzinfo=UTC)
    rules = send_rules(Settings(**NOTHING), moment)

    assert rules.asks(issued(cancellation, day), today) == (day <= lost + ASKED_AFTER or day > today)
    if later == 0:
        assert rules.asks(issued(cancellation, day), today), "every row of that very run"
