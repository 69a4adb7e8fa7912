"""``anular release``: approves and sends a batch that was held."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from pipeline.cli.approve import approve, check_certificates, need_terminal
from pipeline.cli.context import Talk, observation_of, settings_for
from pipeline.cli.inputs import own_batch
from pipeline.cli.options import BatchId, Json, Ledger, NoPoll, Profile, Yes
from pipeline.cli.output import News, notifies, report_batches, show_plan
from pipeline.cli.two_people import need_two
from pipeline.domain.commands import order

if TYPE_CHECKING:
    pass


@notifies("release")
def release_batch(
    context: typer.Context,
    batch: BatchId,
    yes: Yes = False,
    no_poll: NoPoll = False,
    as_json: Json = False,
    profile: Profile = "",
    ledger: Ledger = "",
) -> int:
    """Aprueba y envía lo que la carpeta o una regla retuvo, por el número del lote. Pregunta antes de enviar."""
    from pipeline.certificates.check import note_of
    from pipeline.ledger.ownership import who_am_i
    from pipeline.run import session
    from pipeline.run.intake import release
    from pipeline.run.plan import make_plan_again
    from pipeline.wiring.ledger import open_memory
    from pipeline.wiring.rules import check_rules, make_clock, send_rules
    from pipeline.wiring.sandbox import running_sandbox

    settings, talk = settings_for(profile, ledger), Talk(as_json)
    need_two(settings, "un lote retenido no se aprueba y envía en un paso", order("propose", "--batch", batch))
    clock, bus = make_clock(settings), observation_of(context).bus(settings, "release")
    need_terminal(yes=yes)
    rules = check_rules(settings)
    with open_memory(settings, bus=bus) as memory, running_sandbox(settings) as base:
        info = own_batch(memory.views, batch)
        plan = make_plan_again(info, memory.views, rules, clock.now())
        certificates = show_plan(talk, plan, settings)
        if not plan.to_send:
            talk.out.print("No hay nada que aprobar ni que enviar en este lote.")
        check_certificates(talk, plan, settings, certificates)
        approve(talk, plan, settings, yes=yes, only=None)
        release(plan, memory.store, who=who_am_i(), note=note_of(certificates))
        work = session.send_and_follow([info], memory, talk.progress, follows=not no_poll)
        trouble = session.carry_out(memory, clock, base, work, send_rules(settings, memory.anew, memory.sent))
        return report_batches([info], memory, talk, settings, trouble, news=News.ALL)
