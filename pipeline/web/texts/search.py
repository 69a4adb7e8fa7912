"""Words of the search."""

from __future__ import annotations

TITLE = "Buscar"
BOX = "CUFE, número de documento, archivo o lote"
HINT = "El CUFE puede venir con espacios, sin guiones o en el enlace del código QR."
SEARCH = "Buscar"
NONE = "No está en el registro de esta empresa. Eso no prueba que esté vigente: consulte en eDoc."
ROWS = "factura|facturas"
BATCHES = "lote|lotes"
LIST = "Lotes por mes, persona o estado"
MONTH = "Mes"
PERSON = "Persona"
STATE = "Estado"
ANY = "Todos"
OPEN = "Con pendientes"
SETTLED = "Sin pendientes"
SHOW = "Mostrar lotes"
NO_BATCH = "Ningún lote así."
FIRST_ONES = "Se muestran los {count} más recientes: elija un mes."
MONTHS = {
    "01": "enero",
    "02": "febrero",
    "03": "marzo",
    "04": "abril",
    "05": "mayo",
    "06": "junio",
    "07": "julio",
    "08": "agosto",
    "09": "septiembre",
    "10": "octubre",
    "11": "noviembre",
    "12": "diciembre",
}
FOUND_ROWS = "Facturas"
FOUND_BATCHES = "Lotes"
LEFT_ROWS = "Y {count} más: escriba el CUFE completo para ver una sola."
LEFT_BATCHES = "Y {count} más: escriba el nombre o el número completo."
IN_BATCH = "Lote {lote}, {place}"
