"""One cancellation, one query: what each answer and each silence is evidence of (edoc-api.md 7, reliability.md 2.3)."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from pipeline.domain.edoc_states import QueryDescribes
from pipeline.domain.errors import CredentialsRefused, WrongUsage
from pipeline.domain.lifecycle import Event
from pipeline.domain.records import Cancellation, Finding, Source
from pipeline.edoc.limiter import PACE

Run = Callable[..., Any]
Make = Callable[..., Cancellation]
AUTH, CANCEL, QUERY = "/Auth/ServicioEDOC", "/Eventos/Anulacion", "/Consulta"


def edoc(status: int = 200, headers: dict[str, str] | None = None, **fields: Any) -> httpx.Response:
    return httpx.Response(status, json=fields, headers=headers)


# ------------------------------------------------------------------------------------------------ cancellation


def test_a_cancellation_is_one_post_with_bearer_token_and_json(
    virtually: Run, world: Any, provider: Any, cancellation: Make, cufe: str
) -> None:
    provider.on(CANCEL, edoc(estado="2", codigoRespuestaDGI="0600", MensajeRespuesta="Evento registrado"))
    finding = virtually(world().client.cancel(cancellation()))
    assert (finding.source, finding.event, finding.http) == (Source.CANCELLATION, Event.CANCELLED, 200)
    assert (finding.estado, finding.dgi, finding.message) == (2, "0600", "Evento registrado")
    (post,) = provider.to(CANCEL)
    assert post.method == "POST"
    assert post.headers["authorization"] == "Bearer token-1"
    assert post.headers["content-type"] == "application/json; charset=utf-8"
    assert post.headers["accept-encoding"] == "identity"
    assert post.headers["connection"] == "close"
    assert json.loads(post.content) == {
        "cufe": cufe,
        "motivoAnulacion": "Error en los datos del receptor",
        "nombreIntegracion": "anular 0.1",
    }


@pytest.mark.parametrize("status", [201, 204, 206, 400, 408, 409, 422, 425, 499, 500, 502, 503, 504, 520, 529])
def test_an_answer_that_proves_nothing_is_unclear_and_the_run_goes_on(
    virtually: Run, world: Any, provider: Any, cancellation: Make, status: int
) -> None:
    provider.on(CANCEL, httpx.Response(status, text="<html>"))
    finding = virtually(world().client.cancel(cancellation()))
    assert (finding.event, finding.understood, finding.stop) == (Event.UNCLEAR, False, None)
    assert (finding.http, finding.body) == (status, b"<html>")
    assert len(provider.to(CANCEL)) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 403, 404, 405, 413, 415])
def test_a_wrong_address_or_missing_rights_stop_the_run_and_say_where(
    virtually: Run, world: Any, provider: Any, cancellation: Make, cufe: str, status: int
) -> None:
    provider.on(CANCEL, edoc(status, estado=2, MensajeRespuesta="Documento no encontrado."))
    provider.on(QUERY, httpx.Response(status, headers={"location": "https://evil.example/"}))

    async def main() -> list[Finding]:
        client = world().client
        return [await client.cancel(cancellation()), await client.query(cufe)]

    cancelled, queried = virtually(main())
    for finding in (cancelled, queried):
        assert (finding.event, finding.understood, finding.estado) == (Event.UNCLEAR, False, None)
        assert str(status) in (finding.stop or "")
    assert (cancelled.stop or "").startswith("edoc.example/Eventos/Anulacion: ")
    assert cancelled.message == "Documento no encontrado."
    assert {request.url.host for request in provider.requests} == {"edoc.example"}


def test_a_401_proves_that_it_was_not_applied_and_the_next_call_has_a_new_token(
    virtually: Run, world: Any, provider: Any, cancellation: Make
) -> None:
    provider.on(CANCEL, httpx.Response(401), edoc(estado=2))

    async def main() -> list[Finding]:
        client = world().client
        return [await client.cancel(cancellation()) for _ in range(2)]

    first, second = virtually(main())
    assert (first.event, first.understood, first.http) == (Event.UNAUTHORISED, True, 401)
    assert second.event is Event.CANCELLED
    assert [post.headers["authorization"] for post in provider.to(CANCEL)] == ["Bearer token-1", "Bearer token-2"]


def test_eight_401_in_flight_cause_one_renewal(virtually: Run, world: Any, provider: Any, cancellation: Make) -> None:
    provider.on(CANCEL, *[httpx.Response(401)] * 8, edoc(estado=2))

    async def main() -> list[Finding]:
        client = world().client

        async def row() -> Finding:
            finding: Finding = await client.cancel(cancellation())
            return finding if finding.event is not Event.UNAUTHORISED else await client.cancel(cancellation())

        return await asyncio.gather(*(row() for _ in range(8)))

    assert {finding.event for finding in virtually(main())} == {Event.CANCELLED}
    assert (len(provider.to(AUTH)), len(provider.to(CANCEL))) == (2, 16)


def test_who_waited_for_a_turn_while_the_token_was_rejected_leaves_with_the_new_one(
    virtually: Run, world: Any, provider: Any, cancellation: Make
) -> None:
    provider.on(CANCEL, httpx.Response(401), edoc(estado=2))

    async def main() -> list[Finding]:
        client = world(rate=1).client
        return await asyncio.gather(*(client.cancel(cancellation()) for _ in range(3)))

    findings = virtually(main())
    assert [finding.event for finding in findings].count(Event.UNAUTHORISED) == 1
    assert [post.headers["authorization"] for post in provider.to(CANCEL)][1:] == ["Bearer token-2"] * 2
    assert min(b - a for a, b in zip(provider.times, provider.times[1:], strict=False)) >= 1.0 - 1e-6


def test_a_429_is_not_applied_and_holds_everybody(
    virtually: Run, world: Any, provider: Any, cancellation: Make
) -> None:
    provider.on(CANCEL, edoc(429, {"Retry-After": "30"}), edoc(estado=2))

    async def main() -> list[Finding]:
        client = world().client
        return [await client.cancel(cancellation()) for _ in range(2)]

    first, second = virtually(main())
    assert (first.event, first.understood, first.pause) == (Event.THROTTLED, True, 30.0)
    assert second.event is Event.CANCELLED
    assert provider.times[-1] - provider.times[-2] >= 30.0


def test_a_429_is_unclear_where_the_provider_did_not_promise_otherwise(
    virtually: Run, world: Any, provider: Any, cancellation: Make
) -> None:
    provider.on(CANCEL, edoc(429))
    finding = virtually(world(resend_after_429=False).client.cancel(cancellation()))
    assert (finding.event, finding.understood, finding.pause, finding.note) == (Event.UNCLEAR, True, 5.0, "http-429")


def test_a_503_is_unclear_and_holds_everybody(virtually: Run, world: Any, provider: Any, cancellation: Make) -> None:
    provider.on(CANCEL, httpx.Response(503, headers={"Retry-After": "Fri, 20 Nov 2026 09:01:00 GMT"}))

    async def main() -> tuple[Finding, float]:
        w = world()
        return await w.client.cancel(cancellation()), w.limiter.paused_for()

    finding, paused = virtually(main())
    assert (finding.event, finding.understood) == (Event.UNCLEAR, False)
    assert finding.pause == pytest.approx(59.9, abs=0.2)
    assert paused == pytest.approx(finding.pause)


@pytest.mark.parametrize("status", [200, 401, 429])
def test_an_answer_about_another_document_proves_nothing_whatever_its_status(
    virtually: Run, world: Any, provider: Any, cancellation: Make, status: int
) -> None:
    provider.on(
        CANCEL, edoc(status, estado=2, cufe="FE01200000000000029-29-29-5676322018101525982740639300126729580548")
    )
    finding = virtually(world().client.cancel(cancellation()))
    assert (finding.event, finding.note, finding.understood) == (Event.UNCLEAR, "crossed", False)
    assert "respuesta cruzada" in (finding.stop or "")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (httpx.ReadTimeout("x"), "read-timeout"),
        (httpx.WriteTimeout("x"), "write-timeout"),
        (httpx.ReadError("x"), "reset"),
        (httpx.WriteError("x"), "reset"),
        (httpx.RemoteProtocolError("x"), "protocol"),
        (httpx.DecodingError("x"), "other"),
        (httpx.ProxyError("x"), "other"),
        (OSError("x"), "other"),
        (RuntimeError("x"), "other"),
    ],
)
def test_a_lost_answer_is_unclear_with_its_reason(
    virtually: Run, world: Any, provider: Any, cancellation: Make, cufe: str, error: Exception, reason: str
) -> None:
    provider.on(CANCEL, error)
    provider.on(QUERY, error)

    async def main() -> list[Finding]:
        client = world().client
        return [await client.cancel(cancellation()), await client.query(cufe)]

    for finding in virtually(main()):
        assert (finding.event, finding.note, finding.http, finding.body) == (Event.UNCLEAR, reason, None, b"")
    assert len(provider.to(CANCEL)) == len(provider.to(QUERY)) == 1


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (httpx.PoolTimeout("x"), "pool-timeout"),
        (httpx.ConnectTimeout("x"), "connect-timeout"),
        (httpx.ConnectError("x"), "connect"),
    ],
)
def test_what_provably_did_not_leave_is_said_so(
    virtually: Run, world: Any, provider: Any, cancellation: Make, cufe: str, error: Exception, reason: str
) -> None:
    provider.on(CANCEL, error)
    provider.on(QUERY, error)

    async def main() -> list[Finding]:
        client = world().client
        return [await client.cancel(cancellation()), await client.query(cufe)]

    cancelled, queried = virtually(main())
    assert (cancelled.event, cancelled.note, cancelled.stop) == (Event.NOTHING_LEFT, reason, None)
    assert (queried.event, queried.note) == (Event.UNCLEAR, reason)


@pytest.mark.parametrize("error", [httpx.ConnectError("x"), httpx.ConnectTimeout("x"), httpx.PoolTimeout("x")])
def test_no_error_counts_as_not_sent_once_the_request_began(
    virtually: Run, world: Any, provider: Any, cancellation: Make, error: Exception
) -> None:
    async def began(request: httpx.Request) -> httpx.Response:
        if request.url.path == AUTH:
            return await provider(request)
        await request.extensions["trace"]("http11.send_request_headers.started", {})
        raise error

    w = world()
    w.transport._make_pool = lambda _n, _keep: httpx.MockTransport(began)
    assert virtually(w.client.cancel(cancellation())).event is Event.UNCLEAR


def test_the_guard_is_asked_last_and_its_no_sends_nothing(
    virtually: Run, world: Any, provider: Any, cancellation: Make
) -> None:
    provider.on(CANCEL, edoc(estado=2))
    asked_at: list[float] = []

    async def main() -> Finding:
        w = world(rate=0.1)
        await w.client.ready()

        def guard() -> bool:
            asked_at.append(w.clock.monotonic())
            return False

        finding: Finding = await w.client.cancel(cancellation(), guard)
        return finding

    finding = virtually(main())
    assert finding.event is Event.STALE
    assert asked_at == pytest.approx([10.0 / PACE])
    assert provider.to(CANCEL) == []


def test_without_a_token_nothing_is_sent_and_the_run_stops(
    virtually: Run, world: Any, provider: Any, cancellation: Make, cufe: str
) -> None:
    provider.on(AUTH, httpx.Response(401))

    async def main() -> list[Finding]:
        client = world().client
        with pytest.raises(CredentialsRefused):
            await client.ready()
        return [await client.cancel(cancellation()), await client.query(cufe)]

    cancelled, queried = virtually(main())
    assert (cancelled.event, cancelled.note) == (Event.NOTHING_LEFT, "no-token")
    assert (queried.event, queried.note) == (Event.UNCLEAR, "no-token")
    assert "usuario o la contraseña" in (cancelled.stop or "")
    assert len(provider.to(AUTH)) == 2
    assert provider.to(CANCEL) == provider.to(QUERY) == []


def test_a_cancelled_task_hears_it_and_leaves_the_limiter_usable(
    virtually: Run, world: Any, provider: Any, cancellation: Make
) -> None:
    provider.on(CANCEL, edoc(estado=2))

    async def main() -> Finding:
        client = world().client
        await client.ready()
        task = asyncio.create_task(client.cancel(cancellation()))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        finding: Finding = await client.cancel(cancellation())
        return finding

    assert virtually(main()).event is Event.CANCELLED


# -------------------------------------------------------------------------------------------------------- query


def test_a_query_is_a_post_with_an_empty_body_and_the_token_of_service_3(
    virtually: Run, world: Any, provider: Any, cufe: str
) -> None:
    provider.on(QUERY, edoc(estadoEdoc=11, cufe=cufe, fechaAutorizacion="2026-11-20T09:00:00"))
    finding = virtually(world().client.query(cufe))
    assert (finding.source, finding.event, finding.estado) == (Source.QUERY, Event.CANCELLED, 11)
    assert provider.to(AUTH)[0].url.params["Id"] == "3"
    (post,) = provider.to(QUERY)
    assert (post.method, post.content, post.headers["content-length"]) == ("POST", b"", "0")
    assert post.url.query == b"RucEmisor=155668001-2-2018&iDoc=01&dSucEm=0789&dPtoFacDF=006&dNroDF=0000000205"


def test_a_query_is_repeated_once_after_a_401(virtually: Run, world: Any, provider: Any, cufe: str) -> None:
    provider.on(QUERY, httpx.Response(401), edoc(estadoEdoc=5))
    assert virtually(world().client.query(cufe)).event is Event.IN_PROGRESS
    assert [post.headers["authorization"] for post in provider.to(QUERY)] == ["Bearer token-1", "Bearer token-2"]


def test_a_second_401_of_a_query_stops_the_run(virtually: Run, world: Any, provider: Any, cufe: str) -> None:
    provider.on(QUERY, httpx.Response(401))
    finding = virtually(world().client.query(cufe))
    assert (finding.event, finding.http) == (Event.UNCLEAR, 401)
    assert "401" in (finding.stop or "")
    assert len(provider.to(QUERY)) == 2


@pytest.mark.parametrize(("status", "understood"), [(429, True), (503, False)])
def test_a_query_that_is_told_to_wait_holds_everybody(
    virtually: Run, world: Any, provider: Any, cufe: str, status: int, understood: bool
) -> None:
    provider.on(QUERY, edoc(status, {"retry-after": "7"}))
    finding = virtually(world().client.query(cufe))
    assert (finding.event, finding.pause, finding.understood) == (Event.UNCLEAR, 7.0, understood)


def test_what_a_querys_2_speaks_of_is_a_setting(virtually: Run, world: Any, provider: Any, cufe: str) -> None:
    provider.on(QUERY, edoc(estadoEdoc=2))
    assert virtually(world().client.query(cufe)).event is Event.ALIVE
    client = world(describes=QueryDescribes.CANCELLATION).client
    assert virtually(client.query(cufe, answered=True)).event is Event.CANCELLED


def test_a_querys_2_speaks_of_a_cancellation_only_where_one_was_answered(
    virtually: Run, world: Any, provider: Any, cufe: str
) -> None:
    """A request that may never have arrived is no cancellation that a 2 could speak of (eyes.md 3)."""
    provider.on(QUERY, edoc(estadoEdoc=2))
    client = world(describes=QueryDescribes.CANCELLATION).client
    assert virtually(client.query(cufe)).event is Event.ALIVE


CLAIMS = [
    {"estado": 2},
    {"estado": "11"},
    {"estadoEdoc": 5},
    {"estado": 99},
    {"estado": None, "codigoRespuestaDGI": "0600"},
    {"codigoRespuesta": "0622"},
    {"estado": "dos", "codigoRespuestaDGI": 1601},
]


@pytest.mark.parametrize("status", [401, 429])
@pytest.mark.parametrize("body", CLAIMS, ids=str)
def test_a_401_or_429_whose_body_says_what_became_of_it_proves_nothing(
    virtually: Run, world: Any, provider: Any, cancellation: Make, status: int, body: dict[str, Any]
) -> None:
    provider.on(CANCEL, edoc(status, {"retry-after": "7"}, **body))
    finding = virtually(world().client.cancel(cancellation()))
    assert (finding.event, finding.understood, finding.note) == (Event.UNCLEAR, False, f"http-{status}")
    assert finding.pause == (7.0 if status == 429 else None)
    assert len(provider.to(CANCEL)) == 1


@pytest.mark.parametrize(("status", "event"), [(401, Event.UNAUTHORISED), (429, Event.THROTTLED)])
@pytest.mark.parametrize(
    "body", [{}, {"estado": None}, {"estado": 0}, {"codigoRespuestaDGI": ""}, {"codigoRespuesta": "0000"}], ids=str
)
def test_a_401_or_429_that_says_nothing_of_an_outcome_was_not_applied(
    virtually: Run, world: Any, provider: Any, cancellation: Make, status: int, event: Event, body: dict[str, Any]
) -> None:
    provider.on(CANCEL, edoc(status, MensajeRespuesta="Espere", **body))
    assert virtually(world().client.cancel(cancellation())).event is event


# ------------------------------------------------------------------------------------------------------ secrets


def test_no_secret_shows_in_findings_errors_or_logs_even_if_the_server_gives_it_back(
    virtually: Run,
    world: Any,
    provider: Any,
    cancellation: Make,
    cufe: str,
    secrets: Any,
    issue_token: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    token = "eyJ/secret+token.sig=="
    basic = base64.b64encode(f"{secrets['user']}:{secrets['password']}".encode()).decode()
    raw = [*secrets.values(), token, basic]
    hidden = [
        *raw,
        *(base64.b64encode(word.encode()).decode() for word in raw),
        *(quote(word, safe="") for word in raw),
    ]
    provider.on(AUTH, lambda n: issue_token(token))
    mirror: dict[str, Any] = {
        "MensajeRespuesta": f"Bearer {token}",
        "estado": 6,
        "estadoEdoc": 99,
        "url": quote(token, safe=""),
    }
    provider.on(CANCEL, edoc(**mirror), edoc(401, **mirror), httpx.ReadError("x"))
    provider.on(QUERY, edoc(**mirror), edoc(500, **mirror), httpx.ConnectError("x"))

    async def main() -> list[Any]:
        w = world()
        seen: list[Any] = [w.client, w.tokens, w.limiter, w.transport]
        for _ in range(3):
            seen += [await w.client.cancel(cancellation()), await w.client.query(cufe)]
        provider.on(AUTH, edoc(codigoError="1", token="", mensajeRespuesta=f"{secrets['user']} {basic}"))
        w.tokens.forget()
        seen += [await w.client.cancel(cancellation()), await w.client.query(cufe)]
        try:
            await w.client.ready()
        except CredentialsRefused as refusal:
            seen += [refusal, refusal.sentence, refusal.__cause__, refusal.__context__]
        return seen

    with caplog.at_level(0):
        logging.getLogger("httpx").setLevel(0)
        logging.getLogger("httpcore").setLevel(0)
        seen = virtually(main())
    text = repr(seen) + str([str(thing) for thing in seen]) + caplog.text + str([vars(r) for r in caplog.records])
    assert len(seen) == 4 + 6 + 2 + 4
    assert [word for word in hidden if word in text] == []


@pytest.mark.parametrize(
    "url",
    [
        "http://edoc.example/x",
        "ftp://edoc.example/x",
        "https://user:pw@edoc.example/x",
        "https:///x",
        "http://127.0.0.1.evil.example/x",
        "http://127.0.0.1\\@evil.example/x",
        "//edoc.example",
        "",
        "https://[::1",
    ],
)
def test_an_address_that_is_not_safe_is_refused_before_anything_is_asked(world: Any, url: str) -> None:
    from pipeline.edoc.client import EdocClient, Urls

    w = world()
    good = "https://edoc.example"
    for urls in (Urls(url, good, good), Urls(good, good, url)):
        with pytest.raises(WrongUsage):
            EdocClient(w.transport, w.tokens, w.limiter, urls, integration_name="")


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "[::1]:9", "127.3.2.1"])
def test_plain_http_goes_to_this_machine_only(world: Any, host: str) -> None:
    from pipeline.edoc.client import EdocClient, Urls

    w = world()
    base = f"http://{host}/4.0"
    EdocClient(w.transport, w.tokens, w.limiter, Urls(base, base, base), integration_name="")
