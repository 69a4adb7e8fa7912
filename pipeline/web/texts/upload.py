"""Words of the page that takes a file."""

from __future__ import annotations

TITLE = "Cargar archivo"
DROP = "Arrastre aquí su archivo, o elíjalo:"
CHOOSE = "Archivo"
CHOOSE_MISSING = "Elija un archivo."
FORMATS = "Formatos: .xlsx o .csv, hasta {size} MB y {rows} filas."
COLUMNS = "Columnas: CUFE y motivo; el correo, si quiere. Las demás vuelven igual."
TEMPLATE = "Descargar la plantilla"
OPTIONS = "Opciones"
CHECK = "Revisar"
NOTHING_SENT = "Revisar no envía nada."
SENDING = "Enviando el archivo…"
KNOWN = "Este archivo ya se procesó el {when} por {who}."
KNOWN_ALONE = "Este archivo ya se procesó el {when}."
SEE_BATCH = "Ver el lote {lote}"
CORRECTS = "Es el archivo corregido de la propuesta {number} ({name})."
