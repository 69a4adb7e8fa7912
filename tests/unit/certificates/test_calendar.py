"""Working days with the holidays of Panama."""

from __future__ import annotations

from datetime import date

import pytest

from pipeline.certificates.calendar import due_day, free_days


@pytest.mark.parametrize(
    ("requested", "due"),
    [
        (date(2026, 10, 28), date(2026, 11, 12)),  # past 3, 5 and 10 November
        (date(2026, 12, 18), date(2027, 1, 4)),  # past 20 December, kept on Monday, Christmas and New Year
        (date(2027, 2, 5), date(2027, 2, 18)),  # past Carnival Tuesday
    ],
)
def test_eight_working_days_after_a_request(requested, due):
    assert due_day()(requested) == due


def test_a_holiday_on_a_sunday_is_kept_on_monday():
    assert date(2026, 12, 20).weekday() == 6
    assert date(2026, 12, 21) in free_days([2026])


def test_a_banks_own_free_day_is_none_of_the_authoritys():
    assert date(2026, 11, 4) not in free_days([2026])


def test_the_office_adds_free_days_of_its_own():
    assert due_day(more=[date(2026, 11, 4)])(date(2026, 10, 28)) == date(2026, 11, 13)


def test_another_number_of_working_days_may_be_asked_for():
    assert due_day(1)(date(2026, 12, 31)) == date(2027, 1, 4)
    assert due_day(260)(date(2026, 1, 1)) > date(2027, 1, 1)
