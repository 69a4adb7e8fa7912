"""Wire format of the API: request bodies and answers. The only file that knows eDoc's field names.

Sources: edoc-api.md 2-5; what counts as readable: reliability.md 2.3, D12, F13-F20. Reading is total: for any bytes
``read_answer`` returns a ``Finding``; what it does not understand is uncertain, never a success or a refusal.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NoReturn
from urllib.parse import unquote

from pipeline.domain.cufe import Cufe
from pipeline.domain.deadline import PANAMA
from pipeline.domain.edoc_states import DGI_ALREADY, DGI_CODES, DGI_REGISTERED, EDOC_STATES, QueryDescribes, judge
from pipeline.domain.lifecycle import Event
from pipeline.domain.records import Cancellation, Finding, Source

MESSAGE_LIMIT = 2000
CROSSED = "crossed"
OTHER_DOCUMENT = "other-document"
CROSSED_WORDS = (
    "eDoc respondió sobre otra factura (respuesta cruzada). Se dejó de enviar por seguridad: "
    "avise a soporte técnico de eDoc."
)
CREDENTIALS = "eDoc devolvió la solicitud por credenciales. Revise usuario, contraseña y permisos antes de continuar."

_STATE_KEYS = ("estado", "estadoedoc", "estadoanulacionedoc", "estadoemisionedoc")  # the first present one counts
_DGI_KEY = "codigorespuestadgi"
_QUERY_DGI_KEY = "codigorespuesta"  # a query's other name for it; 0 there is "no code", not the authority's
_READ = frozenset({200, 400, 422})  # the statuses whose body is read for a state (edoc-api.md 7)
_PROSE = frozenset({"mensajerespuesta", "erroredoc"})  # may mention any document
_DEEPEST = 32
_PLAIN = re.compile(r"0|[1-9][0-9]{0,8}", re.ASCII)
_FOUR = re.compile(r"[0-9]{4}", re.ASCII)
_ZEROS = re.compile(r"0*", re.ASCII)
_CUFE_SHAPE = re.compile(r"(?<![0-9A-Z-])FE[0-9A-Z-]{64}(?![0-9A-Z-])", re.ASCII)
_LAST_DIGITS = re.compile(r"[0-9]+(?=[^0-9]*\Z)", re.ASCII)
_HARMFUL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]+")
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}", re.ASCII)


class NotUnderstood(Exception):
    """An unreliable answer; ``note`` is a short machine text for the record."""

    def __init__(self, note: str) -> None:
        self.note = note
        super().__init__(note)


class UnknownEdocState(NotUnderstood):
    """A state that is not in the table of edoc-api.md 5. Ends as uncertain, never as anything else."""

    def __init__(self, estado: int) -> None:
        self.estado = estado
        super().__init__(f"unknown-state-{estado}")


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """The token service's 200: a token, or a refusal."""

    token: str | None = field(repr=False)
    #: seconds; None when unreadable
    lifetime: float | None = None
    #: error code of a refusal; ``message`` its text
    code: str = ""
    message: str = field(default="", repr=False)


# ---------------------------------------------------------------------------------------------- what is sent


def cancel_body(c: Cancellation, integration_name: str) -> bytes:
    """The JSON of a cancellation (edoc-api.md 3); optional fields are left out when empty."""
    fields = {"cufe": c.cufe, "motivoAnulacion": c.reason}
    if c.email:
        fields["correoNotificacion"] = c.email
    if integration_name:
        fields["nombreIntegracion"] = integration_name
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def query_params(cufe: str) -> dict[str, str]:
    """The query string of a status query, from the parts of a canonical CUFE (edoc-api.md 4)."""
    parts = Cufe(cufe)
    return {
        "RucEmisor": parts.ruc,
        "iDoc": parts.document_type,
        "dSucEm": parts.branch,
        "dPtoFacDF": parts.point,
        "dNroDF": parts.number,
    }


# ------------------------------------------------------------------------------------------ what is answered


def read_answer(
    source: Source,
    status: int,
    body: bytes,
    *,
    asked_cufe: str,
    truncated: bool = False,
    content_encoding: str = "",
    describes: QueryDescribes = QueryDescribes.INVOICE,
) -> Finding:
    """The evidence in an answer to a cancellation or a query.

    Only 200, 400 and 422 are read for a state (edoc-api.md 7); of any other status only the message is kept, and
    whether its body claims an outcome (``claims``: eyes.md 3). ``body`` holds the raw bytes as received. Never raises.
    """
    try:
        answer = parse_object(body, truncated=truncated, content_encoding=content_encoding)
    except NotUnderstood as problem:
        return _unclear(source, status, body, problem.note if status in _READ else f"http-{status}")
    message = _message(answer)
    if (echo := answer.get("cufe")) not in (None, "") and str(echo).strip().upper() != asked_cufe:
        return _unclear(source, status, body, CROSSED, message=message, stop=CROSSED_WORDS)
    if status not in _READ:
        claims = _claims_an_outcome(answer)
        return _unclear(source, status, body, f"http-{status}", message=message, claims=claims)
    if source is Source.QUERY and _names_another(answer, asked_cufe):
        return _unclear(source, status, body, OTHER_DOCUMENT, message=message)
    return _judged(source, status, body, answer, message, describes)


