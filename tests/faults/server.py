"""An eDoc that misbehaves byte by byte, in a process of its own: ``python tests/faults/server.py``.

It speaks the three services without any HTTP framework, does to each request what it was told over its control port
(JSON lines), and writes down every request that it received in full and every document that it cancelled. That
journal is the judge: it knows what really happened, whatever the program believes. It imports nothing of the program.

It prints its control port and ends when its standard input closes.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import socket
import ssl
import struct
import sys
import time
from collections import Counter, deque
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

MARK = b"@CUFE@".ljust(66, b"@")
"""Stands for the code of the request in scripted bytes; as long as a code, so that lengths stay true."""

Action = dict[str, Any]
SERVICES = {"servicioedoc": "token", "anulacion": "cancel", "consultardocumentoruta": "query"}
SERVICE_ID = {"cancel": "16", "query": "3"}
MOST_HEAD = 65536
ISSUED = datetime(2026, 11, 20, 9, 0)  # noqa: DTZ001 - Panama's; the offset is written beside it


class Journal:
    """JSON lines, each on disk before anything else happens."""

    def __init__(self) -> None:
        self.path: Path | None = None

    def write(self, **entry: Any) -> None:
        if self.path is not None:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"at": time.monotonic(), **entry}) + "\n")


class Authority:
    """The truth: which documents exist, which are cancelled, which tokens are good."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.reset([], "", 3600.0)

    def reset(self, documents: list[str], basic: str, lifetime: float) -> None:
        self.by_key = {key_of(cufe): cufe for cufe in documents}
        self.basic, self.lifetime = basic, lifetime
        self.cancelled: set[str] = set()
        self.good: set[str] = set()
        self.issued: list[str] = []

    def apply(self, cufe: str | None, how: str) -> None:
        if cufe is not None and cufe not in self.cancelled:
            self.cancelled.add(cufe)
            self.journal.write(truth="cancelled", cufe=cufe, how=how)

    def issue(self, service: str) -> dict[str, Any]:
        # Letters that look different in every coding: a leak is found in whatever form it was written.
        raw = f"jwt+{service}/{len(self.issued)}~Ωx".encode()
        token = base64.b64encode(raw).decode() + f".s3cr3t+{service}/{len(self.issued)}=="
        self.issued.append(token)
        self.good.add(f"{service} {token}")
        times = {"expedido": ISSUED, "expira": ISSUED + timedelta(seconds=self.lifetime)}
        written = {name: f"{moment:%Y-%m-%dT%H:%M:%S}.0000000-05:00" for name, moment in times.items()}
        return {"token": token, **written, "codigoError": None, "mensajeRespuesta": None}


class Request:
    """One request, received in full. ``cufe`` is its document, None when it names none that exists."""

    def __init__(self, head: bytes, body: bytes, authority: Authority) -> None:
        line, _, rest = head.partition(b"\r\n")
        self.method, self.target, _ = line.decode("latin-1").split(" ", 2)
        parts = urlsplit(self.target)
        self.path, self.query, self.body = parts.path, parse_qs(parts.query), body
        self.headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (field.partition(":") for field in rest.decode("latin-1").split("\r\n"))
        }
        self.service = SERVICES.get(self.path.rstrip("/").rsplit("/", 1)[-1].lower(), "unknown")
        self.cufe = self._document(authority)

    @property
    def authorization(self) -> str:
        return self.headers.get("authorization", "")

    def _document(self, authority: Authority) -> str | None:
        if self.service == "cancel":
            with contextlib.suppress(ValueError, KeyError, TypeError):
                return str(json.loads(self.body)["cufe"])
            return None
        names = ("RucEmisor", "iDoc", "dSucEm", "dPtoFacDF", "dNroDF")
        return authority.by_key.get(tuple(self.query.get(name, [""])[0] for name in names))


