"""What counts as the count that a person types before sending."""

from __future__ import annotations

import pytest

from pipeline.cli.approve import is_count


@pytest.mark.parametrize(
    ("count", "typed"), [(26, "26"), (26, " 26 "), (1234, "1,234"), (1234, "1234"), (100_000, "100,000")]
)
def test_the_count_is_taken_with_and_without_its_separator(count: int, typed: str) -> None:
    assert is_count(typed, count)


@pytest.mark.parametrize("typed", ["", "s", "si", "sí", "y", "25", "26.", "26.0", "026", "+26", "26 26", "٢٦"])
def test_nothing_else_is_the_count(typed: str) -> None:
    assert not is_count(typed, 26)


@pytest.mark.parametrize("typed", ["1.234", "1 234", "12,34", "1,2,3,4", "1,235"])
def test_the_separator_stands_where_it_belongs(typed: str) -> None:
    assert not is_count(typed, 1234)
