"""Why sending stopped early, in words for a person."""

from __future__ import annotations

from pipeline.domain.errors import CredentialsRefused, ServiceRefused, ServiceUnclear, StoppedEarly
from pipeline.domain.lifecycle import Event
from pipeline.domain.records import Finding


def no_preflight(finding: Finding) -> ServiceUnclear:
    http = f"HTTP {finding.http}" if finding.http is not None else "sin respuesta"
    return ServiceUnclear(
        f"La consulta previa al envío no tuvo una respuesta clara ({http}). Se dejó de enviar: no se envía con dudas.",
        code="preflight-unclear",
        remedy="Ejecute el mismo comando más tarde.",
    )


def out_of_tries(finding: Finding) -> StoppedEarly:
    if finding.event is Event.UNAUTHORISED:
        return CredentialsRefused(
            "eDoc rechazó dos veces el token (401).",
            remedy="Revise el usuario, la contraseña y los permisos de anulación; luego ejecute el mismo comando.",
        )
    reasons = {
        "dns": "no se encontró la dirección del servicio",
        "refused": "el servicio rechazó la conexión",
        "connect": "no se pudo conectar con el servicio",
        "connect-timeout": "el servicio no contestó a tiempo",
        "pool-timeout": "no hubo una conexión libre a tiempo",
        "tls": "el certificado del servicio no es de confianza",
        "interrupted": "la ejecución se interrumpió",
        "stale": "pasó demasiado tiempo entre la decisión de enviar y el envío (¿se suspendió el equipo?)",
    }
    said = "eDoc pidió esperar demasiadas veces" if finding.event is Event.THROTTLED else "no se pudo conectar"
    return ServiceRefused(
        f"No se pudo enviar: {reasons.get(finding.note, said)}.",
        code=f"not-sent-{finding.note or finding.event.value}",
        remedy="Nada se envió dos veces. Ejecute el mismo comando más tarde.",
    )
