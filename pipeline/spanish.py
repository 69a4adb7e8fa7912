"""The command line's own words in Spanish: typer asks gettext for each, so the answers are handed to it while it loads.

Not the system's language but the readers': an accountant's help is in Spanish on an English server too.
"""

from __future__ import annotations

import gettext
from collections.abc import Iterator
from contextlib import contextmanager

WORDS = {
    "Usage: ": "Uso: ",
    "Arguments": "Argumentos",
    "Options": "Opciones",
    "Commands": "Órdenes",
    "Error": "Error",
    "Aborted.": "Cancelado.",
    "Aborted!": "Cancelado.",
    "(deprecated) ": "(en desuso) ",
    "(dynamic)": "(variable)",
    "[default: {}]": "[por omisión: {}]",
    "default: {default}": "por omisión: {default}",
    "[env var: {}]": "[variable: {}]",
    "env var: {var}": "variable: {var}",
    "[required]": "[obligatorio]",
    "required": "obligatorio",
    "Missing command.": "Falta la orden.",
    "No such command {name!r}.": "No existe la orden {name!r}.",
    "Try [blue]'{command_path} {help_option}'[/] for help.": "Ayuda: [blue]{command_path} {help_option}[/]",
}


@contextmanager
def typer_in_spanish() -> Iterator[None]:
    """Inside the block typer is imported with these words; afterwards gettext is as before."""
    original = gettext.gettext
    gettext.gettext = lambda message: WORDS.get(message, original(message))
    try:
        yield
    finally:
        gettext.gettext = original
