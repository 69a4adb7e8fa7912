"""Writes what docs/usuario/comandos.md and ajustes.md say from the program itself. Called by `make pages`.

It stands between the markers of each page; what is around them is written by hand. tests/house/test_pages.py fails
when a page is not what this writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import typer.main
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from pipeline.cli.app import command_line
from pipeline.settings.model import PREFIX, Settings

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "usuario"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


# -------------------------------------------------------------------------------------------------------- comandos.md


def commands() -> dict[str, Any]:
    """Every command by its name, as typer knows it; those of a group with the group's name before theirs."""
    group: Any = typer.main.get_command(command_line())
    found: dict[str, Any] = {}
    for name, one in group.commands.items():
        inner = {f"{name} {part}": command for part, command in getattr(one, "commands", {}).items()}
        found |= {called: command for called, command in (inner or {name: one}).items() if not command.hidden}
    return found


def commands_part() -> str:
    every = commands()
    links = [f"[`{name}`](#anular-{name.replace(' ', '-')})" for name in every]
    summary = table(["comando", "para qué"], [*map(list, zip(links, map(_first, every.values()), strict=True))])
    return "\n".join([summary, *(_command(name, one) for name, one in every.items())])


def _command(name: str, one: Any) -> str:
    shown = [p for p in one.params if not p.hidden]
    arguments = [p for p in shown if not p.opts[0].startswith("-")]
    options = [p for p in shown if p.opts[0].startswith("-")]
    usage = [p.metavar if p.required else f"[{p.metavar}]" for p in arguments]
    parts = [f"\n## anular {name}\n", *(f"{_plain(' '.join(p.split()))}\n" for p in one.help.split("\n\n"))]
    parts += ["```text", " ".join(["anular", name, *usage, *(["[OPCIONES]"] if options else [])]), "```"]
    if arguments:
        parts += ["", table(["argumento", "qué es"], [[f"`{p.metavar}`", _plain(p.help or "")] for p in arguments])]
    if options:
        rows = [[_option(p), _plain(p.help or ""), _values(p)] for p in options]
        parts += ["", table(["opción", "qué hace", "valores"], rows)]
    return "\n".join(parts)


def _option(parameter: Any) -> str:
    words = f" {parameter.metavar}" if parameter.metavar else ""
    return ", ".join(f"`{name}{words}`" for name in parameter.opts)


def _values(parameter: Any) -> str:
    """Whether an option is required, its bounds and its default, where it has any."""
    said = ["forzosa"] if parameter.required else []
    said += _between(parameter.min, parameter.max)
    if parameter.default not in (None, False, True, "") and not callable(parameter.default):
        said.append(f"por defecto `{parameter.default}`")
    return "; ".join(said)


def _between(least: float | None, most: float | None) -> list[str]:
    if least is not None and most is not None:
        return [f"de {least:,} a {most:,}"]
    return [f"{least:,} o más"] if least is not None else [f"hasta {most:,}"] if most is not None else []


def _first(command: Any) -> str:
    """The first paragraph of a help text."""
    return _plain(" ".join(command.help.split("\n\n")[0].split()))


def _plain(words: str) -> str:
    return words.replace("<", "&lt;").replace("*", "\\*")


# --------------------------------------------------------------------------------------------------------- ajustes.md

# The groups in the order in which they are shown, each with the settings that it begins with.
GROUPS: dict[str, tuple[str, ...]] = {
    "El servicio y la empresa": (
        *("env", "base_url", "auth_url", "cancel_url", "query_url", "company", "issuers"),
        *("user", "user_file", "password", "password_file", "integration_name", "notify_email"),
    ),
    "Dónde quedan las cosas": ("ledger", "office", "out", "log", "metrics"),
    "Enviar y consultar": (
        *("rate", "concurrency", "poll_every", "poll_for", "old_hours", "preflight", "query_describes"),
        *("resend_after_429", "breaker_wait", "connect_timeout", "read_timeout", "deadline_hours", "late_rows"),
    ),
    "El archivo que se lee": (
        *("sheet", "max_file_mb", "max_rows", "max_columns", "max_unpacked_mb", "read_memory_mb", "read_cpu_s"),
    ),
    "Dos personas": ("approval", "web_proposal_h"),
    "La carpeta vigilada": ("watch_",),
    "La cola de trabajo": ("queue_",),
    "Avisos": ("mail_", "webhook_"),
    "Los certificados digitales": ("cert_",),
    "La página": ("web_",),
    "El sandbox": ("sandbox_",),
}
NOT_SET_BY_PEOPLE = ("profile", "spare", "half", "home")


