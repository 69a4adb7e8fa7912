"""Second factors: who needs one, and which a person has."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator

from pipeline.settings.model import Env
from pipeline.web.company import companies_of
from pipeline.web.roles import NEEDS_FACTOR


def needs(person: Any) -> bool:
    """Whether ``person`` needs a second factor: who approves or administers, outside the sandbox."""
    return any(one.settings.env is not Env.SANDBOX and one.roles & NEEDS_FACTOR for one in companies_of(person))


def has(person: Any) -> bool:
    """Whether ``person`` has a second factor; recovery codes alone are none."""
    kinds = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
    return bool(Authenticator.objects.filter(user_id=person.pk, type__in=kinds).exists())


def missing(request: Any) -> str | None:
    """Address of the page on which a second factor is set up, where that has to be done first; else None."""
    return "/cuenta/segundo-factor" if needs(request.user) and not has(request.user) else None
