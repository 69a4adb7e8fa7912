"""CUFE: the code of a Panamanian electronic invoice, 66 characters (domain.md 1).

Layout, check digit (Luhn over characters 2..64, the prefix left out) and parts come from working clients and from
codes that the authority publishes. A valid code proves careful typing, not that the document exists.

The check digit finds every digit mistyped for another digit. Letters and the dash count as a digit each
(``P`` like ``0``, ``-`` like ``5``), so a letter in place of *its* digit is not found. The shape of the RUC finds
such letters in the RUC; a letter in the branch (legal, but rare) is reported in ``warnings``.

>>> Cufe.parse("FE01200000000000029-29-29-5676322018101525982740639300126729580548").ruc
'29-29-29'
>>> Cufe.parse("FE01200000000000029-29-29-5676322018101525982740639300126729580549")  # doctest: +ELLIPSIS
Traceback (most recent call last):
    ...
pipeline.domain.errors.CufeInvalid: El dígito verificador del CUFE no coincide: termina en 9 y debería terminar en 8...
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from pipeline.domain.errors import CufeInvalid
from pipeline.domain.ruc import dv, has_known_shape

LENGTH = 66
ISSUER, DAY, ENVIRONMENT = slice(5, 32), slice(32, 40), slice(55, 56)
"""Positions in a code: issuer (with DV and branch), day of issue, environment."""


def document_of(cufe: str) -> str:
    """The fiscal document of a code: type, issuer, branch, number and point of invoicing.

    Two codes of one document differ in date, emission or security code: one was mistyped or replaced (eyes.md 1).
    """
    return cufe[2:25] + cufe[28:32] + cufe[40:53]


DOCUMENT_TYPES = {
    "01": "factura de operación interna",
    "02": "factura de importación",
    "03": "factura de exportación",
    "04": "nota de crédito referente a factura",
    "05": "nota de débito referente a factura",
    "06": "nota de crédito genérica",
    "07": "nota de débito genérica",
    "08": "factura de zona franca",
    "09": "reembolso",
    "10": "factura de operación extranjera",
}

# (start, end, pattern, code of the problem, what must be there): each part by itself says what is wrong with a code.
_PARTS: tuple[tuple[int, int, str, str, str], ...] = (
    (0, 2, "FE", "cufe-prefijo", "debe comenzar con FE"),
    (2, 4, "0[1-9]|10", "cufe-tipo", "el tipo de documento (posiciones 3-4) debe estar entre 01 y 10"),
    (4, 5, "[12]", "cufe-contribuyente", "el tipo de contribuyente (posición 5) debe ser 1 o 2"),
    (5, 25, "[0-9A-Z-]{20}", "cufe-ruc", "el RUC (posiciones 6-25) solo lleva letras, números y guiones"),
    (25, 26, "-", "cufe-guion", "en la posición 26 debe haber un guion"),
    (26, 28, "[0-9]{2}", "cufe-dv", "el DV del RUC (posiciones 27-28) debe ser numérico"),
    (28, 32, "[0-9A-Z]{4}", "cufe-sucursal", "la sucursal (posiciones 29-32) solo lleva letras y números"),
    (32, 40, "[0-9]{8}", "cufe-fecha", "la fecha (posiciones 33-40) debe ser AAAAMMDD"),
    (40, 50, "[0-9]{10}", "cufe-numero", "el número de documento (posiciones 41-50) debe ser numérico"),
    (50, 53, "[0-9]{3}", "cufe-punto", "el punto de facturación (posiciones 51-53) debe ser numérico"),
    (53, 55, "0[1-4]", "cufe-emision", "el tipo de emisión (posiciones 54-55) debe estar entre 01 y 04"),
    (55, 56, "[12]", "cufe-ambiente", "el ambiente (posición 56) debe ser 1 o 2"),
    (56, 65, "[0-9]{9}", "cufe-seguridad", "el código de seguridad (posiciones 57-65) debe ser numérico"),
    (65, 66, "[0-9]", "cufe-verificador", "el último carácter debe ser el dígito verificador"),
)
_LAYOUT = re.compile("".join(f"(?:{part[2]})" for part in _PARTS))


@dataclass(frozen=True, slots=True)
class Cufe:
    """A valid code in canonical form. An instance is always valid (unless the check digit was waived)."""

    text: str

    @classmethod
    def parse(cls, text: str, *, allow_bad_check_digit: bool = False) -> Cufe:
        """Parses ``text`` (canonical: upper case, no spaces).

        Raises ``CufeInvalid`` with a code, the position and a Spanish message (domain.md 1).
        """
        check_layout(text)
        if not allow_bad_check_digit and not has_known_shape(ruc := text[5:25].lstrip("0")):
            raise CufeInvalid(
                f"El RUC dentro del CUFE no tiene una forma conocida: dice «{ruc}».",
                code="cufe-ruc",
                remedy="Revise las posiciones 6 a 25: puede haber una letra en lugar de un número.",
            )
        if not allow_bad_check_digit and (wanted := check_digit(text)) != text[65]:
            raise CufeInvalid(
                f"El dígito verificador del CUFE no coincide: termina en {text[65]} y debería terminar en {wanted}.",
                code="cufe-verificador",
                remedy="Revise el código: hay al menos un carácter mal copiado.",
            )
        return cls(text)

    @property
    def document_type(self) -> str:
        return self.text[2:4]

    @property
    def taxpayer_type(self) -> str:
        return self.text[4]

    @property
    def ruc(self) -> str:
        """The issuer's RUC with its own dashes, without the padding zeros."""
        return self.text[5:25].lstrip("0")

    @property
    def dv(self) -> str:
        return self.text[26:28]

    @property
    def branch(self) -> str:
        return self.text[28:32]

    @property
    def issued_on(self) -> date:
        return date(int(self.text[32:36]), int(self.text[36:38]), int(self.text[38:40]))

    @property
    def number(self) -> str:
        return self.text[40:50]

    @property
    def point(self) -> str:
        return self.text[50:53]

    @property
    def emission_type(self) -> str:
        return self.text[53:55]

    @property
    def environment(self) -> str:
        """``1`` production, ``2`` test."""
        return self.text[55]

    @property
    def warnings(self) -> tuple[str, ...]:
        """Spanish warnings about a valid code, for a person (domain.md 1: never a blocker)."""
        found = []
        if not self.branch.isdigit():
            found.append(f"La sucursal «{self.branch}» contiene letras: es poco usual, revísela.")
        if (wanted := dv(self.ruc)) is not None and wanted != self.dv:
            found.append(f"El DV del RUC {self.ruc} debería ser {wanted} y dice {self.dv}.")
        return tuple(found)

    def __str__(self) -> str:
        return self.text


