"""Cases of a parametrized test that are too many for every run: of ``[1, *long(2, 3)]`` only 1 is always tried, of a
test marked ``one_in(3)`` every third case, and of several parameters each value at least once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest


def long(*cases: Any) -> list[Any]:
    """Each of ``cases`` marked ``long``; a tuple is one case of several values."""
    return [pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=pytest.mark.long) for case in cases]


def thin_out(items: Iterable[pytest.Item]) -> None:
    """Marks ``long`` what ``one_in`` leaves out. A step alone may miss the same values of a parameter each time."""
    cases: Counter[str] = Counter()
    tried: set[tuple[str, str, int]] = set()
    for item in items:
        some = item.get_closest_marker("one_in")
        if some is None or item.get_closest_marker("long") is not None:
            continue
        test = item.nodeid.partition("[")[0]
        values: set[tuple[str, str, int]] = set()
        if len(list(item.iter_markers("parametrize"))) > 1:  # the same object in each case that has the value
            values = {(test, name, id(value)) for name, value in item.callspec.params.items()}  # type: ignore[attr-defined]
        if cases[test] % some.args[0] and values <= tried:
            item.add_marker("long")
        else:
            tried |= values
        cases[test] += 1
