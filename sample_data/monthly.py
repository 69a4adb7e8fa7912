"""The monthly batches: what a month of cancellations looks like, and everything that can become of a row.

Rows stand in the order of their dates, and that is nearly the order of sending: closest to the legal limit first,
late ones last (domain.md 4). With the clock of ``make run`` (20 November 2026, 10:00) the 12th is the limit day and
the 9th and 11th are late. Answers that nobody can understand stand at least six rows apart, so that the circuit
breaker stays closed (reliability.md D14).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import date

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from sample_data.batch import Row, rows_of
from sample_data.codes import DISTRIBUTOR
from sample_data.fixed import workbook_bytes

FIRST_NUMBER = 4301
FIRST_NUMBER_CSV = 5201


def _november(words: Mapping[int, str]) -> dict[date, str]:
    return {date(2026, 11, day): text for day, text in words.items()}


# Lines of six rows to be sent: the first meets an answer that cannot be understood, the other five do not.
XLSX_PLAN = _november(
    {
        9: "000 000",
        11: "906 000",
        12: "000 000 962 000/espacio 000",
        13: """
            973 911 905 000 000 976  !digito
            970 000 907 000/nbsp 906 000
            981 000 !vacio 000 918 000 910
            931 000 962 000 949 000  !repetida""",
        14: "971 000 000 000/raya 904 000",
        16: """
            999 000 956 950 !corto 000 952
            974 000/minusculas 915 000 953 997
            903 968 !incompleto 000 000 941 000""",
        17: """
            980 000 951 000 993 000
            934 000 954 !conflicto 916 000/enlace 961
            972 000 951 000 988 000  !numero""",
        18: """
            969 000@2 994 000@2 000@2 940
            930 000@2 960@2 000 995 000
            985 000/formula 000 919 991 !letra 000""",
        19: """
            935 000 946 000 950 000
            000 !repetida 918 000 !correo 000""",
        20: "996 920 989 907 964 905",
    }
)

CSV_PLAN = _november(
    {
        11: "000",
        12: "000 000 000",
        13: "000 905 000 000/raya 000 970 000",
        16: "000 000 906 000 962 000 000 !digito 000 000",
        17: "000 000/nbsp 000 !corto 904 000 000",
        18: "000 950 000 000@2 000@2 000 !repetida",
        19: "000 918 000/minusculas !cientifico 000 000",
    }
)

HEADINGS = (
    ("No.", 5),
    ("Fecha factura", 13),
    ("Cliente", 36),
    ("No. factura", 13),
    ("Monto", 12),
    ("ITBMS", 10),
    ("CUFE", 72),
    ("Motivo de anulación", 58),
    ("Correo", 30),
    ("Sucursal", 28),
    ("Observación interna", 34),
)
TITLES = (DISTRIBUTOR.name, "Anulaciones de noviembre 2026", "Preparado por: Yariela Muñoz, Contabilidad · 20/11/2026")
HEADER_ROW = 5


def monthly_xlsx() -> bytes:
    """``lote_mensual.xlsx``."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "Anulaciones nov-2026"
    _titles(sheet)
    _header(sheet)
    for ordinal, row in enumerate(rows_of(XLSX_PLAN, FIRST_NUMBER), start=1):
        _write(sheet, HEADER_ROW + ordinal, ordinal, row)
    sheet.freeze_panes = f"A{HEADER_ROW + 1}"
    return workbook_bytes(book, author="Yariela Muñoz", title=TITLES[1])


def _titles(sheet: Worksheet) -> None:
    for line, (text, size) in enumerate(zip(TITLES, (14, 12, 10), strict=True), start=1):
        cell = sheet.cell(line, 1, text)
        cell.font = Font(name="Calibri", size=size, bold=size > 10, italic=size == 10)
    sheet.merge_cells("A1:F1")


def _header(sheet: Worksheet) -> None:
    thin = Side(style="thin", color="7F7F7F")
    for column, (heading, width) in enumerate(HEADINGS, start=1):
        cell = sheet.cell(HEADER_ROW, column, heading)
        cell.font = Font(name="Calibri", size=11, bold=True)
        cell.fill = PatternFill("solid", fgColor="D9E1F2")
        cell.border = Border(bottom=thin)
        cell.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
        sheet.column_dimensions[get_column_letter(column)].width = width


def _write(sheet: Worksheet, line: int, ordinal: int, row: Row) -> None:
    values = (
        *(ordinal, row.issued, row.customer, row.number, row.amount, row.tax),
        *(row.code, row.reason, row.email or None, row.branch, row.remark or None),
    )
    for column, value in enumerate(values, start=1):
        cell = sheet.cell(line, column, value)
        if isinstance(value, str):
            cell.data_type = "s"  # what begins with = was typed as text
        elif isinstance(value, date):
            cell.number_format = "dd/mm/yyyy"
        elif column in (5, 6):
            cell.number_format = "#,##0.00"


CSV_HEADINGS = (
    *("Fecha", "Factura", "Cliente", "Código único", "Monto", "ITBMS", "Justificación", "E-mail", "Sucursal"),
)


def monthly_csv() -> bytes:
    """``lote_mensual.csv``, as Excel in Spanish saves it: semicolons, decimal commas, Windows-1252, CRLF."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow([DISTRIBUTOR.name, *[""] * (len(CSV_HEADINGS) - 1)])
    writer.writerow(CSV_HEADINGS)
    for row in rows_of(CSV_PLAN, FIRST_NUMBER_CSV):
        writer.writerow(
            [
                *(f"{row.issued:%d/%m/%Y}", row.number, row.customer, row.code or ""),
                *(_comma(row.amount), _comma(row.tax), row.reason, row.email, row.branch),
            ]
        )
    return text.getvalue().encode("cp1252")


def _comma(amount: float) -> str:
    return f"{amount:.2f}".replace(".", ",")
