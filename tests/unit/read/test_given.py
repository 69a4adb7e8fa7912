"""``--columns`` says which column is which, by letters or by the heading's own text (interface.md 4)."""

from __future__ import annotations

import pytest

from pipeline.domain.errors import InputRefused
from pipeline.read.given import given_columns, places_in, said_columns

HEADINGS = ("Fecha", "No. Comprobante", "Concepto", "Aviso", "Concepto")


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("cufe=H,motivo=I,correo=J", {"cufe": "H", "reason": "I", "email": "J"}),
        (" Motivo = Concepto , CUFE = h ", {"reason": "Concepto", "cufe": "h"}),
        ("cufe=Código, según la DGI,motivo=«Causa»", {"cufe": "Código, según la DGI", "reason": "Causa"}),
        ("", {}),
    ],
)
def test_what_a_person_said_is_understood(text: str, given: dict[str, str]) -> None:
    assert given_columns(text) == given


@pytest.mark.parametrize(
    "text", ["H", "cufe", "cufe=", "cufe=H,cufe=I", "cufe=H,motivo=H", "total=H", "x,cufe=H", "cufe=H,total=I", "=H"]
)
def test_what_cannot_be_understood_is_refused(text: str) -> None:
    with pytest.raises(InputRefused) as caught:
        given_columns(text)
    assert caught.value.code == "columnas-dichas"


def test_what_was_said_can_be_written_again() -> None:
    given = {"email": "J", "cufe": "No. Comprobante", "reason": "I"}
    assert said_columns(given) == "cufe=No. Comprobante,motivo=I,correo=J"
    assert given_columns(said_columns(given)) == given


def test_letters_and_headings_name_the_same_columns() -> None:
    by_letter = places_in({"cufe": "b", "email": "D"}, HEADINGS, "fila 1")
    assert by_letter == places_in({"cufe": "no comprobante", "email": "AVISO"}, HEADINGS, "fila 1")
    assert by_letter == {"cufe": 1, "email": 3}


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"cufe": "F"}, "columna-no-esta"),
        ({"cufe": "Código"}, "columna-no-esta"),
        ({"reason": "Concepto"}, "columna-ambigua"),
        ({"cufe": "B", "reason": "No. comprobante"}, "columnas-dichas"),
    ],
)
def test_a_column_that_is_not_there_or_could_be_two_is_refused(given: dict[str, str], code: str) -> None:
    with pytest.raises(InputRefused) as caught:
        places_in(given, HEADINGS, "fila 1")
    assert caught.value.code == code


def test_a_letter_that_is_also_the_heading_of_another_column_is_not_guessed() -> None:
    with pytest.raises(InputRefused) as caught:
        places_in({"cufe": "A"}, ("Fecha", "A"), "fila 1")
    assert (caught.value.code, "A («Fecha») y B («A»)" in caught.value.message) == ("columna-ambigua", True)
    assert places_in({"cufe": "B", "reason": "Fecha"}, ("Fecha", "A"), "fila 1") == {"cufe": 1, "reason": 0}
