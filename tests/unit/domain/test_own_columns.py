from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from pipeline.domain.own_columns import OwnColumns, amount_in, own_columns
from pipeline.domain.records import Cell


def test_amount_customer_and_number_are_known_by_their_headings() -> None:
    headings = ("No.", "Fecha factura", "Cliente", "No. factura", "Monto", "ITBMS", "CUFE", "Motivo")
    assert own_columns(headings) == OwnColumns(amount=4, customer=2, number=3)
    assert own_columns(("CUFE", "Motivo")) == OwnColumns()


@pytest.mark.parametrize("heading", ["Total", "TOTAL B/.", "Monto", "monto_total", "Importe", "Valor", "Valor US$"])
def test_one_column_of_amounts_is_summed(heading: str) -> None:
    assert own_columns(("CUFE", heading)).amount == 1


@pytest.mark.parametrize(
    "heading", ["Total ITBMS", "Valor unitario", "Total de facturas", "Subtotal", "Monto sin impuesto", "Descuento"]
)
def test_what_is_not_the_amount_of_the_invoice_is_not(heading: str) -> None:
    assert own_columns(("CUFE", heading)).amount is None


@pytest.mark.parametrize(
    ("headings", "place"),
    [
        (("Monto", "Total"), 1),
        (("Total con ITBMS", "Total"), 1),
        (("Valor", "Importe"), 1),
        (("Monto", "Monto total"), 1),
        (("Total", "total"), None),  # a sum is not guessed
    ],
)
def test_of_several_the_one_that_says_it_best(headings: tuple[str, ...], place: int | None) -> None:
    assert own_columns(headings).amount == place


@pytest.mark.parametrize(
    ("cell", "amount"),
    [
        (899.29, "899.29"),
        (12, "12"),
        ("1,234.56", "1234.56"),
        (" B/. 1,234,567.8 ", "1234567.8"),
        ("US$ 12", "12"),
        ("$-3.50", "-3.50"),
        ("-3.50", "-3.50"),
        ("1234", "1234"),
    ],
)
def test_an_amount_is_read_as_panama_writes_it(cell: Cell, amount: str) -> None:
    assert amount_in(cell) == Decimal(amount)


@pytest.mark.parametrize(
    "cell",
    [None, "", "por definir", "1.234,56", "12,34", "1,23", "1,2345", "--1", "٣", True, date(2026, 1, 1), float("nan")],
)
def test_what_may_be_another_amount_is_none(cell: Cell) -> None:
    assert amount_in(cell) is None