class Server:
    """Listeners, scripts and open connections."""

    def __init__(self) -> None:
        self.journal = Journal()
        self.authority = Authority(self.journal)
        self.listeners: dict[str, asyncio.Server] = {}
        self.connections: set[asyncio.Task[None]] = set()
        self.later: set[asyncio.TimerHandle] = set()
        self.clear()

    def clear(self) -> None:
        self.scripts: dict[tuple[str, str], deque[Action]] = {}
        self.accepts: dict[str, deque[Action]] = {}
        self.received: Counter[str] = Counter()
        self.open: Counter[str] = Counter()
        self.most_open: Counter[str] = Counter()

    # ------------------------------------------------------------------------------------- one connection

    async def connected(self, name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.connections.add(task)
        if name == "other":
            self.journal.write(connection=name, read=0)
        try:
            await self._serve(name, reader, writer)
        except (ConnectionError, asyncio.CancelledError, ssl.SSLError):
            pass
        finally:
            self.connections.discard(task)
            with contextlib.suppress(Exception):
                writer.close()

    async def _serve(self, name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        script = self.accepts.get(name)
        if script and (action := script.popleft() if len(script) > 1 else script[0]):
            got = await reader.read(action["read"]) if action.get("read") else b""
            self.journal.write(connection=name, read=len(got))
            if not await self._send(action, writer, None):
                return
        while not writer.is_closing():
            request = await self._read(name, reader)
            if request is None:
                return
            self.open[request.service] += 1
            self.most_open[request.service] = max(self.most_open[request.service], self.open[request.service])
            try:
                if not await self._handle(request, writer):
                    return
            finally:
                self.open[request.service] -= 1

    async def _read(self, name: str, reader: asyncio.StreamReader) -> Request | None:
        """The next request, once it is here to its last byte; then it is in the journal."""
        head = body = b""
        length = 0
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            for line in head.lower().split(b"\r\n"):
                if line.startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            body = await reader.readexactly(length)
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError) as cut:
            partial = len(head) + len(getattr(cut, "partial", b""))
            if partial:
                self.journal.write(partial=partial, of=len(head) + length if head else None, listener=name)
            return None
        request = Request(head[:-4], body, self.authority)
        self.received[request.service] += 1
        self.journal.write(
            service=request.service,
            listener=name,
            method=request.method,
            path=request.path,
            target=request.target,
            cufe=request.cufe,
            authorised=self._authorised(request),
            authorization=bool(request.authorization),
            service_id=request.query.get("Id", [""])[0],
            identity=request.headers.get("accept-encoding"),
        )
        return request

    def _authorised(self, request: Request) -> bool:
        if request.service == "token":
            return request.authorization == f"Basic {self.authority.basic}"
        wanted = f"{SERVICE_ID.get(request.service, '')} {request.authorization.removeprefix('Bearer ')}"
        return request.authorization.startswith("Bearer ") and wanted in self.authority.good

    def _script(self, request: Request) -> Action:
        name = request.query.get("Id", [""])[0] if request.service == "token" else request.cufe or ""
        for key in ((request.service, name), (request.service, "*")):
            if script := self.scripts.get(key):
                return script.popleft() if len(script) > 1 else script[0]
        return {}

    async def _handle(self, request: Request, writer: asyncio.StreamWriter) -> bool:
        """Does what the script says. False when the connection is over."""
        action = self._script(request)
        if action.get("revoke"):
            self.authority.good.clear()
        if wait := action.get("wait"):
            await asyncio.sleep(wait)
        apply = action.get("apply", "never" if "pieces" in action else "now")
        if request.service != "cancel" or not self._authorised(request):
            apply = "never"
        if "pieces" not in action:
            action = {**action, "pieces": [[self._answer(request, apply).decode("latin-1"), 1, 0.0]]}
        if apply == "now":
            self.authority.apply(request.cufe, "now")
        elif apply == "late":
            timer = asyncio.get_running_loop().call_later(action["late"], self.authority.apply, request.cufe, "late")
            self.later.add(timer)
        try:
            return await self._send(action, writer, request)
        finally:
            if apply == "after":
                self.authority.apply(request.cufe, "after")

    # ------------------------------------------------------------------------------------- what is answered

    def _answer(self, request: Request, apply: str) -> bytes:
        """The polite answer, from the truth."""
        if not self._authorised(request):
            return http(401, {"MensajeRespuesta": "Credenciales no válidas."})
        if request.service == "token":
            return http(200, self.authority.issue(request.query.get("Id", [""])[0]))
        cancelled = request.cufe in self.authority.cancelled
        if request.service == "query":
            if request.cufe is None:
                return http(200, {"estadoEdoc": "18", "codigoRespuesta": None, "cufe": None})
            return http(200, {"estadoEdoc": "11" if cancelled else "2", "cufe": request.cufe})
        if request.service != "cancel":
            return http(404, {"MensajeRespuesta": "No existe."})
        dgi = "0622" if cancelled else "0600"
        return http(
            200, {"estado": "2" if apply == "now" else "5", "codigoRespuestaDGI": dgi if apply == "now" else ""}
        )

    async def _send(self, action: Action, writer: asyncio.StreamWriter, request: Request | None) -> bool:
        """Writes the pieces, each as often as it says and with its pause; then ends as it says."""
        code = (request.cufe or "" if request else "").encode().ljust(66, b" ")
        bearer = request.authorization.encode() if request else b""
        # As common JSON libraries write signs that could mean something to a browser.
        escaped = b"".join(c.encode() if c.isalnum() else b"\\u%04X" % ord(c) for c in bearer.decode())
        for text, times, pause in action.get("pieces", []):
            piece = text.encode("latin-1").replace(MARK, code).replace(b"@AUTHORIZATION@", bearer)
            piece = piece.replace(b"@ESCAPED@", escaped).replace(b"@QUOTED@", quote(bearer, safe="").encode())
            for _ in range(times):
                writer.write(piece)
                await writer.drain()
                if pause:
                    await asyncio.sleep(pause)
        end = action.get("end", "keep")
        if end == "hang":
            await asyncio.sleep(600)
        if end == "close-later":
            await asyncio.sleep(action["late"])
        if end == "reset":
            raw = writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        return end == "keep"

    # ------------------------------------------------------------------------------------- control

    async def control(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            order = json.loads(line)
            answer = await getattr(self, f"do_{order.pop('do')}")(**order)
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        writer.close()

    async def do_reset(self, journal: str, documents: list[str], basic: str, lifetime: float = 3600.0) -> None:
        """A new test: nothing of the last one is left, no connection, no script, no truth."""
        for timer in self.later:
            timer.cancel()
        self.later.clear()
        for task in list(self.connections):
            task.cancel()
        await asyncio.gather(*self.connections, return_exceptions=True)
        for name in list(self.listeners):
            await self.do_close(name)
        self.clear()
        self.journal.path = Path(journal)
        self.authority.reset(documents, basic, lifetime)

    async def do_listen(self, name: str, certificate: str = "", port: int = 0) -> int:
        """Opens a listener; with a certificate (PEM with its key) it speaks TLS."""
        context = None
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self.connected(name, reader, writer)

        listener = await asyncio.start_server(connected, "127.0.0.1", port, ssl=context, limit=MOST_HEAD)
        self.listeners[name] = listener
        return int(listener.sockets[0].getsockname()[1])

    async def do_close(self, name: str) -> None:
        """Stops listening; connections that are open stay open."""
        self.listeners.pop(name).close()

    async def do_script(self, service: str, cufe: str, actions: list[Action]) -> None:
        """What to do with the requests of ``service`` for ``cufe``; the last action stays.

        ``*`` means any; for tokens it is the number of the service that they are for.
        """
        self.scripts[service, cufe] = deque(actions)

    async def do_accept(self, listener: str, actions: list[Action]) -> None:
        """What to do with each new connection before anything is read of it; the last action stays."""
        self.accepts[listener] = deque(actions)

    async def do_revoke(self) -> None:
        """No token that was issued so far is good any more."""
        self.authority.good.clear()

    async def do_cancelled(self, cufe: str) -> None:
        """Somebody cancelled it elsewhere."""
        self.authority.apply(cufe, "elsewhere")

    async def do_state(self) -> dict[str, Any]:
        """Tokens, the most requests at once, and what was received."""
        return {
            "tokens": self.authority.issued,
            "most_open": dict(self.most_open),
            "received": dict(self.received),
            "cancelled": sorted(self.authority.cancelled),
        }


def http(status: int, body: dict[str, Any]) -> bytes:
    content = json.dumps(body).encode()
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    return head.encode() + content


def key_of(cufe: str) -> tuple[str, ...]:
    """What a query says of a code (edoc-api.md 4), cut out here once more and not by the program's own rule."""
    return cufe[5:25].lstrip("0"), cufe[2:4], cufe[28:32], cufe[50:53], cufe[40:50]


async def main() -> None:
    server = Server()
    control = await asyncio.start_server(server.control, "127.0.0.1", 0, limit=1 << 26)
    print(control.sockets[0].getsockname()[1], flush=True)  # noqa: T201
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
