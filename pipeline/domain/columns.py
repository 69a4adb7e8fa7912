"""Column table: the input columns with their accepted headings, and the columns that the results add.

The one table of interface.md 4 and 5. It is in the domain because both the reader (which finds the header) and
the schemas (which check and print) need it. Validation and the report import it as ``schemas/columns.py``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InputColumn:
    """An input column that the program uses."""

    #: its name in code
    role: str
    #: its usual heading
    label: str
    #: the accepted headings, as ``key_of`` compares them
    headings: tuple[str, ...]
    #: whether a file without it is refused
    required: bool


INPUT_COLUMNS: tuple[InputColumn, ...] = (
    InputColumn(
        "cufe",
        "CUFE",
        (
            "cufe",
            "codigo unico",
            "cufe a anular",
            "codigo cufe",
            "no cufe",
            "numero cufe",
            "cufe de la factura",
            "cufe factura",
        ),
        required=True,
    ),
    InputColumn(
        "reason",
        "Motivo",
        (
            "motivo",
            "motivo anulacion",
            "motivo de anulacion",
            "motivo de la anulacion",
            "razon",
            "razon de anulacion",
            "justificacion",
        ),
        required=True,
    ),
    InputColumn(
        "email",
        "Correo",
        (
            "correo",
            "correo notificacion",
            "correo electronico",
            "correo del cliente",
            "email",
            "e-mail",
            "email del cliente",
        ),
        required=False,
    ),
)

LABELS = {column.role: column.label for column in INPUT_COLUMNS}

RESULT_COLUMNS: tuple[str, ...] = (
    "fila_origen",
    "cufe_enviado",
    "resultado",
    "estado_edoc",
    "estado_edoc_descripcion",
    "reenviar",
    "consultar",
    "accion_recomendada",
    "regla",
    "mensaje_edoc",
    "codigo_dgi",
    "fecha_autorizacion",
    "enviado_en",
    "consultado_en",
    "consultas",
    "plazo",
    "horas_restantes",
    "observaciones",
    "vence",
)
"""Columns that CSV and JSON lines add after the original ones, in this order (interface.md 5)."""

FIRST_COLUMNS: dict[str, str] = {"resultado": "Resultado", "accion_recomendada": "Qué hacer", "vence": "Vence"}
"""Columns of ``Resultados`` before the original ones, each with its printed heading."""

LAST_COLUMNS: dict[str, str] = {
    "fila_origen": "Fila",
    "cufe_enviado": "CUFE enviado",
    "estado_edoc": "Estado eDoc",
    "estado_edoc_descripcion": "Descripción",
    "reenviar": "¿Reenviar?",
    "consultar": "¿Consultar?",
    "mensaje_edoc": "Mensaje de eDoc",
    "codigo_dgi": "Código DGI",
    "fecha_autorizacion": "Autorizada",
    "enviado_en": "Enviada",
    "consultado_en": "Consultada",
    "consultas": "Consultas",
    "observaciones": "Observaciones",
    "regla": "Regla",
}
"""Technical columns of ``Resultados`` after the original ones, each with its printed heading."""

REVIEW_COLUMNS: tuple[str, ...] = ("fila_origen", "cufe_enviado", "observaciones", "regla")
"""Those of ``LAST_COLUMNS`` that a review has: what can be known before anything is sent."""

RESULTS_SHEET = "Resultados"
RESULT_MARKS = frozenset({"fila_origen", "cufe_enviado", "resultado", "regla"})
"""A table with all of these columns is one of our own results: a CSV, or a workbook of an earlier version."""

_PRINTED_MARKS = frozenset({"resultado", "accion_recomendada", "fila_origen", "cufe_enviado"})
"""A table with the headings of all of these is ``Resultados`` of one of our workbooks."""

TIPS_SHEET = "Recomendaciones"
"""The sheet of our template that holds no data."""

PLACE_COLUMN, REASONS_COLUMN = "fila_origen", "corregir"
"""First and last column of a corrections workbook: where the row was, and what is wrong with it."""

FIXES_SHEET = "Corregir"
"""Sheet of a corrections workbook with the rows to correct."""
RETURNED_SHEET = "Devueltas"
"""Sheet of a corrections workbook with the rows that were given back: for ``resend``, one by one, never for a batch."""

NOTE_AUTHOR = "anular"
"""Author of the cell comments in our corrections workbook."""

ORIGIN_PROPERTY = "anular_lote"
"""Document property with the batch id, in our workbooks. It survives editing; file names do not."""

HASH_PROPERTY = "anular_sha256"
ENV_PROPERTY = "anular_ambiente"
"""Document properties with the SHA-256 of the input and the environment of the batch."""

OURS_PROPERTY = "anular_programa"
"""Document property of every workbook that this program writes, whether it has a batch or not."""

_BATCH = re.compile(r"[0-9]{8}-[0-9A-Za-z-]{1,23}")


def key_of(heading: str) -> str:
    """``heading`` without case, accents, spaces and underscores: ``Motivo_Anulación`` -> ``motivoanulacion``.

    Hyphens and colons count as spaces, so that ``E-mail:`` and ``email`` are equal.
    """
    plain = unicodedata.normalize("NFKD", heading).casefold()
    return "".join(c for c in plain if c.isalnum())


_SAYING_NO = frozenset({"no", "n", "falso", "false", "0"})


def asks_whether(heading: str) -> bool:
    """Whether this column says, for each row, if it is to be cancelled: ``Anular``, ``¿Anular?``."""
    return key_of(heading) == "anular"


def says_no(value: object) -> bool:
    """Whether a cell of such a column says no: ``no``, ``N``, ``FALSO``, 0, or a text that begins with it."""
    if isinstance(value, bool | int | float):
        return not value
    words = re.findall(r"\w+", unicodedata.normalize("NFKD", str(value or "")).casefold())
    return bool(words) and words[0] in _SAYING_NO


_BETWEEN = re.compile(r"\s*/\s*|\s+[oy]\s+", re.IGNORECASE)
_ROLE_OF = {key_of(heading): column.role for column in INPUT_COLUMNS for heading in column.headings}
_RESULT_KEYS = {key_of(name): name for name in RESULT_COLUMNS}
_FIRST_KEYS = {name: key_of(heading) for name, heading in FIRST_COLUMNS.items()}
_LAST_KEYS = {name: key_of(heading) for name, heading in LAST_COLUMNS.items()}
_REVIEW_KEYS = {name: _LAST_KEYS[name] for name in REVIEW_COLUMNS}
_PRINTED_KEYS = frozenset({*_FIRST_KEYS.values(), *_LAST_KEYS.values()})


def role_of(heading: str) -> str | None:
    """``cufe``, ``reason`` or ``email``; None for a column that is only kept. Of two names of one column in one heading
    (``Razón / Motivo``) it is that one."""
    role = _ROLE_OF.get(key_of(heading))
    if role is None and len(names := _BETWEEN.split(heading)) == 2:
        one, other = (_ROLE_OF.get(key_of(name)) for name in names)
        return one if one == other else None
    return role


_SEEMS_MOST, _WORDS_MOST = 40, 5
_COUNTS = ("total", "subtotal", "cantidad", "suma")


def seems(heading: str) -> str | None:
    """The role that a heading resembles but does not have, as ``Motivo del cliente``; None for any other."""
    key = key_of(heading)
    known = role_of(heading) is not None or key in _RESULT_KEYS or key in _PRINTED_KEYS
    if known or not 3 < len(key) <= _SEEMS_MOST or len(heading.split()) > _WORDS_MOST:
        return None
    if key.startswith(_COUNTS) or any(char.isdigit() for char in key) or "@" in heading:
        return None
    if key.startswith("cufe") or key.endswith(("cufe", "cufes")):
        return "cufe"
    if key.startswith(("motivo", "justificacion")) or (key.startswith("razon") and not key.startswith("razonsocial")):
        return "reason"
    return "email" if key.startswith(("correo", "email", "mail")) or key.endswith(("correo", "email")) else None


def result_column_of(heading: str) -> str | None:
    """The result column that ``heading`` names, or None."""
    return _RESULT_KEYS.get(key_of(heading))


def added_columns(headings: Sequence[str]) -> dict[str, int]:
    """The places of the columns that our results added to ``headings``, by name; empty when they are none of ours.

    The person's own columns may have the same headings, so ours are told by where they stand.
    """
    keys = [key_of(heading) for heading in headings]
    return _as_printed(keys) or _as_named(keys)


def _as_printed(keys: Sequence[str]) -> dict[str, int]:
    """As ``Resultados`` prints them: each first column the first with its heading, each technical one the first from
    ``Fila`` on. A review has few of these: what else follows them is the person's own."""
    last = {key: place for place, key in enumerate(keys)}
    sent = last.get(_LAST_KEYS["cufe_enviado"], -1)
    start = max((place for place in range(sent) if keys[place] == _LAST_KEYS["fila_origen"]), default=-1)
    if start < 0 or last.get(key_of("fila_origen"), -1) > start:  # after it: the layout of an earlier version
        return {}
    found = {name: keys.index(key) for name, key in _FIRST_KEYS.items() if key in last}
    if found.get("vence") != found.get("accion_recomendada", -1) + 1:
        found.pop("vence", None)
    review = list(keys[start : start + len(_REVIEW_KEYS)]) == [*_REVIEW_KEYS.values()]
    technical = _REVIEW_KEYS if review else _LAST_KEYS
    found |= {name: keys.index(key, start) for name, key in technical.items() if last.get(key, -1) >= start}
    return found if found.keys() >= _PRINTED_MARKS else {}


def _as_named(keys: Sequence[str]) -> dict[str, int]:
    """With their names, as in a CSV and in earlier workbooks: each the last with its name."""
    found = {_RESULT_KEYS[key]: place for place, key in enumerate(keys) if key in _RESULT_KEYS}
    if not found.keys() >= RESULT_MARKS:
        return {}
    if found.get("vence", -1) < found["fila_origen"]:  # earlier versions had none: it is the person's own
        found.pop("vence", None)
    return found


def origin_in(text: str) -> str:
    """The batch id in ``text``, a value of ``ORIGIN_PROPERTY``; empty when it is not a batch id."""
    return text.strip() if _BATCH.fullmatch(text.strip()) else ""
