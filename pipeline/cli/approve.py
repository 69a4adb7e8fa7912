"""Approval by a person before anything is sent, at the terminal or by options."""

from __future__ import annotations

import sys
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

import typer

from pipeline.cli.context import Talk
from pipeline.cli.inputs import refusal_data
from pipeline.domain.errors import InputRefused, Interrupted, WrongUsage
from pipeline.domain.visible import one_line, thousands

if TYPE_CHECKING:
    from pipeline.domain.certificates import Finding
    from pipeline.read.sheet import Sheet
    from pipeline.run.plan import Plan
    from pipeline.settings.model import Settings


def need_terminal(*, yes: bool) -> None:
    if not yes and not sys.stdin.isatty():
        raise WrongUsage("Sin una terminal no se puede preguntar antes de enviar.", remedy="Agregue --yes.")


def check_hidden_count(hidden_count: int | None, include_hidden: bool) -> None:
    """Raises ``WrongUsage`` for a number of hidden rows where none are included."""
    if hidden_count is not None and not include_hidden:
        raise WrongUsage("--hidden-count solo tiene sentido con --include-hidden.")


def confirm_hidden(files: list[Path], sheets: list[Sheet], given: int | None, talk: Talk, *, yes: bool) -> None:
    """Confirmation of hidden rows by their number (reliability.md D7); ``--yes`` is not enough.

    Raises ``InputRefused`` for no number or another one, ``Interrupted`` for another answer on the terminal.
    """
    from pipeline.domain.problems import refused

    total = sum(sheet.hidden.count for sheet in sheets)
    if total == (given or 0):
        return
    hiding = [(file, sheet.hidden) for file, sheet in zip(files, sheets, strict=True) if sheet.hidden.count]
    found = "; ".join(f"{file.name}: {hidden.words} ({hidden.which})" for file, hidden in hiding)
    if given is None and sys.stdin.isatty() and not yes:
        typed = typer.prompt(f"{found}. Escriba {total} para incluir también eso (otra cosa cancela)", default="")
        if typed.strip() == str(total):
            return
        raise Interrupted("No se envió nada: usted no confirmó lo oculto.", code="not-approved")
    if given is None:
        refusal = refused("ocultas-sin-confirmar", found=found, count=total)
    else:
        refusal = refused("ocultas-distintas", found=found or "nada oculto", given=given, count=total)
    talk.data([refusal_data(file, refusal) for file in [one for one, _ in hiding] or files[:1]])
    raise refusal


def confirm_asked(
    files: list[Path], sheets: list[Sheet], given: int | None, talk: Talk, *, yes: bool, ignore_views: bool
) -> None:
    """Confirmation of rows far below the others, and of all rows of a book with views that filter.

    Raises ``InputRefused`` where nobody can be asked, ``Interrupted`` for another answer on the terminal.
    """
    from pipeline.run import questions

    asks = sys.stdin.isatty() and not yes

    def settle(refusal: InputRefused, wanted: str) -> None:
        if asks:
            typed = typer.prompt(f"{refusal.message} Escriba {wanted} para incluirlas (otra cosa cancela)", default="")
            if typed.strip().casefold().replace("í", "i") == wanted:
                return
            raise Interrupted("No se envió nada: usted no lo confirmó.", code="not-approved")
        named = [file for file, sheet in zip(files, sheets, strict=True) if sheet.distant or sheet.views]
        talk.data([refusal_data(file, refusal) for file in named])
        raise refusal

    if (far := questions.far_rows(sheets)) is not None and far[0] != given:
        settle(far[1], str(far[0]))
    if (filtering := questions.views(sheets)) is not None and not ignore_views:
        settle(filtering, "si")


def check_certificates(talk: Talk, plan: Plan, settings: Settings, found: list[Finding]) -> None:
    """Raises ``InputRefused`` when a certificate of the plan's issuers keeps it from being sent (C8)."""
    from pipeline.certificates.check import refuse_blocked

    try:
        refuse_blocked(settings, found, plan.file)
    except InputRefused as refusal:
        talk.data([refusal_data(Path(plan.file), refusal)])
        raise


def approve(talk: Talk, plan: Plan, settings: Settings, *, yes: bool, only: int | None) -> None:
    """Approval of a plan by a person, who types the count, in every environment. Raises ``Interrupted`` for any other
    answer, ``WrongUsage`` when ``--yes`` is not enough."""
    count = plan.to_send if only is None else min(only, plan.to_send)
    if count == 0:
        return
    talk.check_seen()
    strangers = len(plan.issuers) > 1 and not settings.issuers
    if yes:
        if strangers and settings.env == "production":
            raise WrongUsage(
                f"El archivo tiene {len(plan.issuers)} emisores y --yes no los confirma en producción.",
                remedy="Nómbrelos en ANULAR_ISSUERS, o ejecute sin --yes.",
            )
        return
    invoices = "1 factura" if count == 1 else f"{thousands(count)} facturas"
    whose = f" de «{one_line(settings.company)}»" if settings.company else ""
    asked = f"Escriba {thousands(count)} para anular {invoices}{whose}; no se puede deshacer"
    asked = fill(asked, max(talk.out.width - len(thousands(count)) - 3, 20), break_long_words=False)
    typed = typer.prompt(asked, default="", show_default=False, err=talk.as_json)
    if not is_count(typed, count):
        raise Interrupted(
            "No se envió nada: lo escrito no es la cantidad.",
            code="not-approved",
            remedy=f"Para enviar, ejecute otra vez el comando y escriba {thousands(count)} cuando lo pregunte.",
        )


def is_count(typed: str, count: int) -> bool:
    """Whether a person typed exactly ``count``, with or without the separator of thousands; nothing else sends."""
    return typed.strip() in (str(count), thousands(count))
