"""What the library of second factors asks of us: names, the site's name for passkeys, secrets at rest."""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from urllib.parse import urlsplit

from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from pipeline.web.site import site


class FactorAdapter(DefaultMFAAdapter):
    """The library's questions, answered."""

    def encrypt(self, text: str) -> str:
        """A secret as it is kept: only the page's key opens it, not a copy of the database."""
        return _box().encrypt(text.encode()).decode("ascii")

    def decrypt(self, encrypted_text: str) -> str:
        """A kept secret; "" (which no code fits) when the key is another one."""
        try:
            return _box().decrypt(encrypted_text.encode("ascii")).decode()
        except InvalidToken:
            return ""

    def get_totp_label(self, user: Any) -> str:
        return str(user.username)

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {"id": urlsplit(site().url).hostname or "", "name": "anular"}

    def get_public_key_credential_user_entity(self, user: Any) -> dict[str, Any]:
        found: dict[str, Any] = super().get_public_key_credential_user_entity(user)
        return {**found, "display_name": user.name, "name": user.username}

    def send_notification_mail(self, *args: Any, **more: Any) -> None:
        """Nothing: our own notices say what changed, in our words."""


def _box() -> MultiFernet:
    keys = [hashlib.sha256(b"anular: second factors\n" + key.encode()).digest() for key in site().keys]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in keys])
