"""Results schema: the columns that the program adds to ``Resultados`` (interface.md 5), checked before saving.

A report that breaks this is a bug of ours, never of the input: then nothing is published.
"""

from __future__ import annotations

import pandas as pd
import pandera.errors
import pandera.pandas as pa

from pipeline.domain.actions import ACTIONS
from pipeline.domain.deadline import Window
from pipeline.domain.errors import Bug
from pipeline.domain.outcomes import READY_WORD, Outcome
from schemas.columns import RESULT_COLUMNS

_YES_NO = ("SI", "NO")
_MOMENT = r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2} -05:00\Z"
_CUFE = r"FE[0-9A-Z-]{64}\Z"
_IDLE = frozenset({action.rule for action in ACTIONS if action.idle})
_NEVER_SENT = frozenset(
    {Outcome.REJECTED.value, Outcome.CONFLICT.value, Outcome.DUPLICATE.value, Outcome.NOT_APPLICABLE.value}
)


_REVIEWED = (READY_WORD, *sorted(_NEVER_SENT), Outcome.HELD.value)
_ANSWERED = ("estado_edoc", "reenviar", "consultar", "mensaje_edoc", "codigo_dgi", "fecha_autorizacion")
_ASKED = ("enviado_en", "consultado_en", "consultas")


def _text(*checks: pa.Check, required: bool = False) -> pa.Column:
    return pa.Column(object, list(checks), nullable=not required)


def _claims_are_founded(frame: pd.DataFrame) -> pd.Series[bool]:
    """«ANULADA» only with a code that was sent; what validation rejected was never sent (reliability.md P5)."""
    sent = frame["cufe_enviado"].notna()
    word = frame["resultado"]
    return (sent | (word != Outcome.CANCELLED.value)) & ~(sent & word.isin(_NEVER_SENT))


def _state_has_words(frame: pd.DataFrame) -> pd.Series[bool]:
    """A state always has its description and advice; a description always has a state."""
    known = frame["estado_edoc"].notna()
    advised = frame["reenviar"].notna()
    described = frame["estado_edoc_descripcion"].notna() == known
    return described & (frame["consultar"].notna() == advised) & (advised | ~known)


def _advice_is_one(frame: pd.DataFrame) -> pd.Series[bool]:
    """A row with which nothing is to be done is neither sent nor queried again, and nothing of it falls due."""
    idle = frame["regla"].isin(_IDLE)
    asked = (frame["reenviar"] == "SI") | (frame["consultar"] == "SI")
    return ~(idle & (asked | frame["vence"].notna()))


def _nothing_was_sent(frame: pd.DataFrame) -> pd.Series[bool]:
    """A review has no answers and no times, and a code only for a row that would be sent."""
    empty = frame[[*_ANSWERED, *_ASKED]].isna().all(axis=1)
    return empty & (frame["cufe_enviado"].isna() | (frame["resultado"] == READY_WORD))


RESULTS = pa.DataFrameSchema(
    {
        "pos": pa.Column(int),
        "fila_origen": _text(pa.Check.str_length(min_value=1), required=True),
        "cufe_enviado": _text(pa.Check.str_matches(_CUFE)),
        "resultado": _text(pa.Check.isin([word.value for word in Outcome]), required=True),
        "estado_edoc": _text(),
        "estado_edoc_descripcion": _text(),
        "reenviar": _text(pa.Check.isin(_YES_NO)),
        "consultar": _text(pa.Check.isin(_YES_NO)),
        "accion_recomendada": _text(pa.Check.str_length(min_value=1), required=True),
        "regla": _text(pa.Check.isin([action.rule for action in ACTIONS]), required=True),
        "mensaje_edoc": _text(),
        "codigo_dgi": _text(),
        "fecha_autorizacion": _text(),
        "enviado_en": _text(pa.Check.str_matches(_MOMENT)),
        "consultado_en": _text(pa.Check.str_matches(_MOMENT)),
        "consultas": _text(pa.Check(lambda column: column.astype(float) >= 0)),
        "plazo": _text(pa.Check.isin([window.value for window in Window])),
        "horas_restantes": _text(pa.Check(lambda column: column.astype(float).notna())),
        "observaciones": _text(),
        "vence": _text(pa.Check.str_matches(_MOMENT)),
    },
    checks=[pa.Check(_claims_are_founded), pa.Check(_state_has_words), pa.Check(_advice_is_one)],
    strict=True,
    ordered=True,
    name="Resultados",
)
"""``pos`` (ordinal in the input) and then the added columns, in their order."""

REVIEW = RESULTS.update_column("resultado", checks=[pa.Check.isin(_REVIEWED)])
REVIEW.checks = [*RESULTS.checks, pa.Check(_nothing_was_sent)]
"""The same of a review, in which nothing was sent yet."""


def check_results(frame: pd.DataFrame, first: int, *, review: bool = False) -> None:
    """Raises ``Bug`` unless ``frame`` (columns ``pos`` + ``RESULT_COLUMNS``) holds rows ``first``, ``first + 1``, …, of
    results or of a ``review``."""
    if list(frame["pos"]) != list(range(first, first + len(frame))):
        raise Bug(f"Resultados: the rows from {first} on are not in the order of the input")
    try:
        (REVIEW if review else RESULTS).validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as error:
        worst = error.failure_cases.head(5).to_dict("records")
        raise Bug(f"Resultados breaks its schema: {worst}") from error


assert tuple(RESULTS.columns)[1:] == tuple(RESULT_COLUMNS)
