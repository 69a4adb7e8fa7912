"""The other side of every measurement: an eDoc in a process of its own that costs next to nothing.

Written on bare asyncio protocols, so that it can keep up with the fastest client that is measured. It answers every
cancellation with "authorised", every query with "cancelled", after ``--latency-ms``, and keeps when each arrived. With
``--limit`` it answers 429 to whoever sends more than that many requests, and one, within any second.

``GET /journal`` gives the arrivals as JSON (seconds of the system's monotonic clock), ``GET /reset`` forgets them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import time
from collections import deque
from urllib.parse import parse_qs, urlsplit

_TOKEN = {"token": "bench-token", "expedido": "2026-11-20T09:00:00-05:00", "expira": "2026-11-21T09:00:00-05:00"}
_CANCELLED = {
    "estado": "2",
    "FechaAutorizacion": "2026-11-20T10:00:00-05:00",
    "codigoRespuestaDGI": "0600",
    "MensajeRespuesta": "Evento de anulación autorizado.",
    "EstadoEmisionEDOC": "2",
    "CodigoError": "",
}


def packed(value: object, status: str = "200 OK") -> bytes:
    body = json.dumps(value, ensure_ascii=False).encode()
    return f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


_ANSWERS = {"token": packed(_TOKEN), "cancel": packed(_CANCELLED), "none": packed({}, "404 Not Found")}
_SLOW_DOWN = packed({"MensajeRespuesta": "Demasiadas solicitudes"}, "429 Too Many Requests")


class Book:
    """What arrived when. ``limit`` requests per second are allowed, and one more; None: any number."""

    def __init__(self, latency: float, limit: float | None) -> None:
        self.latency, self.limit = latency, limit
        self.reset()

    def reset(self) -> None:
        self.arrivals: list[float] = []
        self.cancels: list[float] = []
        self.connections = self.refused = 0
        self._recent: deque[float] = deque()

    def too_many(self, now: float) -> bool:
        if self.limit is None:
            return False
        while self._recent and now - self._recent[0] >= 1.0:
            self._recent.popleft()
        self._recent.append(now)
        return len(self._recent) > self.limit + 1


class Connection(asyncio.Protocol):
    """One connection: whole requests in, answers out after the latency, in order."""

    def __init__(self, book: Book) -> None:
        self._book, self._buffer = book, b""
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._book.connections += 1

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end]
            length = 0
            if (at := head.lower().find(b"content-length:")) >= 0:
                length = int(head[at + 15 :].split(b"\r\n", 1)[0])
            if len(self._buffer) < end + 4 + length:
                return
            self._buffer = self._buffer[end + 4 + length :]
            self._serve(head)

    def _serve(self, head: bytes) -> None:
        now, book = time.monotonic(), self._book
        line = head.split(b"\r\n", 1)[0]
        if line.startswith(b"GET /journal"):
            said = {"arrivals": book.arrivals, "cancels": book.cancels, "connections": book.connections}
            self._transport.write(packed({**said, "refused": book.refused}))
            return
        if line.startswith(b"GET /reset"):
            book.reset()
            self._transport.write(packed({}))
            return
        book.arrivals.append(now)
        if book.too_many(now):
            book.refused += 1
            answer = _SLOW_DOWN
        else:
            answer = self._answer(line, now)
        close = b"connection: close" in head.lower()
        if book.latency:
            self._loop.call_later(book.latency, self._reply, answer, close)
        else:
            self._reply(answer, close)

    def _answer(self, line: bytes, now: float) -> bytes:
        if b"/Anulacion" in line:
            self._book.cancels.append(now)
            return _ANSWERS["cancel"]
        if b"/ConsultarDocumentoRuta" in line:
            asked = parse_qs(urlsplit(line.split(b" ")[1].decode("ascii")).query)
            return packed({"estadoEdoc": 11, "codigoRespuesta": "0622", "numDocumento": asked["dNroDF"][0]})
        return _ANSWERS["token" if b"/ServicioEDOC" in line else "none"]

    def _reply(self, answer: bytes, close: bool) -> None:
        self._transport.write(answer)
        if close:
            self._transport.close()


async def serve(book: Book) -> None:
    """Serves on a free loopback port, says it on stdout, ends when stdin closes or on SIGTERM."""
    loop = asyncio.get_running_loop()
    listener = await loop.create_server(lambda: Connection(book), "127.0.0.1", 0, backlog=4096)
    over = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, over.set)
    loop.add_reader(sys.stdin.fileno(), over.set)
    sys.stdout.write(f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await over.wait()
    listener.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--latency-ms", type=float, default=0.0)
    parser.add_argument("--limit", type=float, default=None)
    options = parser.parse_args()
    asyncio.run(serve(Book(options.latency_ms / 1000, options.limit)))
