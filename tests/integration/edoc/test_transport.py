"""What is proven when an exchange fails, on real sockets (reliability.md F01-F30)."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trustme

from pipeline.domain.errors import AnswerLost, NothingLeft, RequestFailed, WrongUsage
from pipeline.edoc.transport import KEPT, Reply, Transport
from pipeline.runtime.clock import Clock

OK = b'HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{"estado":2}'
Serve = Callable[..., Any]


def transport(**settings: Any) -> Transport:
    values: dict[str, Any] = {"concurrency": 4, "clock": Clock(), "connect_s": 2.0, "read_s": 2.0, "total_s": 4.0}
    return Transport(**{**values, **settings})


async def post(t: Transport, url: str, body: bytes = b'{"cufe":"FE"}', *, fresh: bool = True) -> Reply:
    return await t.request("POST", url, headers={"Authorization": "Bearer t"}, content=body, fresh=fresh)


async def failure(awaitable: Awaitable[object]) -> RequestFailed:
    with pytest.raises(RequestFailed) as caught:
        await awaitable
    return caught.value


def sends(*parts: bytes, close: bool = True, reset: bool = False, pause: float = 0.0) -> Callable[..., Any]:
    """A reaction: write the parts, then close, reset or keep the connection."""

    async def react(_: Any, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)
        if reset:
            sock = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        elif close:
            writer.close()

    return react


def exchange(serve: Serve, react: Any, **settings: Any) -> tuple[Any, int]:
    """What one POST to such a server ends in, and how many requests the server received in full."""

    async def main() -> tuple[Any, int]:
        async with serve(react) as seen, transport(**settings) as t:
            try:
                return await post(t, f"{seen.base}/Anulacion"), len(seen.requests)
            except RequestFailed as failed:
                return failed, len(seen.requests)

    return asyncio.run(main())


# ------------------------------------------------------------------------------------------- nothing left: proven


def test_a_closed_port_is_refused_and_nothing_left() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"

        async def main() -> RequestFailed:
            async with transport() as t:
                return await failure(post(t, url))

        failed = asyncio.run(main())
    assert (type(failed), failed.reason) == (NothingLeft, "refused")


def test_a_name_that_does_not_exist_is_dns_and_nothing_left(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> RequestFailed:
        async def unknown(*_: Any, **__: Any) -> Any:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
        async with transport() as t:
            return await failure(post(t, "https://edoc.invalid/"))

    failed = asyncio.run(main())
    assert (type(failed), failed.reason) == (NothingLeft, "dns")


def test_a_host_that_does_not_answer_the_connection_is_a_time_out_and_nothing_left() -> None:
    """A listener with a full queue: the handshake of TCP never ends (F02)."""
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for client in (first, second):
            client.setblocking(False)
            client.connect_ex(full.getsockname())
        url = f"http://127.0.0.1:{full.getsockname()[1]}/"

        async def main() -> list[RequestFailed]:
            async with transport(connect_s=0.2) as by_connect, transport(total_s=0.2) as by_total:
                return [await failure(post(by_connect, url)), await failure(post(by_total, url))]

        failures = asyncio.run(main())
    assert [(type(failed), failed.reason) for failed in failures] == [(NothingLeft, "connect-timeout")] * 2


def test_waiting_too_long_for_a_connection_is_a_time_out_and_nothing_left(serve: Serve) -> None:
    async def main() -> tuple[RequestFailed, int]:
        async with serve(sends(close=False)) as seen, transport(concurrency=1, connect_s=0.2) as t:
            busy = [asyncio.create_task(failure(post(t, seen.base))) for _ in range(KEPT)]
            await seen.received(KEPT)
            failed = await failure(post(t, seen.base))
            for task in busy:
                task.cancel()
            await asyncio.gather(*busy, return_exceptions=True)
            return failed, len(seen.requests)

    failed, received = asyncio.run(main())
    assert (type(failed), failed.reason, received) == (NothingLeft, "pool-timeout", KEPT)


def server_context(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def test_a_trusted_certificate_for_the_right_host_is_accepted(serve: Serve, authority: trustme.CA) -> None:
    async def main() -> Reply:
        tls = server_context(authority, "127.0.0.1")
        async with serve(sends(OK), tls=tls) as seen, transport(ssl_context=trusting(authority)) as t:
            return await post(t, seen.base)

    assert asyncio.run(main()).status == 200


@pytest.mark.parametrize("fault", ["wrong host", "unknown authority", "default authorities"])
def test_a_certificate_that_does_not_fit_is_tls_and_nothing_left(
    serve: Serve, authority: trustme.CA, fault: str
) -> None:
    async def main() -> tuple[RequestFailed, int]:
        tls = server_context(authority, "other.example" if fault == "wrong host" else "127.0.0.1")
        trust: ssl.SSLContext | None = trusting(trustme.CA() if fault == "unknown authority" else authority)
        if fault == "default authorities":
            trust = None
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # the server's side of the failed handshake
        async with serve(sends(OK), tls=tls) as seen, transport(ssl_context=trust) as t:
            return await failure(post(t, seen.base)), len(seen.requests)

    failed, received = asyncio.run(main())
    assert (type(failed), failed.reason, received) == (NothingLeft, "tls", 0)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [(b"\x15\x03\x03\x00\x02\x02\x46", "tls"), (b"HTTP/1.1 400 Bad Request\r\n\r\n", "tls"), (b"", "connect")],
    ids=["old-protocol", "plain-http", "line-cut"],
)
def test_a_handshake_that_is_refused_is_tls_and_one_that_is_cut_off_is_a_bad_line(answer: bytes, reason: str) -> None:
    async def main() -> RequestFailed:
        async def handshake(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1000)
            writer.write(answer)
            writer.close()

        listener = await asyncio.start_server(handshake, "127.0.0.1", 0)
        async with listener, transport() as t:
            return await failure(post(t, f"https://127.0.0.1:{listener.sockets[0].getsockname()[1]}/"))

    failed = asyncio.run(main())
    assert (type(failed), failed.reason) == (NothingLeft, reason)


def test_verification_cannot_be_turned_off() -> None:
    careless = ssl.create_default_context()
    careless.check_hostname = False
    with pytest.raises(WrongUsage):
        transport(ssl_context=careless)
    careless.verify_mode = ssl.CERT_NONE
    with pytest.raises(WrongUsage):
        transport(ssl_context=careless)


# -------------------------------------------------------------------------------------- anything may have happened


@pytest.mark.parametrize(
    ("react", "reason"),
    [
        (sends(reset=True), "reset"),
        (sends(close=True), "protocol"),
        (sends(b"HTTP/1."), "protocol"),
        (sends(b"HTTP/1.1 200 OK\r\nContent-Le"), "protocol"),
        (sends(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{}"), "protocol"),
        (sends(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"), "protocol"),
        (sends(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{}", reset=True), "reset"),
        (sends(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), "protocol"),
        (sends(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000 + b"\r\n\r\n"), "protocol"),
    ],
    ids=["reset", "fin", "half-status", "half-headers", "short", "half-chunk", "short-reset", "not-http", "huge-head"],
)
def test_a_request_that_was_received_and_not_answered_is_lost(serve: Serve, react: Any, reason: str) -> None:
    failed, received = exchange(serve, react)
    assert (type(failed), failed.reason, received) == (AnswerLost, reason, 1)


def test_a_reset_on_accept_counts_as_lost_because_bytes_may_have_left() -> None:
    async def main() -> RequestFailed:
        async def reset(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()

        listener = await asyncio.start_server(reset, "127.0.0.1", 0)
        async with listener, transport() as t:
            return await failure(post(t, f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/", b"x" * 100_000))

    assert type(asyncio.run(main())) is AnswerLost


def test_silence_ends_with_the_time_out_of_a_read(serve: Serve) -> None:
    failed, received = exchange(serve, sends(close=False), read_s=0.2)
    assert (type(failed), failed.reason, received) == (AnswerLost, "read-timeout", 1)


def test_an_answer_that_drips_ends_with_the_total_deadline(serve: Serve) -> None:
    """Each read comes in time; only the clock over the whole exchange ends it (F10)."""
    started = time.monotonic()
    failed, received = exchange(serve, sends(*(bytes([b]) for b in OK), pause=0.5), total_s=2.0, read_s=1.9)
    assert (type(failed), failed.reason, received) == (AnswerLost, "deadline", 1)
    assert time.monotonic() - started < len(OK) * 0.5, "the whole answer was waited for"


def test_a_cancelled_exchange_says_so_and_frees_its_connection(serve: Serve) -> None:
    async def main() -> int:
        async with serve(sends(close=False)) as seen, transport(concurrency=1, connect_s=0.5) as t:
            for count in range(1, 2 * KEPT):
                task = asyncio.create_task(post(t, seen.base))
                await seen.received(count)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            return len(seen.requests)

    assert asyncio.run(main()) == 2 * KEPT - 1


# ------------------------------------------------------------------------------------------------------- answers


def test_an_answer_is_handed_over_as_it_came(serve: Serve) -> None:
    raw = b"HTTP/1.1 429 Slow down\r\nRETRY-AFTER: 7\r\nContent-Length: 2\r\n\r\n{}"
    reply, _ = exchange(serve, sends(raw))
    assert (reply.status, reply.body, reply.truncated) == (429, b"{}", False)
    assert reply.headers["retry-after"] == "7"
    assert "{}" not in repr(reply)


def test_notices_before_the_answer_are_passed_over(serve: Serve) -> None:
    reply, _ = exchange(serve, sends(b"HTTP/1.1 100 Continue\r\n\r\n" * 50 + b"HTTP/1.1 103 Early\r\n\r\n" * 50, OK))
    assert (reply.status, reply.body) == (200, b'{"estado":2}')


def test_a_huge_answer_is_cut_and_the_rest_is_not_read(serve: Serve) -> None:
    written = 0

    async def flood(_: Any, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
        while written < 1 << 30:
            writer.write(b"x" * 65536)
            written += 65536
            await writer.drain()

    reply, _ = exchange(serve, flood)
    assert (len(reply.body), reply.truncated) == (65536, True)
    assert written < 32 << 20


def test_a_packed_answer_is_not_unpacked(serve: Serve) -> None:
    raw = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00"
    reply, _ = exchange(serve, sends(raw))
    assert (reply.body, reply.headers["content-encoding"]) == (b"\x1f\x8b\x08\x00", "gzip")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(serve: Serve, status: int) -> None:
    async def main() -> tuple[int, int, int]:
        async with serve(sends(OK)) as other:
            moved = f"HTTP/1.1 {status} Moved\r\nLocation: {other.base}/steal\r\nContent-Length: 0\r\n\r\n".encode()
            async with serve(sends(moved)) as seen, transport() as t:
                reply = await post(t, seen.base)
                return reply.status, len(seen.requests), other.connections

    assert asyncio.run(main()) == (status, 1, 0)


def test_proxies_and_passwords_of_the_environment_are_ignored(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login evil password evil\n")
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1/")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("NO_PROXY", "")

    async def main() -> tuple[int, bytes]:
        async with serve(sends(OK)) as seen, transport() as t:
            reply = await t.request("GET", seen.base, headers={})
            return reply.status, seen.requests[0]

    status, request = asyncio.run(main())
    assert status == 200
    assert b"authorization" not in request.lower()


def test_cookies_are_not_kept(serve: Serve) -> None:
    async def main() -> list[bytes]:
        raw = OK.replace(b"\r\nContent", b"\r\nSet-Cookie: s=1; Path=/\r\nContent")
        async with serve(sends(raw, close=False)) as seen, transport() as t:
            for _ in range(2):
                await post(t, seen.base, fresh=False)
            return list(seen.requests)

    assert not [request for request in asyncio.run(main()) if b"cookie" in request.lower()]


@pytest.mark.parametrize("url", ["http://edoc.example/", "https://u:p@127.0.0.1/", "gopher://127.0.0.1/", "x"])
def test_an_address_that_may_not_be_used_is_refused(url: str) -> None:
    async def main() -> None:
        async with transport() as t:
            with pytest.raises(WrongUsage):
                await post(t, url)

    asyncio.run(main())


# --------------------------------------------------------------------------------------------------- connections


def test_queries_share_connections_and_a_cancellation_has_its_own(serve: Serve) -> None:
    async def main() -> tuple[int, int]:
        async with serve(sends(OK, close=False)) as seen, transport() as t:
            for _ in range(5):
                await post(t, seen.base, fresh=False)
            shared = seen.connections
            for _ in range(3):
                await post(t, seen.base)
            return shared, seen.connections

    assert asyncio.run(main()) == (1, 4)


def test_a_cancellation_does_not_meet_a_connection_that_the_server_has_just_closed(serve: Serve) -> None:
    """The server closes each idle connection the moment the next request starts: lost for one that is reused (F30)."""

    served: set[asyncio.StreamWriter] = set()

    async def first_only(_: Any, writer: asyncio.StreamWriter) -> None:
        if writer in served:
            writer.transport.abort()
        else:
            served.add(writer)
            writer.write(OK)

    async def main() -> tuple[RequestFailed, int, int]:
        async with serve(first_only) as seen, transport() as t:
            await post(t, seen.base, fresh=False)
            stale = await failure(post(t, seen.base, fresh=False))
            wire = len(seen.requests)
            for _ in range(3):
                assert (await post(t, seen.base)).status == 200
            return stale, wire, len(seen.requests)

    stale, wire, all_of_them = asyncio.run(main())
    assert (type(stale), wire, all_of_them) == (AnswerLost, 2, 5)


def test_an_answer_that_nobody_asked_for_does_not_reach_a_cancellation(serve: Serve) -> None:
    """Two answers to one request: the second would be taken for the answer to whatever comes next (F21)."""

    async def twice(_: Any, writer: asyncio.StreamWriter) -> None:
        writer.write(OK + OK.replace(b"2}", b"6}"))

    async def main() -> list[bytes]:
        async with serve(twice) as seen, transport() as t:
            shared = [(await post(t, seen.base, fresh=False)).body for _ in range(2)]
            assert shared == [b'{"estado":2}', b'{"estado":6}']  # what a connection of its own protects from
            return [(await post(t, seen.base)).body for _ in range(3)]

    assert asyncio.run(main()) == [b'{"estado":2}'] * 3


def test_as_many_as_are_allowed_are_in_flight_at_once(serve: Serve) -> None:
    async def main() -> int:
        gate = asyncio.Event()

        async def held(_: Any, writer: asyncio.StreamWriter) -> None:
            await gate.wait()
            writer.write(OK)

        async with serve(held) as seen, transport(concurrency=20) as t:
            tasks = [asyncio.create_task(post(t, seen.base)) for _ in range(20)]
            await seen.received(20)
            gate.set()
            await asyncio.gather(*tasks)
            return int(seen.connections)

    assert asyncio.run(main()) == 20


def test_the_gate_stands_between_the_connection_and_the_first_byte(serve: Serve) -> None:
    async def main() -> tuple[list[int], int]:
        at_the_gate: list[int] = []

        async def gate() -> None:
            await asyncio.sleep(0.05)  # time enough for a byte, had one left
            at_the_gate.append(seen.connections)
            at_the_gate.append(len(seen.requests))

        async with serve(sends(OK)) as seen, transport() as t:
            await t.request("POST", seen.base, headers={}, content=b"{}", fresh=True, gate=gate)
            return at_the_gate, len(seen.requests)

    assert asyncio.run(main()) == ([1, 0], 1)


def test_who_runs_out_of_time_at_the_gate_has_not_left(serve: Serve) -> None:
    async def main() -> tuple[RequestFailed, int]:
        async def gate() -> None:
            await asyncio.sleep(30)

        async with serve(sends(OK)) as seen, transport(total_s=0.2) as t:
            request = t.request("POST", seen.base, headers={}, content=b"{}", fresh=True, gate=gate)
            return await failure(request), len(seen.requests)

    failed, received = asyncio.run(main())
    assert (type(failed), received) == (NothingLeft, 0)
