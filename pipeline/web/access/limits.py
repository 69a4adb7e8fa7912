"""Limits of what may be tried: how often, in how long. Who tried is kept as an HMAC, what was typed not at all."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction

from pipeline.web import audit
from pipeline.web.models import Attempt
from pipeline.web.site import site


@dataclass(frozen=True)
class Limit:
    """At most ``most`` within ``within``."""

    most: int
    within: timedelta


LIMITS = {
    "entrar-usuario": Limit(5, timedelta(minutes=5)),
    "entrar-direccion": Limit(10, timedelta(minutes=1)),
    "factor": Limit(5, timedelta(minutes=5)),
    "confirmar": Limit(5, timedelta(minutes=5)),
    "olvido": Limit(5, timedelta(hours=1)),
    "correo": Limit(3, timedelta(hours=1)),
    "solicitud": Limit(5, timedelta(hours=1)),
    "enlace": Limit(30, timedelta(minutes=5)),
    "llave": Limit(20, timedelta(minutes=1)),
    "buscar": Limit(60, timedelta(minutes=1)),
    "previa": Limit(30, timedelta(minutes=10)),
}
"""What is limited. Failures count for the first four, every try for the others."""
PEOPLE = 5
"""How many people at their limit may work behind one address, where it is known who they are."""
ALERT_AT = 20
KEPT = timedelta(hours=2)


def take(kind: str, who: str, address: str = "") -> int:
    """Number of one more try of ``who``, which is counted; 0 when it is not allowed. One that is refused is not
    counted, so that a limit ends by itself. With an ``address`` it counts as one more from there too."""
    limit, now = LIMITS[kind], site().now()
    most = {mark(kind, who): limit.most} | ({mark(kind, address): limit.most * PEOPLE} if address else {})
    with transaction.atomic():
        for key, many in most.items():
            since = Attempt.objects.filter(kind=kind, key=key, at__gt=now - limit.within, at__lte=now)
            if since.count() >= many:
                return 0
        made = Attempt.objects.bulk_create([Attempt(kind=kind, key=key, at=now) for key in most])
        Attempt.objects.filter(at__lt=now - KEPT).delete()
    return int(made[0].pk)


def take_back(number: int) -> None:
    """Forgets this try: it was no failure. Others of the same address, at the same time too, stay counted."""
    Attempt.objects.filter(pk=number).delete()


def count(kind: str, who: str) -> None:
    """Counts something that is watched and not limited."""
    Attempt.objects.create(kind=kind, key=mark(kind, who), at=site().now())


def give_back(kind: str, who: str) -> None:
    """Forgets the tries of a person: one succeeded, or an administrator unlocked them."""
    Attempt.objects.filter(kind=kind, key=mark(kind, who)).delete()


def in_an_hour(kind: str, who: str) -> int:
    """Counted tries of the last hour."""
    now = site().now()
    return int(Attempt.objects.filter(kind=kind, key=mark(kind, who), at__gt=now - timedelta(hours=1)).count())


def by_address(request: Any, kind: str, who: str = "") -> bool:
    """Whether one more try from the address of ``request``, or of ``who`` from there, is allowed; a refusal is in the
    log of accesses."""
    address = audit.address_of(request)
    if take(kind, who, address) if who else take(kind, address):
        return True
    audit.note(request, "limite", ok=False, about=kind)
    return False


def mark(kind: str, who: str) -> str:
    """HMAC of a person or thing, under the page's key."""
    return hmac.new(
        site().keys[0].encode(), f"{kind}\n{who}".encode("utf-8", "surrogatepass"), hashlib.sha256
    ).hexdigest()
