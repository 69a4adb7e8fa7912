from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.report.inert import MAX_CELL, fit, looks_like_formula, one_line, visible

ANY_TEXT = st.text(st.characters(codec=None), max_size=60)  # lone surrogates too


@settings(max_examples=40)
@given(ANY_TEXT)
def test_nothing_that_acts_is_left_in_a_text(text: str) -> None:
    shown = visible(text)
    shown.encode()  # no lone surrogate
    assert not [c for c in shown if unicodedata.category(c) in ("Cc", "Cs") and c not in "\t\n\r"]
    assert not set(shown) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")


@settings(max_examples=40)
@given(st.text(st.characters(exclude_categories=("C", "Zl", "Zp")), max_size=60))
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mrojo", "␛[31mrojo"),
        ("a\x00b", "a␀b"),
        ("\ud800", "⟨U+D800⟩"),
        ("\u202etxt.exe", "⟨U+202E⟩txt.exe"),
        ("\x7f\x85", "␡⟨U+0085⟩"),
        ("tab\ty\nlínea", "tab\ty\nlínea"),
        ("_x0041_", "_x0041_"),
    ],
)
def test_what_acts_is_replaced_by_something_visible(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize("text", ["x" * 40_000, "😀" * 40_000, "ñ" * (MAX_CELL + 1)])
def test_a_text_too_long_for_a_cell_is_cut_and_says_how_long_it_was(text: str) -> None:
    cut = fit(text)
    assert len(cut.encode("utf-16-le")) // 2 <= MAX_CELL
    assert cut.endswith(f"… [recortado: eran {len(text)} caracteres]")


@pytest.mark.parametrize("text", ["", "x" * MAX_CELL, "😀" * 16_383])
def test_a_text_that_fits_is_not_touched(text: str) -> None:
    assert fit(text) == text


def test_one_line_has_no_breaks() -> None:
    assert one_line("a\r\nb\tc\x00") == "a b c␀"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1"])
def test_the_beginnings_of_formulas_are_known(text: str) -> None:
    assert looks_like_formula(text)
    assert not looks_like_formula(f"a{text}")
