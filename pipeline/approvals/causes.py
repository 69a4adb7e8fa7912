"""Causes: the problems and warnings of rows, grouped by what is wrong, each with a title that names no single row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.domain.records import CheckedRow, Problem

TITLES: dict[str, str] = {
    "cufe-vacio": "Falta el CUFE",
    "cufe-varios": "Hay varios CUFE en una celda",
    "cufe-con-texto": "Junto al CUFE hay algo más en la celda",
    "cufe-sin-fe": "Al CUFE le falta el «FE» del comienzo",
    "cufe-parecido": "El CUFE tiene caracteres que parecen otros",
    "cufe-invisible": "El CUFE contiene un carácter que no se ve",
    "cufe-extranjero": "Parece un código de otro país",
    "cufe-cientifico": "Excel convirtió el CUFE en número",
    "cufe-numero-suelto": "El CUFE es un número y no un código",
    "cufe-error-excel": "La celda contiene un error de Excel",
    "cufe-formula-texto": "La celda contiene una fórmula escrita como texto",
    "cufe-reparado-dudoso": "El CUFE pegado se limpió y su dígito verificador no coincide",
    "cufe-longitud": "El CUFE no tiene 66 caracteres",
    "cufe-prefijo": "El CUFE no comienza con FE",
    "cufe-tipo": "El tipo de documento del CUFE no es válido",
    "cufe-contribuyente": "El tipo de contribuyente del CUFE no es válido",
    "cufe-ruc": "El RUC del CUFE no es válido",
    "cufe-guion": "Al CUFE le falta el guion de la posición 26",
    "cufe-dv": "El DV del RUC en el CUFE no es válido",
    "cufe-sucursal": "La sucursal del CUFE no es válida",
    "cufe-fecha": "La fecha del CUFE no existe",
    "cufe-numero": "El número de documento del CUFE no es válido",
    "cufe-punto": "El punto de facturación del CUFE no es válido",
    "cufe-emision": "El tipo de emisión del CUFE no es válido",
    "cufe-ambiente": "El ambiente del CUFE no es válido",
    "cufe-seguridad": "El código de seguridad del CUFE no es válido",
    "cufe-verificador": "El dígito verificador del CUFE no coincide",
    "otro-ambiente": "El documento es de otro ambiente",
    "emisor-no-permitido": "El emisor no está en la lista de empresas permitidas",
    "plazo-vencido": "El plazo legal venció",
    "conflicto-archivo": "El mismo CUFE aparece con otro motivo o correo en el archivo",
    "conflicto-lote": "El mismo CUFE ya está en otro lote con otro motivo o correo",
    "documento-archivo": "El mismo documento aparece con otro CUFE en el archivo",
    "documento-lote": "El mismo documento ya se envió con otro CUFE",
    "sin-constancia": "El libro dice un resultado del que no hay constancia",
    "apartada-antes": "La fila se apartó en un envío anterior",
    "retenida-carpeta": "Quedó retenida al llegar por la carpeta",
    "fila-tachada": "La fila está tachada",
    "fila-dice-no": "La fila dice que no se anule",
    "rechazada-antes": "La fila se rechazó antes por algo que no se ve en ella",
    "motivo-vacio": "Falta el motivo de la anulación",
    "motivo-corto": "El motivo es demasiado corto",
    "motivo-largo": "El motivo es demasiado largo",
    "motivo-control": "El motivo contiene un carácter de control",
    "correo-invalido": "El correo no parece válido",
    "correo-varios": "Hay más de una dirección de correo",
    "correo-largo": "El correo es demasiado largo",
    "celda-numero": "La celda contiene un número",
    "celda-fecha": "La celda contiene una fecha",
    "celda-logica": "La celda contiene VERDADERO o FALSO",
    "celda-error": "La celda contiene un error",
    "celda-formula": "La celda contiene una fórmula",
    "celda-formula-vacia": "La celda contiene una fórmula sin valor guardado",
    "cufe-revisar": "El CUFE tiene algo que conviene comparar con la factura",
    "dia-limite": "Hoy es el día límite",
    "plazo-advertencia": "El plazo legal ya venció: es probable que la rechacen",
    "fecha-futura": "La fecha de emisión está en el futuro",
    "texto-sospechoso": "El motivo parece tener los acentos dañados",
    "texto-perdido": "El motivo tiene caracteres que ya no se pueden leer",
    "formula-aceptada": "Se tomó el valor de una fórmula",
    "fila-oculta": "La fila estaba oculta y se incluyó",
}
"""What a group of rows with the same problem is called."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One row of a cause."""

    #: its cell or row
    place: str
    #: as received, shortened
    value: str
    #: what is wrong and what to do, in words
    words: str


@dataclass(frozen=True, slots=True)
class Cause:
    """Rows with the same problem, or the same warning."""

    code: str
    title: str
    #: how many
    rows: int
    #: the first of them
    findings: tuple[Finding, ...]

    @property
    def more(self) -> int:
        """How many rows are not among the findings."""
        return self.rows - len(self.findings)


def causes(rows: Iterable[CheckedRow], *, warnings: bool = False, each: int, most: int) -> tuple[Cause, ...]:
    """Problems of ``rows`` (or their ``warnings``) by cause, the most frequent first, with at most ``each`` rows of one
    cause and ``most`` in all."""
    found: dict[str, list[Problem]] = {}
    counts: dict[str, int] = {}
    for row in rows:
        told: set[str] = set()
        for one in row.warnings if warnings else row.problems:
            if one.code in told:  # a row counts once in a cause
                continue
            told.add(one.code)
            counts[one.code] = counts.get(one.code, 0) + 1
            kept = found.setdefault(one.code, [])
            if len(kept) < each:
                kept.append(one)
    grouped, left = [], most
    for code in sorted(found, key=lambda code: (-counts[code], code)):
        some = found[code][:left]
        left -= len(some)
        shown = tuple(Finding(one.cell, one.value, one.message) for one in some)
        grouped.append(Cause(code, TITLES[code], counts[code], shown))
    return tuple(grouped)
