"""User and password of a profile, and the lock that keeps a credential to one run of this machine.

Both come from one place (eyes.md 2), the first of these that has either:

1. with ``--profile`` the profile's own table, without it the variables, else the settings file;
2. the sandbox: the settings without a profile, else its public user;
3. the entry in the system's keyring;
4. with ``--profile``: the settings without one.

``credentials`` is for what sends or queries: it reads the password, and refuses a place that has the user alone.
``user_of`` is for what looks or hands in: it takes the user of the very same place and reads no password, neither a
file nor the keyring (of an entry that an earlier version wrote, once; ``keyring_store.user_kept``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import SecretStr

from pipeline.domain.commands import order
from pipeline.domain.errors import WrongUsage
from pipeline.ledger.storage.files import locked
from pipeline.runtime.folders import state_folder
from pipeline.settings.companies import Pair
from pipeline.settings.load import filled, secret_file
from pipeline.settings.model import Env, Settings, addresses

SANDBOX_USER = SANDBOX_PASSWORD = "sandbox"  # noqa: S105 - the public credentials of the local double


@contextmanager
def one_credential(settings: Settings, user: str) -> Iterator[None]:
    """Lock on the credential of ``user`` on this machine until the end of the block. Raises ``AnotherRun``.

    A sandbox that this run starts for itself has its own: nothing is shared.
    """
    if settings.env is Env.SANDBOX and not settings.base_url:
        yield
        return
    mark = hashlib.sha256(f"{addresses(settings)[0]}\n{user}".encode()).hexdigest()[:32]
    path = state_folder() / "credenciales" / f"{mark}.lock"
    with locked(path, "Otra ejecución está usando la misma credencial de eDoc con otro historial de envíos."):
        yield


def credentials(settings: Settings) -> tuple[str, SecretStr]:
    """User and password, for what sends or queries. Raises ``WrongUsage`` when either is missing."""
    from pipeline.wiring.keyring_store import stored

    pair = _before_the_keyring(settings)
    if pair is None and (kept := stored(settings.env, settings.profile)) is not None:
        return kept
    pair = pair or settings.spare
    if pair is None:
        raise WrongUsage(
            f"Faltan el usuario o la contraseña de eDoc para el ambiente {settings.env}.",
            code="credentials-missing",
            remedy=f"Ejecute {order('login')}, o escriba user y password_file en la configuración.",
        )
    pair.check_whole()
    if pair.password_file:
        secret = secret_file(Path(pair.password_file), "password_file")
        return pair.user, SecretStr(filled(secret, pair.password_file))
    return pair.user, SecretStr(pair.password)


def user_of(settings: Settings, *, keyring: bool = True) -> str:
    """User, for what looks or hands in: that of ``credentials``, without a password. Without ``keyring`` that is not
    opened even where nothing is noted of it. Raises ``WrongUsage``."""
    from pipeline.wiring.keyring_store import user_kept, user_noted

    pair, kept_of = _before_the_keyring(settings), user_kept if keyring else user_noted
    if pair is None and (kept := kept_of(settings.env, settings.profile)) is not None:
        return kept
    pair = pair or settings.spare
    if pair is None:
        raise WrongUsage(
            f"Falta el usuario de eDoc para el ambiente {settings.env}.",
            code="credentials-missing",
            remedy=f"Escriba user en la configuración, o ejecute {order('login')}.",
        )
    return pair.user


def _before_the_keyring(settings: Settings) -> Pair | None:
    """Pair of the settings; None where the keyring is asked next."""
    sandbox = settings.env is Env.SANDBOX
    password, file = settings.password.get_secret_value(), str(settings.password_file or "")
    if settings.user:
        public = SANDBOX_PASSWORD if sandbox and not (password or file or settings.half) else ""
        return Pair(settings.user, password=password or public, password_file=file, half=settings.half)
    return settings.spare or Pair(SANDBOX_USER, password=SANDBOX_PASSWORD) if sandbox else None
