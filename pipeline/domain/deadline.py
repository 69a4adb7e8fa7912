"""The legal deadline: 182 hours after issue (domain.md 4).

The CUFE has a date but no time of day, so there are two bounds: issued in the first or in the last second of
that day in Panama (UTC-5 all year). All are differences of aware datetimes; nothing depends on a local time zone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from enum import Enum
from functools import lru_cache

from pipeline.domain.cufe import DAY

PANAMA = timezone(timedelta(hours=-5), "America/Panama")
DEFAULT_HOURS = 182


class Window(Enum):
    """Position of a row relative to the deadline; the value is the text in the results."""

    IN_TIME = "en plazo"  # even if issued at 00:00 of its date
    LIMIT_DAY = "día límite"  # depends on the hour of issue, which the CUFE does not contain
    LATE = "vencido"  # even if issued at 23:59:59


@dataclass(frozen=True, slots=True)
class Deadline:
    """A row's deadline at one moment."""

    window: Window
    #: until the *earlier* bound; negative after it
    hours_left: float


def deadline(issued_on: date, now: datetime, hours: int = DEFAULT_HOURS) -> Deadline:
    """The deadline of a document issued on ``issued_on``, at ``now`` (aware)."""
    limit = timedelta(hours=hours)
    oldest = now - datetime.combine(issued_on, time(0, 0, 0), PANAMA)
    youngest = now - datetime.combine(issued_on, time(23, 59, 59), PANAMA)
    if oldest <= limit:
        window = Window.IN_TIME
    elif youngest > limit:
        window = Window.LATE
    else:
        window = Window.LIMIT_DAY
    return Deadline(window, round((limit - oldest).total_seconds() / 3600, 1))


def legal_limit(code: str, hours: int = DEFAULT_HOURS) -> datetime | None:
    """When the document of the CUFE ``code`` can no longer be cancelled: the earlier bound; None for no date in it."""
    return limit_of_day(code[DAY], hours)


@lru_cache(1_000)
def limit_of_day(day: str, hours: int = DEFAULT_HOURS) -> datetime | None:
    """The same for a document issued on ``day`` (``20261118``)."""
    try:
        return datetime(int(day[:4]), int(day[4:6]), int(day[6:]), tzinfo=PANAMA) + timedelta(hours=hours)
    except (ValueError, OverflowError):
        return None
