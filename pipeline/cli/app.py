"""Typer application: every command, in the order of the help."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated

import typer

from pipeline.cli.backup import backup
from pipeline.cli.certs import certs
from pipeline.cli.check import check_command
from pipeline.cli.decide import resolve_row, withdraw_row
from pipeline.cli.doctor import doctor
from pipeline.cli.find import find
from pipeline.cli.help import SpanishCommand, SpanishGroup
from pipeline.cli.ledger import adopt, ledger_command
from pipeline.cli.login import login, logout
from pipeline.cli.poll import poll_batches
from pipeline.cli.proposals import approve_proposal, list_proposals, reject_proposal
from pipeline.cli.propose import propose_file
from pipeline.cli.reconcile import reconcile
from pipeline.cli.release import release_batch
from pipeline.cli.report import report
from pipeline.cli.resend import resend_row
from pipeline.cli.run import run_files
from pipeline.cli.sandbox import serve_sandbox
from pipeline.cli.status import status
from pipeline.cli.support import support
from pipeline.cli.template import write_plantilla
from pipeline.cli.verify import verify
from pipeline.cli.watch import watch_folder
from pipeline.cli.worker import work_for_others

app = typer.Typer(
    name="anular",
    cls=SpanishGroup,
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Anula facturas electrónicas de Panamá listadas en un CSV o Excel, por medio de eDoc, y entrega un libro de "
    "resultados que un auditor puede comprobar.",
)

COMMANDS: dict[str, Callable[..., int]] = {
    "template": write_plantilla,
    "check": check_command,
    "run": run_files,
    "release": release_batch,
    "propose": propose_file,
    "proposals": list_proposals,
    "approve": approve_proposal,
    "reject": reject_proposal,
    "worker": work_for_others,
    "poll": poll_batches,
    "watch": watch_folder,
    "status": status,
    "find": find,
    "report": report,
    "reconcile": reconcile,
    "resolve": resolve_row,
    "withdraw": withdraw_row,
    "resend": resend_row,
    "support": support,
    "verify": verify,
    "backup": backup,
    "adopt": adopt,
    "ledger": ledger_command,
    "sandbox": serve_sandbox,
    "login": login,
    "logout": logout,
    "doctor": doctor,
}
for _name, _function in COMMANDS.items():
    app.command(name=_name, cls=SpanishCommand)(_function)


app.add_typer(certs, name="certs", cls=SpanishGroup)


def _say_version(wanted: bool) -> None:
    if wanted:
        from pipeline.settings.model import PROGRAM, VERSION

        sys.stdout.write(f"{PROGRAM} {VERSION}\n")
        raise typer.Exit


@app.callback()
def anular(
    version: Annotated[
        bool, typer.Option("--version", help="Muestra la versión y termina.", is_eager=True, callback=_say_version)
    ] = False,
) -> None:
    """Options of the program itself, without a command."""
