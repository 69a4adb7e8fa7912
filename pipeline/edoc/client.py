"""eDoc client: one cancellation or one query, built, sent and read. Every result is a ``Finding``.

edoc-api.md 7 and reliability.md 2.3 decide what a failure proves. A cancellation is sent at most once per call: no
retry, no redirect, no authentication flow, and its own connection, so that it can meet neither a connection that the
server has just closed nor an answer to another request.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from pipeline.domain.edoc_states import QueryDescribes
from pipeline.domain.errors import AnswerLost, NothingLeft, RequestFailed, StoppedEarly
from pipeline.domain.lifecycle import Event
from pipeline.domain.records import Cancellation, Finding, Source
from pipeline.edoc import token as services
from pipeline.edoc.limiter import Limiter
from pipeline.edoc.token import TokenKeeper
from pipeline.edoc.transport import Reply, Transport, bad_certificate, check_address, endpoint, place
from pipeline.edoc.wire import CROSSED, cancel_body, query_params, read_answer
from pipeline.runtime.failpoints import crashpoint
from pipeline.telemetry.events import SILENT, EventBus

_WRONG_PLACE = frozenset({403, 404, 405, 413, 415})
_JSON = "application/json; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Urls:
    """Addresses of the services (edoc-api.md 1)."""

    #: up to ``/ServicioEDOC``
    auth: str
    #: up to ``/Anulacion``
    cancel: str
    #: the whole address
    query: str


class EdocClient:
    """Client for eDoc under one credential. ``jitter`` returns numbers in 0..1 for pauses.

    Raises ``WrongUsage`` when an address may not be used.
    """

    def __init__(
        self,
        transport: Transport,
        tokens: TokenKeeper,
        limiter: Limiter,
        urls: Urls,
        *,
        integration_name: str,
        describes: QueryDescribes = QueryDescribes.INVOICE,
        resend_after_429: bool = True,
        jitter: Callable[[], float] = random.random,
        bus: EventBus = SILENT,
    ) -> None:
        self._transport = transport
        self._tokens = tokens
        self._limiter = limiter
        self._cancel_url = endpoint(urls.cancel, "Anulacion")
        self._query_url = urls.query
        for url in (urls.auth, self._cancel_url, self._query_url):
            check_address(url)
        self._integration_name = integration_name
        self._describes = describes
        self._resend_after_429 = resend_after_429
        self._jitter = jitter
        self._bus = bus

    async def ready(self) -> None:
        """Gets a token for cancelling, before any row is claimed.

        Raises ``CredentialsRefused`` or ``ServiceRefused``.
        """
        await self._tokens.get(services.CANCELLATION)

    def has_token(self) -> bool:
        """Whether ``ready`` would return without a request."""
        return self._tokens.has(services.CANCELLATION)

    async def cancel(self, c: Cancellation, before_send: Callable[[], bool] | None = None) -> Finding:
        """Sends ``c`` once and returns what is then known.

        ``before_send`` is called right before the request leaves; if it returns False, nothing is sent (``STALE``).
        After a 401 or a 429 the caller may try again with a new attempt; a pause already holds the shared limiter. A
        cancelled task gets its ``CancelledError``: then the outcome is unknown, and the caller records that.
        """
        body = cancel_body(c, self._integration_name)
        try:
            token = await self._departure(services.CANCELLATION)
        except StoppedEarly as error:
            return Finding(Source.CANCELLATION, Event.NOTHING_LEFT, note="no-token", stop=error.sentence)
        if before_send is not None and not before_send():
            return Finding(Source.CANCELLATION, Event.STALE, note="stale")
        try:
            crashpoint("post-before")
            reply = await self._post(Source.CANCELLATION, self._cancel_url, token, body, fresh=True)
            crashpoint("post-after")
        except NothingLeft as failure:
            return self._no_answer(Source.CANCELLATION, Event.NOTHING_LEFT, failure, self._cancel_url)
        except AnswerLost as failure:
            return self._no_answer(Source.CANCELLATION, Event.UNCLEAR, failure, self._cancel_url)
        if reply.status == 401:
            self._tokens.reject(services.CANCELLATION, token)
        return self._read_cancellation(reply, c.cufe)

    async def query(self, cufe: str, *, answered: bool = False) -> Finding:
        """Queries the state of ``cufe``. A query changes nothing, so after a 401 it is repeated once automatically.

        ``answered``: eDoc answered the cancellation of this row with a state, so it certainly arrived. Only then may a
        2 mean the cancellation (setting ``query_describes``, eyes.md 3). Every failure is ``UNCLEAR`` with a note; this
        method never raises for what the service does.
        """
        finding = await self._query_once(cufe, answered)
        if finding.http == 401:
            finding = await self._query_once(cufe, answered)
        if finding.http == 401:
            finding = replace(
                finding, stop="eDoc rechazó dos veces seguidas el token de consulta (HTTP 401). " + _RIGHTS
            )
        return finding

    async def _query_once(self, cufe: str, answered: bool) -> Finding:
        url = f"{self._query_url}?{urlencode(query_params(cufe))}"
        try:
            token = await self._departure(services.QUERY)
            # Its own connection too: extra bytes after one answer would be read as the next answer.
            reply = await self._post(Source.QUERY, url, token, b"", fresh=True)
        except StoppedEarly as error:
            return Finding(Source.QUERY, Event.UNCLEAR, note="no-token", stop=error.sentence)
        except RequestFailed as failure:
            return self._no_answer(Source.QUERY, Event.UNCLEAR, failure, self._query_url)
        if reply.status == 401:
            self._tokens.reject(services.QUERY, token)
        describes = self._describes if answered else QueryDescribes.INVOICE
        return self._read(Source.QUERY, reply, cufe, self._query_url, describes)

    async def _departure(self, service: int) -> str:
        """Waits for the limiter; returns a token that is still current after the wait."""
        token = await self._tokens.get(service)
        await self._limiter.acquire()
        if not self._tokens.holds(service, token):
            # Renewed or expired while waiting. One turn is skipped, so that the renewal and our request keep the rate.
            token = await self._tokens.get(service)
            await self._limiter.acquire()
        return token

    async def _post(self, kind: Source, url: str, token: str, body: bytes, *, fresh: bool = False) -> Reply:
        headers = {"Authorization": f"Bearer {token}"}
        if body:
            headers["Content-Type"] = _JSON
        status = None
        try:
            reply = await self._transport.request(
                "POST", url, headers=headers, content=body, fresh=fresh, gate=self._limiter.leave
            )
            status = reply.status
            return reply
        finally:
            self._bus.note("request", kind=kind.value, status=status)

    def _no_answer(self, source: Source, event: Event, failure: RequestFailed, url: str) -> Finding:
        stop = bad_certificate(url).sentence if failure.reason == "tls" else None
        return Finding(source, event, note=failure.reason, stop=stop)

    def _read_cancellation(self, reply: Reply, cufe: str) -> Finding:
        finding = self._read(Source.CANCELLATION, reply, cufe, self._cancel_url, self._describes)
        if finding.note == CROSSED or finding.claims:
            return finding  # the status says "not applied" about another document, or the body contradicts it
        if reply.status == 401:
            return replace(finding, event=Event.UNAUTHORISED, understood=True)
        if reply.status == 429 and self._resend_after_429:
            return replace(finding, event=Event.THROTTLED)
        return finding

    def _read(self, source: Source, reply: Reply, cufe: str, url: str, describes: QueryDescribes) -> Finding:
        """The evidence of the body, plus what the status adds: a pause, or a reason to stop."""
        finding = read_answer(
            source,
            reply.status,
            self._tokens.without_secrets(reply.body, about=cufe),
            asked_cufe=cufe,
            truncated=reply.truncated,
            content_encoding=reply.headers.get("content-encoding", ""),
            describes=describes,
        )
        if reply.status in (429, 503):
            pause = self._limiter.hold(reply.headers, reply.received_at, self._jitter())
            known = reply.status == 429 and finding.note != CROSSED and not finding.claims
            return replace(finding, pause=pause, understood=known)
        if finding.stop is None and (stop := _why_stop(reply.status, url)):
            return replace(finding, stop=stop)
        return finding


_RIGHTS = "Revise los permisos del usuario o llame a soporte de eDoc."


def _why_stop(status: int, url: str) -> str | None:
    """Why the run has to end after this status, in Spanish (edoc-api.md 7); None when it may go on."""
    if not 300 <= status < 400 and status not in _WRONG_PLACE:
        return None
    where = place(url)
    if 300 <= status < 400:
        return f"{where}: eDoc respondió con una redirección (HTTP {status}), que no se sigue. Revise la dirección."
    if status == 403:
        return f"{where}: eDoc negó el acceso (HTTP 403). {_RIGHTS}"
    return f"{where}: la dirección no responde como el servicio de eDoc (HTTP {status}). Revise la configuración."
