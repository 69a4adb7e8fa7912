"""Help pages and usage errors in Spanish, for typer, which has them only in English.

The language is the readers', not the system's: an accountant's help is in Spanish on an English server too.
"""

from __future__ import annotations

import difflib
import re
from typing import Any

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

_EXTRA = re.compile(r"arguments?(?:\(s\))? \((.*)\)", re.DOTALL)
_MEANT = {"version": ["--version"], "ayuda": ["help"], "buscar": ["find"], "plantilla": ["template"]}
HELP_OPTION = "Muestra esta ayuda y termina."


class SpanishCommand(TyperCommand):
    """Typer command whose help page is in Spanish."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        _write_help(self, ctx, formatter)


class SpanishGroup(TyperGroup):
    """Typer group whose help page, in Spanish, lists the commands."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        _write_help(self, ctx, formatter)


def usage_error(error: typer.TyperException, commands: list[str]) -> str:
    """Sentence in Spanish for a usage error of typer."""
    kind = type(error).__name__
    param = getattr(error, "param", None)
    name = _label(param) if param is not None else ""
    if kind == "NoSuchOption":
        near = difflib.get_close_matches(error.option_name, getattr(error, "possibilities", None) or [], n=1)  # type: ignore[attr-defined]
        hint = f" ¿Quiso decir {near[0]}?" if near else ""
        return f"No existe la opción {error.option_name}.{hint}"  # type: ignore[attr-defined]
    if kind == "MissingParameter":
        return f"Falta indicar {name}"
    if kind == "BadParameter":
        return f"El valor de {name or 'una opción'} no es válido{_range(param)}."
    if kind == "BadOptionUsage":
        return f"La opción {error.option_name} necesita un valor."  # type: ignore[attr-defined]
    words = error.format_message()
    if words.startswith("No such command"):
        asked = words.split("'")[1] if "'" in words else ""
        near = _MEANT.get(asked) or difflib.get_close_matches(asked, commands, n=1)
        hint = f" ¿Quiso decir {near[0]}?" if near else ""
        return f"No existe el comando «{asked}».{hint}"
    if words.startswith("Missing command"):
        return "Falta el comando."
    if "unexpected extra argument" in words.lower():
        extra = _EXTRA.search(words)
        return f"Sobra «{extra[1]}»: el comando no lo usa." if extra else "Sobra un argumento."
    return "El comando no está bien escrito."


def _label(param: Any) -> str:
    return param.opts[0] if isinstance(param, TyperOption) else param.metavar or param.name.upper()


def _range(param: Any) -> str:
    least, most = getattr(param, "min", None), getattr(param, "max", None)
    if least is not None and most is not None:
        return f": debe estar entre {least} y {most}"
    return f": debe ser {least} o más" if least is not None else ""


def _write_help(command: TyperCommand | TyperGroup, ctx: Any, formatter: Any) -> None:
    """Writes the help page with typer's plain formatter: rich would take as long to import as all the rest."""
    arguments = [p for p in command.params if isinstance(p, TyperArgument) and not p.hidden]
    options = [p for p in command.params if isinstance(p, TyperOption) and not p.hidden]
    names = " ".join(_argument(p) for p in arguments)
    tail = "COMANDO [ARGUMENTOS]..." if isinstance(command, TyperGroup) else names
    formatter.write(f"{typer.style('Uso:', bold=True)} {f'{ctx.command_path} [OPCIONES] {tail}'.rstrip()}\n")
    for paragraph in (command.help or "").split("\n\n"):
        formatter.write_paragraph()
        formatter.write_text(" ".join(paragraph.split()))
    if isinstance(command, TyperGroup):
        rows = [(name, one.get_short_help_str(limit=200)) for name, one in command.commands.items() if not one.hidden]
        _section(formatter, "Comandos", rows)
    _section(formatter, "Argumentos", [(_label(p), p.help or "") for p in arguments])
    _section(formatter, "Opciones", [*((_option(p), _option_help(p)) for p in options), ("--help", HELP_OPTION)])


def _argument(param: Any) -> str:
    return _label(param) if param.required else f"[{_label(param)}]"


def _option(param: Any) -> str:
    return ", ".join(param.opts) + (f" {param.metavar}" if param.metavar else "")


def _option_help(param: Any) -> str:
    shown = param.default not in (None, False, True, "") and not callable(param.default)
    return f"{param.help or ''} (por defecto: {param.default})" if shown else param.help or ""


def _section(formatter: Any, title: str, rows: list[tuple[str, str]]) -> None:
    if not rows:
        return
    formatter.write_paragraph()
    formatter.write(f"{typer.style(title, bold=True)}\n")
    with formatter.indentation():
        formatter.write_dl([(typer.style(name, fg="cyan"), words) for name, words in rows], col_max=34)
