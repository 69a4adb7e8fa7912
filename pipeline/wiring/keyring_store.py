"""Credentials in the system's keyring: a user and password for each environment and profile (interface.md 2)."""

from __future__ import annotations

import json

from pydantic import SecretStr

from pipeline.domain.errors import WrongUsage

_REMEDY = "Defina ANULAR_USER y ANULAR_PASSWORD_FILE en su lugar."


def keep(env: str, profile: str, user: str, password: SecretStr) -> None:
    """Stores the credentials. Raises ``WrongUsage`` where this machine has no keyring."""
    import keyring
    from keyring.errors import KeyringError

    try:
        keyring.set_password(_service(env), profile or "default", json.dumps([user, password.get_secret_value()]))
    except KeyringError:
        raise WrongUsage(
            "Este equipo no tiene un Administrador de credenciales.", code="keyring", remedy=_REMEDY
        ) from None


def forget(env: str, profile: str) -> bool:
    """Removes the credentials; False when there were none. Raises ``WrongUsage`` where there is no keyring."""
    import keyring
    from keyring.errors import KeyringError, PasswordDeleteError

    try:
        keyring.delete_password(_service(env), profile or "default")
    except PasswordDeleteError:
        return False
    except KeyringError:
        raise WrongUsage(
            "Este equipo no tiene un Administrador de credenciales.", code="keyring", remedy=_REMEDY
        ) from None
    return True


def stored(env: str, profile: str) -> tuple[str, SecretStr] | None:
    """Stored credentials; None when there are none, or no keyring."""
    import keyring
    from keyring.errors import KeyringError

    try:
        text = keyring.get_password(_service(env), profile or "default")
    except KeyringError:
        return None
    if text is None:
        return None
    user, password = json.loads(text)
    return user, SecretStr(password)


def _service(env: str) -> str:
    return f"anular-{env}"
