"""The classifier by itself: what the trace proves, and what nothing proves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from pipeline.domain.errors import AnswerLost, NothingLeft, RequestFailed, WrongUsage
from pipeline.edoc.transport import Transport, endpoint, place

Run = Callable[..., Any]
CONNECTING = "connection.connect_tcp.started"
BEGAN = "http11.send_request_headers.started"


def failed(virtually: Run, clock: Any, events: list[str], error: Exception | None) -> RequestFailed:
    """What a request ends in when these trace events came, then ``error``, or silence for ever."""

    async def handler(request: httpx.Request) -> httpx.Response:
        for event in events:
            await request.extensions["trace"](event, {})
        if error is not None:
            raise error
        await asyncio.sleep(1000)
        raise AssertionError("the deadline did not come")

    async def main() -> RequestFailed:
        transport = Transport(concurrency=1, clock=clock, make_pool=lambda _n, _keep: httpx.MockTransport(handler))
        with pytest.raises(RequestFailed) as caught:
            await transport.request("POST", "https://edoc.example/", headers={})
        return caught.value

    answer: RequestFailed = virtually(main())
    return answer


@pytest.mark.parametrize(
    ("events", "kind", "reason"),
    [
        ([CONNECTING], NothingLeft, "connect-timeout"),
        (
            [CONNECTING, "connection.connect_tcp.complete", "connection.start_tls.started"],
            NothingLeft,
            "connect-timeout",
        ),
        ([CONNECTING, BEGAN], AnswerLost, "deadline"),
        ([BEGAN], AnswerLost, "deadline"),
        ([], AnswerLost, "deadline"),
    ],
)
def test_the_deadline_proves_something_only_while_the_trace_shows_connecting(
    virtually: Run, virtual_clock: Any, events: list[str], kind: type[RequestFailed], reason: str
) -> None:
    failure = failed(virtually, virtual_clock(), events, None)
    assert (type(failure), failure.reason) == (kind, reason)


def test_a_request_that_began_is_never_unsent_again_whatever_the_trace_shows_later(
    virtually: Run, virtual_clock: Any
) -> None:
    failure = failed(virtually, virtual_clock(), [CONNECTING, BEGAN, CONNECTING], httpx.ConnectError("refused"))
    assert (type(failure), failure.reason) == (AnswerLost, "reset")


def test_the_reason_is_found_among_several_attempts_to_connect(virtually: Run, virtual_clock: Any) -> None:
    """A name with two addresses fails with a group of errors."""
    error = httpx.ConnectError("All connection attempts failed")
    error.__cause__ = OSError("All connection attempts failed")
    error.__cause__.__cause__ = ExceptionGroup("", [OSError("unreachable"), ConnectionRefusedError("refused")])
    failure = failed(virtually, virtual_clock(), [CONNECTING], error)
    assert (type(failure), failure.reason) == (NothingLeft, "refused")


def test_causes_that_go_round_in_a_circle_end(virtually: Run, virtual_clock: Any) -> None:
    error, other = httpx.ConnectError("x"), OSError("y")
    error.__cause__, other.__context__ = other, error
    assert failed(virtually, virtual_clock(), [CONNECTING], error).reason == "connect"


def test_pools_are_made_when_needed_and_emptied_again(virtually: Run, virtual_clock: Any) -> None:
    made: list[bool] = []

    async def handler(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=httpx.ByteStream(b"{}"))

    def make(_: int, keep: bool) -> httpx.AsyncBaseTransport:
        made.append(keep)
        return httpx.MockTransport(handler)

    async def main() -> None:
        async with Transport(concurrency=100, clock=virtual_clock(), make_pool=make) as transport:
            for _ in range(30):
                await transport.request("GET", "https://edoc.example/", headers={})
            await transport.request("GET", "https://edoc.example/", headers={}, fresh=True)

    virtually(main())
    assert made == [True, False]


def test_nothing_in_flight_at_all_is_refused(virtual_clock: Any) -> None:
    with pytest.raises(WrongUsage, match="al menos una"):
        Transport(concurrency=0, clock=virtual_clock())


@pytest.mark.parametrize("base", ["https://h/a", "https://h/a/", "https://h/a/Anulacion", "https://h/a/anulacion/"])
def test_the_last_part_of_an_address_may_be_there_already(base: str) -> None:
    assert endpoint(base, "Anulacion").lower() == "https://h/a/anulacion"


def test_people_are_told_host_and_path_and_no_more() -> None:
    assert place("https://edoc.example:8443/a/b?RucEmisor=1#x") == "edoc.example/a/b"
