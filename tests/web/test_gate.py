"""What stands before Django (S19): a body is cut off at its limit, with and without a length."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from pipeline.web.gate import Gate
from pipeline.web.headers import POLICY

MOST = 1000


class Inner:
    """Stands for Django: reads the whole body, then answers 200."""

    def __init__(self) -> None:
        self.body = b""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        more = True
        while more:
            message = await receive()
            self.body += message.get("body", b"")
            more = message.get("more_body", False)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


def asked(parts: list[bytes], *, length: int | None = None, hangs: bool = False) -> tuple[list[Any], Inner]:
    """What is sent for a request whose body comes in ``parts``."""
    inner, sent = Inner(), list[Any]()
    queue = list(parts)

    async def receive() -> MutableMapping[str, Any]:
        if not queue:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": queue.pop(0), "more_body": bool(queue) or hangs}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"content-length", str(length).encode())] if length is not None else []
    gate = Gate(inner, MOST, https=False, silence=0.01)
    asyncio.run(gate({"type": "http", "headers": headers, "method": "POST"}, receive, send))
    return sent, inner


@pytest.mark.parametrize(("size", "status"), [(0, 200), (MOST, 200), (MOST + 1, 413)])
def test_s19_a_body_without_a_length_is_counted(size, status):
    sent, inner = asked([b"x" * (size // 2), b"x" * (size - size // 2)])
    assert sent[0]["status"] == status
    assert len(inner.body) <= MOST


def test_s19_a_length_that_is_too_much_is_refused_before_a_byte_is_read():
    sent, inner = asked([b"x"], length=MOST + 1)
    assert (sent[0]["status"], inner.body) == (413, b"")
    headers = dict(sent[0]["headers"])
    assert headers[b"content-security-policy"] == POLICY.encode()
    assert headers[b"connection"] == b"close"
    assert "No se guardó nada" in sent[1]["body"].decode()


def test_s19_a_body_that_trickles_is_not_waited_for_without_end():
    """Each byte comes in time, and the whole does not."""
    inner, sent, parts = Inner(), list[Any](), iter(range(200_000))

    async def receive() -> MutableMapping[str, Any]:
        await asyncio.sleep(0)
        return {"type": "http.request", "body": b"", "more_body": next(parts, None) is not None}

    async def send(message: Any) -> None:
        sent.append(message)

    gate = Gate(inner, MOST, https=False, silence=60, whole=0.05)
    asyncio.run(gate({"type": "http", "headers": [], "method": "POST"}, receive, send))
    assert sent[0]["status"] == 408


def test_s19_who_announces_a_body_and_sends_none_is_not_waited_for():
    sent, _ = asked([b"x"], hangs=True)
    assert sent[0]["status"] == 408
