"""Certificates: the states of an issuer's digital certificate, and the rules C1 to C8 (certificates.md 2).

A record is one request and what became of it. Now, today and the free days are passed in. The rules return what is so,
or raise ``WrongUsage`` in the words of a person who typed something that cannot be.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import MAXYEAR, date, datetime, time, timedelta
from enum import StrEnum

from pipeline.domain.commands import order
from pipeline.domain.deadline import PANAMA
from pipeline.domain.errors import WrongUsage
from pipeline.domain.fields import email_mistake
from pipeline.domain.problems import shorten
from pipeline.domain.ruc import bare, has_known_shape

AUTHORITY = "Dirección Nacional de Firma Electrónica"
"""Suggestion for who issues the certificate."""
REVIEW_DAYS, RENEW_MONTHS = 8, 11
REMIND = (60, 30, 7)
LEAST_WORDS = 5
"""Characters of observations and reasons, at least."""
LONGEST, LONGEST_WORDS = 200, 1000
"""Characters of a text and of observations, at most."""


class State(StrEnum):
    """State of a record; the value is the word that the provider's own page uses."""

    IN_PROCESS = "En trámite"
    ACCEPTED = "Aceptado"
    REJECTED = "Rechazado"
    COMPLETE = "Completado"
    EXPIRED = "Vencido"


class Event(StrEnum):
    """What happened to a record, as its log names it."""

    REQUESTED = "solicitada"
    ACCEPTED = "aceptada"
    REJECTED = "rechazada"
    READY = "lista"
    EDITED = "editada"
    ENDED = "terminada"  # revoked or replaced, by a person
    RAN_OUT = "vencida"  # its end has passed: the clock, not a person
    IMPORTED = "importada"


MOVES: dict[tuple[State | None, Event], State] = {
    (None, Event.REQUESTED): State.IN_PROCESS,
    (State.REJECTED, Event.REQUESTED): State.IN_PROCESS,
    (State.IN_PROCESS, Event.ACCEPTED): State.ACCEPTED,
    (State.IN_PROCESS, Event.REJECTED): State.REJECTED,
    (State.ACCEPTED, Event.REJECTED): State.REJECTED,
    (State.IN_PROCESS, Event.READY): State.COMPLETE,
    (State.ACCEPTED, Event.READY): State.COMPLETE,
    (State.IN_PROCESS, Event.EDITED): State.IN_PROCESS,
    (State.ACCEPTED, Event.EDITED): State.ACCEPTED,
    (State.COMPLETE, Event.EDITED): State.COMPLETE,
    (State.COMPLETE, Event.ENDED): State.EXPIRED,
    (State.COMPLETE, Event.RAN_OUT): State.EXPIRED,
}
"""Every move there is; ``EXPIRED`` has none."""

