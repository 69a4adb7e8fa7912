"""What stands before Django: a request's body is cut off at its limit, with and without a length, and a client that
sends nothing is not waited for (web.md 7: S19).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from pipeline.web.headers import answer_headers
from pipeline.web.texts import frame as words

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

SILENCE_S = 60.0
"""Seconds without a byte of a body that was announced."""


WHOLE_S = 900.0
"""Seconds for a body as a whole, however it trickles: 25 MB at 30 kB a second."""


class _Refused(Exception):
    """A body that is not taken: its HTTP status."""

    def __init__(self, status: int) -> None:
        self.status = status


class Gate:
    """ASGI application in front of ``app``: bodies of at most ``most`` bytes, each part within ``silence`` seconds and
    all of it within ``whole``."""

    def __init__(self, app: App, most: int, *, https: bool, silence: float = SILENCE_S, whole: float = WHOLE_S) -> None:
        self._app, self._most, self._https, self._silence, self._whole = app, most, https, silence, whole

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if _announced(scope) > self._most:
            await self._refuse(send, 413)
            return
        taken, begun, whole = 0, False, False
        loop = asyncio.get_running_loop()
        until = loop.time() + self._whole

        async def counted() -> Message:
            nonlocal taken, whole
            if whole:  # what comes now is that the client went away, whenever that is
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), min(self._silence, max(0.0, until - loop.time())))
            except TimeoutError:
                raise _Refused(408) from None
            taken += len(message.get("body", b""))
            whole = message["type"] != "http.request" or not message.get("more_body", False)
            if taken > self._most:
                raise _Refused(413)
            return message

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, counted, watched)
        except _Refused as refused:
            if not begun:
                await self._refuse(send, refused.status)

    async def _refuse(self, send: Send, status: int) -> None:
        text = words.TOO_LARGE if status == 413 else words.TOO_SLOW
        headers = {
            **answer_headers(https=self._https),
            "Content-Type": "text/plain; charset=utf-8",
            "Connection": "close",
        }
        told = [(name.lower().encode("ascii"), value.encode("ascii")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": told})
        await send({"type": "http.response.body", "body": text.encode()})


def _announced(scope: Scope) -> int:
    """Length that a request announces; 0 for none."""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0
