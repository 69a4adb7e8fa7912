"""Outcomes: the values of ``resultado`` (interface.md 5), and which state shows as which value (reliability.md D13)."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from pipeline.domain.lifecycle import State


class Outcome(Enum):
    """Outcome of a row in the results. The order is the order of the summary."""

    __hash__ = object.__hash__  # members are one object each; Enum's own hash is computed in Python every time

    CANCELLED = "ANULADA"
    ALREADY = "YA ANULADA"
    PENDING = "PENDIENTE"
    UNKNOWN = "RESULTADO DESCONOCIDO"
    STILL_ALIVE = "SIGUE AUTORIZADA"
    RETURNED = "DEVUELTA"
    EDOC_ERROR = "ERROR eDoc"
    NOT_FOUND = "NO ENCONTRADA"
    REJECTED = "RECHAZADA"
    CONFLICT = "CONFLICTO"
    DUPLICATE = "DUPLICADA"
    HELD = "RETENIDA"
    NOT_SENT = "NO ENVIADA"
    WITHDRAWN = "RETIRADA"
    RESOLVED = "RESUELTA"
    NOT_APPLICABLE = "NO APLICA"


READY_WORD = "LISTA PARA ENVIAR"
"""What a review says of a row that would be sent. It is no outcome: no batch has such rows."""

PREFLIGHT = "preflight"
"""Note of a move made by the query before sending: nothing was sent."""

ELSEWHERE = "elsewhere"
"""Note, and proof, of a row that was not sent because another ledger of this machine had sent it."""

STOPPED = "envío detenido"
"""Start of the note of a row that was ready when its sending was stopped; why follows."""

BARRED = "reglas de hoy"
"""Start of the note of a row that today's rules did not let leave; the text of the rule follows."""

_BY_STATE: dict[State, Outcome] = {
    State.RECEIVED: Outcome.NOT_SENT,
    State.REJECTED_INPUT: Outcome.REJECTED,
    State.DUPLICATE: Outcome.DUPLICATE,
    State.CONFLICT: Outcome.CONFLICT,
    State.NOT_APPLICABLE: Outcome.NOT_APPLICABLE,
    State.HELD: Outcome.HELD,
    State.READY: Outcome.NOT_SENT,
    State.WITHDRAWN: Outcome.WITHDRAWN,
    State.SENDING: Outcome.UNKNOWN,
    State.NOT_SENT: Outcome.NOT_SENT,
    State.REFUSED_AUTH: Outcome.NOT_SENT,
    State.UNKNOWN: Outcome.UNKNOWN,
    State.PENDING: Outcome.PENDING,
    State.CANCELLED: Outcome.CANCELLED,
    State.ALREADY_CANCELLED: Outcome.ALREADY,
    State.NEEDS_SUPPORT: Outcome.EDOC_ERROR,
    State.NEEDS_CORRECTION: Outcome.RETURNED,
    State.RETURNED: Outcome.RETURNED,
    State.NOT_FOUND: Outcome.NOT_FOUND,
    State.REVIEW: Outcome.UNKNOWN,
    State.CLOSED_BY_PERSON: Outcome.RESOLVED,
    State.CLOSED_RESEND: Outcome.NOT_SENT,
}


def outcome(
    state: State, *, alive: bool = False, unsent: bool = False, again: bool = False, elsewhere: bool = False
) -> Outcome:
    """The outcome of a row in ``state``.

    ``alive``: the last answer was a query's 2 (edoc-api.md 5). ``unsent``: the query before sending left a doubt and
    the row was never sent, so its outcome is not unknown; it waits for a person (reliability.md P5). ``again``: this is
    a resend that a person authorised; the first request may have been applied, so no result of the second can say that
    the row was not sent. ``elsewhere``: another ledger of this machine sent it, a conflict that a person has to settle.
    """
    word = _word(state, alive=alive, unsent=unsent, elsewhere=elsewhere)
    return Outcome.UNKNOWN if again and word in (Outcome.NOT_SENT, Outcome.HELD, Outcome.CONFLICT) else word


def _word(state: State, *, alive: bool, unsent: bool, elsewhere: bool) -> Outcome:
    if elsewhere and state is State.NOT_SENT:
        return Outcome.CONFLICT
    if unsent and state is State.REVIEW:
        return Outcome.HELD
    if alive and state in (State.PENDING, State.UNKNOWN, State.REVIEW):
        return Outcome.STILL_ALIVE
    return _BY_STATE[state]


SUCCESSES = frozenset({Outcome.CANCELLED, Outcome.ALREADY})
OPEN = frozenset({Outcome.PENDING, Outcome.UNKNOWN, Outcome.STILL_ALIVE})
DONE = SUCCESSES | {Outcome.WITHDRAWN, Outcome.RESOLVED}


WORST_FIRST = (130, 6, 5, 3, 2, 7, 4, 1)
"""Exit codes by priority: of several, the first in this list counts (interface.md 2)."""


def worst(codes: Iterable[int]) -> int:
    """The exit code of a command with several parts; 0 for none."""
    found = set(codes)
    return next((code for code in WORST_FIRST if code in found), 0)


def exit_code(outcomes: Iterable[Outcome]) -> int:
    """0 every row cancelled, 7 some wait for a person's approval, 4 some still open, 1 some need a person
    (interface.md 2).

    A duplicate counts with the outcome of the row that it mirrors: pass that one. A line that is not an invoice does
    not count.
    """
    found = set(outcomes) - {Outcome.NOT_APPLICABLE}
    if Outcome.HELD in found:
        return 7
    if found & OPEN:
        return 4
    return 0 if found <= DONE else 1
