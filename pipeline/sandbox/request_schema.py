"""Request schema: the form of a valid request, by the sandbox's own reading of edoc-api.md 3 and 4. Pure.

Strict on purpose: a client that sends what the documentation does not allow is refused here with 400.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import parse_qsl

from pipeline.domain.cufe import Cufe
from pipeline.domain.errors import CufeInvalid

QUERY_NAMES = ("RucEmisor", "iDoc", "dSucEm", "dPtoFacDF", "dNroDF")
_LIMITS = {"motivoAnulacion": (15, 1000), "correoNotificacion": (1, 100), "nombreIntegracion": (0, 100)}
_NAMES = frozenset({"cufe", *_LIMITS})


class BadForm(Exception):
    """The request is not as documented; the message is Spanish."""


def json_object(body: bytes) -> dict[str, object] | None:
    """The JSON object in ``body``; None when there is none or a key is repeated."""
    try:
        found = json.loads(body, object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def cancellation(payload: Mapping[str, object] | None, content_type: str) -> Cufe:
    """The CUFE to cancel. Raises ``BadForm``. A wrong check digit passes: the book answers it with 18."""
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise BadForm("Se espera Content-Type: application/json.")
    if payload is None:
        raise BadForm("El cuerpo no es un objeto JSON válido.")
    if unknown := sorted(payload.keys() - _NAMES):
        raise BadForm(f"Campo desconocido: {', '.join(unknown)}.")
    for name, (shortest, longest) in _LIMITS.items():
        _check_text(payload, name, shortest, longest)
    mail = payload.get("correoNotificacion")
    if isinstance(mail, str) and "@" not in mail:
        raise BadForm("El campo correoNotificacion no es un correo.")
    try:
        return Cufe.parse(str(payload.get("cufe", "")), allow_bad_check_digit=True)
    except CufeInvalid as problem:
        raise BadForm(problem.message) from problem


def query(query_string: str, body: bytes) -> tuple[str, str, str, str, str]:
    """The key of the requested document, in the order of ``QUERY_NAMES``. Raises ``BadForm``."""
    if body:
        raise BadForm("La consulta lleva el cuerpo vacío.")
    pairs = parse_qsl(query_string, keep_blank_values=True)
    given = dict(pairs)
    if len(pairs) != len(given) or given.keys() != set(QUERY_NAMES) or not all(given.values()):
        raise BadForm(f"La consulta lleva exactamente: {', '.join(QUERY_NAMES)}.")
    ruc, idoc, sucem, ptofacdf, ndf = (given[name] for name in QUERY_NAMES)
    return ruc, idoc, sucem, ptofacdf, ndf


def service(query_string: str) -> str:
    """The service of a token request; empty when the request names none, or several."""
    pairs = parse_qsl(query_string, keep_blank_values=True)
    return pairs[0][1] if len(pairs) == 1 and pairs[0][0] == "Id" else ""


def _check_text(payload: Mapping[str, object], name: str, shortest: int, longest: int) -> None:
    if name not in payload and name != "motivoAnulacion":
        return
    value = payload.get(name)
    if not isinstance(value, str) or not shortest <= len(value) <= longest:
        raise BadForm(f"El campo {name} debe ser un texto de {shortest} a {longest} caracteres.")
    if any(char < " " or char == "\x7f" for char in value):
        raise BadForm(f"El campo {name} contiene caracteres de control.")


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate key")
    return found
