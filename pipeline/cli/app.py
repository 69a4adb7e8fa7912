"""Typer application: every command, in the order of the help."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib import import_module
from typing import Annotated

import typer

from pipeline.cli.help import SpanishCommand, SpanishGroup

COMMANDS = {
    "init": "init:init",
    "template": "template:write_plantilla",
    "check": "check:check_command",
    "run": "run:run_files",
    "release": "release:release_batch",
    "propose": "propose:propose_file",
    "proposals": "proposals:list_proposals",
    "approve": "proposals:approve_proposal",
    "reject": "proposals:reject_proposal",
    "worker": "worker:work_for_others",
    "poll": "poll:poll_batches",
    "watch": "watch:watch_folder",
    "status": "status:status",
    "find": "find:find",
    "report": "report:report",
    "reconcile": "reconcile:reconcile",
    "resolve": "decide:resolve_row",
    "withdraw": "decide:withdraw_row",
    "resend": "resend:resend_row",
    "support": "support:support",
    "certs": "certs:certs",
    "web": "web:web",
    "verify": "verify:verify",
    "backup": "backup:backup",
    "adopt": "ledger:adopt",
    "ledger": "ledger:ledger_command",
    "sandbox": "sandbox:serve_sandbox",
    "schedule": "schedule:schedule",
    "login": "login:login",
    "logout": "login:logout",
    "doctor": "doctor:doctor",
}
"""Each command with the module here that has it and its function there: only what is asked for is loaded."""


def command_line(names: Iterable[str] = COMMANDS) -> typer.Typer:
    """The application with these commands. To load and put together all of them takes a sixth of a small one's time."""
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
        module, _, function = COMMANDS[name].partition(":")
        found = getattr(import_module(f"pipeline.cli.{module}"), function)
        if isinstance(found, typer.Typer):
            made.add_typer(found, name=name, cls=SpanishGroup)
        else:
            made.command(name=name, cls=SpanishCommand)(found)
    return made


def _say_version(wanted: bool) -> None:
    if wanted:
        from pipeline.settings.version import PROGRAM, VERSION

        sys.stdout.write(f"{PROGRAM} {VERSION}\n")
        raise typer.Exit


def anular(
    version: Annotated[
        bool, typer.Option("--version", help="Muestra la versión y termina.", is_eager=True, callback=_say_version)
    ] = False,
) -> None:
    """Options of the program itself, without a command."""
