"""``anular resend``: sends one row again because a person decides so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.context import Talk, observation_of, settings_for
from pipeline.cli.decide import company_fact, confirm_code, show_row
from pipeline.cli.inputs import own_batch
from pipeline.cli.options import BatchId, Confirm, Json, Ledger, Profile, RowName, Who, Why
from pipeline.cli.output import News, notifies, report_batches
from pipeline.cli.two_people import opened_proposals, person_here, two_asked
from pipeline.domain.commands import order

if TYPE_CHECKING:
    from pipeline.settings.model import Settings


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
    from pipeline.run.resend import ask_before, send_one
    from pipeline.wiring.ledger import open_memory
    from pipeline.wiring.rules import check_rules, make_clock, send_rules
    from pipeline.wiring.sandbox import running_sandbox

    settings, talk = settings_for(profile, ledger), Talk(as_json)
    who, why = decide.signed(by, reason)
    clock, bus = make_clock(settings), observation_of(context).bus(settings, "resend")
    if two_asked(settings):
        return _request(batch, row, why, new_reason, new_email, settings, talk)
    rules = check_rules(settings)
    with open_memory(settings, bus=bus) as memory, running_sandbox(settings) as base:
        info = own_batch(memory.views, batch)
        found = named_row(memory.database, info, row)
        decide.check_resendable(found)
        correction = decide.correction_of(found, new_reason, new_email)
        answer, trouble = ask_before(found.cufe, memory, clock, base)
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

        sending = send_rules(settings)
        trouble = send_one(attempt, found.pos, info, memory, clock, base, talk.progress, sending, folder=settings.out)
        return report_batches([info], memory, talk, settings, trouble, news=News.ALL)


def _request(
    batch: str,
    row: str,
    why: str,
    new_reason: str | None,
    new_email: str | None,
    settings: Settings,
    talk: Talk,
) -> int:
    """Where two people are asked for: the request is kept, and another person's approval carries it out."""
    from pipeline import decide
    from pipeline.approvals import decisions
    from pipeline.approvals.resend import draft_of_resend
    from pipeline.cli import console
    from pipeline.cli.proposals import proposal_data, proposal_facts
    from pipeline.ledger.decisions import named_row
    from pipeline.ledger.ledger_events import id_of
    from pipeline.wiring.ledger import open_ledger_views
    from pipeline.wiring.rules import check_rules, make_clock

    who, now = person_here(settings), make_clock(settings).now()
    with open_ledger_views(settings) as (views, database):
        info = own_batch(views, batch)
        found = named_row(database, info, row)
        decide.check_resendable(found)
        decide.check_allowed(found, check_rules(settings), now)
        correction = decide.correction_of(found, new_reason, new_email)
        draft = draft_of_resend(info, found, correction, why, settings, id_of(database), now)
    show_row(talk, found, [*company_fact(settings), *decide.correction_facts(found, correction), ("Motivo", why)])
    with opened_proposals(settings, talk) as store:
        proposal, new = decisions.propose(store, draft, now, who=who)
    talk.data({**proposal_data(proposal), "new": new})
    console.facts(talk.out, f"Propuesta {proposal.id}", proposal_facts(proposal))
    talk.out.print(
        f"No se envió nada. El reenvío lo aprueba otra persona: {order('approve', proposal.id)}", markup=False
    )
    return 0
