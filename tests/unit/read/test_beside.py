"""Second headings, codes outside of the table, lines that say no, lines of another width (eyes.md 1), in CSV."""

from __future__ import annotations

import pytest

from pipeline.domain.cufe import check_digit
from pipeline.domain.errors import InputRefused
from pipeline.domain.pasted import is_invoice
from pipeline.read.csv_file import read_csv
from pipeline.read.limits import Limits
from pipeline.read.table import Table

REASON = "Error en el monto facturado"


def cufe(number: int = 1) -> str:
    body = f"FE0120000155668001-2-2018-37078920261118{number:010d}006012{number:09d}"
    return body + check_digit(body)


A, B, C = (cufe(number) for number in (1, 2, 3))


def read(*rows: tuple[str, ...], end: str = "\r\n") -> Table:
    return read_csv("\r\n".join(";".join(row) for row in rows).encode() + end.encode(), Limits())


def refused(*rows: tuple[str, ...], end: str = "\r\n") -> InputRefused:
    with pytest.raises(InputRefused) as caught:
        read(*rows, end=end)
    return caught.value


HEADER, GOOD = ("CUFE", "Motivo", "Nota"), (A, REASON, "")


@pytest.mark.parametrize("gap", [0, 12])
@pytest.mark.parametrize(
    "second",
    [
        HEADER,
        ("CUFE", "Observación", "Correo"),
        ("Cliente", "CUFE", "Motivo"),
        ("Motivo", "Correo", ""),
        ("Clave", "Motivo", "Nota"),
        ("CUFE que se conservan", "", ""),
        ("", "", " código  único"),
    ],
)
def test_a_second_heading_anywhere_below_refuses_the_file_with_both_places(
    second: tuple[str, str, str], gap: int
) -> None:
    fillers = [(cufe(number), REASON, "") for number in range(10, 10 + gap)]
    error = refused(HEADER, GOOD, *fillers, second, (B, "El cliente pagó, conservar", ""))
    assert error.code == "dos-encabezados"
    assert f"filas 1 y {3 + gap}" in error.message


def test_a_second_heading_beside_a_row_of_the_table_counts_when_codes_stand_below_it() -> None:
    assert refused(HEADER, (A, REASON, "CUFE"), (B, REASON, C)).code == "dos-encabezados"
    assert read(HEADER, (A, REASON, "CUFE"), (B, REASON, "Correo")).lines == [2, 3]


@pytest.mark.parametrize(
    "line",
    [
        ("Total de CUFE", "", "3"),
        ("CUFE: 3", "", ""),
        ("Favor anular los CUFE de esta lista", "", ""),
        ("", "", "Correo"),
    ],
)
def test_what_only_mentions_a_heading_is_none(line: tuple[str, str, str]) -> None:
    assert read(HEADER, GOOD, line).lines == [2, 3]


def test_codes_above_the_heading_or_without_one_refuse_the_file() -> None:
    sorted_along = refused((A, REASON, ""), (B.lower(), REASON, ""), HEADER, (C, REASON, ""))
    assert (sorted_along.code, "línea 1, columna 1, línea 2, columna 1" in sorted_along.message) == ("cufe-fuera", True)
    right = refused(("CUFE", "Motivo", ""), (A, REASON, f"ver {B}"))
    assert (right.code, "línea 2, columna 3" in right.message) == ("cufe-fuera", True)
    below = refused(HEADER, GOOD, ("", "", B))
    assert (below.code, "línea 3, columna 3" in below.message) == ("cufe-fuera", True)
    spaced = refused(HEADER, GOOD, ("", "", " ".join((B[:20], B[20:40], B[40:]))))
    assert spaced.code == "cufe-fuera"


def test_a_code_in_a_column_of_its_own_belongs_to_the_table() -> None:
    assert read(("CUFE", "Motivo", "Nota de crédito"), (A, REASON, B)).lines == [2]


def test_many_codes_outside_are_counted_and_the_first_named() -> None:
    error = refused(*[(cufe(number), "", "") for number in range(1, 9)], HEADER, GOOD)
    assert "línea 5, columna 1 y 3 más" in error.message


@pytest.mark.parametrize("words", ["NO ANULAR - el cliente sí pagó", "Conservar estas", "Pendientes de confirmar"])
def test_a_line_between_invoices_that_says_no_refuses_the_file(words: str) -> None:
    error = refused(HEADER, GOOD, (words, "", ""), (B, REASON, ""))
    assert (error.code, error.where) == ("linea-dice-no", "línea 3")
    assert words in error.message
    assert read(HEADER, GOOD, (words, "", "")).lines == [2, 3]  # below all of them it is about none
    assert read(HEADER, GOOD, ("No. de facturas: 1", "", ""), (B, REASON, "")).lines == [2, 3, 4]


def test_short_lines_that_lack_nothing_that_is_sent_are_filled_and_counted_once() -> None:
    table = read(HEADER, (A, REASON), (B, REASON, "x"), (C, REASON), ("Total registros: 3",))
    assert table.columns[2] == ["", "x", "", ""]
    assert table.notes == (
        "Líneas con menos o más campos que el encabezado, sin que falte ni sobre ningún dato: 3 líneas, la primera es "
        "la 2.",
    )


def test_short_lines_that_lack_a_code_or_a_reason_refuse_the_file() -> None:
    assert refused(HEADER, (A,), GOOD).code == "csv-columnas"
    assert refused(("Nota", "CUFE", "Motivo"), ("x", A), ("x", B, REASON)).code == "csv-columnas"


def test_fields_too_many_are_dropped_only_when_they_are_blank() -> None:
    assert read(HEADER, (*GOOD, "", " "), (*GOOD, "")).columns[0] == [A, A]
    assert refused(HEADER, (*GOOD, "", "x")).code == "csv-columnas"


def test_an_unended_last_line_is_a_footer_only_when_it_begins_no_code() -> None:
    assert read(HEADER, GOOD, ("Total registros: 1",), end="").lines == [2, 3]
    for cut in ("F", "fe", "FE01", A[:40]):
        assert refused(HEADER, GOOD, (cut,), end="").code == "csv-incompleto"
    assert refused(HEADER, GOOD, (B, "Error en el"), end="").code == "csv-incompleto"


def test_what_is_no_invoice_shows_no_piece_of_a_code() -> None:
    assert not is_invoice("Preparado por: A. Ruiz", "\u200b ")
    assert is_invoice("", "x")
    assert is_invoice(A[:12], "")
