"""What people decide about a row that no machine can decide: one row at a time, with who and why (reliability.md 2.3).

Everything is in the ledger before anything follows from it.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pipeline.domain.errors import WrongUsage
from pipeline.domain.lifecycle import MOVES, Event, State
from pipeline.domain.outcomes import outcome
from pipeline.ledger.decisions import Standing
from pipeline.ledger.store import Move, Moved, Store

CODE_LENGTH = 8
"""How many characters of the CUFE a person types to confirm (reliability.md 2.3)."""
WHO, WHY = (2, 100), (5, 500)


class Decision(StrEnum):
    """What a person found out about a row, outside this program."""

    CANCELLED = "cancelled"
    NOT_CANCELLED = "not-cancelled"


WORDS = {Decision.CANCELLED: "Quedó anulada", Decision.NOT_CANCELLED: "No quedó anulada"}


def signed(who: str, why: str) -> tuple[str, str]:
    """Name and reason as they are recorded. Raises ``WrongUsage`` when they would tell an auditor nothing."""
    return _text("--by", who, *WHO), _text("--reason", why, *WHY)


def confirmation(cufe: str) -> str:
    """What a person types to show that this very document is meant."""
    return cufe[-CODE_LENGTH:]


def check_resolvable(row: Standing) -> None:
    """Raises ``WrongUsage`` when there is nothing for a person to decide about ``row``."""
    if (row.state, Event.RESOLVED) in MOVES:
        return
    raise WrongUsage(
        f"No hay nada que decidir: la fila está «{outcome(row.state).value}».",
        code="nothing-to-decide",
        where=str(row.position),
        remedy=_remedy(row.state),
    )


def resolve(store: Store, row: Standing, decision: Decision, *, who: str, why: str, now: datetime) -> Moved:
    """Closes ``row`` for ever with a person's decision; who, when and why stand in its event."""
    note = f"{WORDS[decision]} [{decision.value}]. Motivo: {why}"
    move = Move(row.attempt, row.version, row.batch, row.pos, row.state, Event.RESOLVED, now, note=note, who=who)
    return store.apply([move])[0]


def _remedy(state: State) -> str:
    if state in (State.READY, State.NOT_SENT, State.REFUSED_AUTH):
        return "No se envió: ejecute otra vez el mismo archivo para enviarla."
    if state is State.HELD:
        return "No se envió: espera una aprobación."
    return "Su resultado es definitivo."


def _text(option: str, value: str, least: int, most: int) -> str:
    text = " ".join(value.split())
    if not least <= len(text) <= most or not text.isprintable():
        raise WrongUsage(f"{option}: escriba de {least} a {most} caracteres, sin caracteres de control.", code="signed")
    return text
