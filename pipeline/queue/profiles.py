"""Worker profiles: the profiles of this machine that have credentials and use this ledger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pipeline.domain.commands import order
from pipeline.domain.errors import AnularError, WrongUsage
from pipeline.ledger.scope import credential_mark
from pipeline.settings.load import load_settings, profile_names
from pipeline.settings.model import Settings, whose
from pipeline.wiring.credentials import credentials, user_of


@dataclass(frozen=True, slots=True)
class Post:
    """One credential that a worker may serve."""

    profile: str
    settings: Settings
    #: names its queue and its lock: another machine may use another profile name for the same credential, or the same
    #: name for another one
    mark: str


def post_of(settings: Settings) -> Post:
    """The post of ``settings``, for handing in: no password is read. Raises ``WrongUsage`` when the user is missing."""
    return Post(settings.profile, settings, credential_mark(settings.env, user_of(settings)))


def _sending_post(settings: Settings) -> Post:
    """The post of ``settings``, for a worker. Raises ``WrongUsage`` when credentials are missing."""
    return Post(settings.profile, settings, credential_mark(settings.env, credentials(settings)[0]))


def posts(profile: str, ledger: str, on_left_out: Callable[[AnularError], None]) -> list[Post]:
    """Posts of ``profile`` alone, or of the profile without a name and all in the settings.

    ``on_left_out`` is called with the reason when one is left out.

    Raises ``WrongUsage`` when none is left.
    """
    url = load_settings(profile, ledger).ledger
    found: dict[str, Post] = {}
    for name in [profile] if profile else ["", *profile_names()]:
        try:
            settings = load_settings(name, ledger)
            if settings.ledger == url:
                post = _sending_post(settings)
                found.setdefault(post.mark, post)
        except AnularError as trouble:
            if name or profile:
                trouble.where = trouble.where or f"perfil {name}"
                on_left_out(whose(name, ledger).complete_error(trouble))
    if not found:
        raise WrongUsage(
            "No hay ningún perfil con credenciales para este historial de envíos: no hay nada que atender.",
            code="worker-without-credentials",
            remedy=f"Ejecute {order('login')}, o escriba user y password_file en la configuración.",
        )
    return list(found.values())
