"""Passkeys: options for the browser, and what it answers; for log-in, for confirmation, and to add one.

The only two places where a page needs its script. A passkey asks for finger, face or PIN, so that it is both factors.
"""

from __future__ import annotations

import json
from typing import Any

from allauth.mfa.webauthn.internal import auth
from django.core.exceptions import ValidationError
from django.http import JsonResponse

from pipeline.web import audit
from pipeline.web.access import factor_pages, factors, limits, sessions
from pipeline.web.access.log_in import enter, pending
from pipeline.web.models import Person, PersonState
from pipeline.web.pages import inside
from pipeline.web.texts import access as words

MOST_BYTES = 20_000


def options(request: Any) -> Any:
    """`/entrar/llave/opciones`: what the browser asks a key with, for log-in or confirmation."""
    if not limits.by_address(request, "llave"):
        return JsonResponse({"error": words.TOO_MANY}, status=429)
    person = request.user if request.user.is_authenticated else pending(request)[0]
    return JsonResponse(auth.begin_authentication(person))


def enter_with_key(request: Any) -> Any:
    """`/entrar/llave`: log-in or confirmation with what a key answered."""
    where, answer = inside(request), _answer(request)
    known = request.user if request.user.is_authenticated else pending(request)[0]
    person = known if known is not None else _owner(answer)
    if not limits.by_address(request, "llave") or person is None or not _is_right(person, answer):
        audit.note(request, "entrada-llave", ok=False, who=person.username if person is not None else "")
        return JsonResponse({"error": words.KEY_FAILED}, status=403)
    if request.user.is_authenticated:
        sessions.confirm(request)
        audit.note(request, "confirmacion")
        return JsonResponse({"next": where})
    where = pending(request)[1] if known is not None else where
    enter(request, person, where, "entrada-llave")
    return JsonResponse({"next": where})


def new_options(request: Any) -> Any:
    """`/cuenta/llaves/opciones`: what the browser makes a new key with."""
    return JsonResponse(auth.begin_registration(request.user, passwordless=True))


def add_key(request: Any) -> Any:
    """`/cuenta/llaves`: keeps a new key."""
    answer = _answer(request)
    try:
        auth.parse_registration_response(answer)
        auth.complete_registration(answer)
    except (ValidationError, ValueError, TypeError, KeyError):
        return JsonResponse({"error": words.KEY_FAILED}, status=403)
    first = not factors.kinds(request.user)
    name = str(request.POST.get("nombre", "")).strip()[:60] or words.KEYS
    auth.WebAuthn.add(request.user, name, answer)
    return JsonResponse({"next": factor_pages.noted(request, first=first)})


def remove_key(request: Any, number: int) -> Any:
    """`/cuenta/llaves/N/quitar`."""
    return factor_pages.removed(request, number)


def _answer(request: Any) -> dict[str, Any]:
    """What the key answered; empty for anything that is no such answer."""
    text = str(request.POST.get("respuesta", ""))
    try:
        found = json.loads(text) if len(text) <= MOST_BYTES else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _owner(answer: dict[str, Any]) -> Person | None:
    """Person whose key says it is theirs."""
    try:
        found = auth.extract_user_from_response(answer)
    except (ValidationError, ValueError, TypeError, KeyError, AttributeError):
        return None
    return found if isinstance(found, Person) and found.state == PersonState.ACTIVE else None


def _is_right(person: Person, answer: dict[str, Any]) -> bool:
    try:
        auth.parse_authentication_response(answer)
        used = auth.complete_authentication(person, answer)
    except (ValidationError, ValueError, TypeError, KeyError):
        return False
    used.record_usage()
    return True
