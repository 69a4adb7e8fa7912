"""What people paste instead of a CUFE (domain.md 2)."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.domain.cufe import Cufe
from pipeline.domain.pasted import DASHES, INVISIBLE, mistake, unpaste

CODE = "FE01200000000000029-29-29-5676322018101525982740639300126729580548"
OTHER = "FE0120000155668001-2-2018-3707892023061300000002050060120035300326"


def code_of(text: str) -> str | None:
    found = mistake(text)
    return found.code if found else None


def test_a_clean_code_is_left_alone() -> None:
    assert unpaste(CODE).text == CODE
    assert unpaste(CODE).what == ()


@pytest.mark.parametrize("dash", DASHES)
def test_a_dash_look_alike_becomes_a_dash(dash: str) -> None:
    pasted = unpaste(CODE.replace("-", dash))
    assert (pasted.text, pasted.what) == (CODE, (f"se cambiaron rayas por guiones (U+{ord(dash):04X})",))


@pytest.mark.parametrize("hidden", INVISIBLE)
def test_a_character_without_width_is_removed(hidden: str) -> None:
    pasted = unpaste(hidden + CODE[:30] + hidden + CODE[30:])
    assert (pasted.text, pasted.what) == (CODE, (f"se quitaron caracteres invisibles (U+{ord(hidden):04X})",))


@pytest.mark.parametrize("space", [" ", "\t", "\n", "\r\n", "\u00a0", "\u202f", "\u2007", "\u3000"])
def test_white_space_around_and_inside_is_removed(space: str) -> None:
    named = "" if space.isascii() else f" (U+{ord(space):04X})"
    for text in (space + CODE, CODE + space, CODE[:40] + space + CODE[40:]):
        assert unpaste(text).text == CODE
        assert f"se quitaron espacios o saltos de línea{named}" in unpaste(text).what


def test_of_many_odd_characters_the_first_four_are_named() -> None:
    assert unpaste(CODE + INVISIBLE).what == ("se quitaron caracteres invisibles (U+00AD, U+061C, U+180E, U+200B, …)",)


@pytest.mark.parametrize(
    "wrapped",
    [f'"{CODE}"', f"'{CODE}'", f"'{CODE}", f'="{CODE}"', f'= "{CODE}"', f"“{CODE}”", f"«{CODE}»", f"\"'{CODE}'\""],
)
def test_quotes_and_formula_marks_around_the_code_are_removed(wrapped: str) -> None:
    assert unpaste(wrapped).text == CODE
    assert "se quitaron comillas" in unpaste(wrapped).what


def test_lower_case_and_full_width_letters_become_plain_capitals() -> None:
    wide = "".join(chr(ord(char) + 0xFEE0) for char in CODE)
    assert unpaste(CODE.lower()).text == CODE
    assert unpaste(CODE.lower()).what == ("se pasó a mayúsculas",)
    assert unpaste(wide).text == CODE
    assert "se cambiaron letras o números de ancho completo" in unpaste(wide).what


@pytest.mark.parametrize(
    "link",
    [
        f"https://dgi-fep.mef.gob.pa/Consultas/FacturasPorQR?chFE={CODE}&iAmb=2&digestValue=ab%2Bc&jwt=e.y.J",
        f"https://dgi-fep.mef.gob.pa/Consultas/FacturasPorCUFE/{CODE}",
        f"https://dgi-fep.mef.gob.pa/Consultas/FacturasPorCUFE/{CODE.lower()}",
    ],
)
def test_the_code_is_taken_out_of_a_look_up_link(link: str) -> None:
    assert unpaste(link).text == CODE
    assert "se extrajo el código del enlace" in unpaste(link).what


@pytest.mark.parametrize(
    "text",
    [
        f"CUFE: {CODE}",
        f"cufe {CODE}",
        f"Cufe:{CODE[:30]} {CODE[30:]}",
        f"Código único: {CODE}",
        f"CODIGO - {CODE}",
        f"No. {CODE}",
        f"CUFE No.: {CODE}",
        f"Factura – «{CODE}»",
    ],
)
def test_a_label_before_the_code_is_taken_off(text: str) -> None:
    assert unpaste(text).text == CODE
    assert "se quitó el rótulo que lo acompaña" in unpaste(text).what


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"NO ANULAR: {CODE}", "NO ANULAR: …"),
        (f"{CODE} (ya anulada, no enviar)", "… (ya anulada, no enviar)"),
        (f"~~{CODE}~~", "~~…~~"),
        (f"Factura {CODE} anulada", "Factura … anulada"),
        (f"NO {CODE}", "NO …"),
        (f"NO. {CODE}", "NO. …"),
        (f"CUFE 3: {CODE.lower()}", "CUFE 3: …"),
        (f"{CODE} {CODE}", "… …"),
        (f"{CODE}.", "…."),
        (f"NO ANULAR: {CODE[:40]} {CODE[40:]}", "NOANULAR:…"),
        (f"https://dgi-fep.mef.gob.pa/Consultas/FacturasPorCUFE/{CODE}?nota=no", "?nota=no"),
        (f"https://dgi-fep.mef.gob.pa/NoAnular/FacturasPorCUFE/{CODE}", "/NoAnular/"),
        (f"https://dgi-fep.mef.gob.pa/Consultas/FacturasPorQR?chFE={CODE}&jwt=a.b NO", "NO"),
        (f"FacturasPorCUFE/{CODE}", "FacturasPorCUFE/…"),
    ],
)
def test_any_other_words_beside_the_code_may_say_no_and_are_shown(text: str, words: str) -> None:
    assert unpaste(text).text != CODE
    found = mistake(text)
    assert found is not None
    assert found.code == "cufe-con-texto"
    assert words in found.words["words"]


BLANKS = st.sampled_from(["", " ", "  ", "\n", "\u00a0", "\t"])
LABELS = st.sampled_from(["CUFE", "cufe", "Código", "CODIGO", "Código único", "No.", "Factura", "factura"])


@given(st.lists(st.tuples(LABELS, st.sampled_from(["", ":", ".", "-", " -", ":."]), BLANKS), max_size=3), BLANKS)
@settings(max_examples=100)
def test_whatever_labels_stand_before_it_the_code_is_the_same(labels: list[tuple[str, str, str]], end: str) -> None:
    text = "".join(f"{label}{sign} {blank}" for label, sign, blank in labels) + CODE + end
    assert unpaste(text).text == CODE


_LEFT_ALONE = re.compile(r"""[\s"'“”‘’«»:.-]|cufe|c[oó]digo|[uú]nico|factura|no\.""", re.IGNORECASE)


