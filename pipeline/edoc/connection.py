"""Single-use connection: opened for one request, closed after it (docs/decisions/0002). Knows h11.

What httpx has for connections that are reused only costs time here, more than the request itself. HTTP on the wire is
the same code as below it: h11. This file does the rest: connect, hand over, close. Until the connection is handed over
no byte of a request can leave.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from typing import Any

import h11
import httpx

_READ, _LONGEST_HEAD = 64 * 1024, 100 * 1024
"""Bytes that are read at a time, and of an answer's head at most: those of httpx."""


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
        await self._place(timeout["pool"])
        stream: _Stream | None = None
        try:
            await request.extensions["trace"]("connection.connect_tcp.started", {})
            stream = await self._connect(request.url, timeout["connect"])
            if gate := request.extensions.get("gate"):
                await gate()
            exchange = _Exchange(stream, request)
            await exchange.send()
            status, headers = await exchange.head()
        except BaseException:
            self._end(stream)
            raise
        return httpx.Response(status, headers=headers, stream=_Body(self, exchange, stream))

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


def _port(url: httpx.URL) -> int:
    return url.port or (443 if url.scheme == "https" else 80)


class _Exchange:
    """One request and its answer on a connection, in HTTP/1.1 as h11 speaks it."""

    def __init__(self, stream: _Stream, request: httpx.Request) -> None:
        self._stream, self._request = stream, request
        self._timeout, self._trace = request.extensions["timeout"], request.extensions["trace"]
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_LONGEST_HEAD)

    async def send(self) -> None:
        """Sends the request, head and body one after the other; the trace says how far it came."""
        request, content = self._request, await self._request.aread()
        try:
            head = self._http.send(
                h11.Request(method=request.method, target=request.url.raw_path, headers=request.headers.raw)
            )
            await self._write("send_request_headers", head)
            body = (self._http.send(h11.Data(content)), self._http.send(h11.EndOfMessage()))
            await self._write("send_request_body", b"".join(filter(None, body)))
        except h11.LocalProtocolError as error:
            raise httpx.LocalProtocolError(str(error)) from error
        except httpx.WriteError:
            pass  # a server may have answered, and closed, before it had it all: what it said is read

    async def head(self) -> tuple[int, list[tuple[bytes, bytes]]]:
        """Status and headers of the answer; notices before it (1xx) are passed over."""
        while True:
            event = await self._event()
            if isinstance(event, h11.Response) or (
                isinstance(event, h11.InformationalResponse) and event.status_code == 101
            ):
                return event.status_code, event.headers.raw_items()

    async def body(self) -> AsyncIterator[bytes]:
        """The pieces of the answer's body."""
        while isinstance(event := await self._event(), h11.Data):
            yield bytes(event.data)

    async def _write(self, part: str, content: bytes | None) -> None:
        await self._trace(f"http11.{part}.started", {})
        if content:
            await self._stream.write(content, self._timeout["write"])
        await self._trace(f"http11.{part}.complete", {})

    async def _event(self) -> Any:
        try:
            while (event := self._http.next_event()) is h11.NEED_DATA:
                data = await self._stream.read(_READ, self._timeout["read"])
                if not data and self._http.their_state is h11.SEND_RESPONSE:
                    raise httpx.RemoteProtocolError("the server closed the connection without an answer")
                self._http.receive_data(data)
        except h11.RemoteProtocolError as error:
            raise httpx.RemoteProtocolError(str(error)) from error
        return event


class _Stream:
    """asyncio's streams with httpx's errors; TLS, if any, is already set up."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def read(self, most: int, seconds: float) -> bytes:
        try:
            async with asyncio.timeout(seconds):
                return await self._reader.read(most)
        except TimeoutError as error:
            raise httpx.ReadTimeout("no answer in time") from error
        except OSError as error:
            raise httpx.ReadError(str(error)) from error

    async def write(self, content: bytes, seconds: float) -> None:
        try:
            self._writer.write(content)
            if not self._writer.transport.get_write_buffer_size():
                await self._writer.drain()  # all of it is with the system: nothing to wait for, only to fail
                return
            async with asyncio.timeout(seconds):
                await self._writer.drain()
        except TimeoutError as error:
            raise httpx.WriteTimeout("not written in time") from error
        except OSError as error:
            raise httpx.WriteError(str(error)) from error

    def break_off(self) -> None:
        """Closes at once: a clean end of TLS could take half a minute, and nothing is left to send."""
        self._writer.transport.abort()


class _Body(httpx.AsyncByteStream):
    """The answer's body; closing it ends the connection."""

    def __init__(self, owner: OneShot, exchange: _Exchange, stream: _Stream) -> None:
        self._owner, self._exchange, self._stream = owner, exchange, stream
        self._closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._exchange.body():
            yield piece

    async def aclose(self) -> None:
        if not self._closed:
            self._closed = True
            self._owner._end(self._stream)
