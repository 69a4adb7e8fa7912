"""``anular status``: batches and their counts; the workers of the queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.context import Talk, settings_for
from pipeline.cli.inputs import batch_named, no_batch
from pipeline.cli.options import Json, Ledger, Profile
from pipeline.domain.commands import order
from pipeline.domain.errors import WrongUsage
from pipeline.domain.visible import thousands
from pipeline.runtime.garbage import loading

if TYPE_CHECKING:
    from pipeline.settings.model import Settings

SHOWN = 25
"""Batches that a person is shown unless told otherwise: the newest; above them a terminal has scrolled on."""


def status(
    batch: Annotated[str, typer.Argument(metavar="LOTE", help="Un lote; por defecto, todos.")] = "",
    workers: Annotated[
        bool, typer.Option("--workers", help="Muestra la cola: qué trabajadores dan señales y qué espera.")
    ] = False,
    last: Annotated[
        int | None,
        typer.Option(
            "--last",
            metavar="N",
            min=0,
            help="Solo los N lotes más recientes; 0: todos. Por defecto, 25 en pantalla y todos con --json.",
        ),
    ] = None,
    as_json: Json = False,
    profile: Profile = "",
    ledger: Ledger = "",
) -> int:
    """Muestra los lotes del historial de envíos y cuántas facturas tienen cada resultado."""
    with loading():
        from pipeline.cli import console
        from pipeline.cli.render import corrected_words, status_facts
        from pipeline.run.figures import counts_data, ordered
        from pipeline.wiring.rules import without_issuers
        from pipeline.wiring.views import open_views

    settings, talk = settings_for(profile, ledger), Talk(as_json)
    if workers and (batch or last is not None):
        raise WrongUsage("--workers es para toda la cola: no se nombra un lote, ni cuántos.")
    if batch and last is not None:
        raise WrongUsage("--last es para la lista de lotes: no se nombra un lote con --last.")
    if workers:
        return _show_workers(settings, talk)
    most = (None if as_json else SHOWN) if last is None else last or None
    left = 0
    with open_views(settings, kept=True) as views:
        if views is None and batch:
            raise no_batch(batch)
        infos = [] if views is None else [batch_named(views, batch)] if batch else views.batches(most)
        told = [{**counts_data(info), "approved_by": info.approved_by or None} for info in infos]
        if views is not None and not batch and len(infos) == most:
            left = views.how_many() - len(infos)
    talk.data(told)
    if (missing := without_issuers(settings)) is not None:
        console.say_error(talk.err, missing)  # who only looks is told, and sees all the same
    if not infos:
        talk.out.print(f"El historial de envíos no tiene lotes del ambiente {settings.env}.")
    shown = infos[:SHOWN] if last is None else infos
    left += len(infos) - len(shown)
    for info in shown:
        console.facts(talk.out, f"Lote {info.id}", status_facts(info))
        console.counts(talk.out, "Resultados", ordered(info.counts), corrected_words(info))
    if left:
        more = "1 lote anterior" if left == 1 else f"{thousands(left)} lotes anteriores"
        talk.out.print(f"… y {more}: véalos con {order('status', '--last', '0')}", markup=False)
    return 0


def _show_workers(settings: Settings, talk: Talk) -> int:
    from pipeline.cli import console
    from pipeline.queue import health

    found = health.health(settings.ledger, settings.queue_stale)
    talk.data(health.data(found))
    console.facts(talk.out, "Trabajadores", health.worker_facts(found) or [("Ninguno", f"inicie {order('worker')}")])
    console.facts(
        talk.out, "Lotes en cola por perfil", health.profile_facts(found) or [("Ninguno", "la cola está vacía")]
    )
    if found.unowned:
        talk.out.print(f"Sin trabajador, otro los toma: {', '.join(found.unowned)}", markup=False)
    return 0
