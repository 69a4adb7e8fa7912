"""Spanish texts of the report, one table each: outcomes, states, events, environments, colours."""

from __future__ import annotations

from pipeline.domain.columns import FIXES_SHEET
from pipeline.domain.lifecycle import Event, State
from pipeline.domain.outcomes import Outcome
from pipeline.domain.visible import thousands
from pipeline.report.model import Banner, Tone

SUMMARY = "Resumen"
RESULTS = "Resultados"
TODO = "Pendientes de acción"
CREDIT = "Notas de crédito"
STATES = "Estados eDoc"
LOG = "Bitácora"
FIXES = FIXES_SHEET
HOW_TO = "Instrucciones"

FACT_HASH = "Código de verificación del archivo (SHA-256)"
FACT_HASH_BEFORE = "Huella del archivo (SHA-256)"
FACT_BATCH = "Lote"
FACT_ENV = "Ambiente"
FACT_SEAL = "Sello del lote"
"""Labels of the batch's facts in ``Resumen`` that identify a workbook later; ``FACT_HASH_BEFORE`` in earlier ones."""

TONES: dict[Outcome, Tone] = {
    Outcome.CANCELLED: Tone.DONE,
    Outcome.ALREADY: Tone.DONE,
    Outcome.PENDING: Tone.WAITS,
    Outcome.UNKNOWN: Tone.PERSON,
    Outcome.STILL_ALIVE: Tone.PERSON,
    Outcome.RETURNED: Tone.REFUSED,
    Outcome.EDOC_ERROR: Tone.REFUSED,
    Outcome.NOT_FOUND: Tone.REFUSED,
    Outcome.REJECTED: Tone.REFUSED,
    Outcome.CONFLICT: Tone.PERSON,
    Outcome.DUPLICATE: Tone.QUIET,
    Outcome.HELD: Tone.PERSON,
    Outcome.NOT_SENT: Tone.QUIET,
    Outcome.WITHDRAWN: Tone.QUIET,
    Outcome.RESOLVED: Tone.QUIET,
    Outcome.NOT_APPLICABLE: Tone.QUIET,
}

MEANINGS: dict[Outcome, str] = {
    Outcome.CANCELLED: "eDoc o la DGI confirmó la anulación.",
    Outcome.ALREADY: "Estaba anulada antes de este lote.",
    Outcome.PENDING: "eDoc la recibió; la DGI aún no responde.",
    Outcome.UNKNOWN: "Se envió y no se sabe si quedó anulada.",
    Outcome.STILL_ALIVE: "Según la última consulta, la factura sigue vigente: no está anulada.",
    Outcome.RETURNED: "La DGI o eDoc la devolvió; no quedó anulada.",
    Outcome.EDOC_ERROR: "eDoc no pudo procesarla; requiere soporte.",
    Outcome.NOT_FOUND: "eDoc no conoce ese CUFE.",
    Outcome.REJECTED: "Sus datos no son válidos; no se envió.",
    Outcome.CONFLICT: "Mismo CUFE con otros datos, o mismo documento con otro CUFE; no se envió.",
    Outcome.DUPLICATE: "Repite otra fila; vale el resultado de aquella.",
    Outcome.HELD: "Espera la aprobación de una persona; no se envió.",
    Outcome.NOT_SENT: "No se envió, o hay prueba de que no se aplicó.",
    Outcome.WITHDRAWN: "Una persona la retiró antes de enviarla.",
    Outcome.RESOLVED: "Una persona decidió el resultado.",
    Outcome.NOT_APPLICABLE: "Renglón que no es una factura: no tiene CUFE ni motivo.",
}

