"""``Notas de crédito``: what a credit note (type 04) for each invoice past the legal limit needs, ready to copy."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from pipeline.domain.cufe import DOCUMENT_TYPES, Cufe
from pipeline.domain.errors import CufeInvalid
from pipeline.domain.own_columns import amount_in
from pipeline.domain.records import Cell
from pipeline.report.model import Report, Row, Value
from pipeline.report.sheets.page import Page, Span, fit_height, place_width, set_up
from pipeline.report.styles import AMOUNT, CODE, DATE, HEAD, PLAIN, TYPED, WRAPPED, Look, Palette
from pipeline.report.xlsx_writer import Book

COLUMNS: tuple[tuple[str, float, Look], ...] = (
    ("CUFE de la factura", 66, replace(CODE, format="@")),
    ("RUC del emisor", 22, TYPED),
    ("DV", 6, TYPED),
    ("N.º de documento", 14, TYPED),
    ("Punto", 8, TYPED),
    ("Tipo de documento", 32, WRAPPED),
    ("Fecha de emisión", 14, DATE),
    ("Monto", 14, AMOUNT),
    ("Cliente", 36, WRAPPED),
    ("Fila", 18, PLAIN),
)
WORDS = (
    "Estas facturas pasaron el plazo legal y ya no se pueden anular. Emita por cada una una nota de crédito (tipo 04) "
    "que cite su CUFE. Monto y cliente son los de su archivo."
)
_FIRST_DAY = date(1899, 12, 30)


def write_credit(book: Book, sheet: Any, palette: Palette, report: Report) -> None:
    """Prints ``Notas de crédito``."""
    widths = [place_width(report) if name == "Fila" else width for name, width, _ in COLUMNS]
    set_up(sheet, report, widths, header_row=2)
    page = Page(book, sheet, palette)
    page.line(Span(len(COLUMNS), WORDS, Look(wrap=True, down="center")), height=34)
    page.row([(name, HEAD) for name, _, _ in COLUMNS], height=30)
    styles = [palette[look] for _, _, look in COLUMNS]
    for index in report.late:
        row = report.rows[index]
        values = (*_of_the_code(row), _amount(row, report), _customer(row, report), row.added.fila_origen)
        cells = list(zip(values, styles, strict=True))
        wrapped = (
            (value, width) for value, width, (_, _, look) in zip(values, widths, COLUMNS, strict=True) if look.wrap
        )
        page.stream.row(cells, fit_height(wrapped))
    page.end()


def _of_the_code(row: Row) -> tuple[Value, ...]:
    """What the code itself says of the document; empty where it is not valid."""
    text = row.added.cufe_enviado or row.cufe
    try:
        code = Cufe.parse(text or "", allow_bad_check_digit=True)
    except CufeInvalid:
        return (text, *[None] * 6)
    return (
        code.text,
        code.ruc,
        code.dv,
        code.number,
        code.point,
        DOCUMENT_TYPES[code.document_type],
        (code.issued_on - _FIRST_DAY) / timedelta(days=1),
    )


def _amount(row: Row, report: Report) -> Value:
    amount = amount_in(_cell(row, report.own.amount))
    return None if amount is None else float(amount)


def _customer(row: Row, report: Report) -> Value:
    value = _cell(row, report.own.customer)
    return None if value is None else str(value)


def _cell(row: Row, place: int | None) -> Cell:
    return row.cells[place] if place is not None and place < len(row.cells) else None
