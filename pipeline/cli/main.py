"""Entry point: runs one command and returns its exit code, without a traceback for what a user can cause."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import typer

from pipeline.cli.app import COMMANDS, command_line
from pipeline.cli.help import usage_error
from pipeline.cli.stdio import outlets, output_lost
from pipeline.domain.commands import Here, order
from pipeline.domain.errors import AnularError, Interrupted, WrongUsage
from pipeline.runtime.garbage import loading
from pipeline.runtime.internal_error import internal
from pipeline.wiring.telemetry import Observation


def main() -> None:
    """Runs the command line and ends the process with the exit code of interface.md 2."""
    if not __debug__:
        sys.exit("anular no funciona con python -O: sus comprobaciones de seguridad quedarían apagadas.")
    # No package that happens to be installed takes part when settings are read, and none is looked for.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "1")
    sys.exit(run_command(sys.argv[1:]))


def run_command(arguments: Sequence[str]) -> int:
    """Exit code of one command run with ``arguments``. Never a traceback for what a user can cause."""
    seen = Observation()
    with outlets(Here.of(list(arguments), windows=os.name == "nt")) as (out, _):
        code = _ended(arguments, seen)
        out.flush()
        trouble = output_lost(out, f"Lo hecho quedó registrado: vea {order('status')} y los libros de resultados.")
        if trouble is not None and not isinstance(out.lost, BrokenPipeError) and code in (0, 1, 4, 7):
            _say(trouble)  # whoever stopped reading knows it; an earlier trouble says more
            code, seen.error = trouble.exit_code, trouble.code
        for warning in seen.end(code):
            sys.stderr.write(f"Aviso: {warning}\n")
        return code


def _ended(arguments: Sequence[str], seen: Observation) -> int:
    """Exit code of one command; an error is printed on standard error."""
    try:
        asked = _asked(arguments)
        needed = asked[:1] if set(asked[:1]) & COMMANDS.keys() else COMMANDS
        with loading():
            commands = command_line(needed)
        # Not commands(...), which makes of Ctrl-C an exit code without a word.
        command = typer.main.get_command(commands)
        with command.make_context("anular", asked, obj=seen) as context:
            return int(command.invoke(context) or 0)
    except AnularError as error:
        seen.error = error.code
        _say(error)
        return error.exit_code
    except typer.TyperException as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            typer.echo(error.format_message())
            return 2
        from pipeline.cli import console

        errors = console.make_console(stderr=True)
        errors.print(f"✗ {usage_error(error, [*COMMANDS, *_names(commands)])}", markup=False)
        errors.print("Vea la ayuda con --help.", style="dim")
        return 2
    except typer.Exit as end:
        return end.exit_code
    except (typer.Abort, EOFError, KeyboardInterrupt):
        seen.error = Interrupted().code
        _say(Interrupted())
        return Interrupted.exit_code
    except ModuleNotFoundError as error:
        seen.error = _without(error).code
        _say(_without(error))
        return _without(error).exit_code
    except Exception as error:
        seen.error = internal(error).code
        _say(internal(error))
        return 5


def _names(group: typer.Typer) -> list[str]:
    """Names of all commands, those of a group among them."""
    names = [one.name or "" for one in group.registered_commands]
    for inner in group.registered_groups:
        names += [inner.name or "", *(_names(inner.typer_instance) if inner.typer_instance is not None else [])]
    return names


def _asked(arguments: Sequence[str]) -> list[str]:
    """``arguments`` with ``help`` and ``help COMMAND`` as ``--help`` and ``COMMAND --help``."""
    asked = list(arguments)
    if asked[:1] != ["help"]:
        return asked
    return [*(one for one in asked[1:] if one not in ("help", "--help")), "--help"]


def _without(error: ModuleNotFoundError) -> AnularError:
    """Remedy for a package that is not installed: PostgreSQL's and the page's are extras of their own."""
    missing = (error.name or "").partition(".")[0]
    if missing in ("allauth", "argon2", "django", "fido2", "qrcode", "zxcvbn"):
        return WrongUsage(
            "Esta instalación de anular no trae lo que necesita para la página.",
            code="web-missing",
            remedy="Instálelo con: pip install 'anular[web]'.",
        )
    if missing not in ("psycopg", "psycopg_pool", "procrastinate"):
        return internal(error)
    return WrongUsage(
        "Esta instalación de anular no trae lo que necesita para PostgreSQL.",
        code="postgres-missing",
        remedy="Instálelo con: pip install 'anular[postgres]'. Para el archivo de esta máquina no hace falta.",
    )


def _say(error: AnularError) -> None:
    """Prints an error on standard error. The console is imported only here: it takes as long as all the rest."""
    from pipeline.cli import console

    console.say_error(console.make_console(stderr=True), error)
