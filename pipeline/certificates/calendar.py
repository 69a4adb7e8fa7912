"""Working days of Panama: its public holidays by the library ``holidays``, which only this file knows."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date

from pipeline.domain.certificates import REVIEW_DAYS, due_on


def free_days(years: Collection[int], more: Collection[date] = ()) -> frozenset[date]:
    """Public holidays of these years, on the Monday after where they fall on a Sunday, and the office's own ``more``.

    Of the library's two kinds only the public ones: a bank's own free days (4 November, Carnival Monday) are none of
    the authority's (decision 0106).
    """
    from holidays import country_holidays

    return frozenset(country_holidays("PA", years=sorted(years))) | frozenset(more)


def due_day(days: int = REVIEW_DAYS, more: Collection[date] = ()) -> Callable[[date], date]:
    """C1 as a function: the day, ``days`` working days after a request, on which its state has to be asked for."""

    def due(requested_on: date) -> date:
        last = requested_on.year + 1 + days // 200
        return due_on(requested_on, free_days(range(requested_on.year, last + 1), more), days)

    return due
