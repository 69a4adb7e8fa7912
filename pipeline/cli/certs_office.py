"""What the commands of certificates share: the registry of a company, the days, and a record on a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.context import Talk, local_time, observation_of

if TYPE_CHECKING:
    from pipeline.certificates.registry import Registry
    from pipeline.certificates.shown import Due
    from pipeline.domain.certificates import Certificate
    from pipeline.settings.model import Settings

Id = Annotated[int, typer.Argument(metavar="NÚMERO", help="El certificado, con el número que muestra «certs list».")]


def now_of(settings: Settings) -> datetime:
    from pipeline.wiring.rules import make_clock

    return make_clock(settings).now()


def day_of(now: datetime) -> date:
    from pipeline.domain.deadline import PANAMA

    return now.astimezone(PANAMA).date()


def due_days(settings: Settings) -> Due:
    from pipeline.certificates.calendar import due_day

    return due_day(settings.cert_review_days, settings.cert_holidays)


@contextmanager
def opened_registry(settings: Settings) -> Iterator[Registry]:
    from pipeline.certificates.registry import Registry
    from pipeline.ledger.ownership import who_am_i
    from pipeline.wiring.office import opened_office

    with opened_office(settings) as office:
        yield Registry(office, settings, who_am_i())


def registry_of(settings: Settings, certificate: int) -> AbstractContextManager[Registry]:
    """The same for a record that there should be: without an office database there is none."""
    from pipeline.certificates.registry import missing

    if not there_is_one(settings):
        raise missing(certificate)
    return opened_registry(settings)


def there_is_one(settings: Settings) -> bool:
    from pipeline.wiring.office import office_exists

    return office_exists(settings)


def known(settings: Settings) -> list[Certificate]:
    """Every record; none where there is no office database, which is not made for a look."""
    if not there_is_one(settings):
        return []
    with opened_registry(settings) as registry:
        return registry.all()


def tell(registry: Registry, talk: Talk, context: typer.Context, now: datetime) -> None:
    """Sends at once what was just put into the outbox."""
    from pipeline.certificates.reminders import deliver
    from pipeline.notify import has_recipients

    if has_recipients(registry.settings):
        for warning in deliver(registry, now, observation_of(context).bus(registry.settings, "certs"))[1]:
            talk.progress.warn(warning)


def done_with(talk: Talk, one: Certificate, settings: Settings, now: datetime) -> int:
    from pipeline.certificates.shown import record_data

    due = due_days(settings)
    talk.data(record_data(one, now, due))
    show(talk, one, now, due)
    return 0


def show(talk: Talk, one: Certificate, now: datetime, due: Due) -> None:
    from pipeline.certificates.shown import what_now
    from pipeline.cli import console
    from pipeline.domain.certificates import state_of

    asked = f"{one.requested_on:%d/%m/%Y}" if one.requested_on is not None else ""
    facts = [
        ("Emisor", one.ruc),
        ("Estado", f"{state_of(one, now)} · {what_now(one, now, due)}"),
        ("Titular", one.holder),
        ("Entidad", one.authority),
        ("Solicitud", " del ".join(part for part in (one.request, asked) if part)),
        ("Correo", one.mail),
        ("Vigente desde", local_time(one.valid_from) if one.valid_from is not None else ""),
        ("Vigente hasta", local_time(one.valid_until) if one.valid_until is not None else ""),
        ("Observaciones", one.observations),
        ("Número de serie", one.serial),
    ]
    console.facts(talk.out, f"Certificado {one.id}", [(name, value) for name, value in facts if value])


def named(one: Certificate) -> list[str]:
    return [one.holder] if one.holder else []
