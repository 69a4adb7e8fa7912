"""Results schema: the columns that the program adds to ``Resultados`` (interface.md 5), checked before saving.

A report that breaks this is a bug of ours, never of the input: then nothing is published. Whole columns at a time, each
of their different values once, and no frame around them: most books have a few rows, of 200 companies one after the
other, and making a frame for each took longer than writing its book.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.domain.actions import ACTIONS
from pipeline.domain.deadline import Window
from pipeline.domain.errors import Bug
from pipeline.domain.outcomes import READY_WORD, Outcome
from schemas.columns import RESULT_COLUMNS

Columns = Mapping[str, Sequence[Any]]
"""Values of each column, row by row."""
Holds = Callable[[Any], bool]

_NAMED = 5
"""Faults that are named."""
_IDLE = frozenset({action.rule for action in ACTIONS if action.idle})
_NEVER_SENT = frozenset(
    {Outcome.REJECTED.value, Outcome.CONFLICT.value, Outcome.DUPLICATE.value, Outcome.NOT_APPLICABLE.value}
)
_ANSWERED = ("estado_edoc", "reenviar", "consultar", "mensaje_edoc", "codigo_dgi", "fecha_autorizacion")
_ASKED = ("enviado_en", "consultado_en", "consultas")


@dataclass(frozen=True, slots=True)
class Column:
    """What a column may hold."""

    #: of a value that is there
    holds: Holds = lambda _: True
    #: whether every row has one
    required: bool = False


def _one_of(words: Collection[str]) -> Holds:
    known = frozenset(words)
    return lambda value: value in known


def _written_as(pattern: str) -> Holds:
    form = re.compile(pattern)
    return lambda value: isinstance(value, str) and form.fullmatch(value) is not None


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and value == value and not isinstance(value, bool)


def _count(value: Any) -> bool:
    return _number(value) and value >= 0


def _text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


_YES_NO = _one_of(("SI", "NO"))
_MOMENT = _written_as(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2} -05:00")

RESULTS: dict[str, Column] = {
    "pos": Column(_count, required=True),
    "fila_origen": Column(_text, required=True),
    "cufe_enviado": Column(_written_as(r"FE[0-9A-Z-]{64}")),
    "resultado": Column(_one_of([word.value for word in Outcome]), required=True),
    "estado_edoc": Column(),
    "estado_edoc_descripcion": Column(),
    "reenviar": Column(_YES_NO),
    "consultar": Column(_YES_NO),
    "accion_recomendada": Column(_text, required=True),
    "regla": Column(_one_of([action.rule for action in ACTIONS]), required=True),
    "mensaje_edoc": Column(),
    "codigo_dgi": Column(),
    "fecha_autorizacion": Column(),
    "enviado_en": Column(_MOMENT),
    "consultado_en": Column(_MOMENT),
    "consultas": Column(_count),
    "plazo": Column(_one_of([window.value for window in Window])),
    "horas_restantes": Column(_number),
    "observaciones": Column(),
    "vence": Column(_MOMENT),
}
"""``pos`` (ordinal in the input) and then the added columns, in their order."""

_REVIEWED = (READY_WORD, *sorted(_NEVER_SENT), Outcome.HELD.value)
REVIEW = {**RESULTS, "resultado": Column(_one_of(_REVIEWED), required=True)}
"""The same of a review, in which nothing was sent yet."""


def _claims_are_founded(of: Columns) -> Iterator[bool]:
    """«ANULADA» only with a code that was sent; what validation rejected was never sent (reliability.md P5)."""
    for word, code in zip(of["resultado"], of["cufe_enviado"], strict=True):
        yield word != Outcome.CANCELLED.value if code is None else word not in _NEVER_SENT


def _state_has_words(of: Columns) -> Iterator[bool]:
    """A state always has its description and advice; a description always has a state."""
    names = ("estado_edoc", "estado_edoc_descripcion", "reenviar", "consultar")
    for state, words, again, ask in zip(*(of[name] for name in names), strict=True):
        known, advised = state is not None, again is not None
        yield (words is not None) == known and (ask is not None) == advised and (advised or not known)


def _advice_is_one(of: Columns) -> Iterator[bool]:
    """A row with which nothing is to be done is neither sent nor queried again, and nothing of it falls due."""
    for rule, again, ask, due in zip(of["regla"], of["reenviar"], of["consultar"], of["vence"], strict=True):
        yield rule not in _IDLE or (again != "SI" and ask != "SI" and due is None)


def _nothing_was_sent(of: Columns) -> Iterator[bool]:
    """A review has no answers and no times, and a code only for a row that would be sent."""
    empty = zip(*(of[name] for name in (*_ANSWERED, *_ASKED)), strict=True)
    for word, code, answers in zip(of["resultado"], of["cufe_enviado"], empty, strict=True):
        yield all(value is None for value in answers) and (code is None or word == READY_WORD)


_RULES = (_claims_are_founded, _state_has_words, _advice_is_one)


def check_results(of: Columns, first: int, *, review: bool = False) -> None:
    """Raises ``Bug`` unless ``of`` (columns ``pos`` + ``RESULT_COLUMNS``) holds rows ``first``, ``first + 1``, …, of
    results or of a ``review``."""
    wanted = REVIEW if review else RESULTS
    if tuple(of) != tuple(wanted):
        raise Bug(f"Resultados has the columns {', '.join(of)}")
    if list(of["pos"]) != list(range(first, first + len(of["pos"]))):
        raise Bug(f"Resultados: the rows from {first} on are not in the order of the input")
    faults = [
        f"{name} {value!r}"
        for name, column in wanted.items()
        for value in set(of[name])
        if (column.required if value is None else not column.holds(value))
    ]
    for rule in (*_RULES, _nothing_was_sent) if review else _RULES:
        faults += [f"row {first + number}: {rule.__name__}" for number, good in enumerate(rule(of)) if not good]
    if faults:
        raise Bug(f"Resultados breaks its schema: {'; '.join(sorted(faults)[:_NAMED])}")


assert tuple(RESULTS)[1:] == tuple(RESULT_COLUMNS)