def _judged(
    source: Source, status: int, body: bytes, answer: dict[str, Any], message: str | None, describes: QueryDescribes
) -> Finding:
    dgi = _dgi(_dgi_value(source, answer))
    estado, note = _estado(answer)
    event = judge(source, estado, dgi, describes)
    if event is Event.UNCLEAR:
        note = note or (f"contradiction-{dgi}" if dgi in DGI_CODES else f"unknown-dgi-{dgi}")
    elif contradiction := _contradiction(event, status, estado, dgi, answer):
        event, note = Event.UNCLEAR, contradiction
    return Finding(
        source=source,
        event=event,
        http=status,
        estado=estado,
        dgi=dgi,
        message=message,
        authorised_at=_date_text(answer.get("fechaautorizacion")),
        body=body,
        note=note,
        understood=event is not Event.UNCLEAR,
        stop=CREDENTIALS if source is Source.CANCELLATION and _returned_for_credentials(event, message) else None,
    )


def _contradiction(event: Event, status: int, estado: int | None, dgi: str | None, answer: dict[str, Any]) -> str:
    """Why an answer that contradicts itself proves nothing (eyes.md 3); "" where it does not.

    The authority's own 0600 and 0622 decide, whatever else the answer says.
    """
    if estado not in (2, 11) or dgi in (DGI_REGISTERED, DGI_ALREADY):
        return ""
    if status != 200:  # a refusal that says "authorised" or "cancelled"
        return f"contradiction-http-{status}"
    if estado == 2 and event is Event.CANCELLED and not _is_blank(answer.get("codigoerror")):
        return "contradiction-error-code"
    return ""


def _claims_an_outcome(answer: dict[str, Any]) -> bool:
    """Whether the body of a status that is not read has a state of eDoc or a code of the authority.

    Then it is not certain that the request was not applied, whatever the status says.
    """
    estado, _ = _estado(answer)
    codes = (_dgi(value) for value in map(answer.get, (_DGI_KEY, _QUERY_DGI_KEY)) if not _is_blank(value))
    return bool(estado) or any(code is not None and _FOUR.fullmatch(code) for code in codes)


def _names_another(answer: dict[str, Any], asked_cufe: str) -> bool:
    """Whether a query's answer names another document than the one in the query (edoc-api.md 4)."""
    asked = Cufe(asked_cufe)
    number = _LAST_DIGITS.search(_text(answer.get("numdocumento")))
    if number is not None and int(number[0][-18:]) != int(asked.number):
        return True
    return any(
        found != asked_cufe
        for name, value in answer.items()
        if name not in _PROSE
        for text in _texts(value)
        for found in _CUFE_SHAPE.findall(unquote(text).upper())
    )


