"""Query schedule: the regular interval, and the settle schedule for "18 after an intent" (reliability.md 2.5)."""

from __future__ import annotations

from datetime import datetime, timedelta

SETTLE: tuple[timedelta, ...] = (
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=2),
)
"""Offsets from the intent. An 18 right after a lost answer proves nothing: the request may still arrive."""

DAILY = timedelta(hours=24)
SETTLE_QUERIES = 5
SETTLE_FOR = timedelta(hours=24)
PENDING_FOR = timedelta(hours=72)


def settle_due(intent_at: datetime, misses: int, now: datetime, least: timedelta) -> datetime:
    """When to query again after the ``misses``-th answer 18 (1-based): the schedule's next offset, then daily.

    Never sooner than ``least`` from now: after a long pause all offsets are in the past.
    """
    if misses <= len(SETTLE):
        return max(now + least, intent_at + SETTLE[max(0, misses - 1)])
    return now + DAILY


def settled(intent_at: datetime, misses: int, now: datetime) -> bool:
    """Whether enough 18s came over enough time for a person to look (never for the program to send)."""
    return misses >= SETTLE_QUERIES and now - intent_at >= SETTLE_FOR


def expired(intent_at: datetime, now: datetime) -> bool:
    """Whether a row has been pending or unanswered for so long that a person has to look.

    An intent as far in the future was recorded by a wrong wall clock (P16): its age is unknown, and waiting for that
    date would leave the row pending for years.
    """
    return abs(now - intent_at) >= PENDING_FOR


def followed_enough(
    intent_at: datetime, queried_at: datetime | None, misses: int, every: float, lasting: float
) -> bool:
    """Whether a row has had its queries of one run (``every`` seconds, for ``lasting`` seconds after the intent).

    Then only ``poll`` queries again: the same file given once more sends nothing, queries nothing and shows the same.
    If an interrupted run left the row earlier than that, queries go on. Rows in the settle schedule belong to ``poll``.
    """
    if queried_at is None:
        return False
    return misses > 0 or queried_at - intent_at >= timedelta(seconds=lasting - 2 * every)


def still_to_come(next_due: datetime | None, now: datetime) -> timedelta:
    """Time until ``next_due``; zero when it has passed or is impossibly far ahead.

    A due time beyond the longest interval can only come from a wall clock that jumped back (P16).
    """
    if next_due is None:
        return timedelta(0)
    wait = next_due - now
    return timedelta(0) if wait < timedelta(0) or wait > DAILY else wait
