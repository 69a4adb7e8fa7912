"""Decisions of a person on rows that the program cannot decide: one at a time, with who and why (reliability.md 2.3).

Everything is in the ledger before anything follows from it.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum, StrEnum

from pipeline.domain.cufe import Cufe
from pipeline.domain.deadline import Window, deadline
from pipeline.domain.edoc_states import EDOC_STATES, may_correct
from pipeline.domain.eligibility import Rules, barred
from pipeline.domain.errors import WrongUsage
from pipeline.domain.fields import canonical_email, canonical_reason, email_mistake, reason_doubt, reason_mistake
from pipeline.domain.lifecycle import GIVEN_BACK, MOVES, NOT_ACCEPTED, Event, State
from pipeline.domain.outcomes import PREFLIGHT
from pipeline.domain.problems import problem
from pipeline.domain.records import Correction, Finding
from pipeline.ledger.decisions import RowStatus
from pipeline.ledger.moves import Move, Moved
from pipeline.ledger.store import Store

CODE_LENGTH = 8
"""How many characters of the CUFE a person types to confirm (reliability.md 2.3)."""
WHO, WHY = (2, 100), (5, 500)


class Decision(StrEnum):
    """Finding of a person about a row, outside this program."""

    CANCELLED = "cancelled"
    NOT_CANCELLED = "not-cancelled"


WORDS = {Decision.CANCELLED: "Quedó anulada", Decision.NOT_CANCELLED: "No quedó anulada"}


_NAMES = {"anulada": Decision.CANCELLED, "no-anulada": Decision.NOT_CANCELLED}


def decision_named(text: str) -> Decision:
    """The decision that ``--as`` names, in Spanish or by its code. Raises ``WrongUsage`` for any other word."""
    word = "-".join(text.casefold().replace("-", " ").split())
    known = _NAMES | {one.value: one for one in Decision}
    if word not in known:
        raise WrongUsage(
            "--as debe ser anulada o no-anulada.",
            code="decision",
            remedy="También se entienden cancelled (quedó anulada) y not-cancelled (no quedó anulada).",
        )
    return known[word]


def signed(who: str, why: str) -> tuple[str, str]:
    """Name and reason as they are recorded. Raises ``WrongUsage`` when they would be empty for an auditor."""
    return named(who), _text("--reason", why, *WHY)


def named(who: str) -> str:
    """A name as it is recorded. Raises ``WrongUsage``."""
    return _text("--by", who, *WHO)


def confirmation(cufe: str) -> str:
    """End of the CUFE, which a person types to show that this document is meant."""
    return cufe[-CODE_LENGTH:]


def check_resolvable(row: RowStatus) -> None:
    """Raises ``WrongUsage`` when there is nothing for a person to decide about ``row``."""
    if (row.state, Event.RESOLVED) in MOVES:
        return
    raise WrongUsage(
        f"No hay nada que decidir: la fila está «{row.outcome.value}».",
        code="nothing-to-decide",
        where=str(row.position),
        remedy=_remedy(row.state),
    )


def resolve(store: Store, row: RowStatus, decision: Decision, *, who: str, why: str, now: datetime) -> Moved:
    """Closes ``row`` for ever with a person's decision; who, when and why stand in its event."""
    note = f"{WORDS[decision]} [{decision.value}]. Motivo: {why}"
    move = Move.of(row, row.state, Event.RESOLVED, now, note=note, who=who)
    return store.apply([move])[0]


def check_withdrawable(row: RowStatus) -> None:
    """Raises ``WrongUsage`` when ``row`` cannot be taken back: only what was never claimed can (reliability.md 2.2)."""
    if (row.state, Event.WITHDRAWN) in MOVES and not row.resend:
        return
    sent = row.state not in (State.NOT_SENT, State.REFUSED_AUTH) or row.resend
    raise WrongUsage(
        f"Esta fila no se puede retirar: está «{row.outcome.value}».",
        code="not-withdrawable",
        where=str(row.position),
        remedy="Solo se retira lo que nunca se intentó enviar." if sent else _remedy(row.state),
    )


