"""Typer application: every command, in the order of the help."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Annotated

import typer

from pipeline.cli.backup import backup
from pipeline.cli.check import check_command
from pipeline.cli.decide import resolve_row, withdraw_row
from pipeline.cli.doctor import doctor
from pipeline.cli.find import find
from pipeline.cli.help import SpanishCommand, SpanishGroup
from pipeline.cli.ledger import adopt, ledger_command
from pipeline.cli.login import login, logout
from pipeline.cli.poll import poll_batches
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

COMMANDS: dict[str, Callable[..., int]] = {
    "template": write_plantilla,
    "check": check_command,
    "run": run_files,
    "release": release_batch,
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


def command_line(names: Iterable[str] = COMMANDS) -> typer.Typer:
    """The application with these commands, each put together only when it is there: all of them take as long as the
    libraries of a small one."""
    made = typer.Typer(
        name="anular",
        cls=SpanishGroup,
        add_completion=False,
        pretty_exceptions_enable=False,
        no_args_is_help=True,
        help="Anula facturas electrónicas de Panamá listadas en un CSV o Excel, por medio de eDoc, y entrega un libro "
        "de resultados que un auditor puede comprobar.",
    )
    made.callback()(anular)
    for name in names:
        made.command(name=name, cls=SpanishCommand)(COMMANDS[name])
    return made


def _say_version(wanted: bool) -> None:
    if wanted:
        from pipeline.settings.model import PROGRAM, VERSION

        sys.stdout.write(f"{PROGRAM} {VERSION}\n")
        raise typer.Exit


def anular(
    version: Annotated[
        bool, typer.Option("--version", help="Muestra la versión y termina.", is_eager=True, callback=_say_version)
    ] = False,
) -> None:
    """Options of the program itself, without a command."""


app = command_line()
