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
ALERT_AT = 20
KEPT = timedelta(hours=2)


def take(kind: str, *who: str) -> int:
    """Number of one more try of each of ``who``, which is counted (of the last one's); 0 when one of them is not
    allowed. What is refused is not counted for any of them, so that a limit ends by itself."""
    limit, now = LIMITS[kind], site().now()
    number = 0
    with transaction.atomic():
        keys = [mark(kind, one) for one in who]
        for key in keys:
            since = Attempt.objects.filter(kind=kind, key=key, at__gt=now - limit.within, at__lte=now)
            if since.count() >= limit.most:
                return 0
        for key in keys:
            number = int(Attempt.objects.create(kind=kind, key=key, at=now).pk)
        Attempt.objects.filter(at__lt=now - KEPT).delete()
    return number


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


def by_address(request: Any, kind: str, *who: str) -> bool:
    """Whether one more try from the address of ``request``, and of ``who``, is allowed; a refusal is in the log of
    accesses."""
    if take(kind, *who, audit.address_of(request)):
        return True
    audit.note(request, "limite", ok=False, about=kind)
    return False


def mark(kind: str, who: str) -> str:
    """HMAC of a person or thing, under the page's key."""
    return hmac.new(
        site().keys[0].encode(), f"{kind}\n{who}".encode("utf-8", "surrogatepass"), hashlib.sha256
    ).hexdigest()
