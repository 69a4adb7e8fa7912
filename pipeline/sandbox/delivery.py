"""Delivery of a reply: complete, late, byte by byte, half, or not at all.

A real lost answer needs the connection itself, which ASGI does not show. ``OpenConnection`` is uvicorn's h11
protocol that puts its transport into the state of each request, the one place that ASGI leaves to the server.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any

from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from pipeline.runtime.clock import Clock
from pipeline.sandbox.answers import Cut, Reply

TRANSPORT = "sandbox.transport"
_LINGER_NOT = struct.pack("ii", 1, 0)


class OpenConnection(H11Protocol):
    """An HTTP/1.1 connection that the application may cut."""

    def connection_made(self, transport: Any) -> None:  # asyncio's base class and uvicorn disagree on the type
        # A copy for each connection: uvicorn passes this mapping to every request of the connection.
        self.app_state = {**self.app_state, TRANSPORT: transport}
        super().connection_made(transport)


class NoConnection(RuntimeError):
    """An answer should be lost, but the server does not show its connections (see ``OpenConnection``)."""


async def deliver(reply: Reply, clock: Clock, scope: Scope, receive: Receive, send: Send) -> None:
    """Sends ``reply`` in its own way. The request's body has been read completely."""
    try:
        if reply.hold > 0:
            await clock.sleep(reply.hold)
        if reply.cut in (Cut.CLOSE, Cut.RESET):
            await _hang_up(scope, receive, reset=reply.cut is Cut.RESET)
            return
        await send({"type": "http.response.start", "status": reply.status, "headers": _raw_headers(reply)})
        if reply.cut is Cut.TRUNCATE:
            half = reply.body[: len(reply.body) // 2]
            await send({"type": "http.response.body", "body": half, "more_body": True})
            await _hang_up(scope, receive, reset=False)
        elif reply.drip > 0:
            await _drip(reply, clock, scope, send)
        else:
            await send({"type": "http.response.body", "body": reply.body})
    except asyncio.CancelledError:
        # The server ends while an answer is held back: that answer is lost, without a traceback.
        if (transport := _transport(scope)) is not None:
            transport.abort()


async def _drip(reply: Reply, clock: Clock, scope: Scope, send: Send) -> None:
    transport = _transport(scope)
    for place in range(len(reply.body)):
        if transport is not None and transport.is_closing():
            break
        await send({"type": "http.response.body", "body": reply.body[place : place + 1], "more_body": True})
        await clock.sleep(reply.drip)
    await send({"type": "http.response.body", "body": b""})


async def _hang_up(scope: Scope, receive: Receive, *, reset: bool) -> None:
    """Closes the connection (data already sent still arrives) or resets it, and waits until it is gone."""
    transport = _transport(scope)
    if transport is None:
        raise NoConnection("the server does not show its connections")
    sock = transport.get_extra_info("socket")
    if reset and sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
        transport.abort()
    else:
        transport.close()
    while (await receive())["type"] != "http.disconnect":
        pass


def _transport(scope: Scope) -> asyncio.Transport | None:
    transport: asyncio.Transport | None = scope.get("state", {}).get(TRANSPORT)
    return transport


def _raw_headers(reply: Reply) -> list[tuple[bytes, bytes]]:
    headers = [("content-type", reply.media_type), ("content-length", str(len(reply.body))), *reply.headers]
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
