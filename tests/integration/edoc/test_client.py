"""The whole package over real sockets: what reaches the wire, what is made of it, and what is never written down."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
import trustme

from pipeline.domain.lifecycle import Event
from pipeline.domain.records import Cancellation, Finding
from pipeline.edoc.client import EdocClient, Urls
from pipeline.edoc.limiter import Limiter
from pipeline.edoc.token import TokenKeeper
from pipeline.edoc.transport import Transport
from pipeline.runtime.clock import Clock

Serve = Callable[..., Any]
CUFE = "FE0120000155668001-2-2018-3707892023061300000002050060120035300326"
ROW = Cancellation(1, 1, 1, "b", 1, CUFE, "Error en los datos del receptor", None)
USER, TOKEN = "usuario-ñ", "eyJ0/tok+en.sig=="


@dataclass(frozen=True)
class Password:
    def get_secret_value(self) -> str:
        return "cláve/77+x"

    def __repr__(self) -> str:
        return "***"


def http(status: int, **fields: Any) -> bytes:
    body = json.dumps(fields).encode()
    return (
        f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    )


def edoc(cancel: bytes | None, query: bytes | None = None) -> Callable[..., Any]:
    """Tokens for everybody; None drops the connection without a word."""

    async def react(seen: Any, writer: asyncio.StreamWriter) -> None:
        path = seen.requests[-1].split()[1]
        if path.startswith(b"/Auth/ServicioEDOC?Id="):
            ends = {"expedido": "2026-11-20T09:00:00.0000000-05:00", "expira": "2026-11-20T10:00:00.0000000"}
            writer.write(http(200, token=TOKEN, **ends))
            return
        answer = cancel if path == b"/Eventos/Anulacion" else query
        if answer is None:
            writer.transport.abort()
        else:
            writer.write(answer)

    return react


def client_for(base: str, transport: Transport, clock: Clock) -> tuple[EdocClient, TokenKeeper]:
    limiter = Limiter(None, clock)
    tokens = TokenKeeper(transport, limiter, clock, f"{base}/Auth", USER, Password())
    urls = Urls(f"{base}/Auth", f"{base}/Eventos", f"{base}/Consulta")
    return EdocClient(transport, tokens, limiter, urls, integration_name="anular"), tokens


def posts(seen: Any) -> list[bytes]:
    return [request for request in seen.requests if request.startswith(b"POST /Eventos/Anulacion ")]


async def cancel_and_query(serve: Serve, react: Any, **settings: Any) -> tuple[Finding, Finding, Any]:
    clock = Clock()
    async with (
        serve(react, **settings.pop("server", {})) as seen,
        Transport(concurrency=4, clock=clock, connect_s=2, read_s=2, total_s=4, **settings) as transport,
    ):
        client, _ = client_for(seen.base, transport, clock)
        return await client.cancel(ROW), await client.query(CUFE), seen


def test_a_cancellation_and_its_query_go_over_the_wire_as_documented(serve: Serve) -> None:
    react = edoc(http(200, estado="5"), http(200, estadoEdoc=11, cufe=CUFE))
    cancelled, queried, seen = asyncio.run(cancel_and_query(serve, react))
    assert (cancelled.event, queried.event) == (Event.IN_PROGRESS, Event.CANCELLED)
    head, body = posts(seen)[0].split(b"\r\n\r\n")
    assert f"Authorization: Bearer {TOKEN}".encode().lower() in head.lower()
    assert json.loads(body)["cufe"] == CUFE
    question = seen.requests[-1]
    assert question.startswith(b"POST /Consulta?RucEmisor=155668001-2-2018&iDoc=01&dSucEm=0789&dPtoFacDF=006&dNroDF=")
    assert question.endswith(b"\r\n\r\n")
    assert b"content-length: 0" in question.lower()


def test_an_answer_that_is_lost_after_the_request_leaves_one_post_and_an_unclear_row(serve: Serve) -> None:
    cancelled, queried, seen = asyncio.run(cancel_and_query(serve, edoc(None, None)))
    assert (cancelled.event, cancelled.http) == (Event.UNCLEAR, None)
    assert queried.event is Event.UNCLEAR
    assert len(posts(seen)) == 1


def test_a_certificate_for_another_host_stops_the_run_before_anything_left(serve: Serve, authority: trustme.CA) -> None:
    """The token was had before; then the address leads to somebody else."""
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    wrong = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("other.example").configure_cert(wrong)

    async def main() -> tuple[Finding, int]:
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # the server's side of the handshake
        clock = Clock()
        react = edoc(http(200, estado=2))
        async with (
            serve(react) as good,
            serve(react, tls=wrong) as other,
            Transport(concurrency=1, clock=clock, ssl_context=trust) as transport,
        ):
            _, tokens = client_for(good.base, transport, clock)
            urls = Urls(good.base, f"{other.base}/Eventos", good.base)
            client = EdocClient(transport, tokens, Limiter(None, clock), urls, integration_name="")
            await client.ready()
            return await client.cancel(ROW), len(other.requests)

    finding, received = asyncio.run(main())
    assert (finding.event, finding.note, received) == (Event.NOTHING_LEFT, "tls", 0)
    assert "certificado" in (finding.stop or "")


def test_no_log_record_of_any_level_carries_a_secret(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    basic = base64.b64encode(f"{USER}:{Password().get_secret_value()}".encode()).decode()
    raw = [USER, Password().get_secret_value(), TOKEN, basic]
    hidden = [*raw, *(quote(word, safe="") for word in raw), *(base64.b64encode(w.encode()).decode() for w in raw)]
    with caplog.at_level(0):
        for name in ("httpx", "httpcore", "httpcore.http11", "httpcore.connection", "asyncio"):
            logging.getLogger(name).setLevel(1)
        findings = asyncio.run(cancel_and_query(serve, edoc(http(401, MensajeRespuesta=TOKEN), None)))[:2]
        asyncio.run(cancel_and_query(serve, edoc(http(200, estado=2), http(500))))
    assert any(record.name == "asyncio" for record in caplog.records)  # the log was on
    text = caplog.text + str([vars(record) for record in caplog.records]) + repr(findings)
    assert [word for word in hidden if word in text] == []
