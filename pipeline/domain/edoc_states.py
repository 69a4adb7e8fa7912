"""eDoc state table, and what an answer proves (edoc-api.md 5; DGI codes: domain.md 5).

``judge`` is the one place that decides what an answer is evidence of; ``proves_cancellation`` the one
function that decides whether it proves a cancellation. Unknown stays unknown: never success, never rejection.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from pipeline.domain.lifecycle import GIVEN_BACK, NOT_ACCEPTED, Event, State
from pipeline.domain.records import Source


class Kind(Enum):
    """Meaning of a state for our row."""

    FINAL = "final"
    PERSON = "final, requiere revisión"
    PENDING = "pendiente"
    QUERY_ONCE = "consultar una vez; luego, revisión"


@dataclass(frozen=True, slots=True)
class EdocState:
    """A row of the table in edoc-api.md 5, with the Spanish texts of the results."""

    number: int
    meaning: str
    #: whether the documentation allows a resend
    resend: bool
    #: whether to query again
    query: bool
    #: what to do, in Spanish
    action: str
    #: what it means for our row
    kind: Kind


# resend is True for 4 and 6 as in the documentation's table; its text adds "not automatically", so the action
# says by hand, and no code path resends automatically.
EDOC_STATES: dict[int, EdocState] = {
    s.number: s
    for s in (
        EdocState(2, "Autorizado: cumple todos los requisitos", False, False, "Ninguna.", Kind.FINAL),
        EdocState(
            4,
            "Error de procesamiento en eDoc",
            True,
            False,
            "Notificar a soporte técnico. Nunca reenviar de forma automática.",
            Kind.PERSON,
        ),
        EdocState(
            5,
            "Recibido; la DGI aún no informa su estado",
            False,
            True,
            "No reenviar. Consultar de nuevo.",
            Kind.PENDING,
        ),
        EdocState(
            6,
            "Devuelto por la DGI: campos obligatorios del XML",
            True,
            False,
            "Corregir lo indicado y reenviar manualmente.",
            Kind.PERSON,
        ),
        EdocState(7, "No recibido por la DGI", False, True, "No reenviar. Consultar.", Kind.PENDING),
        EdocState(
            10,
            "Estado transitorio, sin descripción oficial",
            False,
            True,
            "No reenviar. Consultar.",
            Kind.PENDING,
        ),
        EdocState(11, "Anulado en la DGI", False, False, "Ninguna.", Kind.FINAL),
        EdocState(
            15,
            "Devuelto por eDoc antes de generar el XML: duplicado, credenciales o clase de documento",
            False,
            True,
            "Duplicado: consultar si ya fue autorizado. Credenciales: revisar lo enviado. "
            "Clase incorrecta: corregir y reenviar.",
            Kind.QUERY_ONCE,
        ),
        EdocState(18, "No encontrado en eDoc", False, False, "Verificar los datos enviados.", Kind.PERSON),
        EdocState(
            20,
            "eDoc no pudo comunicarse con el PAC; se enviará automáticamente más tarde",
            False,
            True,
            "No reenviar. Consultar el estado final.",
            Kind.PENDING,
        ),
    )
}

TRANSITORY = frozenset({5, 7, 10, 20})

DGI_REGISTERED = "0600"
DGI_ALREADY = "0622"
DGI_CODES: dict[str, str] = {
    DGI_REGISTERED: "Evento de anulación registrado",
    DGI_ALREADY: "Ya existe un evento de anulación para esta factura",
    "1002": "Documento duplicado",
    "1601": "RUC mal formado",
    "1602": "RUC desconocido",
    "0100": "Error de esquema",
}
_DGI_CORRECT = frozenset({"1601", "1602", "0100"})
_DGI_PERSON = frozenset({"1002"})


class QueryDescribes(Enum):
    """What a 2 in a query's answer is about (reliability.md D4): the invoice (default) or the cancellation."""

    INVOICE = "invoice"
    CANCELLATION = "cancellation"


def proves_cancellation(
    source: Source,
    estado: int | None,
    dgi: str | None,
    describes: QueryDescribes = QueryDescribes.INVOICE,
) -> bool:
    """Whether an answer proves that the invoice is cancelled (edoc-api.md 5).

    DGI 0600 and 0622 count more than the state, and the authority's known errors are against it. In the answer to a
    cancellation, 2 and 11 are proof unless the answer also has an unknown DGI code. In a query only 11 is proof: 2
    there is the state of the invoice, which is still authorised.
    """
    if dgi in (DGI_REGISTERED, DGI_ALREADY):
        return True
    if dgi in DGI_CODES:
        return False
    if source is Source.CANCELLATION:
        return estado in (2, 11) and not dgi
    return estado == 11 or (estado == 2 and describes is QueryDescribes.CANCELLATION)


def judge(
    source: Source,
    estado: int | None,
    dgi: str | None,
    describes: QueryDescribes = QueryDescribes.INVOICE,
) -> Event:
    """The event that an answer is evidence of.

    ``estado`` is None when the answer has none, or one that is not plain (reliability.md D12); ``dgi`` is the
    authority's code, None when absent. Anything that is not in the tables is ``UNCLEAR``.
    """
    if proves_cancellation(source, estado, dgi, describes):
        return Event.ALREADY if dgi == DGI_ALREADY else Event.CANCELLED
    if estado in (2, 11):
        # Success with a code that contradicts it or is unknown; or a query that found the invoice authorised.
        return Event.ALIVE if source is Source.QUERY and estado == 2 else Event.UNCLEAR
    if estado in _SAYS_ENOUGH:
        return _SAYS_ENOUGH[estado]
    if dgi in _DGI_CORRECT:
        return Event.CORRECT
    if dgi in _DGI_PERSON:
        return Event.PERSON
    return Event.IN_PROGRESS if estado in TRANSITORY else Event.UNCLEAR


PLAIN_NO = frozenset({2, 6, 15})
"""States of a query that, by themselves, say that no cancellation was accepted: alive, or given back."""


def may_correct(source: State, event: Event, estado: int | None, dgi: str | None) -> bool:
    """Whether ``event`` of a row in ``source`` may send another reason or address than before: a resend of a document
    that was given back, after a query whose answer (``estado`` and ``dgi``) shows that the first request was not
    accepted. A plain state is needed: right before the sending it has to be the same once more (reliability.md R12)."""
    if event is not Event.RESEND or source not in GIVEN_BACK or estado not in PLAIN_NO:
        return False
    return judge(Source.QUERY, estado, dgi) in NOT_ACCEPTED


# These states are enough to decide; a code with them only explains why.
_SAYS_ENOUGH: dict[int | None, Event] = {
    4: Event.SUPPORT,
    6: Event.CORRECT,
    15: Event.RETURNED,
    18: Event.NOT_FOUND,
}
