"""Cases of a parametrized test that are too many for every run: of ``[1, *long(2, 3)]`` only 1 is always tried."""

from __future__ import annotations

from typing import Any

import pytest


def long(*cases: Any) -> list[Any]:
    """Each of ``cases`` marked ``long``; a tuple is one case of several values."""
    return [pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=pytest.mark.long) for case in cases]
