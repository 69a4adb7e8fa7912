"""Reminders (C7): put into the outbox once each, then mailed by the process that looks first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pipeline import notify
from pipeline.certificates.calendar import due_day
from pipeline.certificates.registry import KEY, Registry
from pipeline.domain.certificates import Certificate, Reminder, day_words, reminders, renewal_from, review_words
from pipeline.domain.commands import order
from pipeline.notify import has_recipients
from pipeline.office import outbox
from pipeline.telemetry.events import SILENT, EventBus


@dataclass(frozen=True, slots=True)
class Reminded:
    """What one look brought."""

    #: due today, whether or not they were sent before
    due: list[Reminder]
    #: subjects of what this process sent
    sent: list[str]
    #: sentences about what could not be sent; it is tried again at the next look
    warnings: list[str]


def remind(registry: Registry, now: datetime, bus: EventBus = SILENT) -> Reminded:
    """Sends what is due: reminders, and whatever else about certificates still waits in the outbox.

    However many processes run, each message is sent once. Where the settings name no recipient nothing is put into the
    outbox, so that nothing old is sent on the day on which they do. Raises ``StorageTrouble``.
    """
    settings = registry.settings
    due = due_day(settings.cert_review_days, settings.cert_holidays)
    found = reminders(registry.all(), now, due, settings.cert_remind)
    if has_recipients(settings) and found:
        with registry.writing() as connection:
            for one in found:
                told = message_of(one, now, settings.cert_renew_months)
                outbox.put(connection, one.key, told, profile=settings.profile, now=now)
    registry.sweep(now)
    sent, warnings = deliver(registry, now, bus) if has_recipients(settings) else ([], [])
    return Reminded(found, sent, warnings)


def deliver(registry: Registry, now: datetime, bus: EventBus = SILENT) -> tuple[list[str], list[str]]:
    """Sends every message about certificates that waits: the subjects of those sent, and what went wrong."""
    return notify.deliver(registry.office, registry.settings, KEY, now, bus)


def message_of(one: Reminder, now: datetime, months: int) -> dict[str, object]:
    """Subject, text and data of a reminder, as the outbox keeps them."""
    record = one.certificate
    subject, lines = _of_request(record, one) if one.kind == "solicitud" else _of_end(record, one, now, months)
    lines.append(f"Vea el certificado: {order('certs', 'show', record.id)}")
    data = {"certificate": record.id, "issuer": record.ruc, "kind": one.kind, "day": one.day.isoformat()}
    return {"subject": subject, "lines": lines, "data": data}


def _of_request(record: Certificate, one: Reminder) -> tuple[str, list[str]]:
    asked = f"{record.requested_on:%d/%m/%Y}"
    number = f" {record.request}" if record.request else ""
    return (
        f"Consulte la solicitud de certificado digital de {record.ruc}",
        [
            f"La solicitud{number} del emisor {_named(record)} se hizo el {asked} y no tiene respuesta anotada.",
            f"{review_words(one.day)}: esa fecha ya pasó.",
        ],
    )


def _of_end(record: Certificate, one: Reminder, now: datetime, months: int) -> tuple[str, list[str]]:
    assert record.valid_from is not None
    assert record.valid_until is not None
    opens = renewal_from(record.valid_from, months)
    ended = record.valid_until <= now
    what = "venció" if ended else "vence"
    lines = [f"El certificado digital del emisor {_named(record)} {what} el {one.day:%d/%m/%Y}."]
    if ended:
        lines.append("Haga una nueva solicitud.")
    elif opens <= now:
        lines.append("Ya puede hacer la nueva solicitud.")
    else:
        lines.append(f"La nueva solicitud se abre el {day_words(opens)}.")
    return f"El certificado digital de {record.ruc} {what} el {one.day:%d/%m/%Y}", lines


def _named(record: Certificate) -> str:
    return f"{record.ruc} ({record.holder})" if record.holder else record.ruc
