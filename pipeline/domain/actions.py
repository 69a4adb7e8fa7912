"""Recommended actions: what an accountant does about each outcome, each with the id of its rule.

The one table behind ``accion_recomendada`` and ``regla`` (interface.md 5); sources: edoc-api.md 5, domain.md 4
and 5, reliability.md 2.5. ``recommend`` picks the first rule that fits; ``urgency`` orders the to-do list.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.domain.deadline import Window
from pipeline.domain.lifecycle import FOLLOWED, SETTLED, State
from pipeline.domain.outcomes import BARRED, ELSEWHERE, PREFLIGHT
from pipeline.domain.records import ResultLine, Source


@dataclass(frozen=True, slots=True)
class Action:
    """A recommended action."""

    #: id, such as ``A01``
    rule: str
    #: heading of its group in the to-do list
    title: str
    #: the Spanish text
    words: str
    #: whether a person has to act
    person: bool
    #: order in the to-do list, 1 first; from 90 on there is nothing to do
    urgency: int

    @property
    def idle(self) -> bool:
        """Whether nothing is to be done."""
        return self.urgency >= 90


NOTHING = Action("A01", "Nada que hacer", "Ninguna. La anulación está registrada.", False, 90)
ALREADY = Action("A02", "Nada que hacer", "Ninguna. La factura ya estaba anulada antes de este lote.", False, 90)
WAIT = Action(
    "A03",
    "Consultar más tarde",
    "No reenviar. eDoc la recibió y la DGI aún no responde: vuelva a consultar más tarde (comando poll).",
    False,
    50,
)
ASK_AGAIN = Action(
    "A04",
    "Consultar más tarde",
    "No reenviar. Se envió y no hubo respuesta clara: vuelva a consultar más tarde (comando poll).",
    False,
    45,
)
STILL_ALIVE = Action(
    "A05",
    "Sigue autorizada (vigente)",
    "La factura sigue vigente: no está anulada. Vuelva a consultar más tarde; si sigue igual, una persona debe decidir "
    "el reenvío.",
    True,
    20,
)
SUPPORT = Action(
    "A06",
    "Llamar a soporte de eDoc",
    "Abra un caso con soporte técnico de eDoc e indique el CUFE y el mensaje. No reenviar por su cuenta.",
    True,
    15,
)
CORRECT = Action(
    "A07",
    "Corregir y reenviar",
    "La DGI la devolvió. Corrija lo que indica el mensaje: el motivo o el correo, en la hoja «Devueltas» del libro "
    "«corregir», que se carga con run y pregunta por cada reenvío; o con el comando resend.",
    True,
    25,
)
RETURNED = Action(
    "A08",
    "Revisar la devolución de eDoc",
    "eDoc la devolvió antes de enviarla a la DGI (duplicado, credenciales o clase de documento). "
    "Lea el mensaje y revise esa causa antes de reenviar.",
    True,
    25,
)
CHECK_CUFE = Action(
    "A09",
    "Verificar el CUFE",
    "eDoc no conoce esta factura. Verifique el CUFE, la empresa y el ambiente.",
    True,
    30,
)
MISSING_AFTER_INTENT = Action(
    "A10",
    "Verificar en el portal",
    "No consta en eDoc tras el envío sin respuesta. Verifique en el portal antes de autorizar un reenvío.",
    True,
    10,
)
REVIEW = Action(
    "A11",
    "Verificar en el portal",
    "No se sabe si quedó anulada. Verifíquela en el portal de la DGI o con soporte de eDoc; no reenviar sin confirmar.",
    True,
    10,
)
FIX_ROW = Action(
    "A12",
    "Corregir la fila",
    "No se envió. Corrija lo que dice «observaciones», en el libro «corregir» o en su archivo, y cárguela otra vez.",
    True,
    35,
)
CHOOSE = Action(
    "A13",
    "Elegir una versión",
    "No se envió. El mismo CUFE aparece con otro motivo o correo, o el mismo documento con otro CUFE: deje una sola "
    "versión y vuelva a cargarla.",
    True,
    35,
)
SEE_LEADER = Action(
    "A14", "Nada que hacer", "Ninguna para esta fila: vale el resultado de la fila que se indica.", False, 91
)
APPROVE = Action(
    "A15", "Aprobar o retirar", "No se envió. Una persona debe revisarla y aprobarla o retirarla.", True, 40
)
SEND_LATER = Action("A16", "Enviar", "No se envió. Ejecute otra vez el mismo archivo para enviarla.", True, 30)
CREDIT_NOTE = Action(
    "A17",
    "Nota de crédito",
    "El plazo legal venció: emita una nota de crédito (tipo 04) que cite este CUFE.",
    True,
    5,
)
WITHDRAWN = Action("A18", "Nada que hacer", "Ninguna. Una persona la retiró antes de enviarla.", False, 92)
DECIDED = Action("A19", "Nada que hacer", "Ninguna. Una persona decidió el resultado.", False, 92)
ALREADY_QUEUED = Action("A20", "Reenvío autorizado", "Una persona autorizó el reenvío; falta enviarla.", True, 30)

SENT_BEFORE = Action(
    "A21",
    "Revisar el lote anterior",
    "No se envió. Este CUFE, u otro del mismo documento, ya está en un lote anterior: vale el resultado de aquella "
    "fila.",
    True,
    36,
)

DOUBT_BEFORE = Action(
    "A22",
    "Revisar antes de enviar",
    "No se envió: la consulta previa dejó dudas. Revísela en el portal; luego decida (comando resend o resolve).",
    True,
    25,
)

SAID_NO = Action(
    "A23",
    "Nada que hacer",
    "No se envió: en el archivo la fila está tachada o dice que no se anule. Si se debe anular, corríjalo en su "
    "archivo y cárguela otra vez.",
    False,
    93,
)
RULES_OF_TODAY = Action(
    "A25",
    "Revisar la regla que lo impide",
    "No se envió: las reglas de hoy no lo permiten (vea «observaciones»). Si la factura debe anularse, pida que se "
    "corrija esa regla y ejecute otra vez el mismo archivo.",
    True,
    30,
)

ELSEWHERE_SENT = Action(
    "A24",
    "Ver el otro historial",
    "No se envió: ya consta como enviada en otro historial de envíos de este equipo. Vea allá en qué quedó; si se debe "
    "enviar igual, ejecute el comando run con este archivo y --known-elsewhere, que antes consulta en eDoc.",
    True,
    24,
)

NO_INVOICE = Action(
    "A26", "Nada que hacer", "Ninguna. Este renglón no es una factura: no tiene CUFE ni motivo.", False, 93
)

CORRECTED_THERE = Action(
    "A27",
    "Nada que hacer",
    "Ninguna para esta fila: se corrigió en otro lote y allá quedó resuelta (vea «observaciones»).",
    False,
    91,
)
SEE_CORRECTION = Action(
    "A28",
    "Seguir en la corrección",
    "Esta fila se corrigió en otro lote (vea «observaciones»): lo que falta se hace allá.",
    True,
    36,
)
CORRECTION_WAITS = Action(
    "A29",
    "Consultar más tarde",
    "Esta fila se corrigió en otro lote (vea «observaciones») y aún no hay respuesta definitiva: vuelva a consultar "
    "ese lote más tarde (comando poll).",
    False,
    50,
)

ACTIONS: tuple[Action, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Action))

RESENT = frozenset({CORRECT, SEND_LATER, ALREADY_QUEUED})
ASKED = frozenset({WAIT, ASK_AGAIN, STILL_ALIVE})
"""Actions by which a row is to be sent again, or queried again: what ``reenviar`` and ``consultar`` say of the row now.
The table of states says it of a state in general."""

CORRECTED = (FIX_ROW, CHOOSE)
"""Actions that mean: correct the data and load the row again. Such rows go into the corrections workbook."""

GIVEN_BACK = (CORRECT, RETURNED)
"""Actions that mean: correct and have the row sent again by ``resend``. Such rows stand on a sheet of their own."""

_BY_STATE: dict[State, Action] = {
    State.RECEIVED: SEND_LATER,
    State.REJECTED_INPUT: FIX_ROW,
    State.DUPLICATE: SEE_LEADER,
    State.CONFLICT: CHOOSE,
    State.NOT_APPLICABLE: NO_INVOICE,
    State.HELD: APPROVE,
    State.READY: SEND_LATER,
    State.WITHDRAWN: WITHDRAWN,
    State.SENDING: ASK_AGAIN,
    State.NOT_SENT: SEND_LATER,
    State.REFUSED_AUTH: SEND_LATER,
    State.UNKNOWN: ASK_AGAIN,
    State.PENDING: WAIT,
    State.CANCELLED: NOTHING,
    State.ALREADY_CANCELLED: ALREADY,
    State.NEEDS_SUPPORT: SUPPORT,
    State.NEEDS_CORRECTION: CORRECT,
    State.RETURNED: RETURNED,
    State.NOT_FOUND: CHECK_CUFE,
    State.REVIEW: REVIEW,
    State.CLOSED_BY_PERSON: DECIDED,
    State.CLOSED_RESEND: ALREADY_QUEUED,
}

SAYING_NO = frozenset({"fila-tachada", "fila-dice-no"})
"""Problems of rows whose own text says that they must not be sent. Our workbooks cross these rows out too."""

_REFUSED_LATE = frozenset({State.NEEDS_CORRECTION, State.RETURNED, State.NOT_SENT, State.READY, State.HELD})


def says_no(line: ResultLine) -> bool:
    """Whether the file itself says that this row must not be sent."""
    return any(problem.code in SAYING_NO for problem in line.problems)


def recommend(line: ResultLine) -> Action:
    """The action for ``line``."""
    if line.fixed is not None:
        if line.fixed.state in SETTLED:
            return CORRECTED_THERE
        return CORRECTION_WAITS if line.fixed.state in FOLLOWED else SEE_CORRECTION
    alive = line.source is Source.QUERY and line.estado == 2
    if alive and line.state in (State.PENDING, State.UNKNOWN, State.REVIEW):
        return STILL_ALIVE
    if says_no(line):
        return SAID_NO
    if any(problem.code == "plazo-vencido" for problem in line.problems):
        return CREDIT_NOTE
    if any(problem.code in ("conflicto-lote", "documento-lote") for problem in line.problems):
        return SENT_BEFORE
    if line.state is State.NOT_SENT and line.note == ELSEWHERE and not line.again:
        return ELSEWHERE_SENT
    late = line.deadline is not None and line.deadline.window is Window.LATE
    if late and line.state in _REFUSED_LATE:
        return CREDIT_NOTE
    if line.state is State.NOT_SENT and line.note.startswith(BARRED):
        return CREDIT_NOTE if "plazo-vencido" in line.note else RULES_OF_TODAY
    if line.again and line.state in (State.READY, State.NOT_SENT, State.REFUSED_AUTH):
        return ALREADY_QUEUED
    if line.state is State.REVIEW and line.note == PREFLIGHT:
        return DOUBT_BEFORE
    if line.state is State.REVIEW and line.estado == 18:
        return MISSING_AFTER_INTENT
    return _BY_STATE[line.state]
