"""Words of the search."""

from __future__ import annotations

TITLE = "Buscar"
BOX = "CUFE, número de documento, archivo o lote"
HINT = "El CUFE puede venir con espacios, sin guiones o en el enlace del código QR."
SEARCH = "Buscar"
NONE = "No está en el registro de esta empresa. Eso no prueba que esté vigente: consulte en eDoc."
ROWS = "factura|facturas"
BATCHES = "lote|lotes"
FOUND_ROWS = "Facturas"
FOUND_BATCHES = "Lotes"
LEFT_ROWS = "Y {count} más: escriba el CUFE completo para ver una sola."
LEFT_BATCHES = "Y {count} más: escriba el nombre o el número completo."
IN_BATCH = "lote {lote}, {place}"