OPEN = frozenset({State.IN_PROCESS, State.ACCEPTED})
"""A request under way: at most one of an issuer (C6)."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """Record of one request."""

    #: of its row; 0 before it is kept
    id: int
    #: grows with each event
    version: int
    #: of the issuer, as it was typed
    ruc: str
    #: as it was recorded; ``state_of`` says what it is now
    state: State
    holder: str = ""
    authority: str = AUTHORITY
    #: number of the request
    request: str = ""
    requested_on: date | None = None
    #: address of the request
    mail: str = ""
    observations: str = ""
    #: aware
    valid_from: datetime | None = None
    #: aware
    valid_until: datetime | None = None
    #: of the certificate, hexadecimal; known when its dates were read from a file
    serial: str = ""
    #: SHA-256 of the certificate, hexadecimal
    fingerprint: str = ""
    #: ``a mano``, ``archivo``, ``CSV``
    source: str = "a mano"


def moved(state: State | None, event: Event) -> State:
    """State after ``event``. Raises ``WrongUsage`` for a move that there is not."""
    found = MOVES.get((state, event))
    if found is None:
        now = f"está «{state}»" if state is not None else "no existe"
        raise WrongUsage(
            f"El certificado {now}: no puede quedar como «{event}».",
            code="certificado-estado",
            remedy=_NEXT[state] if state is not None else "Registre una solicitud.",
        )
    return found


_NEXT = {
    State.IN_PROCESS: "Puede ser aceptada, rechazada o quedar lista; sus datos se pueden corregir.",
    State.ACCEPTED: "Puede ser rechazada o quedar lista; sus datos se pueden corregir.",
    State.REJECTED: "Corrija lo que dicen las observaciones y envíe la solicitud otra vez.",
    State.COMPLETE: "Se puede corregir mientras está vigente, o darse por terminado con un motivo.",
    State.EXPIRED: "No cambia más: haga una nueva solicitud.",
}


def state_of(one: Certificate, now: datetime) -> State:
    """State at ``now``: what is complete has ended when its end has passed, whether or not that is written yet."""
    if one.state is State.COMPLETE and one.valid_until is not None and one.valid_until <= now:
        return State.EXPIRED
    return one.state


def is_active(one: Certificate, now: datetime) -> bool:
    """Whether it may be used at ``now``: from <= now < until."""
    if one.state is not State.COMPLETE or one.valid_from is None or one.valid_until is None:
        return False
    return one.valid_from <= now < one.valid_until


# --- C1: the day on which a request has to be looked after


def due_on(requested_on: date, free: Collection[date], days: int = REVIEW_DAYS) -> date:
    """C1: the day that is ``days`` working days after a request. ``free`` are days without work besides weekends."""
    day, left = requested_on, days
    while left:
        day += timedelta(days=1)
        if day.weekday() < 5 and day not in free:
            left -= 1
    return day


def review_words(due: date) -> str:
    """C1, for who waits."""
    return f"Consulte el estado a más tardar el {due:%d/%m/%Y}"


# --- what any record needs


def check_record(one: Certificate, today: date) -> None:
    """Raises ``WrongUsage`` for a RUC, a mail address, a day or a text that cannot be."""
    if not has_known_shape(bare(one.ruc)):
        raise WrongUsage(f"«{shorten(one.ruc, 40)}» no tiene la forma de un RUC.", code="certificado-ruc-forma")
    if one.mail and email_mistake(one.mail) is not None:
        raise WrongUsage(f"«{shorten(one.mail, 60)}» no es una dirección de correo.", code="certificado-correo")
    if one.requested_on is not None and one.requested_on > today:
        raise WrongUsage(
            f"La solicitud no puede ser de una fecha que todavía no llega ({one.requested_on:%d/%m/%Y}).",
            code="certificado-fecha-solicitud",
        )
    texts = (one.holder, one.authority, one.request, one.mail)
    if any(len(text) > LONGEST for text in texts) or len(one.observations) > LONGEST_WORDS:
        raise WrongUsage(
            f"Un dato es demasiado largo: admite {LONGEST} caracteres, y las observaciones {LONGEST_WORDS}.",
            code="certificado-largo",
        )


# --- C2, C3, C4: what an event needs


def check_rejection(observations: str) -> None:
    """C2: a rejection says what to correct. Raises ``WrongUsage``."""
    if len(observations.strip()) < LEAST_WORDS:
        raise WrongUsage(
            "Un rechazo necesita las observaciones: qué se debe corregir.",
            code="certificado-observaciones",
            remedy="Agregue --observations con lo que dice la respuesta.",
        )


def check_validity(since: datetime | None, until: datetime | None, now: datetime) -> None:
    """C3: a certificate that is ready has a start and an end, in this order, and its end is still to come. Raises
    ``WrongUsage``."""
    if since is None or until is None:
        raise WrongUsage(
            "Faltan las fechas del certificado: desde cuándo y hasta cuándo vale.",
            code="certificado-fechas",
            remedy="Indique el archivo del certificado con --file, o --from y --until.",
        )
    if until <= since:
        raise WrongUsage(
            f"El certificado terminaría ({day_words(until)}) antes de comenzar ({day_words(since)}).",
            code="certificado-fechas",
            remedy="Revise las dos fechas: día/mes/año.",
        )
    if until <= now:
        raise WrongUsage(
            f"El certificado ya venció el {day_words(until)}.",
            code="certificado-fechas",
            remedy="Revise la fecha o el archivo; si es correcto, haga una nueva solicitud.",
        )


def check_subject(ruc: str, others: Sequence[str], *, confirmed: bool) -> None:
    """C3: a RUC in the certificate's subject is the issuer's, unless a person ``confirmed`` that it is right. Raises
    ``WrongUsage``."""
    if confirmed or not others or bare(ruc) in {bare(other) for other in others}:
        return
    raise WrongUsage(
        f"El certificado dice el RUC {', '.join(others)}, y el emisor es {ruc}.",
        code="certificado-ruc",
        remedy="Revise que el archivo sea el de este emisor; si lo es, agregue --confirm-ruc.",
    )


def check_editable(one: Certificate, now: datetime) -> None:
    """C4: a certificate is edited only while it is active, and a request while it is under way. Raises
    ``WrongUsage``."""
    if is_active(one, now) or one.state in OPEN:
        return
    assert one.valid_from is not None, "what is complete has dates"
    when = f"vale desde el {day_words(one.valid_from)}" if one.valid_from > now else ran_out_words(one)
    raise WrongUsage(
        f"El certificado {one.id} no está vigente ({when}): no se puede corregir.",
        code="certificado-no-vigente",
    )


def check_correction(one: Certificate, values: Collection[str], *, dates: bool) -> None:
    """C4: what of ``one`` may be corrected: a request has no dates yet, and a certificate keeps its issuer and the day
    of its request. Raises ``WrongUsage``."""
    under_way = one.state in OPEN
    if under_way and dates:
        raise WrongUsage(
            f"La solicitud {one.id} está «{one.state}» y todavía no tiene fechas de vigencia.",
            code="certificado-opcion",
            remedy="Si ya está listo el certificado, agregue --state completado.",
        )
    if not under_way and {"ruc", "requested_on"} & set(values):
        raise WrongUsage(
            f"El certificado {one.id} está «{one.state}»: el RUC y el día de la solicitud ya no se corrigen.",
            code="certificado-opcion",
        )


def check_reason(reason: str) -> None:
    """C4: who ends a certificate before its time says why. Raises ``WrongUsage``."""
    if len(reason.strip()) < LEAST_WORDS:
        raise WrongUsage(
            "Falta el motivo por el que el certificado dejó de valer (revocado, reemplazado).",
            code="certificado-motivo",
            remedy="Agregue --reason con el motivo.",
        )


# --- C5, C6: when there may be another request


def renewal_from(since: datetime, months: int = RENEW_MONTHS) -> datetime:
    """C5: when a new request opens for a certificate that began ``since``: as many calendar months later."""
    local = since.astimezone(PANAMA)
    count = local.month - 1 + months
    year, month = local.year + count // 12, count % 12 + 1
    last = (date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)).day
    return local.replace(year=year, month=month, day=min(local.day, last))


def check_request(ruc: str, records: Iterable[Certificate], now: datetime, months: int = RENEW_MONTHS) -> None:
    """C5 and C6: whether there may be a new request of an issuer with these ``records``; else the error leads to the
    record that exists. Raises ``WrongUsage``."""
    mine = of_issuer(ruc, records)
    for one in mine:
        if one.state in OPEN:
            raise WrongUsage(
                f"El emisor {one.ruc} ya tiene una solicitud en curso: el certificado {one.id}, {one.state}.",
                code="certificado-en-curso",
                remedy=f"Siga esa: {order('certs', 'show', one.id)}",
            )
    for one in mine:
        if is_active(one, now) and one.valid_from is not None and now < renewal_from(one.valid_from, months):
            assert one.valid_until is not None, "what is active has an end"
            opens = day_words(renewal_from(one.valid_from, months))
            raise WrongUsage(
                f"Su certificado está vigente hasta el {day_words(one.valid_until)}. Una nueva solicitud se abre el "
                f"{opens}.",
                code="certificado-vigente",
                remedy=f"Siga el trámite aquí: {order('certs', 'show', one.id)}",
            )


def of_issuer(ruc: str, records: Iterable[Certificate]) -> list[Certificate]:
    """Records of one issuer, however its RUC was typed."""
    return [one for one in records if bare(one.ruc) == bare(ruc)]


def the_one(records: Iterable[Certificate], now: datetime) -> Certificate | None:
    """*The* certificate of an issuer's ``records``: of those that are complete the one that ends last; without one, of
    those that have ended the last; without any, the newest request. None for no record."""
    told = list(records)

    def rank(one: Certificate) -> tuple[int, float, int]:
        ends = one.valid_until.timestamp() if one.valid_until is not None else 0.0
        kind = {State.COMPLETE: 2, State.EXPIRED: 1}.get(state_of(one, now), 0)
        return kind, ends if kind else 0.0, one.id

    return max(told, key=rank, default=None)


# --- C7: reminders


@dataclass(frozen=True, slots=True)
class Reminder:
    """Reminder that is due; its key makes it one."""

    certificate: Certificate
    #: the same for the same reminder: what keeps it from being told twice
    key: str
    #: what it is about: ``fin`` or ``solicitud``
    kind: str
    #: of the end of the certificate, or of C1
    day: date


def reminders(
    records: Sequence[Certificate],
    now: datetime,
    due: Callable[[date], date],
    days: Collection[int] = REMIND,
) -> list[Reminder]:
    """C7: the reminders that are due at ``now``, for each issuer those of *the* certificate and of its open request.

    ``days`` before the end, and on its day: the nearest of them that has come, so that a week without a look does not
    bring three mails at once. ``due`` is the day of C1 for the day of a request.
    """
    found, today = [], now.astimezone(PANAMA).date()
    for ruc in dict.fromkeys(bare(one.ruc) for one in records):
        mine = of_issuer(ruc, records)
        one = the_one(mine, now)
        if one is not None and one.state is State.COMPLETE and one.valid_until is not None:
            last = last_day(one.valid_until)
            come = [day for day in {0, *days} if (last - today).days <= day]
            if come:
                found.append(Reminder(one, f"certificado:{one.id}:{last}:{min(come)}", "fin", last))
        for request in mine:
            if request.state is State.IN_PROCESS and request.requested_on is not None:
                day = due(request.requested_on)
                if day < today:
                    key = f"certificado:{request.id}:solicitud:{request.requested_on}"
                    found.append(Reminder(request, key, "solicitud", day))
    return found


# --- C8: before a run


@dataclass(frozen=True, slots=True)
class Finding:
    """What a run should know about the certificate of one of its issuers."""

    #: RUC
    issuer: str
    #: ``certificado-vencido``, ``certificado-por-vencer``, ``certificado-incompleto``, ``certificado-sin-registro``
    code: str
    words: str

    @property
    def blocks(self) -> bool:
        """Whether the policy ``block`` refuses the run: never for an issuer without any record."""
        return self.code != NO_RECORD


NO_RECORD = "certificado-sin-registro"


def findings(issuers: Iterable[str], records: Sequence[Certificate], now: datetime, until: datetime) -> list[Finding]:
    """C8: what is to be said of the ``issuers`` of a batch that ends at ``until`` by estimate.

    ``records`` are all of this company: one that never registered a certificate hears nothing.
    """
    found = []
    for issuer in issuers if records else ():
        mine = of_issuer(issuer, records)
        one = the_one(mine, now)
        if one is None:
            words = f"El emisor {issuer} no tiene un certificado registrado aquí."
            found.append(Finding(issuer, NO_RECORD, words))
        elif (told := _unusable(mine, one, now, until)) is not None:
            found.append(Finding(issuer, told[0], f"Emisor {issuer}: {told[1]}"))
    return found


def _unusable(mine: Sequence[Certificate], one: Certificate, now: datetime, until: datetime) -> tuple[str, str] | None:
    state = state_of(one, now)
    if state is State.EXPIRED:
        return "certificado-vencido", f"{ran_out_words(one)}: haga una nueva solicitud."
    if state is not State.COMPLETE:
        return "certificado-incompleto", f"su certificado todavía no está completado: está {state}."
    assert one.valid_from is not None
    assert one.valid_until is not None
    if one.valid_from > now and not any(is_active(other, now) for other in mine):
        return "certificado-incompleto", f"su certificado vale desde el {day_words(one.valid_from)}."
    if one.valid_until <= until:
        words = f"su certificado vence el {moment_words(one.valid_until)}, antes de que termine este lote"
        return "certificado-por-vencer", f"{words} ({moment_words(until)})."
    return None


# --- words and days


def ran_out_words(one: Certificate) -> str:
    """``el certificado venció el 12/11/2026``: what a person ended before its time has that moment as its end."""
    assert one.valid_until is not None, "what has ended has an end"
    return f"el certificado venció el {day_words(one.valid_until)}"


def day_words(moment: datetime) -> str:
    """``12/11/2026``, in Panama."""
    return f"{moment.astimezone(PANAMA):%d/%m/%Y}"


def moment_words(moment: datetime) -> str:
    """``12/11/2026 14:30``, in Panama."""
    return f"{moment.astimezone(PANAMA):%d/%m/%Y %H:%M}"


def last_day(until: datetime) -> date:
    """The last day on which a certificate that ends at ``until`` is of use: one that ends at midnight, the day
    before."""
    return (until - timedelta(seconds=1)).astimezone(PANAMA).date()


def day_in(text: str) -> date | None:
    """Day that a person typed: ``12/11/2026`` or ``2026-11-12``; None for anything else, and at the two ends of the
    calendar, where a day's end in Panama is no moment any more."""
    text = text.strip()
    if found := re.fullmatch(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})", text, re.ASCII):
        day, month, year = (int(part) for part in found.groups())
    elif found := re.fullmatch(r"(\d{4})-(\d{2})-(\d{2})", text, re.ASCII):
        year, month, day = (int(part) for part in found.groups())
    else:
        return None
    try:
        return date(year, month, day) if 1 < year < MAXYEAR else None
    except ValueError:
        return None


def start_of(day: date) -> datetime:
    """When a certificate begins whose first day was typed."""
    return datetime.combine(day, time(), PANAMA)


def end_of(day: date) -> datetime:
    """When a certificate ends whose last day was typed: with that day."""
    return datetime.combine(day, time(23, 59, 59), PANAMA)
