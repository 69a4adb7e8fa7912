"""Words of the help."""

from __future__ import annotations

TITLE = "Ayuda"
STEPS = "En tres pasos"
STEP_ONE = (
    "Prepare el archivo: una fila por factura, con el CUFE y el motivo. La plantilla trae las columnas y avisa de "
    "errores."
)
STEP_TWO = "Cárguelo y revise qué pasaría con cada fila. Revisar no envía nada. Cuando esté bien, pida la aprobación."
STEP_THREE = (
    "Otra persona lo aprueba y escribe cuántas facturas se anulan. Después se envía; aquí ve el avance y los "
    "resultados."
)
TEMPLATE = "Descargar la plantilla"
FORMATS = "Qué archivos se aceptan"
FORMATS_TEXT = (
    "Libros de Excel (.xlsx) y texto separado por comas o punto y coma (.csv), hasta {size} MB y {rows} filas."
)
DEADLINE = "Calculadora del plazo"
DEADLINE_TEXT = "El plazo legal configurado es de {hours} horas desde la emisión."
DAY = "Día de emisión"
DAY_HINT = "Día/mes/año, por ejemplo 18/11/2026."
DAY_WRONG = "Escriba una fecha como 18/11/2026."
CALCULATE = "Calcular"
DUE = "Emitida el {day}: el plazo vence el {when}, contado desde el comienzo de ese día."
LATE = "Ya venció: corresponde una nota de crédito (tipo 04) que cite el CUFE."
IN_TIME = "Está en plazo: quedan al menos {hours} horas."
LIMIT_DAY = "Es el día límite: depende de la hora en que se emitió. Envíela cuanto antes."
STATES = "Qué significa cada resultado"
RESULT = "Resultado"
MEANING = "Qué significa"
EDOC = "Estados de eDoc"
CODE = "Código"
MESSAGES = "Mensajes y qué hacer"
MESSAGES_TEXT = (
    "Cada mensaje de la revisión dice la celda, qué pasa y qué hacer; el código entre corchetes sirve para pedir ayuda."
)
PROBLEM = "Qué pasa"
REMEDY = "Qué hacer"
SUPPORT = "A quién llamar"
