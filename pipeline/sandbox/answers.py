"""eDoc's answers, as data and as bytes on the wire (edoc-api.md 2-4).

An ``Answer`` describes; ``for_cancellation`` and ``for_query`` render it to a ``Reply``: the exact bytes and what
happens to the connection. No I/O; the time is passed in.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from enum import Enum

from pipeline.domain.cufe import Cufe, check_digit

PANAMA = timezone(timedelta(hours=-5))
NO_DATE = "0001-01-01T00:00:00"
JSON = "application/json; charset=utf-8"
HTML = "text/html; charset=utf-8"
UNREADABLE_PAGE = (
    "<!DOCTYPE html><html><head><title>Mantenimiento</title></head>"
    "<body><h1>Servicio en mantenimiento</h1></body></html>"
)


class Cut(Enum):
    """Fault of the connection in place of a whole answer."""

    CLOSE = "close"  # closed without a byte (FIN)
    RESET = "reset"  # torn down (RST)
    TRUNCATE = "truncate"  # half of the announced body, then closed


class Missing(Enum):
    """The answer has no state at all."""

    STATE = "state"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of eDoc."""

    #: any JSON value, as it is on the wire (``"2"``, ``2``, ``True``)
    state: object = Missing.STATE
    #: code of the authority (domain.md 5)
    dgi: str | None = None
    message: str = ""
    status: int = 200
    #: name of the state; its case varies by version (edoc-api.md 3)
    key: str = "estado"
    #: keys added to the body, or replacing its usual ones
    extra: Mapping[str, object] = field(default_factory=dict)
    #: the whole body, verbatim, instead of JSON
    raw: str | None = None
    media_type: str = JSON
    #: seconds for a ``Retry-After`` header
    retry_after: float | None = None
    retry_as_date: bool = False
    location: str | None = None
    cut: Cut | None = None
    #: seconds between processing and the first byte of the answer
    hold: float = 0.0
    #: seconds between two bytes of the body; 0 sends it at once
    drip: float = 0.0
    revokes_tokens: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer ready to be sent, with what the journal records."""

    status: int
    body: bytes
    media_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()
    cut: Cut | None = None
    hold: float = 0.0
    drip: float = 0.0
    revokes_tokens: bool = False
    scenario: str | None = None
    #: whether eDoc accepted the request; also true when it will do so later (late delivery)
    processed: bool = False
    #: whether the body may not be recorded (a token)
    secret: bool = False


def panama_time(moment: datetime) -> str:
    """``moment`` as eDoc writes it: Panama time, seven fraction digits, offset (edoc-api.md 2)."""
    return moment.astimezone(PANAMA).strftime("%Y-%m-%dT%H:%M:%S.%f") + "0-05:00"


def plain(status: int, message: str, now: datetime, **more: object) -> Reply:
    """An answer that is not about a document: a refusal with only ``MensajeRespuesta``."""
    return _reply(Answer(status=status), {"MensajeRespuesta": message, **more}, now)


def for_cancellation(answer: Answer, cufe: Cufe, now: datetime, authorised: datetime | None) -> Reply:
    """The answer to ``POST .../Anulacion`` (edoc-api.md 3). ``authorised`` is when the event was registered."""
    body: dict[str, object] = {}
    if answer.state is not Missing.STATE:
        body[answer.key] = answer.state
    body["FechaAutorizacion"] = panama_time(authorised) if authorised else NO_DATE
    body["codigoRespuestaDGI"] = answer.dgi
    body["MensajeRespuesta"] = answer.message or None
    if answer.key == "estado" and answer.state is not Missing.STATE:
        body["EstadoEmisionEDOC"] = answer.state
    body["CodigoError"] = None
    return _reply(answer, {**body, **_filled(answer.extra, cufe)}, now)


def for_query(answer: Answer, cufe: Cufe | None, now: datetime, authorised: datetime | None) -> Reply:
    """The answer to a status query (edoc-api.md 4); ``cufe`` is None for a document that eDoc does not know."""
    body: dict[str, object] = {
        "codigoRespuesta": answer.dgi,
        "cufe": cufe.text if cufe else None,
        "urlCodeQR": f"https://sandbox.invalid/FacturasPorQR?chFE={cufe.text}" if cufe else None,
        "fechaAutorizacion": panama_time(authorised) if authorised else NO_DATE,
        "numDocumento": cufe.number if cufe else None,
        "errorEDOC": answer.message or None,
        "codigoError": None,
        "numAutorizacion": f"{int(cufe.number):013d}" if cufe and authorised else None,
        "secuencialERP": None,
        "tipoDocumento": cufe.document_type if cufe else None,
    }
    if answer.state is not Missing.STATE:
        body["estadoEdoc" if answer.key == "estado" else answer.key] = answer.state
    return _reply(answer, {**body, **(_filled(answer.extra, cufe) if cufe else {})}, now)


def from_fault(answer: Answer, now: datetime) -> Reply:
    """An answer given before the request was read: a gateway, a fault that affects every request."""
    return _reply(answer, {"MensajeRespuesta": answer.message or None}, now)


def marked(reply: Reply, scenario: str, *, processed: bool) -> Reply:
    """``reply`` with what the journal records about it."""
    return replace(reply, scenario=scenario, processed=processed)


def _reply(answer: Answer, body: Mapping[str, object], now: datetime) -> Reply:
    text = json.dumps(body, ensure_ascii=False) if answer.raw is None else answer.raw
    return Reply(
        status=answer.status,
        body=text.encode(),
        media_type=answer.media_type,
        headers=tuple(_headers(answer, now)),
        cut=answer.cut,
        hold=answer.hold,
        drip=answer.drip,
        revokes_tokens=answer.revokes_tokens,
    )


def _headers(answer: Answer, now: datetime) -> list[tuple[str, str]]:
    found = []
    if answer.retry_after is not None:
        when = now.astimezone(UTC) + timedelta(seconds=answer.retry_after)
        # HTTP dates have whole seconds: rounded up, so that waiting until then is long enough.
        when = when.replace(microsecond=0) + timedelta(seconds=1 if when.microsecond else 0)
        date = format_datetime(when, usegmt=True)
        found.append(("retry-after", date if answer.retry_as_date else str(int(answer.retry_after))))
    if answer.location is not None:
        found.append(("location", answer.location))
    return found


def _filled(extra: Mapping[str, object], cufe: Cufe) -> dict[str, object]:
    """``extra`` with the text ``(otro)`` replaced by a code that is not ``cufe``."""
    return {key: other_than(cufe) if value == "(otro)" else value for key, value in extra.items()}


def other_than(cufe: Cufe) -> str:
    """A valid code of another document: the last digit of its number differs."""
    digit = str(int(cufe.text[49]) % 9 + 1)
    text = cufe.text[:49] + digit + cufe.text[50:65]
    return text + check_digit(text)
