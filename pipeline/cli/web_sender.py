"""``anular web --only sender``: the sender of what was approved, alone."""

from __future__ import annotations

import time

from pipeline.cli.context import Talk
from pipeline.domain.errors import Interrupted


def serve_sender(profile: str, ledger: str, *, child: bool) -> int:
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
        say(f"Envía lo que se aprueba. Empresas: {names.removesuffix('.')}.")  # «…, S.A.» brings its own
        service.serve()
    if not child:
        raise Interrupted("Se dejó de enviar. Lo que faltaba sigue en el próximo inicio.", code="sender-stopped")
    return 0
