"""Positions as a person reads them."""

from __future__ import annotations

import string

from hypothesis import given
from hypothesis import strategies as st

from pipeline.domain.records import Position, Problem, Repair, column_letters


def test_a_cell_of_a_worksheet_has_its_spreadsheet_address():
    assert Position("Hoja1", 17).cell(1) == "Hoja1!B17"
    assert str(Position("Hoja1", 17)) == "Hoja1, fila 17"


def test_a_cell_of_a_csv_is_named_by_line_and_column():
    assert Position(None, 17).cell(1) == "línea 17, columna 2"
    assert str(Position(None, 17)) == "línea 17"


def test_columns_count_like_a_spreadsheet():
    assert [column_letters(n) for n in (0, 25, 26, 51, 52, 701, 702, 16383)] == [
        "A", "Z", "AA", "AZ", "BA", "ZZ", "AAA", "XFD",
    ]  # fmt: skip


@given(st.integers(0, 20_000))
def test_column_letters_can_be_counted_back(column):
    number = 0
    for letter in column_letters(column):
        number = number * 26 + string.ascii_uppercase.index(letter) + 1

    assert number - 1 == column


def test_problems_and_repairs_say_where_and_what():
    assert str(Problem("cufe-longitud", "Hoja1!B2", "CUFE", "FE", "Faltan caracteres.")) == (
        "Hoja1!B2: Faltan caracteres. [cufe-longitud]"
    )
    assert "recibido «fe», usado «FE»" in str(Repair("Hoja1!B2", "fe", "FE", "mayúsculas"))
