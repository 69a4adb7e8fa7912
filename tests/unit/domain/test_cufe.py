"""The CUFE: valid codes pass, and what one mistyped character can and cannot hide (domain.md 1)."""

from __future__ import annotations

import string
from datetime import date

import pytest

from pipeline.domain.cufe import Cufe, check_digit
from pipeline.domain.errors import CufeInvalid

DOCUMENTED = "FE0120000155668001-2-2018-3707892023061300000002050060120035300326"
NATURAL = "FE011000008-PE-3824-00523-2800012017071500000151340010117450183432"
FICTIONAL = "FE01200000000000029-29-29-5676322018101525982740639300126729580548"
PUBLISHED = "FE01200000045400-2-299934-0900002022050500000000389990117686690628"
VALID = (DOCUMENTED, NATURAL, FICTIONAL, PUBLISHED)

BRANCH = range(28, 32)
SURVIVORS = {DOCUMENTED: 12, NATURAL: 11, FICTIONAL: 10, PUBLISHED: 12}


def with_check_digit(text: str) -> str:
    return text[:65] + check_digit(text)


def substitutions(code: str) -> list[tuple[int, str]]:
    alphabet = string.digits + string.ascii_uppercase + "-"
    return [
        (place, code[:place] + char + code[place + 1 :])
        for place in range(len(code))
        for char in alphabet
        if char != code[place]
    ]


def passes(text: str) -> bool:
    try:
        Cufe.parse(text)
    except CufeInvalid:
        return False
    return True


@pytest.mark.parametrize("code", VALID)
def test_the_known_valid_codes_pass(code: str) -> None:
    assert Cufe.parse(code).text == code


def test_the_parts_of_the_documented_code_are_where_the_documentation_says() -> None:
    code = Cufe.parse(DOCUMENTED)
    assert (code.document_type, code.taxpayer_type, code.ruc, code.dv) == ("01", "2", "155668001-2-2018", "37")
    assert (code.branch, code.issued_on, code.number, code.point) == ("0789", date(2023, 6, 13), "0000000205", "006")
    assert (code.emission_type, code.environment, str(code)) == ("01", "2", DOCUMENTED)


@pytest.mark.parametrize("code", VALID)
def test_every_one_character_substitution_fails_but_a_letter_for_its_digit_in_the_branch(code: str) -> None:
    """66 places x 36 other characters = 2,376 per code.

    The check digit counts a letter like the last digit of its code, so a branch such as 0789 lets N (78), D (68)
    and X (88) stand for 8. Two or three letters count like each digit, which makes 10 to 12 survivors per code,
    all of them legal, all of them flagged.
    """
    tried = substitutions(code)
    survivors = [(place, text) for place, text in tried if passes(text)]
    assert len(tried) == 66 * 36
    for place, text in survivors:
        assert place in BRANCH
        assert text[place].isalpha()
        assert ord(text[place]) % 10 == int(code[place])
        assert any("La sucursal" in words and "letras" in words for words in Cufe(text).warnings)
    letters_for = {digit: sum(ord(c) % 10 == digit for c in string.ascii_uppercase) for digit in range(10)}
    assert len(survivors) == sum(letters_for[int(code[place])] for place in BRANCH)
    assert 8 <= len(survivors) <= 12


def test_the_number_of_substitutions_that_survive_is_known() -> None:
    """Of 9,504 substitutions in the four codes these pass, all in the branch and all with a warning."""
    counts = {code: sum(passes(text) for _, text in substitutions(code)) for code in VALID}
    assert counts == SURVIVORS


@pytest.mark.parametrize("code", VALID)
def test_a_waived_check_digit_still_wants_the_layout(code: str) -> None:
    wrong = code[:65] + str((int(code[65]) + 1) % 10)
    assert not passes(wrong)
    assert Cufe.parse(wrong, allow_bad_check_digit=True).text == wrong
    with pytest.raises(CufeInvalid):
        Cufe.parse(code[:32] + "20230230" + code[40:], allow_bad_check_digit=True)


@pytest.mark.parametrize(
    ("start", "text", "code"),
    [
        (0, "XX", "cufe-prefijo"),
        (2, "11", "cufe-tipo"),
        (2, "00", "cufe-tipo"),
        (4, "3", "cufe-contribuyente"),
        (10, "_", "cufe-ruc"),
        (25, "0", "cufe-guion"),
        (26, "A", "cufe-dv"),
        (28, "-", "cufe-sucursal"),
        (32, "20230230", "cufe-fecha"),
        (32, "2023013X", "cufe-fecha"),
        (32, "00000101", "cufe-fecha"),
        (40, "0000000000", "cufe-numero"),
        (40, "X", "cufe-numero"),
        (50, "000", "cufe-punto"),
        (50, "A", "cufe-punto"),
        (53, "05", "cufe-emision"),
        (55, "3", "cufe-ambiente"),
        (56, "X", "cufe-seguridad"),
        (65, "X", "cufe-verificador"),
        (5, "0" * 20, "cufe-ruc"),
        (5, "0000000000XXXXXXXXXX", "cufe-ruc"),
    ],
)
def test_the_first_wrong_part_is_named(start: int, text: str, code: str) -> None:
    broken = DOCUMENTED[:start] + text + DOCUMENTED[start + len(text) :]
    with pytest.raises(CufeInvalid) as caught:
        Cufe.parse(broken if start == 65 else with_check_digit(broken))
    assert caught.value.code == code


@pytest.mark.parametrize("length", [0, 60, 63, 64, 65, 67, 68])
def test_another_length_is_told_with_its_number(length: int) -> None:
    with pytest.raises(CufeInvalid, match=f"tiene {length} caracteres") as caught:
        Cufe.parse((DOCUMENTED + "00")[:length])
    assert caught.value.code == "cufe-longitud"


@pytest.mark.parametrize("digit", ["٣", "３", "²"])
def test_digits_of_other_scripts_are_no_digits(digit: str) -> None:
    assert not passes(DOCUMENTED[:60] + digit + DOCUMENTED[61:])


def test_a_wrong_dv_is_a_warning_and_no_error() -> None:
    code = with_check_digit(DOCUMENTED[:26] + "38" + DOCUMENTED[28:])
    assert Cufe.parse(code).warnings == ("El DV del RUC 155668001-2-2018 debería ser 37 y dice 38.",)
    assert Cufe.parse(DOCUMENTED).warnings == ()
