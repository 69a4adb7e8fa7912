"""Options of the command line as the page calls them: a message from the program says what is on screen."""

from __future__ import annotations

import re

SHEET = "Hoja"
COLUMNS = "Columnas"
HIDDEN = "Incluir filas, columnas y celdas ocultas"
FORMULAS = "Aceptar los valores de las fórmulas"
BAD_DIGIT = "Aceptar un dígito verificador que no coincide"
FAR_ROWS = "Filas después de muchas vacías"
IGNORE_VIEWS = "Tomar también lo que una vista del libro deja fuera"

SHEET_HINT = "El nombre de la hoja, si el libro tiene varias con facturas."
COLUMNS_HINT = "Solo si los títulos no se reconocen: cufe=H,motivo=I,correo=J."
HIDDEN_HINT = "Quien aprueba escribe cuántas son."
FORMULAS_HINT = "Se envía el valor que la fórmula tenía al guardar el libro."
BAD_DIGIT_HINT = "El CUFE se envía aunque su último carácter no corresponda."
FAR_ROWS_HINT = "Cuántas son, si también se deben anular."
IGNORE_VIEWS_HINT = "Quien usa esa vista en Excel no las ve."

NAMES = {
    "--accept-formulas": FORMULAS,
    "--allow-bad-check-digit": BAD_DIGIT,
    "--columns": COLUMNS,
    "--far-rows": FAR_ROWS,
    "--ignore-views": IGNORE_VIEWS,
    "--include-hidden": HIDDEN,
    "--sheet": SHEET,
}

_OPTION = re.compile("|".join(map(re.escape, sorted(NAMES, key=len, reverse=True))))
_COMMAND = re.compile(r" ?\((?:comando|con el comando) [^)]*\)")
_MACHINE = re.compile(r" \((?:o, )?donde no hay terminal, con el ajuste ANULAR_\w+\)")


_INSTEAD = {
    ", que se carga con run y pregunta por cada reenvío; o con el comando resend.": ". Se reenvía desde la página de "
    "cada fila.",
    "ejecute el comando run con este archivo y --known-elsewhere, que antes consulta en eDoc.": "lo hace desde la "
    "terminal quien administra el equipo.",
}


def on_screen(text: str) -> str:
    """A message of the program as the page says it: options by their names on screen, and no command."""
    for command, instead in _INSTEAD.items():
        text = text.replace(command, instead)
    text = _MACHINE.sub("", _COMMAND.sub("", text))
    return _OPTION.sub(lambda found: f"la opción «{NAMES[found[0]]}»", text)
