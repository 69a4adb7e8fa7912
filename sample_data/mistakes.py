"""``lote_con_errores.xlsx``: every problem that a row of a workbook can have, one row each, with its explanation.

The codes are those of ``pipeline/domain/problems.py``. Two of its row codes cannot occur here: ``sin-constancia``
needs a results workbook, and ``otro-ambiente`` needs the production environment, where every row here has it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.worksheet.worksheet import Worksheet

from sample_data.batch import rows_of
from sample_data.codes import DISTRIBUTOR, STRANGER, mistyped, pasted, respelled, synthetic
from sample_data.fixed import workbook_bytes
from sample_data.monthly import FIRST_NUMBER, XLSX_PLAN
from sample_data.words import REASONS

FIRST_CASE = 6101
HEADER_ROW = 3
HEADINGS = (("No.", 5), ("Qué tiene de malo", 70), ("CUFE", 72), ("Motivo", 58), ("Correo", 34))
EMAIL = "contabilidad@distribuidora.example"
MEMORY = "Factura duplicada por error de caja"
FORMULA = '=CONCATENATE("Factura duplicada por ","error de caja")'
FORMULA_CODE = '=CONCATENATE("FE01",A1)'

Value = str | float | bool | date | None


@dataclass(frozen=True, slots=True)
class Case:
    """One row: what it shows, in Spanish, and the code that the program gives it (empty: nothing is wrong).

    ``formula`` is the last value that Excel computed for a formula in the reason; None when it is none.
    """

    shows: str
    code: str
    cufe: Value
    reason: Value = REASONS[4]
    email: str | None = EMAIL
    formula: str | None = None


def cases() -> list[Case]:
    """All rows, in the order of the file; good ones first."""
    codes = (good(FIRST_CASE + place) for place in range(100))
    return [
        *_good(codes),
        *_codes_as_a_whole(codes),
        *_parts_of_a_code(codes),
        *_other_rows(codes),
        *_reasons_and_addresses(codes),
        *_cells(codes),
        *_warnings(codes),
    ]


def good(number: int, issued: date = date(2026, 11, 18)) -> str:
    """A code that the sandbox accepts."""
    return synthetic(DISTRIBUTOR, issued=issued, number=number)


def _good(codes: Iterator[str]) -> Iterator[Case]:
    yield Case("Nada: fila correcta", "", next(codes))
    yield Case("Nada: fila correcta, sin correo", "", next(codes), REASONS[1], None)
    twice = next(codes)
    yield Case("Nada: fila correcta, que se repite en la siguiente", "", twice, REASONS[2])
    yield Case("Repite la fila anterior: se envía una sola vez", "", twice, REASONS[2])
    yield Case("Nada: el CUFE se pegó con rayas y un espacio, y se limpia", "", pasted(next(codes), "raya") + "\u00a0")


def _codes_as_a_whole(codes: Iterator[str]) -> Iterator[Case]:
    yield Case("Falta el CUFE", "cufe-vacio", None)
    yield Case("Dos CUFE en una celda", "cufe-varios", f"{next(codes)} {next(codes)}")
    yield Case("Al CUFE le falta el «FE» del comienzo", "cufe-sin-fe", next(codes)[2:])
    zero = next(codes)
    yield Case("Una letra O donde va un cero", "cufe-parecido", zero[:42] + "O" + zero[43:])
    yield Case("La F es una letra griega", "cufe-parecido", "\u03dc" + next(codes)[1:])
    yield Case("CUFE de Colombia (96 caracteres)", "cufe-extranjero", "0123456789abcdef" * 6)
    yield Case("e-NCF de la República Dominicana", "cufe-extranjero", "E310000000005")
    yield Case("CDC de Paraguay", "cufe-extranjero", "0180069591001001" + "0" * 17 + "20261118999")
    yield Case("Clave de acceso de Ecuador", "cufe-extranjero", "1811202601" + "9" * 38 + "2")
    yield Case("Clave numérica de Costa Rica", "cufe-extranjero", "506181126" + "9" * 40 + "1")
    yield Case("Excel lo convirtió en número: texto en notación científica", "cufe-cientifico", "1,55999991202611E+64")
    yield Case("Es el número de la factura y no su CUFE", "cufe-numero-suelto", "0000006101")
    yield Case("Un error de Excel pegado como texto", "cufe-error-excel", "#¡REF!")
    yield Case("Una fórmula escrita como texto", "cufe-formula-texto", "=BUSCARV(A2;Facturas;7)")
    yield Case("Pegado en minúsculas y con un número cambiado", "cufe-reparado-dudoso", mistyped(next(codes)).lower())


def _parts_of_a_code(codes: Iterator[str]) -> Iterator[Case]:
    yield Case("Le falta un carácter (65)", "cufe-longitud", next(codes)[:-1])
    yield Case("Le sobran dos caracteres (68)", "cufe-longitud", next(codes) + "00")
    for place, text, code, shows in (
        (0, "FA", "cufe-prefijo", "Comienza con FA y no con FE"),
        (2, "11", "cufe-tipo", "Tipo de documento 11, que no existe"),
        (4, "3", "cufe-contribuyente", "Tipo de contribuyente 3, que no existe"),
        (10, "X", "cufe-ruc", "Una letra dentro del número del RUC"),
        (25, "0", "cufe-guion", "Falta el guion después del RUC"),
        (26, "A", "cufe-dv", "Una letra en el DV"),
        (28, "0*", "cufe-sucursal", "Un asterisco en la sucursal"),
        (32, "20261131", "cufe-fecha", "Fecha que no existe: 31 de noviembre"),
        (40, "0000000000", "cufe-numero", "Número de factura cero"),
        (50, "000", "cufe-punto", "Punto de facturación 000"),
        (53, "05", "cufe-emision", "Tipo de emisión 05, que no existe"),
        (55, "3", "cufe-ambiente", "Ambiente 3, que no existe"),
        (56, "A", "cufe-seguridad", "Una letra en el código de seguridad"),
    ):
        yield Case(shows, code, respelled(next(codes), place, text))
    yield Case("El dígito verificador no coincide", "cufe-verificador", mistyped(next(codes)))


def _other_rows(codes: Iterator[str]) -> Iterator[Case]:
    two_reasons = next(codes)
    yield Case("Mismo CUFE que la fila siguiente, con otro motivo", "conflicto-archivo", two_reasons, REASONS[5])
    yield Case("Mismo CUFE que la fila anterior, con otro motivo", "conflicto-archivo", two_reasons, REASONS[6])
    earlier = rows_of(XLSX_PLAN, FIRST_NUMBER)[-1]
    yield Case(
        "Ya está en lote_mensual.xlsx con otro motivo (si ese lote se cargó antes)",
        "conflicto-lote",
        earlier.code,
        "El mismo CUFE del lote mensual, con otra explicación.",
    )
    yield Case(
        "Factura de otra empresa (si la lista de empresas permitidas no la tiene)",
        "emisor-no-permitido",
        synthetic(STRANGER, issued=date(2026, 11, 18), number=FIRST_CASE + 200),
    )


def _reasons_and_addresses(codes: Iterator[str]) -> Iterator[Case]:
    yield Case("Falta el motivo", "motivo-vacio", next(codes), None)
    yield Case("Motivo de menos de 15 caracteres", "motivo-corto", next(codes), "Error de caja")
    yield Case("Motivo de más de 1000 caracteres", "motivo-largo", next(codes), "Se repite la explicación. " * 40)
    yield Case("Un carácter de control en el motivo", "motivo-control", next(codes), "Factura duplicada\u007f en caja")
    yield Case("Correo con una coma en lugar de un punto", "correo-invalido", next(codes), email="caja@tienda,example")
    yield Case("Dos correos en una celda", "correo-varios", next(codes), email="a@tienda.example; b@tienda.example")
    yield Case("Correo de más de 100 caracteres", "correo-largo", next(codes), email=f"{'caja' * 24}@tienda.example")
    yield Case(
        "Todo a la vez: CUFE, motivo y correo (se dicen los tres)", "cufe-verificador", mistyped(next(codes)), "No", "@"
    )


def _cells(codes: Iterator[str]) -> Iterator[Case]:
    yield Case("El CUFE es un número y no un texto", "celda-numero", 1.5599999120261118e64)
    yield Case("El motivo es una fecha", "celda-fecha", next(codes), date(2026, 11, 18))
    yield Case("El motivo es VERDADERO", "celda-logica", next(codes), True)
    yield Case("El motivo es un error de Excel", "celda-error", next(codes), "#N/A")
    yield Case("El motivo es una fórmula", "celda-formula", next(codes), FORMULA, formula=MEMORY)
    yield Case("El CUFE es una fórmula que nadie ha calculado", "celda-formula-vacia", FORMULA_CODE)


def _warnings(codes: Iterator[str]) -> Iterator[Case]:
    wrong = synthetic(DISTRIBUTOR, issued=date(2026, 11, 18), number=FIRST_CASE + 201, wrong_dv=True)
    yield Case("Solo un aviso: el DV no corresponde al RUC", "cufe-revisar", wrong)
    yield Case("Solo un aviso: la sucursal lleva una letra", "cufe-revisar", respelled(next(codes), 28, "00A1"))
    yield Case("Solo un aviso: hoy es el día límite", "dia-limite", good(FIRST_CASE + 202, date(2026, 11, 12)))
    yield Case("El plazo de 182 horas ya venció", "plazo-advertencia", good(FIRST_CASE + 203, date(2026, 11, 6)))
    yield Case("Solo un aviso: la fecha está en el futuro", "fecha-futura", good(FIRST_CASE + 204, date(2026, 11, 30)))
    yield Case("Solo un aviso: acentos dañados", "texto-sospechoso", next(codes), "FacturaciÃ³n repetida por la caja")


def mistakes_xlsx() -> bytes:
    """``lote_con_errores.xlsx``."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "Errores"
    sheet.cell(1, 1, "Lote de muestra: cada fila enseña un problema").font = Font(bold=True, size=14)
    for column, (heading, width) in enumerate(HEADINGS, start=1):
        cell = sheet.cell(HEADER_ROW, column, heading)
        cell.font, cell.fill = Font(bold=True), PatternFill("solid", fgColor="FCE4D6")
        sheet.column_dimensions[cell.column_letter].width = width
    cached = {}
    for ordinal, case in enumerate(cases(), start=1):
        _write(sheet, HEADER_ROW + ordinal, ordinal, case)
        if case.formula is not None:
            cached[f"D{HEADER_ROW + ordinal}"] = case.formula
    sheet.freeze_panes = f"C{HEADER_ROW + 1}"
    return workbook_bytes(book, author="Yariela Muñoz", title="Errores de muestra", cached=cached)


def _write(sheet: Worksheet, line: int, ordinal: int, case: Case) -> None:
    meant = {FORMULA, FORMULA_CODE, "#N/A"}  # what is to be a formula or an error; all else that looks so is text
    for column, value in enumerate((ordinal, case.shows, case.cufe, case.reason, case.email), start=1):
        cell = sheet.cell(line, column, value)
        cell.alignment = Alignment(vertical="top", wrap_text=column in (2, 4))
        if isinstance(value, str) and value not in meant:
            cell.data_type = "s"
        elif isinstance(value, date | datetime):
            cell.number_format = "dd/mm/yyyy"
