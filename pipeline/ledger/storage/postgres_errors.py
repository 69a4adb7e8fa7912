"""PostgreSQL errors as texts for people: what is wrong and what to do, never a value or a secret.

A server that refuses a connection sends no code with it, only text, perhaps in its own language; the texts that we
know are English, and any other text is not repeated.
"""

from __future__ import annotations

from dataclasses import dataclass

AGAIN = "Ejecute el mismo comando otra vez; lo que quedó en duda se consulta, no se reenvía."
_SERVER = "Compruebe que el servidor funciona, su dirección en ANULAR_LEDGER y la red."
_PAGE = "Vea docs/despliegue/postgresql.md."


@dataclass(frozen=True, slots=True)
class Refusal:
    """Text for an error."""

    #: goes after a colon; ``remedy`` is a sentence
    words: str
    remedy: str
    #: another run was first
    taken: bool = False


_STATES = {
    "23505": Refusal("otra ejecución recibió entretanto el mismo archivo o el mismo CUFE", AGAIN, taken=True),
    "25006": Refusal("la base de datos es de solo lectura", _PAGE),
    "25P03": Refusal("el servidor cerró la conexión por inactiva", AGAIN),
    "3D000": Refusal("la base de datos no existe en ese servidor", f"Créela. {_PAGE}"),
    "28P01": Refusal("el servidor no aceptó el usuario o la contraseña", f"Revíselos (~/.pgpass). {_PAGE}"),
    "42501": Refusal("el usuario de la base de datos no tiene los derechos que hacen falta", f"Déselos. {_PAGE}"),
    "42P01": Refusal("faltan tablas del historial de envíos", _PAGE),
    "53100": Refusal("el disco del servidor está lleno", f"Libere espacio. {AGAIN}"),
    "53200": Refusal("al servidor le falta memoria", AGAIN),
    "53300": Refusal("el servidor no admite más conexiones", f"Espere o suba max_connections. {AGAIN}"),
    "55P03": Refusal("otra ejecución lo tiene bloqueado", AGAIN),
    "57014": Refusal("el servidor interrumpió el comando", AGAIN),
    "57P01": Refusal("el servidor se está apagando", AGAIN),
    "57P02": Refusal("el servidor se cayó", AGAIN),
    "57P03": Refusal("el servidor aún está arrancando", AGAIN),
    "58030": Refusal("error de lectura o escritura del disco del servidor", "Avise a quien administra el servidor."),
    "XX001": Refusal("el servidor encontró datos dañados", "No lo use para enviar; avise a quien lo administra."),
    "XX002": Refusal("el servidor encontró un índice dañado", "No lo use para enviar; avise a quien lo administra."),
}
_CLASSES = {"08": Refusal("se perdió la conexión con el servidor", AGAIN), "23": Refusal("una regla lo impide", AGAIN)}
_WORDS = {
    "authentication failed": _STATES["28P01"],
    "no password supplied": _STATES["28P01"],
    "fe_sendauth": _STATES["28P01"],
    "role ": Refusal("ese usuario no existe en el servidor o no puede entrar", _PAGE),
    "no pg_hba.conf entry": Refusal("el servidor no admite a ese usuario desde este equipo (pg_hba.conf)", _PAGE),
    "permission denied for database": _STATES["42501"],
    "database ": _STATES["3D000"],
    "too many": _STATES["53300"],
    "remaining connection slots": _STATES["53300"],
    "starting up": _STATES["57P03"],
    "shutting down": _STATES["57P01"],
    "Connection refused": Refusal("el servidor no responde en esa dirección", _SERVER),
    "No such file or directory": Refusal("el servidor no responde en esa dirección", _SERVER),
    "could not translate host name": Refusal("no se encontró el servidor", _SERVER),
    "failed to resolve host": Refusal("no se encontró el servidor", _SERVER),
    "No route to host": Refusal("el servidor no responde en esa dirección", _SERVER),
    "Network is unreachable": Refusal("el servidor no responde en esa dirección", _SERVER),
    "timeout expired": Refusal("el servidor no respondió a tiempo", _SERVER),
    "timed out": Refusal("el servidor no respondió a tiempo", _SERVER),
    "NUL (0x00)": Refusal("un texto tiene un carácter que PostgreSQL no admite (NUL)", "Avise a soporte."),
    "SSL": Refusal("no se pudo establecer la conexión cifrada con el servidor", _PAGE),
    "certificate": Refusal("el certificado del servidor no es de confianza", _PAGE),
    "invalid connection option": Refusal("la dirección tiene una opción que no existe", _PAGE),
    "invalid sslmode": Refusal("la dirección tiene una opción que no existe", _PAGE),
}
_LOST = Refusal("se perdió la conexión con el servidor", AGAIN)
_OTHER = Refusal("el servidor no pudo hacer lo que se le pidió", "Avise a quien administra el servidor.")


def refusal_of(error: BaseException) -> Refusal:
    """The text for ``error``, an exception of SQLAlchemy, of the driver or of the system."""
    orig = getattr(error, "orig", None) or error
    state = getattr(orig, "sqlstate", None)
    if state:
        known = _STATES.get(state) or _CLASSES.get(state[:2])
        return known or Refusal(f"{_OTHER.words} ({state})", _OTHER.remedy)
    said = str(orig)
    for words, refusal in _WORDS.items():
        if words in said:
            return refusal
    broken = type(orig).__name__ in ("OperationalError", "InterfaceError")
    return _LOST if broken or getattr(error, "connection_invalidated", False) else _OTHER
