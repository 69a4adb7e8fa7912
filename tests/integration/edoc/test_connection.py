"""A connection is made for one request and is gone after it, whatever happened to the request."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from pipeline.edoc.connection import OneShot

OK = b'HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{"estado":2}'
Serve = Callable[..., Any]
TIMEOUT = {"pool": 0.2, "connect": 2.0, "read": 2.0, "write": 2.0}


async def silent(_event: str, _info: Any) -> None:
    """A trace that nobody reads."""


def request(url: str, trace: Any = silent) -> httpx.Request:
    extensions = {"timeout": TIMEOUT, "trace": trace}
    return httpx.Request("POST", url, headers={"Connection": "close"}, content=b"{}", extensions=extensions)


def one_shot(connections: int = 1) -> OneShot:
    return OneShot(connections, ssl.create_default_context())


async def whole(transport: OneShot, url: str) -> bytes:
    response = await transport.handle_async_request(request(url))
    try:
        return b"".join([chunk async for chunk in response.aiter_raw()])
    finally:
        await response.aclose()


async def answering(_: Any, writer: asyncio.StreamWriter) -> None:
    writer.write(OK)  # and the connection stays open: closing it is ours to do


def test_each_request_has_a_connection_of_its_own_and_gives_its_place_back(serve: Serve) -> None:
    async def main() -> tuple[list[bytes], int, int]:
        async with serve(answering) as seen:
            transport = one_shot()
            bodies = [await whole(transport, seen.base) for _ in range(3)]
            return bodies, seen.connections, len(transport._open)

    assert asyncio.run(main()) == ([b'{"estado":2}'] * 3, 3, 0)


def test_the_server_sees_the_connection_end_after_the_answer(serve: Serve) -> None:
    ended = asyncio.Event()

    async def main() -> None:
        async def watching(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"{}")
            writer.write(OK)
            assert await reader.read() == b""
            ended.set()
            writer.close()

        listener = await asyncio.start_server(watching, "127.0.0.1", 0)
        async with listener:
            await whole(one_shot(), f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/")
            await asyncio.wait_for(ended.wait(), 2)

    asyncio.run(main())


@pytest.mark.parametrize("answer", [b"", b"rubbish\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}"])
def test_a_place_comes_back_after_a_failure_too(serve: Serve, answer: bytes) -> None:
    async def main() -> int:
        async def failing(_: Any, writer: asyncio.StreamWriter) -> None:
            writer.write(answer)
            writer.close()

        async with serve(failing) as seen:
            transport = one_shot()
            for _ in range(3):
                with pytest.raises(httpx.RemoteProtocolError):
                    await whole(transport, seen.base)
            return len(transport._open)

    assert asyncio.run(main()) == 0


def test_a_place_comes_back_when_nothing_could_be_connected_or_the_caller_gave_up(serve: Serve) -> None:
    async def main() -> bytes:
        async def hanging(*_: Any) -> None:
            """No answer."""

        transport = one_shot()
        for _ in range(2):
            with pytest.raises(httpx.ConnectError):
                await whole(transport, "http://127.0.0.1:1/")
        async with serve(hanging) as seen:
            task = asyncio.create_task(whole(transport, seen.base))
            await seen.received(1)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        async with serve(answering) as seen:
            return await whole(transport, seen.base)

    assert asyncio.run(main()) == b'{"estado":2}'


def test_nothing_of_the_request_is_named_before_there_is_a_connection(serve: Serve) -> None:
    events: list[str] = []

    async def main() -> None:
        async def trace(event: str, _info: Any) -> None:
            events.append(event)

        async with serve(answering) as seen:
            response = await one_shot().handle_async_request(request(seen.base, trace))
            await response.aclose()

    asyncio.run(main())
    assert events[:3] == [
        "connection.connect_tcp.started",
        "http11.send_request_headers.started",
        "http11.send_request_headers.complete",
    ]


def test_closing_breaks_off_what_is_under_way(serve: Serve) -> None:
    async def main() -> Exception:
        async def hanging(*_: Any) -> None:
            """No answer."""

        async with serve(hanging) as seen:
            transport = one_shot()
            task = asyncio.create_task(whole(transport, seen.base))
            await seen.received(1)
            await transport.aclose()
            with pytest.raises(httpx.HTTPError) as caught:
                await asyncio.wait_for(task, 2)
            return caught.value

    assert isinstance(asyncio.run(main()), httpx.RemoteProtocolError | httpx.ReadError)
