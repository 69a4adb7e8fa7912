"""Words of the page of settings."""

from __future__ import annotations

TITLE = "Configuración"
READ_ONLY = (
    "Aquí solo se ve. Se cambia en el archivo de configuración del servidor, o con variables ANULAR_…; después se "
    "reinician la página y el envío."
)
FILE = "Archivo de configuración"
NAME = "Ajuste"
VALUE = "Valor"
MEANING = "Qué es"
SECRET = "(guardada, no se muestra)"  # noqa: S105 - words
EMPTY = "(sin definir)"
