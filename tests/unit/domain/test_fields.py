"""Reason and e-mail (domain.md 3)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.domain.fields import (
    canonical_email,
    canonical_reason,
    damaged_accents,
    email_mistake,
    reason_doubt,
    reason_mistake,
)
from pipeline.domain.visible import visible


def reason_code(text: str) -> str | None:
    found = reason_mistake(canonical_reason(text))
    return found.code if found else None


def email_code(text: str) -> str | None:
    found = email_mistake(canonical_email(text))
    return found.code if found else None


@pytest.mark.parametrize(
    ("length", "code"), [(0, "motivo-vacio"), (14, "motivo-corto"), (15, None), (1000, None), (1001, "motivo-largo")]
)
def test_the_limits_of_the_reason_are_exact(length: int, code: str | None) -> None:
    assert reason_code("x" * length) == code


def test_white_space_is_collapsed_before_it_is_counted() -> None:
    assert canonical_reason("  Error \u00a0\t en\r\nel   monto ") == "Error en el monto"
    assert reason_code(" " * 20) == "motivo-vacio"
    assert reason_code("a" + " " * 30 + "b") == "motivo-corto"
    assert reason_code("\u200b" * 20) == "motivo-vacio"


def test_a_reason_counts_characters_and_not_bytes() -> None:
    assert reason_code("🙂" * 15) is None
    assert reason_code("🙂" * 14) == "motivo-corto"
    assert reason_code("e\u0301" * 500) is None


@pytest.mark.parametrize("char", ["\x00", "\x07", "\x0b", "\x1a", "\x1c", "\x7f", "\x85", "\u2028", "\u202e", "\ud800"])
def test_a_control_character_is_refused_with_its_place(char: str) -> None:
    found = reason_mistake(canonical_reason("Error en" + char + " el monto cobrado"))
    assert found is not None
    assert (found.code, found.words["place"], found.words["point"]) == ("motivo-control", "9", f"{ord(char):04X}")


@pytest.mark.parametrize("char", ["\x00", "\x07", "\x1f", "\x7f", "\u2028", "\u202e", "\x85", "\ud800"])
def test_what_our_workbooks_show_for_a_control_character_is_refused_as_that_character(char: str) -> None:
    """Or a book that comes back untouched would send the sign in a row that was rejected."""
    found = reason_mistake(canonical_reason("Error en" + visible(char) + " el monto cobrado"))
    assert found is not None
    assert (found.code, found.words["place"], found.words["point"]) == ("motivo-control", "9", f"{ord(char):04X}")


@pytest.mark.parametrize("text", ["<b>Error</b> en el monto", "=cmd|' /C calc'!A0 texto", "Emoji 👩‍👩‍👧 en el motivo"])
def test_odd_but_printable_reasons_are_taken_as_they_are(text: str) -> None:
    assert canonical_reason(text) == text
    assert reason_code(text) is None


@pytest.mark.parametrize(
    "text", ["", " ", "ana@empresa.com", " ana.b+c@sub.empresa.com.pa ", "a'b@x-y.pa", "\u200bana@x.pa"]
)
def test_plausible_addresses_and_none_at_all_pass(text: str) -> None:
    assert email_code(text) is None


@pytest.mark.parametrize(
    "text",
    [
        *("a@b", "ana", "@x.com", "ana@", "ana@x..com", "ana@-x.com", "ana@x-.com", ".ana@x.com", "ana.@x.com"),
        *("ana@x.com\nBcc: b.x.com", "an a@x.com", "ana@ñandú.com", "ana@xn--and-6ma2c.com", "ana@x.c", "a..b@x.com"),
        *("Ana <ana.x.com>", "ana@x.123", "ana@x.com;", "ana@x.com."),
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    assert email_code(text) == "correo-invalido"


@pytest.mark.parametrize("text", ["a@x.com; b@x.com", "a@x.com,b@x.com", "a@x.com b@x.com"])
def test_two_addresses_are_told_as_two(text: str) -> None:
    assert email_code(text) == "correo-varios"


def test_the_limit_of_the_address_is_exact() -> None:
    assert email_code("a" * 94 + "@xy.pa") is None
    assert email_code("a" * 95 + "@xy.pa") == "correo-largo"


def test_damaged_accents_are_recognised_and_good_ones_left_alone() -> None:
    assert damaged_accents("anulaciÃ³n de la factura") == "anulación de la factura"
    assert damaged_accents("anulación de la factura") is None
    assert damaged_accents("plain") is None
    assert damaged_accents("日本") is None


@given(st.text(alphabet="áéíóúüñÁÉÍÓÚÜÑ¿¡ºª°«»–—“”’€ abc", min_size=1, max_size=30))
@settings(max_examples=200)
def test_what_was_read_as_windows_1252_by_mistake_is_recognised_and_mended(text: str) -> None:
    """Whatever byte the second half of a letter is, also those that Windows-1252 leaves out or shows as nothing."""
    damaged = text.encode().decode("cp1252", errors="surrogateescape")
    damaged = "".join(chr(ord(char) - 0xDC00) if "\udc80" <= char <= "\udcff" else char for char in damaged)
    assert damaged_accents(damaged) == (None if text.isascii() else text)


def test_a_letter_that_was_typed_right_does_not_hide_the_damage_beside_it() -> None:
    assert damaged_accents("Anulación de la mercancÃ­a") == "Anulación de la mercancía"


def test_a_doubtful_reason_is_told_from_the_cell_as_it_was_written() -> None:
    """After white space and characters without width are gone, half of ``í`` and ``à`` is gone too."""
    for written, code in (
        ("Devolución de la mercancía", None),
        ("plain words of a reason", None),
        ("DevoluciÃ³n de la mercancÃ­a", "texto-sospechoso"),
        ("Devoluci\ufffdn", "texto-perdido"),
    ):
        found = reason_doubt(written)
        assert (found.code if found else None) == code
    found = reason_doubt("Devoluci\ufffdn de la mercanc\ufffda")
    assert found is not None
    assert found.words == {"count": "2"}