@given(st.text(alphabet="NOnosíya anulada:.-~()*#/?&=1x", max_size=14), st.booleans())
@settings(max_examples=200)
def test_no_word_but_a_label_is_ever_taken_off(words: str, after: bool) -> None:
    text = f"{CODE} {words}" if after else f"{words} {CODE}"
    if unpaste(text).text == CODE:
        assert not _LEFT_ALONE.sub("", words)
        assert not after or not words.strip()


@pytest.mark.parametrize("text", [f"{CODE} {OTHER}", f"{CODE}\n{OTHER}", f"{CODE}; {OTHER}"])
def test_two_different_codes_are_never_reduced_to_one(text: str) -> None:
    assert unpaste(text).text not in (CODE, OTHER)
    found = mistake(text)
    assert found is not None
    assert (found.code, found.words) == ("cufe-varios", {"count": "2"})


@pytest.mark.parametrize("text", [f"{CODE} {OTHER[:-1]}", f"{CODE} y {OTHER}1", CODE + "0", "0" + CODE])
def test_a_code_beside_something_that_looks_like_another_is_not_taken_out(text: str) -> None:
    assert unpaste(text).text != CODE


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "cufe-vacio"),
        (" \u200b\u00a0 ", "cufe-vacio"),
        (CODE[:65] + "\x07" + CODE[65:], "cufe-invisible"),
        (CODE[:20] + "\u2064" + CODE[20:], "cufe-invisible"),
        ("#N/A", "cufe-error-excel"),
        ("#¡REF!", "cufe-error-excel"),
        ("#N/D", "cufe-error-excel"),
        ("########", "cufe-error-excel"),
        ("1.23E+20", "cufe-cientifico"),
        ("1,23E+20", "cufe-cientifico"),
        ("0120000155668001", "cufe-numero-suelto"),
        ("=A2&B2", "cufe-formula-texto"),
        ("FE", None),
        ("Total", None),
    ],
)
def test_what_is_no_code_at_all_is_named(text: str, code: str | None) -> None:
    assert code_of(text) == code


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("ab" * 48, "Colombia"),
        ("E310000000012", "la República Dominicana"),
        ("1" * 44, "Paraguay"),
        ("1" * 49, "Ecuador"),
        ("5" * 50, "Costa Rica"),
    ],
)
def test_a_code_of_another_country_is_named_by_country(text: str, country: str) -> None:
    found = mistake(text)
    assert found is not None
    assert (found.code, found.words["country"]) == ("cufe-extranjero", country)


