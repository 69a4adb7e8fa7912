"""``anular resend``: sends one row again because a person decides so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.context import Talk, observation_of, settings_for
from pipeline.cli.decide import company_fact, confirm_code, show_row
from pipeline.cli.inputs import own_batch
from pipeline.cli.options import BatchId, Confirm, Json, Ledger, Profile, RowName, Who, Why
from pipeline.cli.output import News, notifies, report_batches
from pipeline.domain.commands import order
from pipeline.domain.errors import AnularError

if TYPE_CHECKING:
    from pipeline.domain.records import BatchInfo, Finding
    from pipeline.run.session import Steps
    from pipeline.runtime.clock import Clock
    from pipeline.runtime.shutdown import Stop
    from pipeline.wiring.ledger import Memory


@notifies("resend")
def resend_row(
    context: typer.Context,
    batch: BatchId,
    row: RowName,
    by: Who,
    reason: Why,
    new_reason: Annotated[
        str | None,
        typer.Option(
            "--new-reason", metavar="TEXTO", help="El motivo de anulación corregido, si la fila fue DEVUELTA."
        ),
    ] = None,
    new_email: Annotated[
        str | None,
        typer.Option("--new-email", metavar="CORREO", help='El correo corregido, si fue DEVUELTA; "" para ninguno.'),
    ] = None,
    confirm: Confirm = "",
    as_json: Json = False,
    profile: Profile = "",
    ledger: Ledger = "",
) -> int:
    """Reenvía una sola factura porque una persona lo decide. Antes consulta eDoc: si ya está anulada, no envía nada.

    Por ejemplo: anular resend 20261120-b7020992 --row "Noviembre, fila 21" --by "Ana Pérez" --reason "Caso 4471"
    """
    from pipeline import decide
    from pipeline.ledger.decisions import named_row
    from pipeline.run import session
    from pipeline.wiring.ledger import open_memory
    from pipeline.wiring.rules import check_rules, make_clock, send_rules
    from pipeline.wiring.sandbox import running_sandbox

    settings, talk = settings_for(profile, ledger), Talk(as_json)
    who, why = decide.signed(by, reason)
    clock, bus = make_clock(settings), observation_of(context).bus(settings, "resend")
    rules = check_rules(settings)
    with open_memory(settings, bus=bus) as memory, running_sandbox(settings) as base:
        info = own_batch(memory.views, batch)
        found = named_row(memory.database, info, row)
        decide.check_resendable(found)
        correction = decide.correction_of(found, new_reason, new_email)
        answer, trouble = _ask_before(found.cufe, memory, clock, base)
        if answer is None or trouble is not None:
            return report_batches([info], memory, talk, settings, trouble)
        before = decide.read_before(answer, found.state)
        told = [("Consulta previa", decide.answer_words(answer)), ("Decide", who), ("Motivo", why)]
        if decide.is_late(found, clock.now(), settings.deadline_hours):
            told.append(("Aviso", "El plazo legal venció: lo seguro es una nota de crédito (tipo 04)."))
        show_row(talk, found, [*company_fact(settings), *decide.correction_facts(found, correction), *told])
        if before is decide.Before.CANCELLED:
            decide.found_cancelled(memory.store, found, answer, clock.now())
            talk.out.print("Ya está anulada: no se envió nada.")
            return report_batches([info], memory, talk, settings, None)
        if before is decide.Before.IN_FLIGHT:
            again = order("poll", info.id)
            talk.err.print(f"✗ {decide.in_flight_words(answer)}: no se reenvía. Vuelva a consultar: {again}")
            report_batches([info], memory, talk, settings, None)
            return 4
        decide.check_allowed(found, rules, clock.now())
        if correction is not None:
            decide.check_not_accepted(found, answer)
        confirm_code(talk, found.cufe, confirm)
        now = clock.now()
        attempt = decide.authorise(memory.store, found, answer, who=who, why=why, now=now, correction=correction)

        async def work(steps: Steps, stop: Stop) -> None:
            await _send_one(attempt, info, steps, memory, stop)
            sent = session.Sent([info], settings.out)
            await session.follow([info.id], steps, memory, stop, talk.progress, only=found.pos, sent=sent)

        trouble = session.carry_out(memory, clock, base, work, send_rules(settings))
        return report_batches([info], memory, talk, settings, trouble, news=News.ALL)


def _ask_before(cufe: str, memory: Memory, clock: Clock, base: str) -> tuple[Finding | None, AnularError | None]:
    """Answer of eDoc to a query of ``cufe`` now; the reason when no query could be sent."""
    import asyncio

    from pipeline.domain.errors import ServiceRefused
    from pipeline.run import session
    from pipeline.runtime.shutdown import first

    said: list[Finding] = []

    async def work(steps: Steps, stop: Stop) -> None:
        asking = asyncio.ensure_future(steps.client.query(cufe))
        if await first(asking, stop.wait()) == 0:
            said.append(asking.result())

    trouble = session.carry_out(memory, clock, base, work)
    if trouble is None and said and said[0].stop is not None:
        trouble = ServiceRefused(said[0].stop)
    return (said[0] if said else None), trouble


async def _send_one(attempt: int, info: BatchInfo, steps: Steps, memory: Memory, stop: Stop) -> None:
    from pipeline.run import session

    rows = [one for one in memory.views.ready(info.id) if one.attempt == attempt]
    await session.send_rows(rows, steps, memory.store, stop, lambda _word: None)
