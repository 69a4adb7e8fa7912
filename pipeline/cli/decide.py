"""``anular resolve`` and ``anular withdraw``: a decision on one row that sends nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.context import Talk, observation_of, settings_for
from pipeline.cli.inputs import own_batch
from pipeline.cli.options import BatchId, Confirm, Json, Ledger, Profile, RowName, Who, Why
from pipeline.cli.output import report_batches
from pipeline.cli.two_people import another_person
from pipeline.domain.errors import Interrupted, WrongUsage

if TYPE_CHECKING:
    from pipeline.ledger.decisions import RowStatus
    from pipeline.settings.model import Settings
    from pipeline.telemetry.events import EventBus


def resolve_row(
    context: typer.Context,
    batch: BatchId,
    row: RowName,
    decision: Annotated[
        str,
        typer.Option(
            "--as",
            metavar="anulada|no-anulada",
            help="Lo que usted comprobó fuera de anular (o cancelled, not-cancelled).",
        ),
    ],
    by: Who,
    reason: Why,
    confirm: Confirm = "",
    as_json: Json = False,
    profile: Profile = "",
    ledger: Ledger = "",
) -> int:
    """Registra la decisión de una persona sobre una factura que el programa no puede decidir. No envía nada.

    Por ejemplo: anular resolve 20261120-b7020992 --row 21 --as anulada --by "Ana Pérez" --reason "Visto en el portal"
    """
    from pipeline import decide

    settings, talk = settings_for(profile, ledger), Talk(as_json)
    chosen = decide.decision_named(decision)
    told = ("Decisión", decide.WORDS[chosen])
    settle = partial(decide.resolve, decision=chosen)
    bus = observation_of(context).bus(settings, "resolve")
    check = decide.check_resolvable
    return _decide(batch, row, by, reason, confirm, talk, settings, bus, told, check, settle, second=True)


def withdraw_row(
    context: typer.Context,
    batch: BatchId,
    row: RowName,
    by: Who,
    reason: Why,
    confirm: Confirm = "",
    as_json: Json = False,
    profile: Profile = "",
    ledger: Ledger = "",
) -> int:
    """Retira una sola factura que todavía no se intentó enviar. No envía nada; la factura sigue autorizada.

    Por ejemplo: anular withdraw 20261120-b7020992 --row "fila 21" --by "Ana Pérez" --reason "El cliente la necesita"
    """
    from pipeline import decide

    settings, talk = settings_for(profile, ledger), Talk(as_json)
    told = ("Se retira", "no se enviará")
    bus = observation_of(context).bus(settings, "withdraw")
    check, settle = decide.check_withdrawable, decide.withdraw
    return _decide(batch, row, by, reason, confirm, talk, settings, bus, told, check, settle)


def _decide(
    batch: str,
    row: str,
    by: str,
    reason: str,
    confirm: str,
    talk: Talk,
    settings: Settings,
    bus: EventBus,
    fact: tuple[str, str],
    check: Callable[[RowStatus], None],
    settle: Callable[..., object],
    *,
    second: bool = False,
) -> int:
    """Decision of a person on one row, without sending: shown, confirmed, recorded, and the workbook rewritten."""
    from pipeline import decide
    from pipeline.ledger.decisions import named_row
    from pipeline.wiring.ledger import open_memory
    from pipeline.wiring.rules import make_clock

    who, why = decide.signed(by, reason)
    clock = make_clock(settings)
    with open_memory(settings, sends=False, bus=bus) as memory:
        info = own_batch(memory.views, batch)
        if second:
            who = another_person(info, settings, who)
        found = named_row(memory.database, info, row)
        check(found)
        show_row(talk, found, [*company_fact(settings), fact, ("Decide", who), ("Motivo", why)])
        confirm_code(talk, found.cufe, confirm)
        settle(memory.store, found, who=who, why=why, now=clock.now())
        return report_batches([info], memory, talk, settings, None)


def company_fact(settings: Settings) -> list[tuple[str, str]]:
    return [("Empresa", settings.company)] if settings.company else []


def show_row(talk: Talk, row: RowStatus, more: list[tuple[str, str]]) -> None:
    from pipeline.cli import console

    told = [("CUFE", row.cufe), ("Motivo de anulación", row.reason), ("Resultado hasta hoy", row.outcome.value)]
    console.facts(talk.out, f"Lote {row.batch} · {row.position}", [*told, *more])


def confirm_code(talk: Talk, cufe: str, given: str) -> None:
    """Confirmation by the end of the CUFE, typed or as ``--confirm``. Raises ``WrongUsage``, ``Interrupted``."""
    from pipeline.decide import CODE_LENGTH, confirmation

    talk.check_seen()
    asked = f"los últimos {CODE_LENGTH} caracteres del CUFE"
    if given:
        if given != confirmation(cufe):
            raise WrongUsage(f"--confirm no coincide con {asked}. No se cambió nada.", code="wrong-confirmation")
        return
    if not sys.stdin.isatty():
        raise WrongUsage(
            "Sin una terminal no se puede pedir la confirmación. No se cambió nada.",
            code="no-confirmation",
            remedy=f"Agregue --confirm con {asked}.",
        )
    typed = typer.prompt(f"Escriba {asked} para confirmar (otra cosa cancela)", default="", show_default=False)
    if typed.strip() != confirmation(cufe):
        raise Interrupted("No coincide: no se cambió nada.", code="not-confirmed")
