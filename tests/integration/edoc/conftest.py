"""Small servers on loopback that do exactly what a test says, byte by byte, and count what they received."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest
import trustme


@dataclass
class Seen:
    """``requests`` received in full, ``connections`` accepted."""

    base: str
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def received(self, count: int) -> None:
        """Wait until ``count`` requests have been received in full."""
        async with self.news:
            await self.news.wait_for(lambda: len(self.requests) >= count)


Reaction = Callable[[Seen, asyncio.StreamWriter], Awaitable[None]]
Serve = Callable[..., AbstractAsyncContextManager[Seen]]


async def read_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    return head + await reader.readexactly(length)


@asynccontextmanager
async def server(react: Reaction, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> AsyncIterator[Seen]:
    """``react`` is called for each full request; a connection stays open until it closes the writer."""
    tasks: set[asyncio.Task[None]] = set()

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        seen.connections += 1
        try:
            while not writer.is_closing():
                request = await read_request(reader)
                async with seen.news:
                    seen.requests.append(request)
                    seen.news.notify_all()
                await react(seen, writer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            tasks.discard(task)
            writer.close()

    listener = await asyncio.start_server(connection, "127.0.0.1", 0, ssl=tls)
    port = listener.sockets[0].getsockname()[1]
    seen = Seen(f"{'https' if tls else 'http'}://{host}:{port}")
    try:
        yield seen
    finally:
        listener.close()
        for task in list(tasks):
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)
        await listener.wait_closed()


@pytest.fixture(scope="session")
def serve() -> Serve:
    """``async with serve(react, tls=None) as seen``."""
    return server


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()
