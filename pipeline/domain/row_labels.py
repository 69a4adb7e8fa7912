"""Row labels: what the column «Fila» shows of a row (``Noviembre, fila 21``, ``línea 21``), as people type it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline.domain.errors import WrongUsage

_NOUN = r"(?:fila|l[ií]nea|n[uú]mero|n\.?\s*[oº°])"
_LABEL = re.compile(
    rf"(?:la\s+)?(?:(?P<sheet>.+?)(?:\s*[,!]\s*|\s+(?={_NOUN})))?(?:{_NOUN}\s*)?(?P<line>[0-9]{{1,7}})", re.IGNORECASE
)
_QUOTES = "\"'«»“”‘’ \t\n"


@dataclass(frozen=True, slots=True)
class RowLabel:
    """One row as a person names it."""

    #: of the worksheet; "" when only the number was given
    sheet: str
    line: int

    def is_of(self, sheet: str | None) -> bool:
        """Whether the label can be of a batch that was read from ``sheet`` (None: a CSV)."""
        return not self.sheet or (sheet is not None and _folded(self.sheet) == _folded(sheet))


def row_label(text: str) -> RowLabel:
    """The row that ``text`` names: ``21``, ``fila 21``, ``línea 21``, ``Noviembre, fila 21``.

    Raises ``WrongUsage`` for anything else, also for more rows than one.

    >>> row_label("Noviembre, fila 21")
    RowLabel(sheet='Noviembre', line=21)
    """
    found = _LABEL.fullmatch(text.strip(_QUOTES))
    sheet = (found["sheet"] or "").strip(_QUOTES) if found else ""
    if found is None or sheet.isdigit():  # «21, 22» are two rows and no sheet of the name 21
        raise WrongUsage(
            f"--row: «{text.strip()}» no nombra una sola fila.",
            code="row-label",
            remedy="Escriba una, como la muestra la columna «Fila»: 21, «fila 21» o «Noviembre, fila 21».",
        )
    return RowLabel(sheet, int(found["line"]))


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