def withdraw(store: Store, row: RowStatus, *, who: str, why: str, now: datetime) -> Moved:
    """Takes ``row`` back before it was ever sent; its CUFE is free for another file. Who, when and why stand in its
    event."""
    note = f"Retirada antes de enviarla [withdrawn]. Motivo: {why}"
    move = Move.of(row, row.state, Event.WITHDRAWN, now, note=note, who=who)
    return store.apply([move])[0]


class Before(Enum):
    """Meaning of the query before a resend (reliability.md 2.5)."""

    CANCELLED = "cancelled"  # done: nothing is sent
    IN_FLIGHT = "in-flight"  # something is on its way: nothing is added to it
    ALIVE = "alive"  # the invoice is there and not cancelled
    DOUBT = "doubt"  # anything else: the person sees the doubt before confirming


def read_before(finding: Finding, state: State) -> Before:
    """What ``finding``, the answer to the query before a resend, means for a row in ``state``. Of one that eDoc had in
    progress no doubt is enough to send it again (reliability.md P6)."""
    if finding.event in (Event.CANCELLED, Event.ALREADY):
        return Before.CANCELLED
    if finding.event is Event.ALIVE:
        return Before.ALIVE
    return Before.IN_FLIGHT if finding.event is Event.IN_PROGRESS or state is State.PENDING else Before.DOUBT


def in_flight_words(finding: Finding) -> str:
    """Why a row that is ``Before.IN_FLIGHT`` is not sent again, in Spanish."""
    if finding.event is Event.IN_PROGRESS:
        return "eDoc aún la tiene en trámite"
    return f"eDoc la tenía en trámite y ahora no aclara qué pasó con ella ({answer_words(finding)})"


def answer_words(finding: Finding) -> str:
    """The answer to a query in a few Spanish words."""
    if finding.estado is not None:
        known = EDOC_STATES.get(finding.estado)
        return f"{finding.estado}, {known.meaning if known else 'estado desconocido'}"
    http = f"HTTP {finding.http}" if finding.http is not None else "no respondió"
    return f"sin respuesta clara ({http}{', ' + finding.note if finding.note else ''})"


def interrupted_resend(row: RowStatus) -> bool:
    """Whether a person authorised this very sending before and it was cut off before it could leave."""
    return row.resend and row.state is State.READY


def check_resendable(row: RowStatus) -> None:
    """Raises ``WrongUsage`` when ``row`` is not one that a person may have sent again."""
    if (row.state, Event.RESEND) in MOVES or interrupted_resend(row):
        return
    raise WrongUsage(
        f"Esta fila no se puede reenviar: está «{row.outcome.value}».",
        code="not-resendable",
        where=str(row.position),
        remedy=_ELSEWHERE if row.elsewhere else _remedy(row.state),
    )


DOUBT = "Aviso"
"""Name of the fact that says what is doubtful about a corrected text."""


def is_correctable(row: RowStatus) -> bool:
    """Whether a resend of ``row`` may have another reason or address: it was given back, and no resend is under way."""
    return row.state in GIVEN_BACK and not interrupted_resend(row)


def correction_of(row: RowStatus, reason: str | None, email: str | None) -> Correction | None:
    """What a resend of ``row`` sends instead of its texts now; None when nothing is given. ``email`` "": no address.

    Raises ``WrongUsage`` for a row that was not given back, for a text that the input may not have either, and when
    nothing would be different.
    """
    if reason is None and email is None:
        return None
    before = Correction(row.reason, row.email)
    after = Correction(
        before.reason if reason is None else canonical_reason(reason),
        before.email if email is None else canonical_email(email) or None,
    )
    for option, wrong in (
        ("--new-reason", reason_mistake(after.reason)),
        ("--new-email", email_mistake(after.email or "")),
    ):
        if wrong is not None and (reason if option == "--new-reason" else email) is not None:
            found = problem(wrong.code, cell="", column="", value="", **wrong.words)
            raise WrongUsage(f"{option}: {found.message}", code=wrong.code, where=str(row.position))
    if interrupted_resend(row):
        if after == before:
            return None
        raise WrongUsage(
            "El reenvío de esta fila ya se autorizó, con otro motivo o correo, y todavía no salió.",
            code="already-authorised",
            where=str(row.position),
            remedy="Repita el comando sin --new-reason ni --new-email para enviarla como se autorizó.",
        )
    if row.state not in GIVEN_BACK:
        raise WrongUsage(
            f"Solo se corrige el motivo o el correo de una fila DEVUELTA: esta está «{row.outcome.value}».",
            code="not-correctable",
            where=str(row.position),
            remedy="Para reenviarla tal como está, repita el comando sin --new-reason ni --new-email.",
        )
    if after == before:
        raise WrongUsage(
            "El motivo y el correo son los mismos que ya se enviaron.",
            code="nothing-corrected",
            where=str(row.position),
        )
    return after


