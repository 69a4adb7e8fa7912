"""``anular web``: the sender of what was approved, and, when there are pages, those beside it."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from pipeline.cli.context import Talk
from pipeline.cli.options import Ledger, Profile
from pipeline.domain.commands import order
from pipeline.domain.errors import Interrupted, WrongUsage

SENDER = "sender"


def serve_web(
    only: Annotated[
        str, typer.Option("--only", metavar="PARTE", help="Solo esta parte. Por ahora existe una: sender, que envía.")
    ] = "",
    child: Annotated[bool, typer.Option("--child", hidden=True)] = False,
    profile: Profile = "",
    ledger: Ledger = "",
) -> int:
    """Envía lo que se aprobó, consulta lo que quedó pendiente y manda los avisos, hasta que se detenga (Ctrl-C).

    Por ahora sin páginas: anular web --only sender. Lo que se aprueba con «approve» sale sin otro comando.
    """
    if only != SENDER:
        raise WrongUsage(
            "El comando web todavía no tiene páginas: en esta versión solo tiene la parte que envía.",
            code="web-only-sender",
            remedy=f"Ejecute {order('web', '--only', SENDER)}",
        )
    return _send(profile, ledger, child=child)


def _send(profile: str, ledger: str, *, child: bool) -> int:
    """Serves the sender. As a ``child`` it ends when its standard input closes."""
    from pipeline.approvals.service import Child, Service, companies, hurrying
    from pipeline.cli import console
    from pipeline.runtime.shutdown import Ending, when_input_closes
    from pipeline.wiring.rules import make_clock

    talk, ending = Talk(False), Ending()

    def say(words: str) -> None:
        talk.out.print(words, markup=False)
        talk.out.file.flush()

    def end() -> None:
        ending.asked = True

    found = companies(profile, ledger, lambda trouble: console.say_error(talk.err, trouble))
    clock = make_clock(found[0].settings)
    service = Service(found, clock, lambda company: Child(company, ledger, clock), say, time.sleep, ending)
    with hurrying(ending, service):
        if child:
            when_input_closes(end)
        names = ", ".join(sorted(one.settings.company or one.settings.profile or "(sin nombre)" for one in found))
        say(f"Envía lo que se aprueba. Empresas: {names}.")
        service.serve()
    if not child:
        raise Interrupted("Se dejó de enviar. Lo que faltaba sigue en el próximo inicio.", code="sender-stopped")
    return 0
