"""Template: an empty .xlsx to fill in, whose cells check themselves while they are typed (interface.md 2).

No complete code stands in it: an example that is left in could be sent, or look like another sheet's invoices. The
rules are those of the input (domain.md 1 and 3), as far as a spreadsheet can tell; ``check`` says the rest.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import IO, Any

from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from pipeline.domain.columns import TIPS_SHEET
from pipeline.domain.cufe import DAY, LENGTH
from pipeline.domain.fields import EMAIL_MOST, REASON_LEAST, REASON_MOST
from pipeline.report.sheets.page import Page, Span, fit_height
from pipeline.report.styles import (
    ACCENT,
    HARMLESS,
    HEAD,
    HEAD_GIVEN,
    MONO,
    MUTED,
    PLAIN,
    SANS,
    SECTION,
    TYPED,
    TYPED_CODE,
    WRAPPED,
    Look,
    Palette,
    title_look,
)
from pipeline.report.xlsx_writer import Book

DATA_SHEET = "Anulaciones"
LAST_ROW = 100_001
"""The rules reach as far as a file may: the heading and a hundred thousand rows."""

_COLUMNS: tuple[tuple[str, float, Look], ...] = (
    ("CUFE", 76, TYPED_CODE),
    ("Motivo", 60, TYPED),
    ("Correo", 34, TYPED),
    ("Factura", 16, TYPED),
    ("Cliente", 34, TYPED),
    ("Total", 14, replace(PLAIN, format="#,##0.00")),
)
_OURS = 3
_CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-"
_MADE = datetime(2026, 1, 1, tzinfo=UTC)  # the same template, the same bytes

_day = f"MID(A2,{DAY.start + 1},4),MID(A2,{DAY.start + 5},2),MID(A2,{DAY.start + 7},2)"
# INDIRECT, because a plain reference would shrink with every row that is deleted.
CUFE_RULE = (
    f'AND(LEN(A2)={LENGTH},EXACT(LEFT(A2,2),"FE"),'
    f'SUMPRODUCT(--ISNUMBER(FIND(MID(A2,ROW(INDIRECT("A1:A{LENGTH}")),1),"{_CHARACTERS}")))={LENGTH},'
    f"DATE({_day})<=TODAY())"
)
REASON_RULE = f"AND(LEN(TRIM(B2))>={REASON_LEAST},LEN(TRIM(B2))<={REASON_MOST})"
EMAIL_RULE = (
    f'AND(LEN(TRIM(C2))<={EMAIL_MOST},LEN(C2)-LEN(SUBSTITUTE(C2,"@",""))=1,ISNUMBER(FIND("@",C2,2)),'
    'ISERROR(FIND(" ",TRIM(C2))),ISNUMBER(FIND(".",C2,FIND("@",C2)+2)))'
)
_RULES: tuple[tuple[str, str, str, str, str], ...] = (
    (
        "A",
        CUFE_RULE,
        "El CUFE de la factura",
        f"Son {LENGTH} caracteres que empiezan con FE: letras mayúsculas, números y guiones, sin espacios. Cópielo de "
        "la factura electrónica; no lo escriba a mano.",
        f"Eso no es un CUFE completo: debe tener {LENGTH} caracteres, empezar con FE, llevar solo mayúsculas, números "
        "y guiones, y su fecha no puede ser futura.",
    ),
    (
        "B",
        REASON_RULE,
        "El motivo de la anulación",
        f"De {REASON_LEAST} a {REASON_MOST} caracteres. La DGI lo recibe tal como está aquí.",
        f"El motivo debe tener entre {REASON_LEAST} y {REASON_MOST} caracteres.",
    ),
    (
        "C",
        EMAIL_RULE,
        "El correo del cliente",
        f"Opcional: una sola dirección, de hasta {EMAIL_MOST} caracteres.",
        f"Debe ser una sola dirección de correo, de hasta {EMAIL_MOST} caracteres; o deje la celda vacía.",
    ),
)
_STEPS = (
    f"Escriba o pegue en la hoja «{DATA_SHEET}» una factura por fila, desde la fila 2. CUFE y Motivo son obligatorios; "
    "las otras columnas son para usted y vuelven en los resultados.",
    "No cambie los títulos CUFE, Motivo y Correo. Puede quitar las otras columnas o agregar las suyas.",
    "Excel revisa lo que se escribe, pero no lo que se pega. Para pegar use Pegado especial > Valores: así no se "
    "pierde esta revisión.",
    "Ponga solo lo que se debe anular. Una fila que no se deba anular se borra entera: no basta con ocultarla.",
    "Guarde el libro como .xlsx y revíselo con el comando check: no envía nada y dice, celda por celda, lo que falte. "
    "Después, run lo envía cuando usted lo apruebe.",
    "Una anulación no se puede deshacer. Si ya pasó el plazo legal, lo que corresponde es una nota de crédito.",
)
_PARTS = (
    ("1 a 2", "FE", "siempre"),
    ("3 a 4", "01", "tipo de documento; 01 es una factura de operación interna"),
    ("5", "2", "contribuyente: 1 persona natural, 2 jurídica"),
    ("6 a 25", "0000155668001-2-2018", "el RUC de quien emite, con ceros a la izquierda"),
    ("26 a 28", "-37", "un guion y el dígito verificador (DV) del RUC"),
    ("29 a 32", "0789", "sucursal"),
    ("33 a 40", "20261118", "fecha de emisión: año, mes y día"),
    ("41 a 53", "0000000205 006", "número de la factura y punto de facturación"),
    ("54 a 66", "01 2 003530032 6", "emisión, ambiente, código de seguridad y dígito de control"),
)
_EXAMPLES = (
    ("Factura emitida con el monto equivocado", "cliente@ejemplo.com"),
    ("Devolución de toda la mercancía, pedido 4471", ""),
    ("Factura duplicada por error de digitación", "compras@ejemplo.com"),
)


def write_template(stream: IO[bytes], company: str = "") -> None:
    """Writes the template for ``company`` to a seekable binary ``stream``. ``OSError`` of the stream passes."""
    with Book(stream, title="Plantilla de anulaciones", stamp=_MADE) as book:
        sheet = book.sheet(DATA_SHEET)
        palette = book.palette
        _write_data(book, sheet, palette)
        _write_tips(book, book.sheet(TIPS_SHEET), palette, company)


def _write_data(book: Book, sheet: Any, palette: Palette) -> None:
    """An empty table: headings, text columns, and the rules below them."""
    for number, (_, width, look) in enumerate(_COLUMNS, start=1):
        column = sheet.column_dimensions[get_column_letter(number)]
        column.width, column.number_format = width, look.format
        column.font = Font(name=MONO if look.mono else SANS, size=look.size)
    sheet.freeze_panes = "A2"
    for letter, rule, title, prompt, error in _RULES:
        sheet.data_validations.append(
            DataValidation(
                type="custom",
                formula1=rule,
                allow_blank=True,
                errorStyle="stop",
                showErrorMessage=True,
                errorTitle="Revise la celda",
                error=error,
                showInputMessage=True,
                promptTitle=title,
                prompt=prompt,
                sqref=f"{letter}2:{letter}{LAST_ROW}",
            )
        )
    page = Page(book, sheet, palette)
    heads = [HEAD] * _OURS + [HEAD_GIVEN] * (len(_COLUMNS) - _OURS)
    page.row([(heading, look) for (heading, _, _), look in zip(_COLUMNS, heads, strict=True)], height=24)
    page.end()


def _write_tips(book: Book, sheet: Any, palette: Palette, company: str) -> None:
    """``Recomendaciones``: what to do, how a code reads part by part, and examples without a code."""
    for letter, width in zip("ABC", (12, 46, 74), strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.sheet_view.showGridLines = False
    sheet.page_setup.fitToHeight = 1
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    page = Page(book, sheet, palette)
    title = title_look(16)
    page.line(Span(3, f"Plantilla de anulaciones{f' de {company}' if company else ''}", title), height=32)
    page.line(Span(3, "Cómo llenarla", SECTION), height=34)
    number = Look(bold=True, color=ACCENT, across="center", line=True)
    for step, words in enumerate(_STEPS, start=1):
        page.line(Span(1, step, number), Span(2, words, WRAPPED), height=fit_height([(words, 112)]) or 18.0)
    page.line(Span(3, f"Cómo se lee un CUFE ({LENGTH} caracteres seguidos, sin espacios)", SECTION), height=34)
    for places, text, words in _PARTS:
        page.line(Span(1, places, replace(PLAIN, color=MUTED)), Span(1, text, TYPED_CODE), Span(1, words, WRAPPED))
    page.line(Span(3, "Ejemplos de motivo y correo: son inventados, no se anulan", SECTION), height=34)
    example = replace(WRAPPED, fill=HARMLESS)
    for reason, mail in _EXAMPLES:
        page.line(Span(1, "EJEMPLO", replace(example, bold=True)), Span(1, reason, example), Span(1, mail, example))
    page.end()
