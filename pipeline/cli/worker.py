"""``anular worker``: sends and queries the batches of the work queue."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli.context import Talk, settings_for
from pipeline.cli.options import Ledger, Profile


def work_for_others(
    at_once: Annotated[
        int, typer.Option("--jobs", metavar="N", min=1, max=64, help="Lotes a la vez, de credenciales distintas.")
    ] = 1,
    once: Annotated[bool, typer.Option("--once", help="Termina cuando la cola está vacía, para cron.")] = False,
    profile: Profile = "",
    ledger: Ledger = "",
) -> int:
    """Atiende la cola de trabajo: envía y consulta los lotes que se entregaron con --queue, en uno o varios equipos."""
    from pipeline.cli import console
    from pipeline.queue.app import check_server
    from pipeline.queue.profiles import posts
    from pipeline.queue.worker import Worker
    from pipeline.wiring.rules import make_clock

    settings, talk = settings_for(profile, ledger), Talk(False)
    check_server(settings.ledger)

    def say(words: str) -> None:
        talk.out.print(words, markup=False)
        talk.out.file.flush()

    crew = posts(profile, ledger, lambda trouble: console.say_error(talk.err, trouble))
    names = ", ".join(sorted(post.profile or "(sin nombre)" for post in crew))
    say(f"Atiende la cola de trabajo; perfiles: {names}.")
    Worker(crew, make_clock(settings), say, at_once=at_once).serve(once=once)
    return 0
