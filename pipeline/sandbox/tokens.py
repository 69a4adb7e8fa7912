"""Tokens: who may call which service, and for how long (edoc-api.md 2). In memory only, never recorded."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from pipeline.sandbox.answers import Reply, panama_time

SERVICES = ("1", "2", "3", "4", "15", "16")
CANCELLATION, QUERY = "16", "3"


class Verdict(Enum):
    """Result of checking a request's authorization; the only part of it that is ever recorded."""

    VALID = "valid"
    MISSING = "missing"
    #: not one of our tokens, or wrong credentials
    UNKNOWN = "unknown"
    OTHER_SERVICE = "other-service"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(slots=True)
class _Issued:
    service: str
    expires: datetime
    user: str
    revoked: bool = False


class TokenIssuer:
    """Token service for one user, and for all whose names continue with a hyphen (``sandbox-2``: another credential
    with the same password)."""

    def __init__(self, user: str, password: str, lifetime: timedelta) -> None:
        self._user, self._password = user.encode(), password.encode()
        self.lifetime = lifetime
        self._tokens: dict[str, _Issued] = {}

    def admit(self, authorization: str | None) -> Verdict:
        """Whether a ``Basic`` header has one of our users with our password."""
        if not authorization:
            return Verdict.MISSING
        scheme, _, value = authorization.partition(" ")
        try:
            given = base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            return Verdict.UNKNOWN
        user, _, password = given.partition(b":")
        known = hmac.compare_digest(user, self._user) or user.startswith(self._user + b"-")
        fits = known and hmac.compare_digest(password, self._password)
        return Verdict.VALID if scheme.lower() == "basic" and fits else Verdict.UNKNOWN

    def user(self, authorization: str | None) -> str | None:
        """The user of a header that was found valid."""
        scheme, _, value = (authorization or "").partition(" ")
        if scheme.lower() == "basic":
            return base64.b64decode(value).partition(b":")[0].decode("utf-8", "replace")
        return self._tokens[value].user if value in self._tokens else None

    def issue(self, service: str, now: datetime, user: str = "") -> Reply:
        """A token for ``service``, or eDoc's refusal with status 200 for an unknown service."""
        if service not in SERVICES:
            refusal = {"codigoError": "SERVICIO", "mensajeRespuesta": "El servicio solicitado no existe."}
            return _token_reply({"token": "", "expedido": None, "expira": None, **refusal})
        token = ".".join(("eyJhbGciOiJIUzI1NiJ9", secrets.token_urlsafe(48), secrets.token_urlsafe(32)))
        expires = now + self.lifetime
        # Every second token has no offset, like eDoc's own: Panama time is meant (edoc-api.md 2).
        cut = len("-05:00") if len(self._tokens) % 2 else 0
        issued, until = panama_time(now), panama_time(expires)
        self._tokens[token] = _Issued(service, expires, user)
        return _token_reply(
            {
                "token": token,
                "expedido": issued[: len(issued) - cut],
                "expira": until[: len(until) - cut],
                "codigoError": None,
                "mensajeRespuesta": None,
            }
        )

    def check(self, authorization: str | None, service: str, now: datetime) -> Verdict:
        """The verdict on a ``Bearer`` header for ``service`` now."""
        if not authorization:
            return Verdict.MISSING
        scheme, _, value = authorization.partition(" ")
        issued = self._tokens.get(value) if scheme.lower() == "bearer" else None
        if issued is None:
            return Verdict.UNKNOWN
        if issued.service != service:
            return Verdict.OTHER_SERVICE
        if issued.revoked:
            return Verdict.REVOKED
        return Verdict.VALID if now < issued.expires else Verdict.EXPIRED

    def revoke(self, service: str | None = None) -> int:
        """Revokes every token of ``service`` (None: of all); returns how many."""
        hit = [t for t in self._tokens.values() if not t.revoked and service in (None, t.service)]
        for token in hit:
            token.revoked = True
        return len(hit)


def _token_reply(body: dict[str, object]) -> Reply:
    return Reply(200, json.dumps(body, ensure_ascii=False).encode(), secret=True)
