"""Scenario table: how a document behaves, chosen by the three digits before the check digit of its CUFE.

``9xx`` are scenarios; every other ending is ``000``, accepted at once. Each entry defines the answer to the
cancellation, whether and when eDoc accepts it, whether and when the authority cancels the invoice (the truth,
which no answer can change), and the answers to status queries over time.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.domain.cufe import Cufe
from pipeline.sandbox.answers import HTML, UNREADABLE_PAGE, Answer, Cut

DUPLICATE = "duplicate"
"""``next_post``: a repetition is answered "an event exists already" (domain.md 5, 0622)."""

SOON = 2.0
"""Seconds until a delayed scenario is complete."""
LATE = 3.0
"""Seconds until a late delivery arrives."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The answer to queries from ``after`` seconds after the POST."""

    answer: Answer
    after: float = 0.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """One behaviour. Times are seconds after the POST was received; None is never."""

    code: str
    name: str
    #: in Spanish, for the command line and the documentation
    description: str
    #: to the cancellation
    answer: Answer
    #: answers to queries, in order of time; before the first of them the document is not found
    seen: tuple[Seen, ...] = ()
    #: when eDoc accepts the request; None: never, and the POST changed nothing
    arrives: float | None = 0.0
    #: when the authority cancels the invoice
    cancels: float | None = None
    #: whether ``seen`` advances with each query instead of with time; the last entry stays
    step_by_query: bool = False
    #: for a further POST of the same CUFE: ``DUPLICATE``, or the code of a scenario
    next_post: str = DUPLICATE


def _after(state: object, answer: Answer | None = None, seconds: float = SOON) -> tuple[Seen, ...]:
    """Queries return ``state`` at first and ``answer`` (default: cancelled) after ``seconds``."""
    return (Seen(Answer(state)), Seen(CANCELLED if answer is None else answer, after=seconds))


CANCELLED = Answer(11, message="Documento anulado.")
ALIVE = Answer("2", message="Documento autorizado.")
GONE = (Seen(CANCELLED),)
LIVING = (Seen(ALIVE),)
NOT_FOUND = Answer(18, message="Documento no encontrado en eDoc.")
REGISTERED = Answer("2", dgi="0600", message="Evento de anulación registrado.")
FAILED = Answer("4", message="Error de procesamiento en eDoc.")
RETURNED = Answer(6, message="Devuelto por la DGI: falta un campo obligatorio del XML (gDGen).")
WRONG_CLASS = Answer("15", message="Devuelto por eDoc: la clase de documento no corresponde.")
BAD_CREDENTIALS = Answer(15, message="Devuelto por eDoc: credenciales inválidas para este emisor.")
REPEATED = Answer("15", message="Devuelto por eDoc: documento duplicado.")
TRANSIT = Answer("5", message="Recibido; la DGI aún no responde.")
LONG_MESSAGE = "Devuelto por la DGI: " + "el campo dGen no cumple el esquema; " * 1200
HOSTILE_BODY = (
    r'{"estado": "4", "codigoRespuestaDGI": null, "CodigoError": "@SUM(1)", "MensajeRespuesta": '
    r'"=HYPERLINK(\"http://sandbox.invalid\",\"ver\") \u0000\u0007 \ud800 <b>\u202e error"}'
)

