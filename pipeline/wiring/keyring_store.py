"""Credentials in the system's keyring: a user and password for each environment and profile (interface.md 2).

The user is noted in this machine's state folder as well, so that what only looks or hands in never opens the keyring,
whose entry holds the password too. Whoever reads the entry renews the note.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from pipeline.domain.errors import StorageTrouble, WrongUsage
from pipeline.runtime.atomic_file import replace_file
from pipeline.runtime.folders import state_folder

_REMEDY = "Defina ANULAR_USER y ANULAR_PASSWORD_FILE en su lugar."
_UNKNOWN = object()
"""Nobody has looked yet whether there is an entry."""


def keep(env: str, profile: str, user: str, password: SecretStr) -> None:
    """Stores the credentials. Raises ``WrongUsage`` where this machine has no keyring."""
    import keyring
    from keyring.errors import KeyringError

    _forget_note(env, profile)  # ended here, the next one looks again
    try:
        with _of_this_session():
            keyring.set_password(_service(env), profile or "default", json.dumps([user, password.get_secret_value()]))
    except KeyringError:
        raise WrongUsage(
            "Este equipo no tiene un Administrador de credenciales.", code="keyring", remedy=_REMEDY
        ) from None
    _note(env, profile, user)


def forget(env: str, profile: str) -> bool:
    """Removes the credentials; False when there were none. Raises ``WrongUsage`` where there is no keyring."""
    import keyring
    from keyring.errors import KeyringError, PasswordDeleteError

    _forget_note(env, profile)
    try:
        with _of_this_session():
            keyring.delete_password(_service(env), profile or "default")
    except PasswordDeleteError:
        return False
    except KeyringError:
        raise WrongUsage(
            "Este equipo no tiene un Administrador de credenciales.", code="keyring", remedy=_REMEDY
        ) from None
    return True


def stored(env: str, profile: str) -> tuple[str, SecretStr] | None:
    """Stored credentials, for what sends; None when there are none, or no keyring. Notes the user.

    Raises ``WrongUsage`` for a keyring that is locked: nothing is known of an entry.
    """
    import keyring
    from keyring.errors import KeyringError, NoKeyringError

    try:
        with _of_this_session():
            text = keyring.get_password(_service(env), profile or "default")
    except NoKeyringError:
        text = None
    except KeyringError:  # another place's pair would be another company's
        raise WrongUsage(
            "El Administrador de credenciales de este equipo está bloqueado o no responde.",
            code="keyring",
            remedy=f"Desbloquéelo y repita el comando. {_REMEDY}",
        ) from None
    user, password = json.loads(text) if text is not None else (None, "")
    _note(env, profile, user)
    return None if user is None else (user, SecretStr(password))


@contextmanager
def _of_this_session() -> Iterator[None]:
    """Turns an error that is the system's own, and none of the keyring library's, into one sentence. Windows raises one
    (1312) where nobody is logged on, as in a task of another user. Raises ``StorageTrouble``."""
    from keyring.errors import KeyringError

    try:
        yield
    except KeyringError:
        raise
    except Exception as error:
        if not isinstance(error, OSError) and not hasattr(error, "winerror"):
            raise
        raise StorageTrouble(
            "Esta sesión no ve el Administrador de credenciales: nadie ha iniciado sesión con este usuario, o la tarea "
            "es de otro.",
            code="keyring-session",
            remedy=f"Programe la tarea con el usuario que hizo login, «solo cuando haya iniciado sesión». {_REMEDY}",
        ) from None


def user_kept(env: str, profile: str) -> str | None:
    """User of the stored credentials, without opening the keyring; None when there are none.

    Only where nothing is noted yet, as after a ``login`` by an earlier version, the entry is read once.
    """
    user = _noted(env, profile)
    if user is _UNKNOWN:
        found = stored(env, profile)
        return found[0] if found is not None else None
    return user if isinstance(user, str) else None


def user_noted(env: str, profile: str) -> str | None:
    """User that is noted of the stored credentials, for what may never open the keyring; None where nothing is."""
    user = _noted(env, profile)
    return user if isinstance(user, str) else None


def _noted(env: str, profile: str) -> Any:
    try:
        user = json.loads(_note_path(env, profile).read_bytes()[:10_000])["user"]
    except (OSError, ValueError, KeyError, TypeError):
        return _UNKNOWN
    return user if user is None or isinstance(user, str) else _UNKNOWN


def _note(env: str, profile: str, user: str | None) -> None:
    """Notes the user; None: there is no entry. Where it cannot be written the next one looks again."""
    if _noted(env, profile) == user:
        return
    path = _note_path(env, profile)
    with suppress(OSError):
        path.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
        replace_file(path, json.dumps({"user": user}).encode("ascii"))


def _forget_note(env: str, profile: str) -> None:
    with suppress(FileNotFoundError):
        _note_path(env, profile).unlink()


def _note_path(env: str, profile: str) -> Path:
    name = hashlib.sha256(f"{env}\n{profile}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return state_folder() / "credenciales" / f"usuario-{name}.json"


def _service(env: str) -> str:
    return f"anular-{env}"