def settings_part() -> str:
    parts = []
    for title, names in grouped().items():
        rows = [_setting(name) for name in names]
        if "ledger" in names:
            rows.append([f"`{PREFIX}CONFIG`", "otro archivo de configuración, en vez de `anular.toml`", "ninguno", ""])
        parts += [f"\n## {title}\n", table(["ajuste", "qué es", "por defecto", "valores"], rows)]
    return "\n".join(parts)


def grouped() -> dict[str, list[str]]:
    """The settings that people may set, by group. Raises ``KeyError`` for one that has no group."""
    found: dict[str, list[str]] = {title: [] for title in GROUPS}
    for name in Settings.model_fields.keys() - set(NOT_SET_BY_PEOPLE):
        found[_group(name)].append(name)
    order = list(Settings.model_fields)
    return {title: sorted(names, key=lambda name: _place(title, name, order)) for title, names in found.items()}


def _group(name: str) -> str:
    for title, names in GROUPS.items():
        if name in names or any(one.endswith("_") and name.startswith(one) for one in names):
            return title
    raise KeyError(f"{name} has no group in .ci/pages.py")


def _place(title: str, name: str, order: list[str]) -> int:
    names = GROUPS[title]
    return names.index(name) if name in names else order.index(name)


def _setting(name: str) -> list[str]:
    field = Settings.model_fields[name]
    return [f"`{PREFIX}{name.upper()}`", _plain(field.description or ""), default_of(field), bounds_of(field)]


def default_of(field: FieldInfo) -> str:
    value = field.default
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, Enum):
        value = value.value
    if value in (None, "", frozenset()):
        return "ninguno"
    if isinstance(value, tuple):
        return f"`{','.join(map(str, value))}`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def bounds_of(field: FieldInfo) -> str:
    """The choices of a setting, or its least and greatest value, or how long it may be."""
    kind = field.annotation
    if kind is bool:
        return "`true` o `false`"
    choices = (
        get_args(kind)
        if get_origin(kind) is Literal
        else tuple(one.value for one in kind)
        if isinstance(kind, type) and issubclass(kind, Enum)
        else ()
    )
    if choices:
        return ", ".join(f"`{choice}`" for choice in choices)
    limit = {
        key: getattr(one, key)
        for one in field.metadata
        for key in ("gt", "ge", "le", "max_length")
        if hasattr(one, key)
    }
    if "max_length" in limit:
        return f"hasta {limit['max_length']} caracteres"
    if "gt" in limit:
        return f"más de {limit['gt']:,}" + (f", hasta {limit['le']:,}" if "le" in limit else "")
    return "".join(_between(limit.get("ge"), limit.get("le")))


PAGES = {
    FOLDER / "comandos.md": ("comandos", commands_part),
    FOLDER / "ajustes.md": ("ajustes", settings_part),
}


def split_at(page: Path, name: str) -> tuple[str, str, str]:
    """What stands before, between and after the markers of ``name``. Raises ``ValueError`` where there are none."""
    text = page.read_text(encoding="utf-8")
    begin, end = f"<!-- {name}: begin -->\n", f"\n<!-- {name}: end -->"
    start = text.index(begin) + len(begin)
    stop = text.index(end, start)
    return text[:start], text[start:stop], text[stop:]


def main() -> None:
    """Writes what is made from the program into each page."""
    for page, (name, write) in PAGES.items():
        before, _, after = split_at(page, name)
        page.write_text(before + write() + after, encoding="utf-8")


if __name__ == "__main__":
    main()
