"""``anular propose``: a file, or a batch that the drop folder held, is prepared for another person's approval."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli import questions
from pipeline.cli.approve import check_hidden_count, confirm_asked, confirm_hidden
from pipeline.cli.context import Talk, results_folder, settings_for
from pipeline.cli.inputs import own_batch, read_all, reader_processes
from pipeline.cli.options import (
    BadDigit,
    Columns,
    FarRows,
    Formulas,
    Hidden,
    HiddenCount,
    IgnoreViews,
    Json,
    Ledger,
    Profile,
    SheetName,
)
from pipeline.cli.output import show_plan
from pipeline.cli.proposals import proposal_data, proposal_facts
from pipeline.cli.two_people import opened_proposals, person_here
from pipeline.domain.commands import order
from pipeline.domain.errors import WrongUsage

if TYPE_CHECKING:
    from pipeline.approvals.store import Draft, Proposal
    from pipeline.run.plan import Plan
    from pipeline.runtime.clock import Clock
    from pipeline.settings.model import Settings


def propose_file(
    context: typer.Context,
    file: Annotated[Path | None, typer.Argument(metavar="ARCHIVO", help="Un archivo CSV o XLSX.")] = None,
    batch: Annotated[
        str,
        typer.Option("--batch", metavar="LOTE", help="Un lote que la carpeta retuvo, en vez de un archivo."),
    ] = "",
    sheet: SheetName = "",
    columns: Columns = "",
    include_hidden: Hidden = False,
    hidden_count: HiddenCount = None,
    far_rows: FarRows = None,
    ignore_views: IgnoreViews = False,
    accept_formulas: Formulas = False,
    allow_bad_check_digit: BadDigit = False,
    as_json: Json = False,
    profile: Profile = "",
    ledger: Ledger = "",
) -> int:
    """Prepara un archivo para que otra persona lo apruebe. No envía nada: guarda lo que se enviaría y su huella."""
    if (file is None) == (not batch):
        raise WrongUsage("Indique un archivo, o un lote retenido con --batch.", code="propose-what")
    of_a_file = (sheet, columns, include_hidden, ignore_views, accept_formulas, allow_bad_check_digit)
    if batch and (any(of_a_file) or hidden_count is not None or far_rows is not None):
        raise WrongUsage(
            "--batch pide la aprobación de lo que ya se recibió: no se usa con las opciones de un archivo.",
            code="propose-batch-alone",
        )
    settings, talk = settings_for(profile, ledger), Talk(as_json)
    options = {
        "accept_formulas": accept_formulas,
        "allow_bad_check_digit": allow_bad_check_digit,
        "columns": columns.strip(),
        "include_hidden": include_hidden,
    }
    from pipeline.approvals import decisions
    from pipeline.wiring.rules import make_clock

    who, clock = person_here(settings), make_clock(settings)
    if file is None:
        draft = _of_batch(batch, settings, clock)
    else:
        check_hidden_count(hidden_count, include_hidden)
        asks = sys.stdin.isatty()
        wish = questions.Wish.of(sheet, columns, include_hidden, asks=asks)
        found = read_all([file], wish, settings, talk, reader_processes(context))[0]
        confirm_hidden([file], [found], hidden_count, talk, yes=not asks)
        confirm_asked([file], [found], far_rows, talk, yes=not asks, ignore_views=ignore_views)
        options["include_hidden"] = include_hidden or bool(found.hidden.count)
        draft = _of_file(file, found, options, settings, talk, clock)
    with opened_proposals(settings, talk) as store:
        proposal, new = decisions.propose(store, draft, clock.now(), who=who)
        _tell(proposal, talk, new=new)
    return 0


def _of_file(file: Path, found: Any, options: dict[str, Any], settings: Settings, talk: Talk, clock: Clock) -> Draft:
    from pipeline.approvals.prepare import draft_of_file
    from pipeline.approvals.reviewing import kept_of
    from pipeline.ledger.ledger_events import id_of
    from pipeline.read.source import take
    from pipeline.settings.model import limits
    from pipeline.wiring.ledger import open_ledger_views

    def shown(plan: Plan) -> dict[str, Any]:
        return kept_of(plan, settings, views.newest())

    source, folder = take(file, limits(settings)), results_folder(settings, file)
    with open_ledger_views(settings, files=[(file, found.sha256)]) as (views, database):
        draft, plan = draft_of_file(
            found, source, settings, views, id_of(database), clock.now(), options, shown, folder
        )
    show_plan(talk, plan, settings)
    return draft


def _of_batch(name: str, settings: Settings, clock: Clock) -> Draft:
    from pipeline.approvals.held_batch import draft_of_batch
    from pipeline.domain.visible import thousands
    from pipeline.ledger.ledger_events import id_of
    from pipeline.settings.model import ENV_WORDS
    from pipeline.wiring.ledger import open_ledger_views

    with open_ledger_views(settings) as (views, database):
        info = own_batch(views, name)
        facts = [
            ["Archivo", f"{info.file} · código de verificación {info.sha256[:12]}…"],
            ["Ambiente", ENV_WORDS[settings.env]],
            ["Lote", f"{info.id}, retenido por la carpeta vigilada"],
            ["Facturas", thousands(info.rows)],
            *(["Nota", note] for note in info.notes),
        ]
        shown = {"facts": facts, "problems": [], "folder": info.folder}
        return draft_of_batch(info, views, settings, id_of(database), clock.now(), shown)


def _tell(proposal: Proposal, talk: Talk, *, new: bool) -> None:
    from pipeline.cli import console

    talk.data({**proposal_data(proposal), "new": new})
    title = f"Propuesta {proposal.id}" if new else f"Propuesta {proposal.id}, ya abierta"
    console.facts(talk.out, title, proposal_facts(proposal))
    talk.out.print(f"No se envió nada. La aprueba otra persona con {order('approve', proposal.id)}", markup=False)
