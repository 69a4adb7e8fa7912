"""When to ask again after an 18, and when to stop asking (reliability.md 2.5, P16)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.domain.schedule import expired, settle_due, settled, still_to_come

INTENT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LEAST = timedelta(seconds=5)


@pytest.mark.parametrize(
    ("misses", "after"),
    [
        (1, timedelta(seconds=30)),
        (2, timedelta(minutes=2)),
        (3, timedelta(minutes=10)),
        (4, timedelta(minutes=30)),
        (5, timedelta(hours=2)),
    ],
)
def test_the_schedule_counts_from_the_intent(misses, after):
    assert settle_due(INTENT, misses, INTENT + timedelta(seconds=1), LEAST) == INTENT + after


def test_after_the_schedule_it_is_once_a_day():
    now = INTENT + timedelta(hours=3)

    assert settle_due(INTENT, 6, now, LEAST) == now + timedelta(hours=24)


def test_offsets_that_have_passed_do_not_become_a_burst():
    now = INTENT + timedelta(hours=5)

    assert settle_due(INTENT, 2, now, LEAST) == now + LEAST


@pytest.mark.parametrize(
    ("misses", "hours", "enough"), [(5, 24, True), (4, 48, False), (5, 23.9, False), (9, 24.1, True)]
)
def test_a_person_takes_over_after_five_queries_and_a_day_not_before(misses, hours, enough):
    assert settled(INTENT, misses, INTENT + timedelta(hours=hours)) is enough


def test_pending_for_72_hours_is_too_long():
    assert not expired(INTENT, INTENT + timedelta(hours=71.9))
    assert expired(INTENT, INTENT + timedelta(hours=72))


def test_an_intent_recorded_by_a_clock_that_ran_years_ahead_is_not_waited_for():
    assert expired(INTENT + timedelta(days=3650), INTENT)
    assert not expired(INTENT + timedelta(hours=71), INTENT), "a clock that was a little fast only makes it later"


def test_a_due_time_in_the_past_or_missing_is_now():
    assert still_to_come(None, INTENT) == timedelta(0)
    assert still_to_come(INTENT - timedelta(days=1), INTENT) == timedelta(0)


def test_a_due_time_impossibly_far_ahead_is_now_because_the_clock_jumped():
    assert still_to_come(INTENT + timedelta(days=3650), INTENT) == timedelta(0)
    assert still_to_come(INTENT + timedelta(hours=2), INTENT) == timedelta(hours=2)
