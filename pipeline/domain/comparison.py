"""Comparison of what the ledger holds of a row with what eDoc says of its invoice now (interface.md 2, reconcile).

Nothing here changes a row: it says where the two agree, where they do not, and where eDoc says too little.
"""

from __future__ import annotations

from enum import Enum

from pipeline.domain.lifecycle import FOLLOWED, Event, State
from pipeline.domain.outcomes import SUCCESSES, Outcome


class Conclusion(Enum):
    """What the comparison of one row comes to; the value is its code."""

    ELSEWHERE = "cancelled-elsewhere"  # eDoc has it cancelled, and we do not
    ALIVE = "alive"  # we have it cancelled, and eDoc has it authorised
    OTHER = "other-state"  # we have it cancelled, and eDoc names another state
    UNKNOWN = "unknown"  # eDoc did not answer clearly: proves nothing
    NOT_ASKED = "not-asked"  # no valid code, or the command ended before
    AGREES = "agrees"


DIFFERENT = frozenset({Conclusion.ELSEWHERE, Conclusion.ALIVE, Conclusion.OTHER})

TITLES = {
    Conclusion.ELSEWHERE: "Anulada en eDoc; aquí no consta",
    Conclusion.ALIVE: "Aquí consta anulada; en eDoc sigue vigente",
    Conclusion.OTHER: "Aquí consta anulada; eDoc da otro estado",
    Conclusion.UNKNOWN: "eDoc no respondió con claridad",
    Conclusion.NOT_ASKED: "No se consultó",
    Conclusion.AGREES: "Coincide",
}

_CANCELLED = frozenset({Event.CANCELLED, Event.ALREADY})


def conclude(*, cancelled_here: bool, event: Event | None) -> Conclusion:
    """Compares a row that we have cancelled, or not, with the answer to a query; None: it was not asked."""
    if event is None:
        return Conclusion.NOT_ASKED
    if event is Event.UNCLEAR:
        return Conclusion.UNKNOWN
    if event in _CANCELLED:
        return Conclusion.AGREES if cancelled_here else Conclusion.ELSEWHERE
    if not cancelled_here:
        return Conclusion.AGREES
    return Conclusion.ALIVE if event is Event.ALIVE else Conclusion.OTHER


def is_cancelled(outcome: Outcome, decided: str = "") -> bool:
    """Whether the ledger has a row as cancelled; ``decided``: the note of a person's decision (decide.py)."""
    word = decided.partition("[")[2].partition("]")[0]  # the first one is ours, later ones a person's
    return outcome in SUCCESSES or (outcome is Outcome.RESOLVED and word == "cancelled")


def advice(conclusion: Conclusion, state: State | None) -> str:
    """What to do, in Spanish, about a row in ``state``; None: the ledger does not have it."""
    if conclusion is Conclusion.ELSEWHERE:
        return _ELSEWHERE[_kind(state)]
    return _ADVICE[conclusion]


def _kind(state: State | None) -> str:
    if state is None:
        return "absent"
    if state in FOLLOWED:
        return "followed"
    return "unsent" if state in _UNSENT else "sent"


_UNSENT = frozenset({State.READY, State.HELD, State.NOT_SENT, State.REFUSED_AUTH})
_ELSEWHERE = {
    "absent": "No la envíe: ya está anulada. Averigüe en el portal de eDoc quién la anuló.",
    "followed": "Use el comando poll con este lote: registrará la anulación.",
    "unsent": "No la envíe: ya está anulada. Retírela con el comando withdraw.",
    "sent": "Averigüe en el portal de eDoc quién la anuló; si es correcto, déjelo escrito con el comando resolve.",
}
_ADVICE = {
    Conclusion.ALIVE: "No la envíe otra vez. Llame a soporte de eDoc con este libro y con el de resultados.",
    Conclusion.OTHER: "No la envíe otra vez. Llame a soporte de eDoc con este libro y con el de resultados.",
    Conclusion.UNKNOWN: "Compare otra vez más tarde: esta respuesta no dice si está anulada.",
    Conclusion.NOT_ASKED: "Nada",
    Conclusion.AGREES: "Nada",
}
