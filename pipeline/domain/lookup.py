"""Lookup: what a text that a person has in hand may name: a code, a document number, a file, a batch, a checksum.

One text may name several things (``20261120`` is a number, the day of a batch, and the start of a checksum), so every
reading is returned; whoever searches tries them all.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from pipeline.domain.pasted import CANONICAL, INVISIBLE, codes_in, unpaste

NUMBER_LENGTH = 10
_DROP = dict.fromkeys(map(ord, INVISIBLE))
LEAST_NAME = 3
"""Characters of a part of a file name; fewer would find everything."""
LEAST_BEGINNING = 8
"""Characters of the beginning of a batch id or a checksum."""

_LABELS = re.compile(
    r"(?:(?:factura|fact|documento|doc|n[uú]mero|n[uú]m|nro|n\.?\s*[oº°]?|lote|sha-?256)\b[\s.:#-]*|#\s*)+",
    re.IGNORECASE,
)
_HEX = re.compile(rf"[0-9a-f]{{{LEAST_BEGINNING},64}}")
_NOT_OF_A_CODE = re.compile(r"[^0-9A-Z]")
_NUMBER_FROM_END = slice(-26, -16)
"""The document number in a code without its dashes: after it only digits follow, so their count is known."""
_LEAST_OF_A_CODE = 40
_DIGITS = re.compile(r"[0-9]+")
_BATCH = re.compile(r"[\w-]+")
_OF_BATCH = re.compile(r"__([\w-]+?)__(?:resultados|corregir|evidencia|soporte)")
"""How the names of our own files name their batch."""


_ID = re.compile(r"\b[0-9]{8}-[0-9a-f]{8}\b", re.IGNORECASE)
_ROW = re.compile(r"\b(?:fila|l[ií]nea)\s+([0-9]{1,7})\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The readings of one text; an empty one means that the text cannot be that."""

    text: str
    #: codes without dashes, upper case
    codes: tuple[str, ...] = ()
    #: of a document, with its leading zeros
    number: str = ""
    #: the beginning of a SHA-256, lower case
    checksum: str = ""
    #: a batch id, or its beginning; also the one in the name of a results workbook
    batch: str = ""
    #: of a row in ``batch``, as the column «Fila» shows it; 0 for none
    line: int = 0
    #: the name of a file without its folders, or a part of it
    name: str = ""

    @property
    def kinds(self) -> tuple[str, ...]:
        """What is looked for, in stable words for programs."""
        readings = {
            "cufe": self.codes,
            "number": self.number,
            "sha256": self.checksum,
            "batch": self.batch,
            "row": self.line,
            "file": self.name,
        }
        return tuple(kind for kind, value in readings.items() if value)


WORDS = {
    "cufe": "CUFE",
    "number": "número de documento",
    "sha256": "código de verificación del archivo (SHA-256)",
    "batch": "lote",
    "row": "fila",
    "file": "nombre de archivo",
}


def wanted(text: str) -> Wanted:
    """The readings of ``text``.

    >>> wanted("Factura No. 1234").number
    '0000001234'
    >>> wanted("20261120-b7020992 fila 5").line
    5
    """
    text = unicodedata.normalize("NFKC", text.translate(_DROP)).strip()
    if codes := _codes(text):
        return Wanted(text, codes)
    batches, lines = _ID.findall(text), _ROW.findall(text)
    if len(batches) == 1 and len(lines) == 1:
        return Wanted(text, batch=batches[0].lower(), line=int(lines[0]))
    label = _LABELS.match(text)
    bare = "".join((text[label.end() :] if label else text).split())
    digits = bare.lstrip("0") or bare[-1:]
    name = re.split(r"[\\/]", text.strip("\"'«»“”"))[-1].strip()
    ours = _OF_BATCH.search(name)
    return Wanted(
        text,
        number=digits.zfill(NUMBER_LENGTH) if _DIGITS.fullmatch(bare) and len(digits) <= NUMBER_LENGTH else "",
        checksum=bare.lower() if _HEX.fullmatch(bare.lower()) else "",
        batch=ours[1] if ours else bare if _BATCH.fullmatch(bare) else "",
        name=name,
    )


def squeezed(code: str) -> str:
    """``code`` without its dashes: people lose some, and add others.

    >>> squeezed("FE01-2000-8")
    'FE0120008'
    """
    return _NOT_OF_A_CODE.sub("", code.upper())


def number_in(code: str) -> str:
    """The document number in a code without dashes."""
    return code[_NUMBER_FROM_END]


def _codes(text: str) -> tuple[str, ...]:
    pasted = unpaste(text).text
    if CANONICAL.fullmatch(pasted):
        return (squeezed(pasted),)
    if found := codes_in(pasted) or codes_in(text):
        return tuple(dict.fromkeys(map(squeezed, found)))
    bare = squeezed(unicodedata.normalize("NFKC", pasted))
    long = bare.startswith("FE") and len(bare) >= _LEAST_OF_A_CODE and number_in(bare).isdigit()
    return (bare,) if long and "." not in pasted else ()