def check_digit(text: str) -> str:
    """The correct digit for position 65; ``text`` has at least 65 characters (domain.md 1)."""
    total = 0
    for place, char in enumerate(reversed(text[2:65])):
        digit = int(char) if "0" <= char <= "9" else ord(char) % 10
        if place % 2 == 0:
            digit = digit * 2 - 9 if digit > 4 else digit * 2
        total += digit
    return str((10 - total % 10) % 10)


def check_layout(text: str) -> None:
    """Raises ``CufeInvalid`` for the first part of ``text`` that does not follow domain.md 1."""
    if len(text) != LENGTH:
        raise CufeInvalid(
            f"El CUFE tiene {len(text)} caracteres y debe tener {LENGTH}.",
            code="cufe-longitud",
            remedy="Cópielo completo de la factura.",
        )
    if not _LAYOUT.fullmatch(text):
        _raise_first_bad_part(text)
    try:
        date(int(text[32:36]), int(text[36:38]), int(text[38:40]))
    except ValueError:
        raise _invalid("cufe-fecha", f"la fecha (posiciones 33-40) {text[32:40]} no existe") from None
    if int(text[40:50]) == 0:
        raise _invalid("cufe-numero", "el número de documento (posiciones 41-50) no puede ser cero")
    if text[50:53] == "000":
        raise _invalid("cufe-punto", "el punto de facturación (posiciones 51-53) no puede ser 000")
    if not text[5:25].strip("0-"):
        raise _invalid("cufe-ruc", "el RUC (posiciones 6-25) está vacío")


def _raise_first_bad_part(text: str) -> None:
    for start, end, pattern, code, words in _PARTS:
        if not re.fullmatch(pattern, text[start:end], flags=re.ASCII):
            raise _invalid(code, f"{words}; dice «{text[start:end]}»")


def _invalid(code: str, words: str) -> CufeInvalid:
    return CufeInvalid(f"CUFE no válido: {words}.", code=code, remedy="Cópielo otra vez de la factura.")
