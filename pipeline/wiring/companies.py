"""Owner of a batch or file, where several companies share a machine or a ledger."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.domain.commands import order
from pipeline.domain.errors import AnularError, WrongUsage
from pipeline.domain.records import BatchInfo
from pipeline.ledger.views import Views
from pipeline.settings.load import load_settings, named_places
from pipeline.settings.model import Env, Settings
from pipeline.wiring.views import open_views


def check_own(views: Views, info: BatchInfo) -> None:
    """Raises ``WrongUsage`` when ``info`` was taken in under another credential, which alone may go on with it."""
    if views.of_another(info.id):
        raise WrongUsage(
            f"El lote {info.id} es de otra credencial de eDoc.",
            code="other-credential",
            remedy="Continúelo con el perfil que lo recibió (--profile).",
        )


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Batch of another company of this machine that has the same file, and the command that continues it."""

    company: str
    batch: str
    order: str


def elsewhere(settings: Settings, views: Views, sha256: str) -> Elsewhere | None:
    """Batch of the file with this content that another profile of this machine holds, with a row that is not free;
    None where there is none, or this ledger holds the file for these settings' own credential.

    A profile whose settings or ledger cannot be read now is passed over: the memory of what was sent and the ledger's
    own indexes still stand between a document and a second request.
    """
    known = views.of_content(sha256)
    if known and not any(views.of_another(info.id) for info in known):
        return None
    looked = {settings.ledger} if not known else set()
    others = set(Env) - {settings.env}
    for name, (env, ledger) in named_places().items():
        if name == settings.profile or ledger in looked or env in others:
            continue
        try:
            other = load_settings(name)
            if other.env is not settings.env or other.ledger in looked:
                continue
            with open_views(other, mine=True) as theirs:
                for info in theirs.of_content(sha256) if theirs is not None else ():
                    if theirs is not None and theirs.lives(info.id) and not theirs.of_another(info.id):
                        return Elsewhere(other.company, info.id, other.here.complete(order("release", info.id)))
        except AnularError:
            continue
    return None
