"""Links that open something once: made, looked up, used. The database has their digest alone."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any

from pipeline.web.models import AccessRequest, Link, LinkKind, Person, PersonState
from pipeline.web.site import site

LASTING: dict[LinkKind, timedelta | None] = {
    LinkKind.SET_UP: timedelta(minutes=30),
    LinkKind.INVITATION: timedelta(hours=24),
    LinkKind.RESET: timedelta(minutes=30),
    LinkKind.REQUEST: None,
    LinkKind.MAIL: timedelta(minutes=30),
}
PATHS = {
    LinkKind.SET_UP: "/inicio/",
    LinkKind.INVITATION: "/entrar/invitacion/",
    LinkKind.RESET: "/entrar/clave/",
    LinkKind.REQUEST: "/entrar/solicitud/",
    LinkKind.MAIL: "/entrar/correo/",
}

_STATES = {
    LinkKind.INVITATION: PersonState.INVITED,
    LinkKind.RESET: PersonState.ACTIVE,
    LinkKind.MAIL: PersonState.ACTIVE,
}
"""State of the account for which a link is good; the others are for no account."""


def make(
    kind: LinkKind,
    *,
    person: Person | None = None,
    request: AccessRequest | None = None,
    by: str = "",
    email: str = "",
) -> tuple[str, datetime | None]:
    """A new link: its whole address, which cannot be had again, and when it ends. Earlier ones of the same kind for
    the same person end now. ``email``: the address that it confirms."""
    code, now = secrets.token_urlsafe(24), site().now()
    lasting = LASTING[kind]
    ends = now + lasting if lasting is not None else None
    if person is not None or kind is LinkKind.SET_UP:
        end(kind, person)
    Link.objects.create(
        kind=kind,
        digest=_digest(code),
        person=person,
        request=request,
        over=_mark(person),
        email=email,
        made_by=by,
        made_at=now,
        expires_at=ends,
    )
    return site().url + PATHS[kind] + code, ends


def find(kind: LinkKind, code: str) -> Link | None:
    """The link with this code, while it opens something; None for any other."""
    link: Link | None = Link.objects.filter(kind=kind, digest=_digest(code)).first()
    if link is None or link.used_at is not None or (link.expires_at is not None and link.expires_at <= site().now()):
        return None
    wanted = _STATES.get(kind)
    if wanted is not None:
        person = link.person
        if person is None or person.state != wanted or link.over != _mark(person):
            return None
    return link


def use(link: Link) -> bool:
    """Uses a link up: yes for one of several that try at once."""
    return bool(Link.objects.filter(pk=link.pk, used_at__isnull=True).update(used_at=site().now()) == 1)


def end(kind: LinkKind, person: Person | None) -> None:
    """Ends the links of this kind that were made for a person (None: for the first one) and not used."""
    now = site().now()
    Link.objects.filter(kind=kind, person=person, used_at__isnull=True, expires_at__gt=now).update(expires_at=now)


def dead(kind: LinkKind, by: str) -> None:
    """The work of ``make`` for no person, so that a stranger's request takes as long; its link opens nothing."""
    now = site().now()
    Link.objects.create(
        kind=kind, digest=_digest(secrets.token_urlsafe(24)), made_by=by, made_at=now, expires_at=now, used_at=now
    )


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).hexdigest()


def _mark(person: Any) -> str:
    """Digest of the password that is kept now: a changed one ends the link."""
    return hashlib.sha256(person.password.encode()).hexdigest() if person is not None else ""
