"""User and password of a profile, and the lock that keeps a credential to one run of this machine."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from platformdirs import user_state_path
from pydantic import SecretStr

from pipeline.domain.commands import order
from pipeline.domain.errors import WrongUsage
from pipeline.ledger.storage.files import locked
from pipeline.settings.model import PROGRAM, Env, Settings, addresses

SANDBOX_USER = SANDBOX_PASSWORD = "sandbox"  # noqa: S105 - the public credentials of the local double


@contextmanager
def one_credential(settings: Settings) -> Iterator[None]:
    """Lock on the credential on this machine until the end of the block. Raises ``AnotherRun``.

    A sandbox that this run starts for itself has its own: nothing is shared.
    """
    if settings.env is Env.SANDBOX and not settings.base_url:
        yield
        return
    user, _ = credentials(settings)
    mark = hashlib.sha256(f"{addresses(settings)[0]}\n{user}".encode()).hexdigest()[:32]
    path = user_state_path(PROGRAM) / "credenciales" / f"{mark}.lock"
    with locked(path, "Otra ejecución está usando la misma credencial de eDoc con otro historial de envíos."):
        yield


def credentials(settings: Settings) -> tuple[str, SecretStr]:
    """User and password, whole from one place (eyes.md 2); the sandbox has its own. Raises ``WrongUsage``."""
    from pipeline.wiring.keyring_store import stored

    if settings.user and settings.password.get_secret_value():
        return settings.user, settings.password
    if settings.env is Env.SANDBOX:
        return settings.spare or (settings.user or SANDBOX_USER, SecretStr(SANDBOX_PASSWORD))
    found = stored(settings.env, settings.profile) or settings.spare
    if found is None:
        raise WrongUsage(
            f"Faltan el usuario o la contraseña de eDoc para el ambiente {settings.env}.",
            code="credentials-missing",
            remedy=f"Ejecute {order('login')}, o escriba user y password_file en la configuración.",
        )
    return found
