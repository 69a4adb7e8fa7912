from __future__ import annotations

import pytest

from pipeline.report.inert import MAX_CELL, fit, looks_like_formula


@pytest.mark.parametrize("text", ["x" * 40_000, "😀" * 40_000, "ñ" * (MAX_CELL + 1)])
def test_a_text_too_long_for_a_cell_is_cut_and_says_how_long_it_was(text: str) -> None:
    cut = fit(text)
    assert len(cut.encode("utf-16-le")) // 2 <= MAX_CELL
    assert cut.endswith(f"… [recortado: eran {len(text)} caracteres]")


@pytest.mark.parametrize("text", ["", "x" * MAX_CELL, "😀" * 16_383])
def test_a_text_that_fits_is_not_touched(text: str) -> None:
    assert fit(text) == text


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1"])
def test_the_beginnings_of_formulas_are_known(text: str) -> None:
    assert looks_like_formula(text)
    assert not looks_like_formula(f"a{text}")