def _texts(value: Any) -> Iterator[str]:
    """Every text in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _is_blank(value: Any) -> bool:
    """Whether a code means "none": null, blanks or zeros."""
    return value is None or value is False or _ZEROS.fullmatch(str(value).strip()) is not None


def _unclear(
    source: Source,
    status: int,
    body: bytes,
    note: str,
    *,
    message: str | None = None,
    stop: str | None = None,
    claims: bool = False,
) -> Finding:
    return Finding(
        source,
        Event.UNCLEAR,
        status,
        message=message,
        body=body,
        note=note,
        understood=False,
        stop=stop,
        claims=claims,
    )


def parse_object(body: bytes, *, truncated: bool = False, content_encoding: str = "") -> dict[str, Any]:
    """``body`` as a JSON object with its keys in lower case. Raises ``NotUnderstood`` for anything doubtful."""
    if content_encoding.strip().lower() not in ("", "identity"):
        raise NotUnderstood("content-encoding")
    if truncated:
        raise NotUnderstood("too-long")
    if not body.strip():
        raise NotUnderstood("empty")
    if body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<":
        raise NotUnderstood("html")
    if _depth(body) > _DEEPEST:
        raise NotUnderstood("too-deep")
    try:
        answer = json.loads(
            body.decode("utf-8-sig"), parse_int=_integer, parse_constant=_no_constant, object_pairs_hook=_object
        )
    except UnicodeDecodeError:
        raise NotUnderstood("not-utf8") from None
    except (ValueError, RecursionError):
        raise NotUnderstood("not-json") from None
    if not isinstance(answer, dict):
        raise NotUnderstood("not-an-object")
    return answer


def _depth(body: bytes) -> int:
    deepest = depth = 0
    for char in _STRINGS.sub(b"", body):
        if char in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif char in b"]}":
            depth -= 1
    return deepest


def _object(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Lower-case keys. Raises for a repeated key: that is two answers in one, and it is not known which counts."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        name = key.lower()
        if name in found:
            raise NotUnderstood("duplicate-keys")
        found[name] = value
    return found


def _integer(digits: str) -> int | str:
    """Numbers longer than any of ours stay text: they are names, and converting a huge one takes too long."""
    return int(digits) if len(digits) <= 18 else digits


def _no_constant(_: str) -> NoReturn:
    raise NotUnderstood("not-a-number")


def _estado(answer: dict[str, Any]) -> tuple[int | None, str]:
    """The state as answered (None when there is no plain one), and a note on what is wrong with it."""
    try:
        return known_state(answer), ""
    except UnknownEdocState as unknown:
        return unknown.estado, unknown.note
    except NotUnderstood as problem:
        return None, problem.note


def known_state(answer: dict[str, Any]) -> int:
    """The first present state key, if it is an integer or its plain decimal text (D12) and in the table.

    Raises ``UnknownEdocState`` for another number, ``NotUnderstood`` for none or anything else.
    """
    key = next((key for key in _STATE_KEYS if key in answer), None)
    if key is None:
        raise NotUnderstood("no-state")
    value = answer[key]
    if isinstance(value, str) and _PLAIN.fullmatch(value):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > 999_999_999:
        raise NotUnderstood("state-not-plain")
    if value not in EDOC_STATES:
        raise UnknownEdocState(value)
    return value


def _dgi_value(source: Source, answer: dict[str, Any]) -> Any:
    """The field with the authority's code: the same name in both answers; a query also has its own."""
    value = answer.get(_DGI_KEY)
    if source is Source.CANCELLATION or not _is_blank(value):
        return value
    other = answer.get(_QUERY_DGI_KEY)
    return None if _is_blank(other) else other


def _dgi(value: Any) -> str | None:
    """The authority's code, four digits. Any other value becomes an unknown code (``?...``)."""
    if value is None or value == "":
        return None
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 9999:
        return f"{value:04d}"
    if isinstance(value, str) and _FOUR.fullmatch(value):
        return value
    return f"?{clean(str(value))}"[:8]


def _message(answer: dict[str, Any]) -> str | None:
    """The text of the answer with its error code, safe to show."""
    words = list(dict.fromkeys(filter(None, map(_text, map(answer.get, ("mensajerespuesta", "erroredoc"))))))
    code = _text(answer.get("codigoerror"))
    if code and code not in words:
        words.append(f"(código {code})")
    return " ".join(words)[:MESSAGE_LIMIT] or None


def _text(value: Any) -> str:
    return clean(str(value)) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def clean(text: str) -> str:
    """``text`` without control characters and lone surrogates, which must not reach a workbook or terminal."""
    return _HARMFUL.sub(" ", text).strip()


def _date_text(value: Any) -> str | None:
    text = _text(value)
    return None if not text or text.startswith("0001-01-01") else text[:64]


def _returned_for_credentials(event: Event, message: str | None) -> bool:
    return (
        event is Event.RETURNED
        and re.search(r"credencial|contraseñ|password", message or "", re.IGNORECASE) is not None
    )


# ------------------------------------------------------------------------------------------------- the token


def read_token(body: bytes, *, truncated: bool = False, content_encoding: str = "") -> TokenAnswer:
    """The token service's 200 (edoc-api.md 2). Raises ``NotUnderstood`` when it is not one, or no usable token."""
    answer = parse_object(body, truncated=truncated, content_encoding=content_encoding)
    token = answer.get("token")
    code = _text(answer.get("codigoerror"))
    if token is None or token == "":
        if not code:
            raise NotUnderstood("no-token")
        # Whole, not cut: the redaction would not recognise half a secret.
        return TokenAnswer(None, code=code, message=_text(answer.get("mensajerespuesta")))
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise NotUnderstood("token-not-plain")
    return TokenAnswer(token, _lifetime(answer.get("expedido"), answer.get("expira")))


def _lifetime(issued: Any, expires: Any) -> float | None:
    """Seconds between the server's own two times; no local clock is used (reliability.md F34)."""
    start, end = _moment(issued), _moment(expires)
    if start is None or end is None or end <= start:
        return None
    return (end - start).total_seconds()


def _moment(value: Any) -> datetime | None:
    """A time with up to seven fraction digits; without an offset it is Panama time. ``0001-01-01`` is not a date."""
    if not isinstance(value, str) or len(value) > 40 or value.startswith("0001-01-01"):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=PANAMA)
