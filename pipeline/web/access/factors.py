"""Second factors: who needs one, which a person has, and whether a code is right. A code works once."""

from __future__ import annotations

import re
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from allauth.mfa.utils import decrypt
from django.db import transaction
from django.utils.crypto import constant_time_compare

from pipeline.settings.model import Env
from pipeline.web.company import companies_of
from pipeline.web.roles import NEEDS_FACTOR

KINDS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
USED = "used"
"""Where a TOTP keeps the newest counter that it accepted."""
SET_UP = "/cuenta/segundo-factor"


def needs(person: Any) -> bool:
    """Whether ``person`` needs a second factor: who approves or administers, outside the sandbox."""
    return any(one.settings.env is not Env.SANDBOX and one.roles & NEEDS_FACTOR for one in companies_of(person))


def kinds(person: Any) -> set[str]:
    """Kinds of second factor that ``person`` has; recovery codes alone are none."""
    found = Authenticator.objects.filter(user_id=person.pk, type__in=KINDS)
    return set(found.values_list("type", flat=True))


def missing(request: Any) -> str | None:
    """Address of the page on which a second factor is set up, where that has to be done first; else None."""
    return SET_UP if needs(request.user) and not kinds(request.user) else None


def right_code(person: Any, code: str) -> bool:
    """Whether ``code`` is the present one of the person's application or an unused recovery code; it is used up."""
    digits = re.sub(r"\s", "", code)
    if not digits.isascii() or not digits.isdigit():
        return False
    with transaction.atomic():
        for one in Authenticator.objects.select_for_update().filter(user_id=person.pk):
            if one.type == Authenticator.Type.TOTP and _right_totp(one, digits):
                return True
            if one.type == Authenticator.Type.RECOVERY_CODES and RecoveryCodes(one).validate_code(digits):
                return True
    return False


def _right_totp(one: Any, code: str) -> bool:
    counter = _counter(decrypt(one.data["secret"]), code)
    if counter is None or counter <= one.data.get(USED, 0):
        return False
    one.data[USED] = counter
    one.save()
    return True


def _counter(secret: str, code: str) -> int | None:
    """Counter whose code it is, at this time; None when it is of none."""
    if not secret:
        return None
    for counter in yield_hotp_counters_from_time():
        if constant_time_compare(code, format_hotp_value(hotp_value(secret, counter))):
            return int(counter)
    return None


def new_secret() -> str:
    """Secret of an application that is being set up."""
    return str(generate_totp_secret())


def activate(person: Any, secret: str, code: str) -> bool:
    """Sets up the application of codes with ``secret``, whose present code it is; replaces an earlier one."""
    counter = _counter(secret, re.sub(r"\s", "", code))
    if counter is None:
        return False
    with transaction.atomic():
        Authenticator.objects.filter(user_id=person.pk, type=Authenticator.Type.TOTP).delete()
        one = TOTP.activate(person, secret).instance
        one.data[USED] = counter
        one.save()
    return True


def keys(person: Any) -> list[Any]:
    """Passkeys of ``person``, oldest first."""
    return list(Authenticator.objects.filter(user_id=person.pk, type=Authenticator.Type.WEBAUTHN).order_by("pk"))


def remove(person: Any, number: int | None) -> bool:
    """Removes a passkey by its number, or the application of codes (None). False where it is the only factor of who
    needs one, or not there."""
    wanted = (
        {"pk": number, "type": Authenticator.Type.WEBAUTHN} if number is not None else {"type": Authenticator.Type.TOTP}
    )
    with transaction.atomic():
        mine = Authenticator.objects.select_for_update().filter(user_id=person.pk)
        found = mine.filter(**wanted)
        last = mine.filter(type__in=KINDS).count() <= found.count()
        if not found.exists() or (last and needs(person)):
            return False
        found.delete()
        if last:  # recovery codes stand in for a factor, and there is none any more
            mine.filter(type=Authenticator.Type.RECOVERY_CODES).delete()
    return True


def remove_all(person: Any) -> None:
    """Removes every factor, from the server's terminal alone."""
    Authenticator.objects.filter(user_id=person.pk).delete()


def new_codes(person: Any) -> list[str]:
    """New recovery codes, in place of any before."""
    with transaction.atomic():
        Authenticator.objects.filter(user_id=person.pk, type=Authenticator.Type.RECOVERY_CODES).delete()
        return [str(code) for code in RecoveryCodes.activate(person).get_unused_codes()]


def codes_left(person: Any) -> int:
    """How many recovery codes are not used."""
    one = Authenticator.objects.filter(user_id=person.pk, type=Authenticator.Type.RECOVERY_CODES).first()
    return len(RecoveryCodes(one).get_unused_codes()) if one is not None else 0
