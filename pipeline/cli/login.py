"""``anular login`` and ``anular logout``: the credentials in the system keyring."""

from __future__ import annotations

import sys

import typer

from pipeline.cli.context import Talk, settings_for
from pipeline.cli.options import Profile
from pipeline.domain.errors import WrongUsage


def login(profile: Profile = "") -> int:
    """Guarda el usuario y la contraseña de eDoc en el Administrador de credenciales de este equipo."""
    from pydantic import SecretStr

    from pipeline.wiring import keyring_store

    settings = settings_for(profile, "")
    if not sys.stdin.isatty():
        raise WrongUsage("La contraseña se escribe en una terminal.", remedy="Sin terminal: ANULAR_PASSWORD_FILE.")
    user = typer.prompt(f"Usuario de eDoc ({settings.env})").strip()
    password = SecretStr(typer.prompt("Contraseña", hide_input=True))
    if not user or not password.get_secret_value():
        raise WrongUsage("El usuario y la contraseña no pueden estar vacíos.")
    keyring_store.keep(settings.env, profile, user, password)
    Talk(False).out.print("Credenciales guardadas en el Administrador de credenciales.")
    return 0


def logout(profile: Profile = "") -> int:
    """Olvida el usuario y la contraseña guardados de un perfil."""
    from pipeline.wiring import keyring_store

    settings = settings_for(profile, "")
    gone = keyring_store.forget(settings.env, profile)
    Talk(False).out.print("Credenciales olvidadas." if gone else "No había credenciales guardadas.")
    return 0
