"""``anular poll``: queries what is pending, of one company or of all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.context import ExitCodes, Talk, observation_of, settings_for
from pipeline.cli.inputs import batch_named, own_batch
from pipeline.cli.options import Json, Ledger, Profile
from pipeline.cli.output import News, notifies, report_batches, send_notification
from pipeline.domain.errors import WrongUsage
from pipeline.runtime.garbage import loading
from pipeline.wiring.telemetry import Observation

if TYPE_CHECKING:
    from pipeline.run.session import Steps
    from pipeline.runtime.shutdown import Stop


@notifies("poll", codes=(3, 5))  # that another run is at work (6) is no news: the next one asks again
def poll_batches(
    context: typer.Context,
    batches: Annotated[
        list[str] | None, typer.Argument(metavar="LOTE...", help="Lotes; por defecto, todos los pendientes.")
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Todas las empresas (perfiles); dice además qué envejeció y a quién llamar.")
    ] = False,
    as_json: Json = False,
    profile: Profile = "",
    ledger: Ledger = "",
) -> int:
    """Consulta otra vez lo pendiente o dudoso y vuelve a escribir los libros de esos lotes. Nunca reenvía."""
    with loading():
        from pipeline.run import session
        from pipeline.wiring.ledger import open_memory
        from pipeline.wiring.rules import make_clock
        from pipeline.wiring.sandbox import running_sandbox

    if every and batches:
        raise WrongUsage("--all es para todos los lotes: no se nombran lotes con --all.")
    if every:
        return _poll_all(Talk(as_json), profile, ledger, observation_of(context))
    settings, talk = settings_for(profile, ledger), Talk(as_json)
    clock, bus = make_clock(settings), observation_of(context).bus(settings, "poll")
    with open_memory(settings, bus=bus) as memory, running_sandbox(settings) as base:
        named = [own_batch(memory.views, name) for name in batches or []]
        open_ids = {row.batch for row in memory.views.followed([info.id for info in named] if named else None)}
        chosen = named or [batch_named(memory.views, name) for name in sorted(open_ids)]
        if not open_ids:
            talk.out.print("No hay facturas pendientes que consultar.")

        async def work(steps: Steps, stop: Stop) -> None:
            if open_ids:
                await session.follow([info.id for info in chosen], steps, memory, stop, talk.progress)

        trouble = session.carry_out(memory, clock, base, work)
        return report_batches(chosen, memory, talk, settings, trouble, news=News.CHANGES)


def _poll_all(talk: Talk, profile: str, ledger: str, seen: Observation) -> int:
    """Nightly follow-up of every company; an error of one does not stop the others."""
    from pipeline.cli import console
    from pipeline.cli.render import corrected_words
    from pipeline.run import follow_up
    from pipeline.run.results import to_correct, totals

    answer = ExitCodes()
    found = follow_up.follow_up_all(profile, ledger, talk.progress, seen)
    for company in found:
        answer.codes += company.codes
        seen.came_to(company.profile, ExitCodes(company.codes).code)
        for written in company.written:
            name = f"[{company.name or company.profile}] " if company.name or company.profile else ""
            title = f"{name}Lote {written.batch.id} · {written.batch.file}"
            console.counts(talk.out, title, totals(written.lines), corrected_words(written.batch))
            for line in (f"Resultados: {written.workbook}", *to_correct(written)):
                talk.out.print(line, markup=False)
        console.listing(talk.out, "Lo que envejeció", [one.words for one in company.old], most=50)
        if company.trouble is not None:
            console.say_error(talk.err, company.trouble)
    if not any(company.written or company.trouble for company in found):
        talk.out.print("No hay facturas pendientes que consultar.")
    talk.data([one for company in found for one in follow_up.data(company)])
    for company in found:
        if company.old or company.trouble is not None:
            send_notification(talk, company.profile, ledger, follow_up.notification([company]), seen, "poll")
    return answer.code
