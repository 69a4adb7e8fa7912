"""Token keeper: Basic -> JWT per service, in memory only, one renewal at a time (edoc-api.md 2).

Age is measured with a clock that never jumps, from before the request; the local wall clock is not used.
"""

from __future__ import annotations

import asyncio
import base64
import random
import re
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from pipeline.domain.errors import CredentialsRefused, RequestFailed, ServiceRefused, StoppedEarly
from pipeline.edoc.limiter import Limiter
from pipeline.edoc.redaction import Redaction
from pipeline.edoc.transport import Reply, Transport, bad_certificate, check_address, endpoint, place
from pipeline.edoc.wire import NotUnderstood, TokenAnswer, read_token
from pipeline.runtime.clock import Clock
from pipeline.runtime.failpoints import crashpoint
from pipeline.telemetry.events import SILENT, EventBus

CANCELLATION = 16
QUERY = 3
_NAMES = {CANCELLATION: "cancellation", QUERY: "query"}

TRIES = 3  # failures of one service in one run: more would look like an attack on the account
YOUNG_S = 60.0  # seconds: a token rejected earlier than this was never valid
MARGIN_S = 300.0  # seconds: how long before it expires a token is renewed
FALLBACK_S = 600.0  # seconds: lifetime when the server's own times cannot be read
BACKOFF_S = (1.0, 4.0)
REMEMBERED = 8  # tokens of this run that are searched for in answers; older ones have long expired
_CODE = re.compile(r"[0-9A-Za-z._-]{1,24}", re.ASCII)


class Secret(Protocol):
    """A text that does not print itself, like pydantic's ``SecretStr``."""

    def get_secret_value(self) -> str: ...


@dataclass(frozen=True, slots=True)
class _Kept:
    text: str = field(repr=False)
    asked_at: float  # both on Clock.since_boot
    good_until: float


