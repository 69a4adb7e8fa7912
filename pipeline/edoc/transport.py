"""HTTP transport: one exchange over HTTP/1.1, and what its failure proves. Only it and ``connection.py`` know httpx.

httpx's own transport is used without its client: a client adds redirects, cookies, ``.netrc``, proxies from the
environment and authentication flows that send again; none of that may happen to a cancellation (reliability.md R7).
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, lru_cache
from types import TracebackType
from typing import Any, Self

import certifi
import httpx

from pipeline.domain.errors import AnswerLost, NothingLeft, RequestFailed, ServiceRefused, WrongUsage
from pipeline.edoc.connection import OneShot
from pipeline.runtime.clock import Clock
from pipeline.runtime.failpoints import crashpoint
from pipeline.runtime.tls import client_context

KEPT = 8
"""Connections that are kept, for token requests: with more of them httpx's pool gets slower."""

Gate = Callable[[], Awaitable[None]]
"""Awaited right before the first byte of a request."""

_WIRE_LOGS = ("httpx", *(f"httpcore.{part}" for part in ("connection", "http11", "http2", "proxy", "socks")))

_ALWAYS = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "anular"}


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer. Headers and body stay out of the repr."""

    status: int
    #: names in lower case
    headers: Mapping[str, str] = field(repr=False)
    #: cut at the limit, and never decompressed, whatever ``Content-Encoding`` says: a small body could fill the memory
    body: bytes = field(repr=False)
    #: whether ``body`` was cut
    truncated: bool
    #: the recorded time (aware, UTC)
    received_at: datetime


@dataclass(slots=True)
class _Trace:
    """How far httpx got, by its own trace: the proof that decides between "not sent" and "unknown"."""

    connecting: bool = False
    began: bool = False

    async def __call__(self, event: str, _: Mapping[str, Any]) -> None:
        if event == "connection.connect_tcp.started":
            self.connecting = True
        elif event.endswith("send_request_headers.started"):
            self.began = True  # stays True: from here on bytes may have left
        elif event.endswith("send_request_headers.complete"):
            crashpoint("wire-headers-sent")
        elif event.endswith("send_request_body.complete"):
            crashpoint("wire-body-sent")


MakePool = Callable[[int, bool], httpx.AsyncBaseTransport]
"""(most connections, keep them alive?) -> a pool; tests pass their own."""


class Transport:
    """HTTP transport that sends each request exactly once: no retry, redirect, cookie or environment, HTTP/1.1 only.

    ``connect_s`` bounds waiting for a connection, and connecting with the TLS handshake; ``read_s`` every single read
    and write; ``total_s`` the whole exchange; ``body_limit`` is in bytes. Certificates are always verified;
    ``ssl_context`` is for a private certificate authority, one that does not verify is refused with ``WrongUsage``.
    """

    def __init__(
        self,
        *,
        concurrency: int,
        clock: Clock,
        connect_s: float = 10.0,
        read_s: float = 60.0,
        total_s: float = 60.0,
        body_limit: int = 65536,
        ssl_context: ssl.SSLContext | None = None,
        make_pool: MakePool | None = None,
    ) -> None:
        if concurrency < 1:
            raise WrongUsage(f"Debe haber al menos una solicitud en curso; dice {concurrency}.")
        if ssl_context is not None and (
            ssl_context.verify_mode is not ssl.CERT_REQUIRED or not ssl_context.check_hostname
        ):
            raise WrongUsage("Los certificados se verifican siempre; no se puede desactivar.")
        for name in _WIRE_LOGS:
            # At DEBUG they log every header and error of the wire, and a server may send back what it received.
            logging.getLogger(name).disabled = True
        self._clock = clock
        self._timeout = {"connect": connect_s, "read": read_s, "write": read_s, "pool": connect_s}
        self._total_s = total_s
        self._body_limit = body_limit
        self._ssl = ssl_context
        self._make_pool = make_pool or self._httpx_pool
        self._places = {True: KEPT, False: max(KEPT, concurrency)}
        self._pools: dict[bool, httpx.AsyncBaseTransport] = {}

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        content: bytes | None = None,
        fresh: bool = False,
        gate: Gate | None = None,
    ) -> Reply:
        """One exchange. ``fresh`` opens its own connection and closes it afterwards. ``gate`` is awaited right before
        the first byte; on a kept connection, before the connection is requested.

        Raises ``NothingLeft`` only when the trace proves that no byte of the request was handed to the socket,
        ``AnswerLost`` for everything else, ``WrongUsage`` for an address that may not be used. A cancelled task
        gets its ``CancelledError``; then nothing is known of the request, and the caller has to record that.
        """
        address = check_address(url)
        trace = _Trace()
        close = {"Connection": "close"} if fresh else {}
        request = httpx.Request(
            method,
            address,
            headers={**_ALWAYS, **close, **headers},
            content=content,
            extensions={"timeout": self._timeout, "trace": trace, "gate": gate},
        )
        try:
            async with asyncio.timeout(self._total_s):
                return await self._exchange(self._pool(keep=not fresh), request)
        except MemoryError:
            raise  # says nothing about the connection: the caller knows whether anything may have left, and stops
        except Exception as exc:
            raise _what_is_proven(exc, trace) from exc

    async def _exchange(self, pool: httpx.AsyncBaseTransport, request: httpx.Request) -> Reply:
        if (gate := request.extensions["gate"]) and not isinstance(pool, OneShot):
            await gate()
        response = await pool.handle_async_request(request)
        try:
            body = await self._body(response)
        finally:
            with contextlib.suppress(Exception):  # what was read stays valid, however the connection ends
                await response.aclose()
        limit = self._body_limit
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Reply(response.status_code, headers, bytes(body[:limit]), len(body) > limit, self._clock.now())

    async def _body(self, response: httpx.Response) -> bytearray:
        """The raw bytes, read only until the limit is exceeded."""
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > self._body_limit:
                break
        return body

    def _pool(self, *, keep: bool) -> httpx.AsyncBaseTransport:
        """The pool of kept connections, or that of single-use ones; created on first use."""
        if keep not in self._pools:
            self._pools[keep] = self._make_pool(self._places[keep], keep)
        return self._pools[keep]

    def _httpx_pool(self, connections: int, keep: bool) -> httpx.AsyncBaseTransport:
        if self._ssl is None:
            self._ssl = _context(certifi.where())
        if not keep:
            return OneShot(connections, self._ssl)
        limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
        return httpx.AsyncHTTPTransport(
            verify=self._ssl, trust_env=False, http1=True, http2=False, limits=limits, retries=0
        )

    async def aclose(self) -> None:
        """Closes every connection."""
        while self._pools:
            await self._pools.popitem()[1].aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, where: TracebackType | None
    ) -> None:
        await self.aclose()


@cache
def _context(authorities: str) -> ssl.SSLContext:
    """The context of every connection to eDoc: for each of many companies the same authorities would be loaded."""
    return client_context(authorities)


@lru_cache(maxsize=16)  # every cancellation goes to the same address
def check_address(url: str) -> httpx.URL:
    """``url`` as the connection uses it. Raises ``WrongUsage`` unless it is https, or http to this machine
    (interface.md 3)."""
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL:
        raise WrongUsage("Una dirección de eDoc no se puede leer.", remedy="Revise la configuración.") from None
    if not address.host or address.userinfo:
        raise WrongUsage("Una dirección de eDoc no tiene servidor, o lleva usuario y contraseña dentro.")
    if address.scheme != "https" and not (address.scheme == "http" and _is_this_machine(address.host)):
        raise WrongUsage(
            f"La dirección {address.scheme}://{address.host} no es segura: solo se usa https.",
            remedy="http solo se permite hacia esta misma máquina.",
        )
    return address


def place(url: str) -> str:
    """Host and path of ``url``, for messages; never its query."""
    address = httpx.URL(url)
    return f"{address.host}{address.path}"


def endpoint(base: str, name: str) -> str:
    """``base`` with ``/name`` at its end, added only if missing."""
    trimmed = base.rstrip("/")
    return trimmed if trimmed.lower().endswith(f"/{name.lower()}") else f"{trimmed}/{name}"


def bad_certificate(url: str) -> ServiceRefused:
    """The error for a person after ``NothingLeft("tls")``."""
    return ServiceRefused(
        "No se pudo verificar el certificado del servicio.",
        where=place(url),
        remedy="Revise la dirección, la fecha del equipo y si algo intercepta la conexión; no se envió nada.",
    )


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _what_is_proven(exc: Exception, trace: _Trace) -> RequestFailed:
    """The one classifier. Its last line is the default: anything may have happened (edoc-api.md 7)."""
    if not trace.began:
        if isinstance(exc, httpx.PoolTimeout):
            return NothingLeft("pool-timeout")
        if isinstance(exc, httpx.ConnectTimeout):
            return NothingLeft("connect-timeout")
        if isinstance(exc, httpx.ConnectError):
            return NothingLeft(_why_no_connection(exc))
        if isinstance(exc, TimeoutError) and trace.connecting:
            return NothingLeft("connect-timeout")
    for kind, reason in _LOST:
        if isinstance(exc, kind):
            return AnswerLost(reason)
    return AnswerLost("other")


_LOST: tuple[tuple[type[Exception], str], ...] = (
    (httpx.ReadTimeout, "read-timeout"),
    (httpx.WriteTimeout, "write-timeout"),
    (httpx.NetworkError, "reset"),
    (httpx.ProtocolError, "protocol"),
    (TimeoutError, "deadline"),
)


def _why_no_connection(exc: Exception) -> str:
    causes = list(_causes(exc))
    # A handshake that was cut off is a bad connection; one that was refused is a bad certificate or version.
    if any(isinstance(c, ssl.SSLError) and not isinstance(c, ssl.SSLEOFError) for c in causes):
        return "tls"
    if any(isinstance(c, socket.gaierror) for c in causes):
        return "dns"
    return "refused" if any(isinstance(c, ConnectionRefusedError) for c in causes) else "connect"


def _causes(exc: BaseException) -> Iterator[BaseException]:
    """``exc`` and all its causes, also inside exception groups."""
    seen: set[int] = set()
    todo: list[BaseException | None] = [exc]
    while todo:
        current = todo.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        todo += [current.__cause__, current.__context__]
        if isinstance(current, BaseExceptionGroup):
            todo += current.exceptions
