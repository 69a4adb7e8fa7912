"""Records that are made column by column are those that would be made one by one."""

from __future__ import annotations

from itertools import repeat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.domain.records import Position
from pipeline.validate.bulk_records import many


@given(st.lists(st.integers()))
def test_records_are_the_same_made_one_by_one_or_all_at_once(lines: list[int]) -> None:
    made = many(Position, len(lines), sheet=repeat("Hoja1"), line=lines)
    assert made == [Position("Hoja1", line) for line in lines]
    assert all(hash(one) == hash(Position("Hoja1", one.line)) for one in made)


def test_a_column_that_is_missing_or_too_short_is_a_bug() -> None:
    with pytest.raises(TypeError):
        many(Position, 1, line=[1])
    with pytest.raises(TypeError):
        many(Position, 1, sheet=["A"], line=[1], column=[1])
    with pytest.raises(ValueError, match="1 values of line for 2 records"):
        many(Position, 2, sheet=repeat("A"), line=[1])