# fmt: off
_TABLE = (
    Scenario("000", "accepted", "Anulada de inmediato: estado 2 y código 0600.",
        REGISTERED, GONE, cancels=0.0),
    # 90x..92x: the state at once, mnemonic by its number.
    Scenario("902", "accepted-by-state", "Anulada de inmediato: estado 2 sin código de la DGI.",
        Answer(2, key="EstadoEmisionEDOC", message="Procesado."), GONE, cancels=0.0),
    Scenario("903", "unknown-then-cancelled", "Responde un estado desconocido (3); la consulta dice 11.",
        Answer("3", message="Estado no documentado."), GONE, cancels=0.0),
    Scenario("904", "processing-error", "Estado 4: error de procesamiento en eDoc; requiere soporte.",
        FAILED, (Seen(FAILED),), next_post="000"),
    Scenario("905", "received-then-cancelled", "Estado 5 (recibido); a los 2 s la consulta dice 11.",
        TRANSIT, _after("5"), cancels=SOON),
    Scenario("906", "returned-by-authority", "Estado 6: devuelto por la DGI; hay que corregir.",
        RETURNED, (Seen(RETURNED),), next_post="000"),
    Scenario("907", "not-received-then-cancelled", "Estado 7 (no recibido por la DGI); a los 2 s la consulta dice 11.",
        Answer(7, key="estadoAnulacionEDOC", message="No recibido por la DGI."), _after(7), cancels=SOON),
    Scenario("910", "transitory-then-cancelled", "Estado 10 (transitorio); a los 2 s la consulta dice 11.",
        Answer("10", key="EstadoEdoc", message="En proceso."), _after("10"), cancels=SOON),
    Scenario("911", "cancelled-state", "Anulada de inmediato: responde estado 11.",
        Answer("11", key="estadoAnulacionEDOC", message="Documento anulado."), GONE, cancels=0.0),
    Scenario("915", "wrong-document-class", "Estado 15: clase de documento incorrecta; la consulta también dice 15.",
        WRONG_CLASS, (Seen(WRONG_CLASS),), next_post="000"),
    Scenario("916", "duplicate-cancelled", "Estado 15 por duplicado; la consulta dice 11: ya estaba anulada.",
        REPEATED, GONE, cancels=0.0),
    Scenario("917", "refused-credentials", "Estado 15 por credenciales inválidas.",
        BAD_CREDENTIALS, (Seen(BAD_CREDENTIALS),), next_post="917"),
    Scenario("918", "not-found", "Estado 18: eDoc no conoce el documento.",
        NOT_FOUND, arrives=None, next_post="918"),
    Scenario("919", "duplicate-alive", "Estado 15 por duplicado; la consulta dice 2: la factura sigue autorizada.",
        REPEATED, LIVING, next_post="919"),
    Scenario("920", "pac-unreachable-then-cancelled", "Estado 20 (sin PAC); a los 2 s la consulta dice 11.",
        Answer(20, message="Sin comunicación con el PAC; se enviará automáticamente."),
        _after("20"), cancels=SOON),
    # 93x: 5xx answers.
    Scenario("930", "http-500-unprocessed", "HTTP 500 antes de procesar: la consulta dice siempre 18.",
        Answer(status=500, message="Error interno."), arrives=None, next_post="000"),
    Scenario("931", "http-500-processed", "HTTP 500 después de procesar: la consulta dice 11.",
        Answer(status=500, message="Error interno."), GONE, cancels=0.0),
    Scenario("932", "http-502-processed", "HTTP 502 sin cuerpo, pero procesada: la consulta dice 11.",
        Answer(status=502, raw="", media_type=HTML), GONE, cancels=0.0),
    Scenario("933", "http-503-unprocessed", "HTTP 503 sin cuerpo y sin procesar: la consulta dice siempre 18.",
        Answer(status=503, raw="", media_type=HTML), arrives=None, next_post="000"),
    Scenario("934", "http-504-processed-later", "HTTP 504: se procesa más tarde; la consulta dice 5 y luego 11.",
        Answer(status=504, raw="", media_type=HTML), _after(5), cancels=SOON),
    Scenario("935", "http-503-retry-after", "HTTP 503 con Retry-After de 1 s en el primer envío, sin procesar.",
        Answer(status=503, message="Servicio no disponible.", retry_after=1), arrives=None, next_post="000"),
    # 94x: 4xx and 3xx answers.
    Scenario("940", "http-400-with-state", "HTTP 400 con el cuerpo de eDoc: estado 6.",
        Answer("6", status=400, message="Devuelto: falta un campo obligatorio."),
        (Seen(RETURNED),), next_post="000"),
    Scenario("941", "http-401-once", "HTTP 401 en el primer envío: el token fue revocado; después, normal.",
        Answer(status=401, message="Token revocado.", revokes_tokens=True), arrives=None, next_post="000"),
    Scenario("942", "http-422-with-state", "HTTP 422 con el cuerpo de eDoc: estado 15.",
        Answer(15, status=422, message="Devuelto por eDoc: la clase de documento no corresponde."),
        (Seen(WRONG_CLASS),), next_post="000"),
    Scenario("943", "http-403", "HTTP 403: sin permiso para anular.",
        Answer(status=403, message="Sin permiso."), arrives=None, next_post="943"),
    Scenario("944", "http-404", "HTTP 404: la dirección no existe.",
        Answer(status=404, raw="<html><body>404</body></html>", media_type=HTML),
        arrives=None, next_post="944"),
    Scenario("945", "http-400-message-only", "HTTP 400 solo con el mensaje «Documento no encontrado.».",
        Answer(status=400, raw='{"MensajeRespuesta": "Documento no encontrado."}'),
        arrives=None, next_post="945"),
    Scenario("946", "http-429-date", "HTTP 429 con Retry-After como fecha en el primer envío, sin procesar.",
        Answer(status=429, message="Demasiadas peticiones.", retry_after=1, retry_as_date=True),
        arrives=None, next_post="000"),
    Scenario("947", "http-307", "HTTP 307: redirige a otra dirección, que nadie debe seguir.",
        Answer(status=307, raw="", location="../../../redirigido/Anulacion"), arrives=None, next_post="947"),
    Scenario("948", "http-408", "HTTP 408 sin procesar: la consulta dice siempre 18.",
        Answer(status=408, raw="", media_type=HTML), arrives=None, next_post="000"),
    Scenario("949", "http-429-seconds", "HTTP 429 con Retry-After de 1 s en el primer envío, sin procesar.",
        Answer(status=429, message="Demasiadas peticiones.", retry_after=1), arrives=None, next_post="000"),
    # 95x: later answers to queries.
    Scenario("950", "pending-for-ever", "Estado 5 para siempre.", TRANSIT, (Seen(Answer("5")),)),
    Scenario("951", "alive-for-ever", "Estado 5; la consulta dice siempre 2: la factura sigue autorizada.",
        TRANSIT, LIVING),
    Scenario("952", "alive-then-cancelled", "Estado 5; la consulta dice 2 y a los 2 s 11.",
        TRANSIT, _after("2"), cancels=SOON),
    Scenario("953", "flapping", "Estado 5; las consultas dicen 5, 18, 2, 11, 5, 18 y después siempre 11.",
        TRANSIT,
        tuple(Seen(Answer(state)) for state in (5, 18, "2", 11, "5", 18, 11)), cancels=0.0, step_by_query=True),
    Scenario("954", "pending-then-error", "Estado 5; a los 2 s la consulta dice 4.",
        TRANSIT, _after("5", FAILED), next_post="000"),
    Scenario("956", "pending-then-returned", "Estado 5; a los 2 s la consulta dice 6.",
        TRANSIT, _after("5", RETURNED), next_post="000"),
    # 96x: codes of the authority.
    Scenario("960", "registered-with-transitory-state", "Código 0600 con estado 5: decide el código; está anulada.",
        Answer("5", dgi="0600", message="Evento de anulación registrado."), GONE, cancels=0.0),
    Scenario("961", "bad-ruc-code", "Código 1601: RUC mal formado; hay que corregir.",
        Answer("6", dgi="1601", message="RUC mal formado."),
        (Seen(Answer("6", message="RUC mal formado.")),), next_post="961"),
    Scenario("962", "already-cancelled", "Código 0622: ya existía una anulación.",
        Answer("15", dgi="0622", message="Ya existe un evento de anulación para esta factura."),
        GONE, cancels=0.0),
    Scenario("964", "duplicate-document-code", "Código 1002: documento duplicado; requiere revisión de una persona.",
        Answer("6", dgi="1002", message="Documento duplicado."),
        (Seen(Answer("6", message="Documento duplicado.")),), next_post="964"),
    Scenario("968", "odd-code-then-cancelled", "Código DGI desconocido y estado 5; a los 2 s la consulta dice 11.",
        Answer(5, dgi="8888", message="Código no documentado."), _after(5), cancels=SOON),
    Scenario("969", "odd-code-alive", "Código DGI desconocido con estado 2; la factura sigue autorizada.",
        Answer("2", dgi="9999", message="Código no documentado."), LIVING, next_post="969"),
    # 97x: answers that do not arrive, or not completely.
    Scenario("970", "lost-after-processing", "Anulada, pero la conexión se cierra sin respuesta.",
        Answer(cut=Cut.CLOSE), GONE, cancels=0.0),
    Scenario("971", "reset-after-processing", "Anulada, pero la conexión se rompe (RST) sin respuesta.",
        Answer(cut=Cut.RESET), GONE, cancels=0.0),
    Scenario("972", "lost-before-processing", "La conexión se cierra antes de procesar: la consulta dice siempre 18.",
        Answer(cut=Cut.CLOSE), arrives=None, next_post="000"),
    Scenario("973", "late-delivery", "Sin respuesta; se procesa a los 3 s: la consulta dice 18 y después 11.",
        Answer(cut=Cut.CLOSE), (Seen(CANCELLED, after=LATE),), arrives=LATE, cancels=LATE),
    Scenario("974", "truncated-answer", "Anulada, pero la respuesta llega cortada a la mitad.",
        Answer("2", dgi="0600", message="Evento de anulación registrado.", cut=Cut.TRUNCATE),
        GONE, cancels=0.0),
    Scenario("975", "dripping-answer", "Anulada; la respuesta llega un byte cada 0,4 s.",
        Answer("2", dgi="0600", message="Evento de anulación registrado.", drip=0.4), GONE, cancels=0.0),
    Scenario("976", "slow-answer", "Anulada; la respuesta tarda 3 s.",
        Answer("2", dgi="0600", message="Evento de anulación registrado.", hold=3.0), GONE, cancels=0.0),
    # 98x, 99x: answers that cannot be read, or not safely.
    Scenario("980", "html-with-200", "HTTP 200 con una página HTML, sin procesar: la consulta dice siempre 18.",
        Answer(raw=UNREADABLE_PAGE, media_type=HTML), arrives=None, next_post="000"),
    Scenario("981", "broken-json", "Anulada, con JSON incompleto en la respuesta.",
        Answer(raw='{"estado": "2", "MensajeRespuesta": "Evento de an'), GONE, cancels=0.0),
    Scenario("982", "empty-body", "Anulada, con la respuesta vacía.", Answer(raw=""), GONE, cancels=0.0),
    Scenario("983", "duplicate-keys", "Anulada, con dos estados (6 y 2) bajo el mismo nombre.",
        Answer(raw='{"estado": 6, "MensajeRespuesta": null, "estado": 2}'), GONE, cancels=0.0),
    Scenario("984", "other-cufe", "Anulada, pero la respuesta habla de otro CUFE.",
        Answer("2", dgi="0600", message="Evento de anulación registrado.", extra={"cufe": "(otro)"}),
        GONE, cancels=0.0),
    Scenario("985", "float-state", "Anulada, con estado 2.0.", Answer(2.0), GONE, cancels=0.0),
    Scenario("986", "boolean-state", "Sigue autorizada; responde estado true.", Answer(True), LIVING),
    Scenario("987", "null-state", "Estado nulo; la consulta dice 5 y a los 2 s 11.",
        Answer(None), _after(5), cancels=SOON),
    Scenario("988", "hostile-message", "Estado 4 con fórmula, caracteres de control y sustituto suelto.",
        Answer(raw=HOSTILE_BODY), (Seen(FAILED),), next_post="000"),
    Scenario("989", "very-long-message", "Estado 6 con un mensaje de más de 40 000 caracteres.",
        Answer("6", message=LONG_MESSAGE), (Seen(Answer("6", message=LONG_MESSAGE)),), next_post="000"),
    Scenario("990", "no-state", "JSON sin estado; la consulta dice 11.",
        Answer(message="Procesado."), GONE, cancels=0.0),
    Scenario("991", "contradicting-states", "Dos estados que se contradicen (5 y 2); a los 2 s la consulta dice 11.",
        Answer("5", extra={"EstadoEmisionEDOC": "2"}), _after("5"), cancels=SOON),
    Scenario("992", "query-about-other-cufe", "Estado 5; la consulta responde siempre sobre otro CUFE.",
        TRANSIT, (Seen(Answer(11, extra={"cufe": "(otro)"})),)),
    Scenario("993", "query-500-then-cancelled", "Estado 5; las dos primeras consultas dan HTTP 500, después 11.",
        TRANSIT,
        (Seen(Answer(status=500)), Seen(Answer(status=500)), Seen(CANCELLED)), cancels=0.0, step_by_query=True),
    Scenario("994", "query-html-then-cancelled", "Estado 5; la primera consulta responde HTML, después 11.",
        TRANSIT,
        (Seen(Answer(raw=UNREADABLE_PAGE, media_type=HTML)), Seen(CANCELLED)), cancels=0.0, step_by_query=True),
    Scenario("995", "query-429-then-cancelled", "Estado 5; la primera consulta da HTTP 429, después 11.",
        TRANSIT, (Seen(Answer(status=429, retry_after=1)), Seen(CANCELLED)), cancels=0.0, step_by_query=True),
    Scenario("996", "query-401-then-cancelled", "Estado 5; la primera consulta da HTTP 401, después 11.",
        TRANSIT,
        (Seen(Answer(status=401, message="Token revocado.", revokes_tokens=True)), Seen(CANCELLED)),
        cancels=0.0, step_by_query=True),
    Scenario("997", "upper-case-keys", "Anulada; todos los nombres de la respuesta van en mayúsculas.",
        Answer(raw='{"ESTADO": 2, "CODIGORESPUESTADGI": "0600", "MENSAJERESPUESTA": "Registrado."}'),
        GONE, cancels=0.0),
    Scenario("998", "state-with-a-space", "Anulada, con el estado escrito «2 » (con un espacio).",
        Answer("2 "), GONE, cancels=0.0),
    Scenario("999", "unknown-state", "Estado 99 para siempre.", Answer("99"), (Seen(Answer("99")),)),
)
# fmt: on

SCENARIOS: dict[str, Scenario] = {scenario.code: scenario for scenario in _TABLE}
ACCEPTED = SCENARIOS["000"]


def scenario_of(cufe: Cufe) -> Scenario:
    """The default scenario of ``cufe``, by the ending of its security code."""
    return SCENARIOS.get(cufe.text[62:65], ACCEPTED)
