"""The legal deadline: two bounds, because the CUFE has no time of day (domain.md 4)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.domain.deadline import PANAMA, Window, deadline

ISSUED = date(2026, 11, 10)
MIDNIGHT = datetime(2026, 11, 10, 0, 0, 0, tzinfo=PANAMA)
LAST_SECOND = datetime(2026, 11, 10, 23, 59, 59, tzinfo=PANAMA)


@pytest.mark.parametrize(
    ("now", "window"),
    [
        (MIDNIGHT + timedelta(hours=182), Window.IN_TIME),
        (MIDNIGHT + timedelta(hours=182, seconds=1), Window.LIMIT_DAY),
        (LAST_SECOND + timedelta(hours=182), Window.LIMIT_DAY),
        (LAST_SECOND + timedelta(hours=182, seconds=1), Window.LATE),
    ],
)
def test_the_limit_is_exact_to_the_second_on_both_bounds(now, window):
    assert deadline(ISSUED, now).window is window


def test_hours_are_counted_to_the_earlier_bound():
    assert deadline(ISSUED, MIDNIGHT + timedelta(hours=180)).hours_left == 2.0
    assert deadline(ISSUED, MIDNIGHT + timedelta(hours=190)).hours_left == -8.0


def test_the_zone_of_the_clock_does_not_matter():
    now = datetime(2026, 11, 17, 19, 0, 1, tzinfo=UTC)  # 14:00:01 in Panama

    assert deadline(ISSUED, now) == deadline(ISSUED, now.astimezone(PANAMA))
    assert deadline(ISSUED, now).window is Window.LIMIT_DAY


def test_another_number_of_hours_is_a_setting():
    assert deadline(ISSUED, MIDNIGHT + timedelta(hours=25), hours=24).window is Window.LIMIT_DAY


@given(st.integers(-400, 400), st.integers(1, 500))
def test_later_is_never_better(offset, more):
    order = [Window.IN_TIME, Window.LIMIT_DAY, Window.LATE]
    first = deadline(ISSUED, MIDNIGHT + timedelta(hours=offset))
    later = deadline(ISSUED, MIDNIGHT + timedelta(hours=offset + more))

    assert order.index(first.window) <= order.index(later.window)
    assert later.hours_left < first.hours_left
