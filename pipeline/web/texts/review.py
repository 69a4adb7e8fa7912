"""Words of the review of a file, and of its proposal."""

from __future__ import annotations

from pipeline.domain.proposals import ProposalState

TITLE = "Revisión"
DIGEST = "Huella"
SENTENCE = "{send} de {all} se anularán."
ROWS = "factura|facturas"
NOT = "{count} no."
ENVIRONMENT = "Ambiente"
NONE = "Ninguna fila se puede enviar. Corrija el archivo y cárguelo otra vez."
LOADING = "Revisando el archivo. Puede dejar esta página abierta o volver después."
PHASES = {
    "": "En turno…",
    "leyendo": "Leyendo {name}…",
    "validando": "Validando {rows} filas…",
    "escribiendo": "Escribiendo la revisión de {rows} filas…",
}
INTERRUPTED = "La revisión se interrumpió: {why}"
CHECK_AGAIN = "Revisar otra vez"

UNUSABLE = "No se puede usar"
CHOOSE = "¿Cómo se lee?"
LOAD_OTHER = "Cargar el archivo corregido"
FILE_GONE = "El archivo ya se borró; cárguelo otra vez."

TOTALS = "Totales"
SEND = "Por enviar"
REJECTED = "Rechazadas"
DUPLICATES = "Duplicadas"
CONFLICTS = "En conflicto"
HELD = "Retenidas"
SUM = "Facturas en el archivo"
OTHERS = "Renglones que no son facturas"
LATE = "Plazo vencido"
LATE_AMONG = "{count} tienen el plazo legal vencido: se envían al final y la DGI puede rechazarlas."
LIMIT_DAY = "En día límite"
LIMIT_AMONG = "{count} vencen hoy: se envían primero."
FACTS = "Qué se anularía"
COMPANY = "Empresa"
SHEET = "Hoja"
ISSUERS = "Emisores"
ISSUED = "Emitidas"
FROM_TO = "del {first} al {last}"
TIME = "Duración"
ABOUT = "Unos {time} de envío"
ABOUT_NONE = "Menos de 1 s de envío"
HIDDEN = "Oculto"
HIDDEN_WORDS = "{count} filas, columnas o celdas que estaban ocultas y se incluyeron"
CERTIFICATES = "Certificados digitales"
CERTIFICATES_GOOD = "Sin observaciones."
PREPARED = "Preparó"
SUBMITTED = "Pidió la aprobación"
EXPIRES = "Caduca"
APPROVED = "Aprobó"
FILE = "Archivo"
HASH = "Código de verificación del archivo (SHA-256)"
WHOLE_DIGEST = "Huella entera"
BEFORE = "Frente al lote anterior"
BEFORE_ROWS = "{before} → {now} filas"
BEFORE_NEW = "emisor nuevo: {rucs}"
BEFORE_MISSING = "ya no está el emisor {rucs}"
BEFORE_NONE = "Es el primer lote de esta empresa."
AGAIN_OF = "Corrige a"
PROPOSAL = "propuesta {number}"
BATCH = "Lote"

COLUMNS = "Columnas reconocidas"
COLUMN = "Columna"
USED_AS = "Se usa como"
UNCHANGED = "vuelve igual"
FIRST_ROWS = "Primeras filas"
PROBLEMS = "No se enviarán"
PROBLEMS_NONE = "Ninguna fila tiene problemas."
WARNINGS = "Se enviarán, pero conviene mirarlas"
PLACE = "Dónde"
VALUE = "Recibido"
WHAT = "Qué pasa y qué hacer"
MORE = "Y {count} más."
ALL_ROWS = "Ver todas las filas con esto"
ROW = "fila|filas"
DUPLICATED = "Filas duplicadas"
REPEATS = "Repite"
IN_BATCH = "{place} del lote {lote}"
REPAIRS = "CUFE reparados"
REPAIRED = "Se usa"
REPAIR = "Qué se reparó"
LINES = "Renglones que no son facturas"
NOTES = "Notas de la lectura"
SAMPLE_FIRST = "Primeras facturas que se enviarían"
SAMPLE_LAST = "Últimas facturas que se enviarían"
CUFE = "CUFE"
REASON = "Motivo"
MAIL = "Correo"

DOWNLOADS = "Descargar"
BOOK = "Revisión (.xlsx)"
TO_CORRECT = "Filas para corregir (.xlsx): {what}"
PREPARING = "Se está preparando"
PREPARING_TEXT = (
    "El archivo se está preparando. La descarga comienza sola; si no, vuelva a intentarlo en unos segundos."
)
TRY_AGAIN = "Volver a intentarlo"
NOT_MADE = "No se pudo preparar: {why}"

