"""How a reply gets on the wire, seen from the server's side of ASGI."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pipeline.sandbox.answers import Cut, Reply
from pipeline.sandbox.delivery import TRANSPORT, NoConnection, deliver


class Transport:
    """Stands for the connection: notes how it ended."""

    def __init__(self) -> None:
        self.ended: list[str] = []

    def close(self) -> None:
        self.ended.append("close")

    def abort(self) -> None:
        self.ended.append("abort")

    def is_closing(self) -> bool:
        return bool(self.ended)

    def get_extra_info(self, name: str) -> None:
        return None


class Wire:
    """Receives what is sent."""

    def __init__(self, transport: Transport | None) -> None:
        self.scope: dict[str, Any] = {"state": {} if transport is None else {TRANSPORT: transport}}
        self.transport = transport
        self.sent: list[Any] = []

    async def receive(self) -> Any:
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.sent.append(message)

    def body(self) -> bytes:
        return b"".join(m.get("body", b"") for m in self.sent)


@pytest.fixture
def wire() -> Wire:
    return Wire(Transport())


def test_a_plain_reply_is_sent_whole(wire: Wire, clock: Any) -> None:
    _deliver(Reply(200, b"hola", headers=(("retry-after", "1"),)), clock, wire)
    assert wire.sent[0]["status"] == 200
    assert (b"content-length", b"4") in wire.sent[0]["headers"]
    assert (b"retry-after", b"1") in wire.sent[0]["headers"]
    assert wire.body() == b"hola"


def test_a_held_reply_comes_later(wire: Wire, clock: Any) -> None:
    _deliver(Reply(200, b"hola", hold=3.0), clock, wire)
    assert clock.slept == [3.0]


def test_a_dripping_reply_comes_byte_by_byte(wire: Wire, clock: Any) -> None:
    _deliver(Reply(200, b"hola", drip=0.4), clock, wire)
    assert clock.slept == [0.4] * 4
    assert [m["body"] for m in wire.sent[1:]] == [b"h", b"o", b"l", b"a", b""]


def test_dripping_ends_when_the_client_is_gone(wire: Wire, clock: Any) -> None:
    assert wire.transport is not None
    wire.transport.close()
    _deliver(Reply(200, b"hola", drip=0.4), clock, wire)
    assert clock.slept == []


@pytest.mark.parametrize("cut", [Cut.CLOSE, Cut.RESET])
def test_a_lost_reply_sends_nothing(cut: Cut, wire: Wire, clock: Any) -> None:
    _deliver(Reply(200, b"hola", cut=cut), clock, wire)
    assert wire.sent == []
    assert wire.transport is not None
    assert wire.transport.is_closing()


def test_a_truncated_reply_announces_more_than_it_sends(wire: Wire, clock: Any) -> None:
    _deliver(Reply(200, b"hola", cut=Cut.TRUNCATE), clock, wire)
    assert (b"content-length", b"4") in wire.sent[0]["headers"]
    assert wire.body() == b"ho"
    assert wire.transport is not None
    assert wire.transport.ended == ["close"]


def test_without_a_connection_to_cut_the_mistake_is_named(clock: Any) -> None:
    with pytest.raises(NoConnection):
        _deliver(Reply(200, b"", cut=Cut.CLOSE), clock, Wire(None))


def _deliver(reply: Reply, clock: Any, wire: Wire) -> None:
    asyncio.run(deliver(reply, clock, wire.scope, wire.receive, wire.send))
