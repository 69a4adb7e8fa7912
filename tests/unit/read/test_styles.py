"""Colours, formats of numbers and styles: what of a text is shown."""

from __future__ import annotations

import pytest
from defusedxml.ElementTree import fromstring

from pipeline.domain.actions import SAYING_NO
from pipeline.domain.columns import asks_whether, says_no
from pipeline.domain.problems import KINDS
from pipeline.read import remarks
from pipeline.read.colours import BLACK, WHITE, alike, palette_of, rgb, tinted
from pipeline.read.formats import text_format
from pipeline.read.full_scan import below
from pipeline.read.table import distant


def test_a_colour_is_the_same_with_and_without_its_transparency() -> None:
    assert rgb("FF1F3A5F") == rgb("001F3A5F") == rgb("1f3a5f") == (0x1F, 0x3A, 0x5F)
    assert rgb("auto") is None


def test_a_tint_lightens_and_darkens() -> None:
    assert tinted(WHITE, "-0.25") == (191, 191, 191)
    assert tinted(BLACK, "0.5") == (128, 128, 128)
    assert tinted((0x44, 0x72, 0xC4), "0.8")[2] > 0xE0
    assert tinted(WHITE, "") == tinted(WHITE, "x") == tinted(WHITE, "7") == WHITE


def test_light_and_dark_of_a_theme_are_numbered_the_other_way_round() -> None:
    plain = palette_of(None, None)
    assert (plain.named({"theme": "0"}), plain.named({"theme": "1"})) == (WHITE, BLACK)
    own = fromstring(
        '<t><clrScheme><dk1><sysClr val="windowText"/></dk1><lt1><srgbClr val="102030"/></lt1></clrScheme></t>'
    )
    assert palette_of(own, None).named({"theme": "0"}) == (0x10, 0x20, 0x30)


def test_a_workbook_may_have_a_palette_of_its_own() -> None:
    own = fromstring('<s><colors><indexedColors><rgbColor rgb="00ABCDEF"/></indexedColors></colors></s>')
    assert palette_of(None, own).index(0) == (0xAB, 0xCD, 0xEF)
    assert palette_of(None, None).index(9) == palette_of(None, None).index(65) == WHITE
    assert palette_of(None, None).index(63) == (0x33, 0x33, 0x33)


def test_what_an_eye_does_not_tell_apart_is_alike() -> None:
    assert alike((242, 242, 242), WHITE)
    assert not alike((217, 217, 217), WHITE)
    assert not alike((255, 255, 0), WHITE)


@pytest.mark.parametrize(
    ("code", "plain"),
    [
        ("General", True),
        ("@", True),
        ("0.00", True),
        (";;", True),
        (";;;", False),
        (";;;@", True),
        ('_(* #,##0_);_(* "-"_);0;_(@_)', True),
        ("[Blue]@", True),
        ('"(NO) "@', False),
        ("\\N\\O @", False),
        ("@*.", False),
        ("@* ", True),
        ("@@", False),
        ('0;0;0;"x"', False),
        ('"@"0', True),
        ("General;General;General;General", True),
    ],
)
def test_a_format_shows_a_text_as_it_is_or_does_not(code: str, plain: bool) -> None:
    assert text_format(code).plain is plain


def test_a_format_may_have_a_colour() -> None:
    assert [text_format(code).colour for code in ("[White]@", "[Color 2]@", "[Red]0;@", "[>5]@")] == [9, 9, None, None]


@pytest.mark.parametrize(("size", "unseen"), [(None, False), ("0.0", True), ("1.99", True), ("2", False), ("x", True)])
def test_a_size_is_large_enough_or_not(size: str | None, unseen: bool) -> None:
    assert below(size, 2.0) is unseen


def test_rows_after_more_than_twenty_empty_ones_are_far() -> None:
    assert distant([2, 3, 24], 1) == ()
    assert distant([2, 3, 25, 26], 1) == (25, 26)
    assert distant([23], 1) == (23,)


@pytest.mark.parametrize("text", ["NO ANULAR", "ojo: no  anular!", "No se debe anular", "no la anulen", "nó anular"])
def test_a_comment_says_no(text: str) -> None:
    assert remarks.says_no(text)


@pytest.mark.parametrize("text", ["anular", "revisar", "no cobrado; anular", "uno anular", "No. 12 para anular"])
def test_a_comment_says_something_else(text: str) -> None:
    assert not remarks.says_no(text)


def test_no_comment_of_our_own_says_no() -> None:
    """Or a corrections workbook that comes back would be turned away for what we wrote into it.

    Rows with the one code that repeats a person's no stand in none (domain/actions.py)."""
    said = [code for code, kind in KINDS.items() if remarks.says_no(f"{kind.message} {kind.remedy}")]
    assert set(said) <= SAYING_NO


def test_a_column_asks_and_a_cell_says_no() -> None:
    assert all(map(asks_whether, ("anular", "Anular?", "¿ANULAR?", " anular ")))
    assert not any(map(asks_whether, ("anulada", "CUFE a anular", "")))
    assert all(map(says_no, ("no", "NO", "n", "Falso", "0", 0, False, 0.0, "No, ya pagó")))
    assert not any(map(says_no, ("sí", "x", "", None, 1, True, "nota", "S")))
