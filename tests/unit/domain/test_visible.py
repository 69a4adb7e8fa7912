from __future__ import annotations

import json
import unicodedata
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.domain.visible import escaped_json, one_line, visible
from tests.support.hostile import HOSTILE

ANY_TEXT = st.text(st.characters(codec=None), max_size=60)  # lone surrogates too
TURNING = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")


def acting(text: str) -> list[str]:
    return [
        c for c in text if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") or c in TURNING or c in "\ufffe\uffff"
    ]


@settings(max_examples=40)
@given(ANY_TEXT)
def test_nothing_that_acts_is_left_in_a_text(text: str) -> None:
    shown = visible(text)
    shown.encode()  # no lone surrogate
    assert set(acting(shown)) <= set("\t\n\r")


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:20]))
def test_hostile_texts_become_one_harmless_line(text: str) -> None:
    assert acting(one_line(text)) == []


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


def test_one_line_has_no_breaks() -> None:
    assert one_line("a\r\nb\tc\x00") == "a b c␀"


@settings(max_examples=60)
@given(st.recursive(ANY_TEXT | st.integers() | st.none(), lambda x: st.lists(x) | st.dictionaries(ANY_TEXT, x)))
def test_escaped_json_says_the_same_and_holds_nothing_that_acts(value: Any) -> None:
    document = escaped_json(json.dumps(value, ensure_ascii=False, indent=2))
    assert set(acting(document)) <= {"\n"}
    document.encode()
    assert json.loads(document) == json.loads(json.dumps(value))
