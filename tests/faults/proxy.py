"""A line that misbehaves: a TCP proxy in a process of its own, steered over its control port like ``server.py``.

Toxics, all off unless named: ``latency`` s before each chunk of the answer · ``bandwidth`` bytes/s of the answer ·
``slicer`` bytes per packet of the answer · ``slow_close`` s between the upstream's end and ours · ``timeout`` s of
silence, then end, nothing passed · ``reset_peer`` s, then reset · ``limit_up`` bytes of the request, then end (or reset
with ``limit_reset``) · ``short_by`` bytes at the request's end that never arrive · ``hold`` s that the request waits
and is then delivered though the client may be gone · ``duplicate`` the same request once more on a line of its own ·
``once`` all this for the first connection only.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
import sys
from typing import Any

CHUNK = 65536


class Link:
    """One port that leads to another one."""

    def __init__(self, upstream: int, toxics: dict[str, Any]) -> None:
        self.upstream, self.toxics = upstream, toxics
        self.server: asyncio.Server | None = None
        self.port = 0
        self.passed = 0  # connections that were made through it
        self.tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> int:
        self.server = await asyncio.start_server(self.connected, "127.0.0.1", self.port)
        self.port = int(self.server.sockets[0].getsockname()[1])
        return self.port

    async def stop(self) -> None:
        """A partition: nobody gets through any more, and the lines that were open are cut."""
        if self.server is not None:
            self.server.close()
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        toxics = self.toxics if not (self.toxics.get("once") and self.passed) else {}
        self.passed += 1
        try:
            await self._pass(toxics, reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self.tasks.discard(task)
            with contextlib.suppress(Exception):
                writer.close()

    async def _pass(self, toxics: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if "timeout" in toxics:
            await asyncio.sleep(toxics["timeout"])
            return
        if "hold" in toxics:
            await self._hold(toxics["hold"], reader)
            return
        there, up = await asyncio.open_connection("127.0.0.1", self.upstream)
        copy: asyncio.StreamWriter | None = None
        if toxics.get("duplicate"):
            sink, copy = await asyncio.open_connection("127.0.0.1", self.upstream)
        try:
            sides = {
                asyncio.create_task(self._upstream(toxics, reader, up, copy)),
                asyncio.create_task(self._downstream(toxics, there, writer)),
            }
            if "reset_peer" in toxics:
                sides.add(asyncio.create_task(asyncio.sleep(toxics["reset_peer"])))
            _, rest = await asyncio.wait(sides, return_when=asyncio.FIRST_COMPLETED)
            for side in rest:
                side.cancel()
            await asyncio.gather(*sides, return_exceptions=True)
            if copy is not None:
                await asyncio.wait_for(sink.read(1), 5)  # the copy has been answered: it was received as a whole
            if "reset_peer" in toxics or toxics.get("limit_reset"):
                reset(writer)
                reset(up)
        finally:
            for end in (up, copy):
                if end is not None:
                    end.close()

    async def _upstream(
        self,
        toxics: dict[str, Any],
        reader: asyncio.StreamReader,
        up: asyncio.StreamWriter,
        copy: asyncio.StreamWriter | None,
    ) -> None:
        if short_by := toxics.get("short_by"):
            up.write((await whole(reader))[:-short_by])
            await up.drain()
            return
        left = toxics.get("limit_up", float("inf"))
        while left > 0 and (data := await reader.read(CHUNK)):
            data = data[: int(min(left, CHUNK))]
            left -= len(data)
            for line in (up, copy):
                if line is not None:
                    line.write(data)
                    await line.drain()

    async def _downstream(
        self, toxics: dict[str, Any], there: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while data := await there.read(CHUNK):
            await asyncio.sleep(toxics.get("latency", 0.0))
            size = int(toxics.get("slicer", len(data)))
            for start in range(0, len(data), size):
                part = data[start : start + size]
                if "bandwidth" in toxics:
                    await asyncio.sleep(len(part) / toxics["bandwidth"])
                writer.write(part)
                await writer.drain()
                if "slicer" in toxics:
                    await asyncio.sleep(0.001)
        await asyncio.sleep(toxics.get("slow_close", 0.0))

    async def _hold(self, seconds: float, reader: asyncio.StreamReader) -> None:
        """Swallows the request, forgets the client, and delivers it later all the same."""
        data = await whole(reader)
        await asyncio.sleep(seconds)
        there, up = await asyncio.open_connection("127.0.0.1", self.upstream)
        up.write(data)
        await up.drain()
        await there.read(CHUNK)  # received and answered; nobody is there to hear it
        up.close()


async def whole(reader: asyncio.StreamReader) -> bytes:
    """A request, up to its last byte or to the end of the line."""
    data = b""
    with contextlib.suppress(ConnectionError):
        while not complete(data) and (more := await reader.read(CHUNK)):
            data += more
    return data


def complete(data: bytes) -> bool:
    """Whether ``data`` is a whole request."""
    head, found, body = data.partition(b"\r\n\r\n")
    length = next((int(x.split(b":")[1]) for x in head.lower().split(b"\r\n") if x.startswith(b"content-length:")), 0)
    return bool(found) and len(body) >= length


def reset(writer: asyncio.StreamWriter) -> None:
    raw = writer.get_extra_info("socket")
    if raw is not None and raw.fileno() >= 0:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()


class Proxy:
    """All links of a test, by name."""

    def __init__(self) -> None:
        self.links: dict[str, Link] = {}
        self.holes: list[socket.socket] = []

    async def control(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            order = json.loads(line)
            answer = await getattr(self, f"do_{order.pop('do')}")(**order)
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        writer.close()

    async def do_reset(self) -> None:
        for link in self.links.values():
            await link.stop()
        self.links.clear()
        for hole in self.holes:
            hole.close()
        self.holes.clear()

    async def do_link(self, name: str, upstream: int, toxics: dict[str, Any]) -> int:
        self.links[name] = Link(upstream, toxics)
        return await self.links[name].start()

    async def do_toxics(self, name: str, toxics: dict[str, Any]) -> None:
        self.links[name].toxics = toxics

    async def do_stop(self, name: str) -> None:
        await self.links[name].stop()

    async def do_start(self, name: str) -> int:
        return await self.links[name].start()

    async def do_passed(self, name: str) -> int:
        return self.links[name].passed

    async def do_black_hole(self) -> int:
        """A port whose queue is full: a connection to it is neither made nor refused."""
        full = socket.socket()
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        self.holes.append(full)
        for _ in range(2):
            knock = socket.socket()
            knock.setblocking(False)
            knock.connect_ex(full.getsockname())
            self.holes.append(knock)
        return int(full.getsockname()[1])


async def main() -> None:
    control = await asyncio.start_server(Proxy().control, "127.0.0.1", 0)
    print(control.sockets[0].getsockname()[1], flush=True)  # noqa: T201
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
