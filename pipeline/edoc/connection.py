"""Single-use connection: opened for one request, closed after it (docs/decisions/0002). Knows httpcore.

httpx's pool is built for connections that are reused; here it only costs time, more than the request itself. HTTP on
the wire is the same code as below the pool: httpcore's HTTP/1.1 connection with h11. This file does the rest: connect,
hand over, close. Until the connection is handed over no byte of a request can leave.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore
import httpx


class OneShot(httpx.AsyncBaseTransport):
    """Transport with at most ``connections`` at a time, each for one request.

    Raises what httpx's own transport raises, and calls its ``trace`` for the same moments: ``connection.connect_tcp``
    when it begins to connect, then those of ``http11``. The ``timeout`` of a request bounds: ``pool`` waiting for a
    place, ``connect`` connecting with the TLS handshake, ``read`` and ``write`` each read and write. Its ``gate``, if
    it has one, is awaited between connecting and the first byte.
    """

    def __init__(self, connections: int, ssl_context: ssl.SSLContext) -> None:
        self._places = asyncio.Semaphore(connections)
        self._ssl = ssl_context
        self._open: set[_Stream] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        timeout = request.extensions["timeout"]
        with _httpx_errors():
            await self._place(timeout["pool"])
            stream: _Stream | None = None
            try:
                await request.extensions["trace"]("connection.connect_tcp.started", {})
                stream = await self._connect(request.url, timeout["connect"])
                if gate := request.extensions.get("gate"):
                    await gate()
                answer = await _send(request, stream)
            except BaseException:
                self._end(stream)
                raise
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(self, answer.stream, stream))

    async def aclose(self) -> None:
        """Closes all open connections at once."""
        for stream in list(self._open):
            stream.break_off()

    async def _place(self, seconds: float) -> None:
        if not self._places.locked():
            await self._places.acquire()  # no wait: a place is free
            return
        try:
            async with asyncio.timeout(seconds):
                await self._places.acquire()
        except TimeoutError as error:
            raise httpx.PoolTimeout("no connection became free in time") from error

    async def _connect(self, url: httpx.URL, seconds: float) -> _Stream:
        """A new connection with a verified certificate. If a name has several addresses, each is tried."""
        more: dict[str, Any] = {"ssl": self._ssl} if url.scheme == "https" else {}
        if not url.host[-1].isdigit():  # a name may have several addresses, one of which does not answer
            more["happy_eyeballs_delay"] = 0.25
        try:
            async with asyncio.timeout(seconds):
                reader, writer = await asyncio.open_connection(url.host, _port(url), **more)
        except TimeoutError as error:
            raise httpx.ConnectTimeout("connecting took too long") from error
        except OSError as error:  # includes TLS errors
            raise httpx.ConnectError(str(error)) from error
        stream = _Stream(reader, writer)
        self._open.add(stream)
        return stream

    def _end(self, stream: _Stream | None) -> None:
        """Frees the place; the connection is never used again, whatever its state."""
        self._places.release()
        if stream is not None:
            self._open.discard(stream)
            stream.break_off()


async def _send(request: httpx.Request, stream: _Stream) -> httpcore.Response:
    url = request.url
    origin = httpcore.Origin(url.raw_scheme, url.raw_host, _port(url))
    target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
    return await httpcore.AsyncHTTP11Connection(origin, stream).handle_async_request(
        httpcore.Request(
            request.method, target, headers=request.headers.raw, content=request.stream, extensions=request.extensions
        )
    )


def _port(url: httpx.URL) -> int:
    return url.port or (443 if url.scheme == "https" else 80)


class _Stream(httpcore.AsyncNetworkStream):
    """asyncio's streams behind httpcore's interface; TLS, if any, is already set up."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - httpcore's signature
        try:
            async with asyncio.timeout(timeout):
                return await self._reader.read(max_bytes)
        except TimeoutError as error:
            raise httpcore.ReadTimeout from error
        except OSError as error:
            raise httpcore.ReadError(str(error)) from error

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        try:
            self._writer.write(buffer)
            if not self._writer.transport.get_write_buffer_size():
                await self._writer.drain()  # all of it is with the system: nothing to wait for, only to fail
                return
            async with asyncio.timeout(timeout):
                await self._writer.drain()
        except TimeoutError as error:
            raise httpcore.WriteTimeout from error
        except OSError as error:
            raise httpcore.WriteError(str(error)) from error

    async def aclose(self) -> None:
        self.break_off()

    def break_off(self) -> None:
        """Closes at once: a clean end of TLS could take half a minute, and nothing is left to send."""
        self._writer.transport.abort()


class _Body(httpx.AsyncByteStream):
    """The answer's body; closing it ends the connection."""

    def __init__(self, owner: OneShot, content: Any, stream: _Stream) -> None:
        self._owner, self._content, self._stream = owner, content, stream
        self._closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _httpx_errors():
            async for chunk in self._content:
                yield chunk

    async def aclose(self) -> None:
        if not self._closed:
            self._closed = True
            self._owner._end(self._stream)


@contextmanager
def _httpx_errors() -> Iterator[None]:
    """Translates httpcore's errors into those of httpx, which have the same names."""
    try:
        yield
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
        raise getattr(httpx, type(error).__name__)(str(error)) from error