def test_sixty_four_characters_without_fe_show_the_code_but_are_not_completed() -> None:
    assert unpaste(CODE[2:]).text == CODE[2:]
    found = mistake(CODE[2:])
    assert found is not None
    assert (found.code, found.words) == ("cufe-sin-fe", {"full": CODE})
    assert code_of(CODE[2:-1] + "9") is None


@pytest.mark.parametrize(
    ("place", "char", "said"),
    [
        (40, "O", "posición 41 hay la letra «O» donde debe ir 0"),
        (8, "o", "posición 9 hay la letra «O» donde debe ir 0"),
        (58, "l", "posición 59 hay la letra «l» donde debe ir 1"),
        (58, "I", "posición 59 hay la letra «I» donde debe ir 1"),
        (1, "Е", "posición 2 hay «Е» (U+0415)"),
    ],
)
def test_letters_that_look_like_others_are_not_mended_but_placed(place: int, char: str, said: str) -> None:
    text = CODE[:place] + char + CODE[place + 1 :]
    found = mistake(text)
    assert found is not None
    assert found.code == "cufe-parecido"
    assert said in found.words["places"]


def test_the_letters_of_a_real_ruc_are_no_look_alikes() -> None:
    assert mistake("FE011000008-PI-3824-00523-2800012017071500000151340010117450183432") is None


@given(st.text(alphabet=st.sampled_from(CODE + " '\"=:.“»\u200b–ｆ"), max_size=90) | st.text(max_size=20))
@settings(max_examples=150)
def test_mending_twice_changes_nothing_more(text: str) -> None:
    """Of whatever comes out in plain letters; marks that combine with others are no code anyway."""
    once = unpaste(text).text
    assert not once.isascii() or unpaste(once).text == once


@given(st.text(alphabet=st.sampled_from(CODE + " -–oOlI\u200b&=/:'\""), max_size=80))
@settings(max_examples=150)
def test_no_text_that_is_not_a_valid_code_becomes_another_valid_one_than_it_holds(text: str) -> None:
    """Whatever is mended, the letters and digits of the result were there, in that order."""
    used = unpaste(text).text
    rest = iter(text.upper())
    assert all(char == "-" or char in rest for char in used)


@given(st.lists(st.tuples(st.integers(0, 66), st.sampled_from([" ", "\u200b", "\u00a0", "\t", "\u00ad"])), max_size=6))
@settings(max_examples=100)
def test_invisible_damage_anywhere_is_undone(damage: list[tuple[int, str]]) -> None:
    text = CODE
    for place, char in damage:
        text = text[:place] + char + text[place:]
    assert Cufe.parse(unpaste(text).text).text == CODE
    assert bool(unpaste(text).what) == (text != CODE)