class _TryAgain(Exception):
    """A failure of the service that may pass, with the message for the last try."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


class TokenKeeper:
    """Keeper of the tokens of each service; fetches a new one when needed.

    ``auth_url`` is the address up to ``/ServicioEDOC``. ``jitter`` returns numbers in 0..1 for the waits between tries.
    Its repr shows no secret. A refusal is final for this keeper: later calls raise the same error without a request.
    """

    def __init__(
        self,
        transport: Transport,
        limiter: Limiter,
        clock: Clock,
        auth_url: str,
        user: str,
        password: Secret,
        *,
        jitter: Callable[[], float] = random.random,
        bus: EventBus = SILENT,
    ) -> None:
        self._url = endpoint(auth_url, "ServicioEDOC")
        check_address(self._url)
        self._transport = transport
        self._limiter = limiter
        self._clock = clock
        self._user = user
        self._password = password
        self._jitter = jitter
        self._bus = bus
        self._kept: dict[int, _Kept] = {}
        self._turns: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._rejected_young: defaultdict[int, int] = defaultdict(int)
        self._failures: defaultdict[int, int] = defaultdict(int)
        self._refusals: dict[int, StoppedEarly] = {}
        self._handed_out: deque[str] = deque(maxlen=REMEMBERED)
        self._redactions: dict[bool, Redaction] = {}  # with and without the password

    def __repr__(self) -> str:
        return f"TokenKeeper({place(self._url)!r}, services={sorted(self._kept)})"

    async def get(self, service: int) -> str:
        """The token of ``service`` (16 cancellation, 3 query); a new one if the kept one is missing or expires soon.

        Raises ``CredentialsRefused`` or ``ServiceRefused``.
        """
        if (kept := self._lasting(service)) is not None:
            return kept.text
        async with self._turns[service]:  # later waiters find the token that the first one fetched
            if (kept := self._lasting(service)) is None:
                kept = await self._renew(service)
            return kept.text

    def has(self, service: int) -> bool:
        """Whether ``get`` would return a token without a request."""
        return self._lasting(service) is not None

    def holds(self, service: int, token: str) -> bool:
        """Whether ``token`` is the one that ``get`` would return without a request."""
        kept = self._lasting(service)
        return kept is not None and kept.text == token

    def reject(self, service: int, token: str) -> None:
        """Forgets ``token`` after a 401; a newer one stays, so many 401s cause one renewal."""
        kept = self._kept.get(service)
        if kept is not None and kept.text == token:
            del self._kept[service]
            young = self._clock.since_boot() - kept.asked_at < YOUNG_S
            self._rejected_young[service] = self._rejected_young[service] + 1 if young else 0

    def forget(self) -> None:
        """Forgets every token."""
        self._kept.clear()

    def _lasting(self, service: int) -> _Kept | None:
        kept = self._kept.get(service)
        return kept if kept is not None and self._clock.since_boot() < kept.good_until else None

    async def _renew(self, service: int) -> _Kept:
        if service in self._refusals:
            raise _again(self._refusals[service])
        if service in self._kept:  # expired without being rejected
            self._rejected_young[service] = 0
        try:
            if self._rejected_young[service] >= TRIES:
                raise self._no_credentials("entrega tokens que después rechaza")
            kept = await self._fetch_patiently(service)
        except StoppedEarly as refusal:
            self._refusals[service] = refusal
            raise
        self._kept[service] = kept
        self._handed_out.append(kept.text)
        self._redactions.clear()
        crashpoint("token-after")
        self._bus.note("token_renewed", service=_NAMES.get(service, str(service)))
        return kept

    async def _fetch_patiently(self, service: int) -> _Kept:
        """Retries with growing, jittered waits: a GET that changes nothing may be repeated."""
        while True:
            try:
                return await self._fetch(service)
            except _TryAgain as failure:
                self._failures[service] += 1
                if self._failures[service] >= TRIES:
                    raise self._refused(
                        failure.why, "Espere unos minutos; si sigue igual, llame a soporte de eDoc."
                    ) from None
                await self._clock.sleep(self._jitter() * BACKOFF_S[self._failures[service] - 1])

    async def _fetch(self, service: int) -> _Kept:
        await self._limiter.acquire()
        crashpoint("token-before")
        asked_at, status = self._clock.since_boot(), None
        try:
            reply = await self._transport.request(
                "GET", f"{self._url}?Id={service}", headers=self._headers(), gate=self._limiter.leave
            )
            status = reply.status
        except RequestFailed as failure:
            if failure.reason == "tls":
                raise bad_certificate(self._url) from None
            raise _TryAgain(f"El servicio de acceso de eDoc no respondió ({failure.reason}).") from None
        finally:
            self._bus.note("request", kind="token", status=status)
        answer = self._read(reply)
        lifetime = answer.lifetime or FALLBACK_S
        assert answer.token is not None  # _read raises otherwise
        return _Kept(answer.token, asked_at, asked_at + lifetime - min(MARGIN_S, lifetime / 2))

    def _read(self, reply: Reply) -> TokenAnswer:
        status = reply.status
        if status in (401, 403):
            raise self._no_credentials(f"HTTP {status}")
        if status in (408, 425, 429) or status >= 500:
            if status in (429, 503):
                self._limiter.hold(reply.headers, reply.received_at, self._jitter())
            raise _TryAgain(f"El servicio de acceso de eDoc falló (HTTP {status}).")
        if status != 200:
            raise self._refused(f"La dirección no responde como el servicio de acceso de eDoc (HTTP {status}).")
        try:
            answer = read_token(
                reply.body, truncated=reply.truncated, content_encoding=reply.headers.get("content-encoding", "")
            )
        except NotUnderstood as problem:
            raise self._refused(f"El servicio de acceso de eDoc no entregó un token válido ({problem.note}).") from None
        if answer.token is None:
            raise self._no_credentials(*self._harmless(answer.code))
        return answer

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Basic {self._basic()}"}

    def _basic(self) -> str:
        return base64.b64encode(f"{self._user}:{self._password.get_secret_value()}".encode()).decode("ascii")

    def _harmless(self, code: str) -> list[str]:
        """The service's error code, if it is a code and contains nothing of what was sent. Its text is never shown: the
        forms in which a text can contain a secret cannot all be listed (eyes.md 5)."""
        secrets = [s.casefold() for s in (self._user, self._password.get_secret_value(), self._basic()) if s]
        return [code] if _CODE.fullmatch(code) and not any(secret in code.casefold() for secret in secrets) else []

    def without_secrets(self, body: bytes, *, about: str) -> bytes:
        """``body`` with the password and every token of this run removed, in case a server sends them back
        (reliability.md P12, eyes.md 5).

        ``about`` is the CUFE of the request: a password that is part of it (a company's own RUC) stays, because without
        it the answer would name another document.
        """
        password = self._password.get_secret_value()
        secret = password.upper() not in about
        if secret not in self._redactions:
            self._redactions[secret] = Redaction([self._basic(), *self._handed_out, *([password] if secret else [])])
        return self._redactions[secret].strike(body)

    def _no_credentials(self, *details: str) -> CredentialsRefused:
        detail = f" ({': '.join(details)[:300]})" if details else ""
        return CredentialsRefused(
            f"eDoc no aceptó el usuario o la contraseña{detail}.",
            remedy="Revise las credenciales y los permisos del usuario. Lo que falta no se envió.",
        )

    def _refused(self, message: str, remedy: str = "Revise la dirección configurada.") -> ServiceRefused:
        return ServiceRefused(message, where=place(self._url), remedy=remedy)


def _again(refusal: StoppedEarly) -> StoppedEarly:
    """The same refusal as a new error: one object raised in many tasks would collect all their tracebacks."""
    return type(refusal)(refusal.message, code=refusal.code, where=refusal.where, remedy=refusal.remedy)
