"""Certificates as people and programs are shown them: a line of words, and the record as JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime

from pipeline.certificates.registry import LogLine
from pipeline.domain.certificates import Certificate, State, day_words, is_active, last_day, review_words, state_of

Due = Callable[[date], date]
"""C1: the day of a request -> the day on which its state has to be asked for (``calendar.due_day``)."""


def what_now(one: Certificate, now: datetime, due: Due) -> str:
    """What a person does about a record now; the words of C1 to C5."""
    state = state_of(one, now)
    if state is State.IN_PROCESS and one.requested_on is not None:
        return review_words(due(one.requested_on))
    if state is State.IN_PROCESS:
        return "Consulte el estado de la solicitud"
    if state is State.ACCEPTED:
        return "Anote las fechas cuando el certificado esté listo"
    if state is State.REJECTED:
        return f"Corrija y envíe otra vez: {one.observations}"
    assert one.valid_until is not None, "it has an end"
    if state is State.EXPIRED:
        return f"Venció el {day_words(one.valid_until)}: haga una nueva solicitud"
    if one.valid_from is not None and not is_active(one, now):
        return f"Vale desde el {day_words(one.valid_from)} hasta el {last_day(one.valid_until):%d/%m/%Y}"
    return f"Vigente hasta el {last_day(one.valid_until):%d/%m/%Y}"


def record_data(one: Certificate, now: datetime, due: Due) -> dict[str, object]:
    """``--json`` form of a record."""
    waits = state_of(one, now) is State.IN_PROCESS and one.requested_on is not None
    return {
        "id": one.id,
        "version": one.version,
        "issuer": one.ruc,
        "state": state_of(one, now).value,
        "what_now": what_now(one, now, due),
        "holder": one.holder,
        "authority": one.authority,
        "request": one.request,
        "requested_on": one.requested_on.isoformat() if one.requested_on is not None else None,
        "due": due(one.requested_on).isoformat() if waits and one.requested_on is not None else None,
        "mail": one.mail,
        "observations": one.observations,
        "valid_from": one.valid_from.isoformat() if one.valid_from is not None else None,
        "valid_until": one.valid_until.isoformat() if one.valid_until is not None else None,
        "serial": one.serial,
        "fingerprint": one.fingerprint,
        "source": one.source,
    }


def log_data(log: Sequence[LogLine]) -> list[dict[str, object]]:
    """``--json`` form of the events of a record."""
    return [
        {
            "at": line.at.isoformat(),
            "who": line.who,
            "event": line.event,
            "before": line.before or None,
            "after": line.after,
            "why": line.why,
            "changed": dict(line.data),
        }
        for line in log
    ]
