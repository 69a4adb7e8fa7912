"""Own columns: amount, customer and invoice number among a person's columns, for the sums and lists of the results.

Nothing is decided by them: a column that is not recognised is only not summed and not singled out (interface.md 4).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from pipeline.domain.columns import key_of
from pipeline.domain.records import Cell

_AMOUNTS = ("total", "monto", "importe", "valor")
_BESIDE_AN_AMOUNT = frozenset(
    {
        *("a", "anular", "b", "balboas", "bs", "con", "de", "del", "documento", "dolares", "el", "en", "factura"),
        *("facturado", "general", "impuesto", "impuestos", "incluido", "itbms", "la", "pab", "pagar", "total", "us"),
        "usd",
    }
)
_TAXES = frozenset({"itbms", "impuesto", "impuestos"})
_CUSTOMERS = (
    *("cliente", "nombre del cliente", "nombre cliente", "cliente nombre", "razon social", "razon social del cliente"),
    *("receptor", "nombre del receptor", "razon social del receptor", "comprador"),
)
_NUMBERS = (
    *("no factura", "numero de factura", "numero factura", "no de factura", "n factura", "nro factura"),
    *(
        "nro de factura",
        "num factura",
        "factura no",
        "factura numero",
        "factura",
        "no documento",
        "numero de documento",
    ),
    *("no de documento", "documento"),
)
_CUSTOMER_KEYS = [key_of(heading) for heading in _CUSTOMERS]
_NUMBER_KEYS = [key_of(heading) for heading in _NUMBERS]

_WRITTEN = re.compile(
    r"(?P<minus>-?)\s*(?:B/\.?|US\$|USD|PAB|\$)?\s*(?P<inner>-?)(?P<whole>\d{1,3}(?:,\d{3})+|\d+)(?P<cents>\.\d+)?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class OwnColumns:
    """Places of the recognised columns among the person's own; None for one that is not there or not clear."""

    amount: int | None = None
    customer: int | None = None
    number: int | None = None


def own_columns(headings: Sequence[str]) -> OwnColumns:
    """The columns that ``headings`` name."""
    keys = [key_of(heading) for heading in headings]
    return OwnColumns(_amount(headings), _first(keys, _CUSTOMER_KEYS), _first(keys, _NUMBER_KEYS))


def amount_in(cell: Cell) -> Decimal | None:
    """The amount in ``cell``: a number, or a text as Panama writes it (``B/. 1,234.56``); None for anything else."""
    if isinstance(cell, bool) or cell is None:
        return None
    if isinstance(cell, int | float):
        number = Decimal(str(cell))
        return number if number.is_finite() else None
    if not isinstance(cell, str) or not (found := _WRITTEN.fullmatch(cell.strip())):
        return None
    number = Decimal(found["whole"].replace(",", "") + (found["cents"] or ""))
    signs = len(found["minus"] + found["inner"])
    return None if signs > 1 else -number if signs else number


def _first(keys: Sequence[str], wanted: Sequence[str]) -> int | None:
    return next((keys.index(key) for key in wanted if key in keys), None)


def _amount(headings: Sequence[str]) -> int | None:
    """The one column with the best heading; None for several that are as good, for a sum is not guessed."""
    ranked = sorted((rank, place) for place, heading in enumerate(headings) if (rank := _rank(heading)) is not None)
    if not ranked or (len(ranked) > 1 and ranked[0][0] == ranked[1][0]):
        return None
    return ranked[0][1]


def _rank(heading: str) -> tuple[int, bool] | None:
    plain = "".join(c for c in unicodedata.normalize("NFKD", heading).casefold() if not unicodedata.combining(c))
    words = re.findall(r"[a-z0-9]+", plain)
    if not words or words[0] not in _AMOUNTS or not _BESIDE_AN_AMOUNT.issuperset(words[1:]):
        return None
    if _TAXES.intersection(words) and not {"con", "incluido"}.intersection(words):
        return None  # the tax alone
    name = "total" if "total" in words else words[0]  # «Monto total» is one
    return _AMOUNTS.index(name), len(words) > 1