STATE_WORDS: dict[State, str] = {
    State.RECEIVED: "Recibida",
    State.REJECTED_INPUT: "Rechazada por sus datos",
    State.DUPLICATE: "Duplicada",
    State.CONFLICT: "En conflicto",
    State.NOT_APPLICABLE: "No es una factura",
    State.HELD: "Retenida",
    State.READY: "Lista para enviar",
    State.WITHDRAWN: "Retirada",
    State.SENDING: "Enviándose",
    State.NOT_SENT: "No enviada (con prueba)",
    State.REFUSED_AUTH: "No aplicada: sin autorización",
    State.UNKNOWN: "Resultado desconocido",
    State.PENDING: "Pendiente en la DGI",
    State.CANCELLED: "Anulada",
    State.ALREADY_CANCELLED: "Ya estaba anulada",
    State.NEEDS_SUPPORT: "Error en eDoc: soporte",
    State.NEEDS_CORRECTION: "Devuelta: corregir",
    State.RETURNED: "Devuelta por eDoc",
    State.NOT_FOUND: "No encontrada",
    State.REVIEW: "Debe revisarla una persona",
    State.CLOSED_BY_PERSON: "Resuelta por una persona",
    State.CLOSED_RESEND: "Reenvío autorizado",
}

EVENT_WORDS: dict[Event, str] = {
    Event.ACCEPTED: "Validada",
    Event.HELD: "Retenida al validar",
    Event.REJECTED: "Rechazada al validar",
    Event.DUPLICATED: "Reconocida como duplicada",
    Event.CONFLICTED: "Reconocida como conflicto",
    Event.NO_INVOICE: "Reconocido: no es una factura",
    Event.APPROVED: "Aprobada por una persona",
    Event.WITHDRAWN: "Retirada por una persona",
    Event.STOPPED: "Retenida: el envío se detuvo",
    Event.BARRED: "No se envió: las reglas de hoy no lo permiten",
    Event.CLAIMED: "Intención de envío registrada",
    Event.NOTHING_LEFT: "No salió nada: sin conexión",
    Event.ELSEWHERE: "No se envió: ya consta en otro historial de este equipo",
    Event.STALE: "No se envió: pasó demasiado tiempo",
    Event.THROTTLED: "No aplicada: demasiadas solicitudes",
    Event.UNAUTHORISED: "No aplicada: credencial no aceptada",
    Event.CANCELLED: "Anulación confirmada",
    Event.ALREADY: "Ya estaba anulada",
    Event.IN_PROGRESS: "En proceso",
    Event.SUPPORT: "Error de procesamiento en eDoc",
    Event.CORRECT: "Devuelta para corregir",
    Event.RETURNED: "Devuelta por eDoc",
    Event.NOT_FOUND: "No consta en eDoc",
    Event.ALIVE: "Consulta: la factura sigue vigente",
    Event.PERSON: "Requiere revisión de una persona",
    Event.UNCLEAR: "Sin respuesta clara",
    Event.RECOVERED: "Recuperada tras una interrupción",
    Event.RETRY: "Nuevo intento de envío",
    Event.OUT_OF_TIME: "Se agotó el tiempo de consulta",
    Event.RESOLVED: "Resuelta por una persona",
    Event.RESEND: "Reenvío autorizado por una persona",
}

_BANNERS: dict[str, Banner] = {
    "production": Banner("PRODUCCIÓN: anulaciones con efecto legal, no se pueden deshacer", True),
    "lab": Banner("AMBIENTE DE PRUEBAS (lab): sin efecto legal", False),
    "sandbox": Banner("AMBIENTE DE PRUEBAS (sandbox): simulador local, sin efecto legal", False),
}


def banner(env: str, *, preview: bool) -> Banner:
    """The line that shows the environment clearly."""
    known = _BANNERS.get(env) or Banner(f"AMBIENTE «{env}»", True)
    if not preview:
        return known
    place = {"production": "PRODUCCIÓN"}.get(env, f"ambiente de pruebas ({env})")
    return Banner(f"REVISIÓN PREVIA para {place}: no se envió nada", False)


def count(number: int, one: str, many: str) -> str:
    """``1 fila`` / ``1,234 filas``: a number with its noun."""
    return f"{thousands(number)} {one if number == 1 else many}"


def book_of(wrong: int, returned: int) -> str:
    """``5 facturas y 2 devueltas``: what a corrections workbook holds, the same wherever it is named."""
    parts = [count(wrong, "factura", "facturas")] if wrong or not returned else []
    return " y ".join([*parts, *([count(returned, "devuelta", "devueltas")] if returned else [])])
