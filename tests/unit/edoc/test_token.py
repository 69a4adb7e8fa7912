"""The tokens: one renewal however many wait, age by the server's own lifetime, few tries, no secret anywhere."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from pipeline.domain.errors import CredentialsRefused, ServiceRefused, StoppedEarly
from pipeline.edoc.limiter import PACE

Run = Callable[..., Any]
AUTH = "/Auth/ServicioEDOC"


def test_the_token_is_asked_for_with_basic_credentials_and_the_service(
    virtually: Run, world: Any, provider: Any, secrets: Any
) -> None:
    assert virtually(world().tokens.get(16)) == "token-1"
    (request,) = provider.requests
    assert (request.method, request.url.params["Id"], request.content) == ("GET", "16", b"")
    sent = base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
    assert sent == f"{secrets['user']}:{secrets['password']}"


def test_many_who_wait_cause_one_request_per_service(virtually: Run, world: Any, provider: Any) -> None:
    async def main() -> set[str]:
        tokens = world().tokens
        return set(await asyncio.gather(*(tokens.get(service) for service in [16] * 20 + [3] * 20)))

    assert len(virtually(main())) == 2
    assert sorted(request.url.params["Id"] for request in provider.requests) == ["16", "3"]


def test_many_rejections_of_one_token_cause_one_renewal(virtually: Run, world: Any, provider: Any) -> None:
    async def main() -> list[str]:
        tokens = world().tokens
        old = await tokens.get(16)

        async def refused() -> str:
            tokens.reject(16, old)
            return str(await tokens.get(16))

        renewed = await asyncio.gather(*(refused() for _ in range(8)))
        tokens.reject(16, old)  # a late 401 of the old one leaves the new one alone
        return [*renewed, await tokens.get(16)]

    assert virtually(main()) == ["token-2"] * 9
    assert len(provider.requests) == 2


@pytest.mark.parametrize(("lifetime", "kept_for"), [(3600.0, 3300.0), (600.0, 300.0), (1.0, 0.5), (86400.0, 86100.0)])
def test_a_token_is_renewed_five_minutes_before_its_end_or_halfway_when_it_is_short(
    virtually: Run, world: Any, provider: Any, issue_token: Any, lifetime: float, kept_for: float
) -> None:
    provider.on(AUTH, lambda n: issue_token(f"token-{n}", lifetime))

    async def main() -> tuple[str, str]:
        w = world()
        await w.tokens.get(16)
        await asyncio.sleep(kept_for - 0.06)  # the answer took 0.05; age counts from the asking
        before = await w.tokens.get(16)
        await asyncio.sleep(0.02)
        return before, await w.tokens.get(16)

    assert virtually(main()) == ("token-1", "token-2")


@pytest.mark.parametrize("days", [-3650, 3650])
def test_a_jump_of_the_wall_clock_changes_nothing(virtually: Run, world: Any, days: int) -> None:
    async def main() -> str:
        w = world()
        await w.tokens.get(16)
        w.clock.jump = timedelta(days=days)
        await asyncio.sleep(60)
        return str(await w.tokens.get(16))

    assert virtually(main()) == "token-1"


def test_without_readable_times_a_token_is_kept_for_five_minutes(virtually: Run, world: Any, provider: Any) -> None:
    provider.on(AUTH, lambda n: httpx.Response(200, json={"token": f"token-{n}", "expira": "nunca"}))

    async def main() -> list[str]:
        w = world()
        got = [await w.tokens.get(16)]
        for wait in (290, 20):
            await asyncio.sleep(wait)
            got.append(await w.tokens.get(16))
        return got

    assert virtually(main()) == ["token-1", "token-1", "token-2"]


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(401),
        httpx.Response(403, text="no"),
        httpx.Response(200, json={"token": "", "codigoError": "12", "mensajeRespuesta": "Usuario bloqueado"}),
    ],
)
def test_refused_credentials_end_it_at_once_and_for_all_who_ask(
    virtually: Run, world: Any, provider: Any, answer: httpx.Response
) -> None:
    provider.on(AUTH, answer)

    async def main() -> list[BaseException]:
        tokens = world().tokens
        return await asyncio.gather(*(tokens.get(16) for _ in range(8)), return_exceptions=True)

    refusals = virtually(main())
    assert [type(refusal) for refusal in refusals] == [CredentialsRefused] * 8
    assert len({id(refusal) for refusal in refusals}) == 8
    assert len(provider.requests) == 1
    assert "usuario o la contraseña" in str(refusals[0])


def test_the_services_code_is_passed_on_and_its_text_is_not(virtually: Run, world: Any, provider: Any) -> None:
    provider.on(AUTH, httpx.Response(200, json={"token": "", "codigoError": "12", "mensajeRespuesta": "Bloqueado"}))
    with pytest.raises(CredentialsRefused) as refusal:
        virtually(world().tokens.get(16))
    assert "(12)" in str(refusal.value)
    assert "Bloqueado" not in str(refusal.value)


@pytest.mark.parametrize("code", ["@USER@", "@PASSWORD@", "x@PASSWORD@x", "E 12", "<b>", "x" * 25])
def test_what_stands_for_a_code_and_is_none_or_gives_a_secret_back_is_not_passed_on(
    virtually: Run, world: Any, provider: Any, secrets: Any, code: str
) -> None:
    code = code.replace("@USER@", secrets["user"]).replace("@PASSWORD@", secrets["password"])
    provider.on(AUTH, httpx.Response(200, json={"token": "", "codigoError": code, "mensajeRespuesta": "No"}))
    with pytest.raises(CredentialsRefused) as refusal:
        virtually(world().tokens.get(16))
    assert "eDoc no aceptó el usuario o la contraseña." in str(refusal.value)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(404),
        httpx.Response(302, headers={"location": "https://evil.example/?x=1"}),
        httpx.Response(200, text="<html>login</html>"),
        httpx.Response(200, text=""),
        httpx.Response(200, json={"mensajeRespuesta": "?"}),
        httpx.Response(200, json={"token": "a\r\nb"}),
        httpx.Response(200, json={"token": "x" * 100_000}),
    ],
)
def test_what_is_no_token_service_is_refused_by_host_and_path(
    virtually: Run, world: Any, provider: Any, answer: httpx.Response
) -> None:
    provider.on(AUTH, answer)
    with pytest.raises(ServiceRefused, match=r"^edoc\.example/Auth/ServicioEDOC: ") as refusal:
        virtually(world().tokens.get(16))
    assert "Id=" not in str(refusal.value)
    assert len(provider.requests) == 1


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.Response(500),
        httpx.Response(503),
        httpx.Response(429),
        httpx.Response(408),
        httpx.ConnectError("no"),
        httpx.ReadTimeout("slow"),
    ],
)
def test_a_service_in_trouble_is_asked_three_times_and_then_no_more(
    virtually: Run, world: Any, provider: Any, trouble: Any
) -> None:
    provider.on(AUTH, trouble)

    async def main() -> None:
        tokens = world().tokens
        for _ in range(3):
            with pytest.raises(ServiceRefused, match="servicio de acceso de eDoc"):
                await tokens.get(16)

    virtually(main())
    assert len(provider.requests) == 3
    assert provider.times[2] - provider.times[1] >= 4.0


def test_trouble_that_passes_is_not_noticed(virtually: Run, world: Any, provider: Any, issue_token: Any) -> None:
    provider.on(AUTH, httpx.Response(500), httpx.ReadError("reset"), issue_token("good"))
    assert virtually(world().tokens.get(3)) == "good"


def test_a_token_service_that_asks_to_wait_holds_everybody(
    virtually: Run, world: Any, provider: Any, issue_token: Any
) -> None:
    provider.on(AUTH, httpx.Response(429, headers={"Retry-After": "60"}), issue_token("good"))
    assert virtually(world().tokens.get(16)) == "good"
    assert provider.times[1] - provider.times[0] >= 60.0


def test_a_bad_certificate_is_not_tried_again(virtually: Run, world: Any, provider: Any) -> None:
    async def broken(request: httpx.Request) -> httpx.Response:
        import ssl

        await request.extensions["trace"]("connection.start_tls.started", {})
        provider.requests.append(request)
        raise httpx.ConnectError("bad") from ssl.SSLCertVerificationError("self-signed")

    w = world()
    w.transport._make_pool = lambda _n, _keep: httpx.MockTransport(broken)
    with pytest.raises(ServiceRefused, match="certificado"):
        virtually(w.tokens.get(16))
    assert len(provider.requests) == 1


def test_each_request_for_a_token_takes_its_turn_at_the_limiter(virtually: Run, world: Any, provider: Any) -> None:
    async def main() -> None:
        w = world(rate=0.1)
        await w.tokens.get(16)
        await w.tokens.get(3)

    virtually(main())
    assert provider.times == pytest.approx([0.0, 10.0 / PACE])


def test_tokens_that_are_rejected_as_soon_as_they_come_are_not_asked_for_for_ever(
    virtually: Run, world: Any, provider: Any
) -> None:
    async def main() -> None:
        tokens = world().tokens
        for _ in range(3):
            tokens.reject(16, await tokens.get(16))
        for _ in range(2):
            # Nothing is said of what was sent before: those tokens may have been good for a while.
            with pytest.raises(CredentialsRefused, match=r"después rechaza.* Lo que falta no se envió\.$"):
                await tokens.get(16)

    virtually(main())
    assert len(provider.requests) == 3


def test_tokens_that_served_for_a_while_before_they_were_rejected_may_be_renewed_for_ever(
    virtually: Run, world: Any, provider: Any
) -> None:
    async def main() -> None:
        tokens = world().tokens
        for round_ in range(12):
            token = await tokens.get(16)
            await asyncio.sleep(120 if round_ % 3 == 2 else 1)
            tokens.reject(16, token)

    virtually(main())
    assert len(provider.requests) == 12


def test_a_token_that_grew_old_in_service_makes_up_for_earlier_rejections(
    virtually: Run, world: Any, provider: Any
) -> None:
    async def main() -> None:
        tokens = world().tokens
        for _ in range(3):
            for _ in range(2):
                tokens.reject(16, await tokens.get(16))
            await tokens.get(16)
            await asyncio.sleep(3400)

    virtually(main())
    assert len(provider.requests) == 9


def test_forgotten_tokens_are_gone_and_nothing_shows_them(virtually: Run, world: Any, secrets: Any) -> None:
    async def main() -> None:
        tokens = world().tokens
        token = await tokens.get(16)
        assert tokens.holds(16, token)
        shown = repr(tokens) + repr(tokens._kept)
        assert not [word for word in (*secrets.values(), token) if word in shown]
        tokens.forget()
        assert not tokens.holds(16, token)

    virtually(main())


def test_a_task_that_is_cancelled_while_renewing_leaves_the_renewal_to_the_next(
    virtually: Run, world: Any, provider: Any
) -> None:
    async def main() -> str:
        tokens = world().tokens
        first = asyncio.create_task(tokens.get(16))
        second = asyncio.create_task(tokens.get(16))
        await asyncio.sleep(0.01)
        first.cancel()
        return str(await second)

    assert virtually(main()) == "token-2"


def test_a_refusal_is_a_reason_to_stop_with_its_exit_code() -> None:
    assert issubclass(CredentialsRefused, StoppedEarly)
    assert CredentialsRefused.exit_code == 5