SUBMIT = "Enviar a aprobación"
SUBMIT_TEXT = "Otra persona revisa lo mismo que usted ve y lo aprueba; hasta entonces no se envía nada."
SUBMIT_ALONE = "Después usted o quien apruebe confirma la cantidad; hasta entonces no se envía nada."
DISCARD = "Descartar"
DISCARDED_BY = "La descartó quien la preparó en la página."
APPROVERS = "La aprueba otra persona: {names}."
APPROVERS_NONE = "Nadie más tiene el papel de Aprobador en esta empresa. Pídaselo a su administrador."
TO_APPROVE = "Revisar y aprobar"
SEE_BATCH = "Ver el lote {lote}"
BEFORE_SENDING = {  # of a proposal without a batch
    ProposalState.APPROVED: "Aprobada. El envío empieza en unos segundos; esta página lo dirá.",
    ProposalState.SENDING: "Se está preparando el envío; esta página lo dirá.",
    ProposalState.ON_HOLD: "Aprobada. Otra ejecución usa el historial de envíos; el envío empieza cuando termine.",
}
PRINT = "Imprimir"
HISTORY = "Quién hizo qué"
WHEN = "Cuándo"
WHO = "Quién"
STEP = "Qué"
FROM = "Desde"
WHY = "Motivo"

STEPS = {
    "uploaded": "Entregó el archivo",
    "checked": "Se revisó",
    "unreadable": "No se pudo usar",
    "submitted": "Pidió la aprobación",
    "discarded": "La descartó",
    "forgotten": "Se descartó por falta de uso",
    "declined": "No la aprobó",
    "approved": "La aprobó",
    "lapsed": "Caducó",
    "begun": "Comenzó a enviarse",
    "busy": "Quedó en espera",
    "changed": "Ya no era lo aprobado",
    "stopped": "Se detuvo",
    "continued": "Continuó",
    "nothing-left": "No quedaba nada por enviar",
    "given-up": "La terminó",
    "all-sent": "Se envió todo",
    "followed": "Terminó",
}
PROGRAM = "anular"
PRINTED = "Impreso de la página de anular"

APPROVE_TITLE = "Aprobar anulaciones"
GOING = "Va a anular {invoices} de {issuers} en {env}. Esto no se puede deshacer."
ISSUER = "emisor|emisores"
ENVIRONMENTS = {"sandbox": "el sandbox", "lab": "el laboratorio de eDoc", "production": "PRODUCCIÓN"}
CONFIRM_ISSUERS = "Marque cada emisor"
CONFIRM_ISSUERS_MISSING = "Marque cada uno de los emisores, o no apruebe."
OF_ISSUER = "{ruc} · {count}"
NOT_SENT = "No se envían: {count}"
SEE_ALL = "Ver la revisión completa"
TYPE_COUNT = "Escriba cuántas facturas se anularán"
TYPE_COUNT_WRONG = "Lo escrito no es la cantidad de facturas que se anularían. Revise el archivo con quien lo preparó."
TYPE_HIDDEN = "Escriba cuántas filas, columnas o celdas ocultas se incluyen"
TYPE_HIDDEN_WRONG = "Lo escrito no es la cantidad de lo oculto que se incluye."
CERTIFICATE_SEEN = "Leí lo que se dice de los certificados y quiero enviar igual"
CERTIFICATE_SEEN_MISSING = "Confirme lo que se dice de los certificados, o no apruebe."
PASSWORD = "Su contraseña"  # noqa: S105 - the words
PASSWORD_MISSING = "Escriba su contraseña."  # noqa: S105 - a sentence
PASSWORD_WRONG = "La contraseña no es correcta. No se aprobó nada."  # noqa: S105 - a sentence
OTHER_PROOF = "Confirmar de otra forma (código o llave de acceso)"
APPROVE = "Aprobar y enviar"
APPROVE_NONE = "Aprobar"
DECLINE = "No aprobar"
DECLINE_TITLE = "¿No es correcto?"
DECLINE_WHY = "Por qué no se aprueba"
DECLINE_HINT = "De 5 a 500 caracteres. Lo lee quien lo preparó."
DECLINE_WRONG = "Escriba de 5 a 500 caracteres."
OWN = "Usted preparó este lote: lo aprueba otra persona: {names}."
OWN_NONE = "Usted preparó este lote: lo aprueba otra persona, y nadie más tiene el papel de Aprobador en esta empresa."
CHANGED = "El lote cambió desde que usted lo abrió. Revíselo otra vez."
CHANGED_TITLE = "Cambió desde que usted la abrió"
REVIEW_AGAIN = "Revisarlo otra vez"
CLOSED = "Esta propuesta está «{word}»: ya no se aprueba."
NO_CERTIFICATE = "El certificado digital no se puede usar, y aquí eso impide aprobar: {what}"
NOT_NOW = "Ahora no se puede aprobar: {why}"