def correction_facts(row: RowStatus, correction: Correction | None) -> list[tuple[str, str]]:
    """What a person sees of ``correction`` before confirming it: only what changes, and a doubt about it."""
    if correction is None:
        return []
    told = []
    if correction.reason != row.reason:
        told.append(("Motivo nuevo", correction.reason))
        if doubt := reason_doubt(correction.reason):
            told.append((DOUBT, problem(doubt.code, cell="", column="", value="", **doubt.words).message))
    if correction.email != row.email:
        told += [("Correo de antes", row.email or "ninguno"), ("Correo nuevo", correction.email or "ninguno")]
    return told


def check_not_accepted(row: RowStatus, finding: Finding) -> None:
    """Raises ``WrongUsage`` when the answer to the query before a corrected resend does not show that the first request
    was not accepted (reliability.md R12)."""
    if finding.event in NOT_ACCEPTED and may_correct(row.state, Event.RESEND, finding.estado, finding.dgi):
        return
    raise WrongUsage(
        f"eDoc no confirma que la anulación se devolvió ({answer_words(finding)}): no se reenvía con otros datos.",
        code="not-given-back",
        where=str(row.position),
        remedy="Vuelva a intentarlo más tarde, o verifique la factura en el portal de la DGI.",
    )


def check_allowed(row: RowStatus, rules: Rules, now: datetime) -> None:
    """Raises ``WrongUsage`` when today's rules do not let ``row`` be sent, by whatever decision."""
    if why := barred(rules, row.cufe, now):
        raise WrongUsage(
            f"Las reglas de hoy no permiten enviar esta fila: {why}", code="rules-of-today", where=str(row.position)
        )


def is_late(row: RowStatus, now: datetime, hours: int) -> bool:
    """Whether the legal deadline of ``row`` has passed for certain (domain.md 4)."""
    return deadline(Cufe.parse(row.cufe, allow_bad_check_digit=True).issued_on, now, hours).window is Window.LATE


def found_cancelled(store: Store, row: RowStatus, finding: Finding, now: datetime) -> Moved:
    """The query before the resend proved the cancellation: recorded with its evidence, and nothing is sent."""
    move = Move.of(row, row.state, finding.event, now, finding, PREFLIGHT)
    return store.apply([move])[0]


def authorise(
    store: Store,
    row: RowStatus,
    finding: Finding,
    *,
    who: str,
    why: str,
    now: datetime,
    correction: Correction | None = None,
) -> int:
    """Closes the old attempt and adds the next one in one transaction; the new attempt's id.

    The answer of the query stands in the same event: it is what the person agreed to. So does ``correction``.
    """
    if interrupted_resend(row):
        return row.attempt
    note = f"Reenvío autorizado [resend]; consulta previa: {answer_words(finding)}. Motivo: {why}"
    wish = Move.of(row, row.state, Event.RESEND, now, finding, note, who=who, retry=True, correction=correction)
    following = store.apply([wish])[0].next_attempt
    assert following is not None, "asked for with retry"
    return following


_ELSEWHERE = (
    "Ya se envió: consta en otro historial de envíos de este equipo. "
    "Si se debe enviar igual: run con --known-elsewhere."
)


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
