"""P12 and F70: whatever a server, an exception or a library's log does with them, secrets are written nowhere.

What is looked through after every test is everything that lies in its folder: ledger, workbook (unpacked), the log of
every library at its lowest level, what the command printed, and the server's journal with every address that was
asked. The user, the password, the Basic header and every token are looked for raw, in base64, URL-encoded, in JSON's
escapes and as bytes are shown; that the search itself finds them is shown first.
"""

from __future__ import annotations

import base64
import json
import resource
import signal
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from pipeline.domain.lifecycle import State
from pipeline.edoc.connection import OneShot
from pipeline.edoc.transport import Transport
from pipeline.evidence.pack import write_pack
from pipeline.run.results import write_results
from tests.faults import judge
from tests.faults.actions import Action, sends, state
from tests.faults.bench import Bench
from tests.faults.command import Command
from tests.faults.processes import BASIC, PASSWORD, USER
from tests.support.warm import LONGEST_S

ECHO = b"@AUTHORIZATION@"
OPEN = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"

ECHOES: dict[str, Action] = {
    "in-a-message": sends(OPEN + b'{"estado":6,"MensajeRespuesta":"no vale: ' + ECHO + b'"}', end="close"),
    "in-an-error-code": sends(OPEN + b'{"estado":6,"CodigoError":"' + ECHO + b'"}', end="close"),
    "in-a-strange-field": sends(OPEN + b'{"estado":6,"peticion":{"Authorization":"' + ECHO + b'"}}', end="close"),
    "escaped": sends(OPEN + b'{"estado":6,"MensajeRespuesta":"no vale: @ESCAPED@"}', end="close"),
    "quoted": sends(OPEN + b'{"estado":6,"MensajeRespuesta":"no vale: @QUOTED@"}', end="close"),
    "after-1990-letters": sends(
        OPEN + b'{"estado":6,"MensajeRespuesta":"' + b"x" * 1975 + b" " + ECHO + b'"}', end="close"
    ),
    "in-a-web-page": sends(OPEN + b"<html><pre>" + ECHO + b"</pre></html>", end="close"),
    "in-a-500": sends(b"HTTP/1.1 500 X\r\n\r\n{" + ECHO, end="close"),
    "in-a-401": sends(b"HTTP/1.1 401 X\r\n\r\n" + b'{"MensajeRespuesta":"' + ECHO + b'"}', end="close"),
    "in-a-header": sends(b"HTTP/1.1 500 X\r\nX-Debug: " + ECHO + b"\r\nContent-Length: 0\r\n\r\n"),
    "in-the-reason": sends(b"HTTP/1.1 500 " + ECHO + b"\r\nContent-Length: 0\r\n\r\n"),
    "in-a-redirect": sends(b"HTTP/1.1 302 X\r\nLocation: https://127.0.0.1/" + ECHO + b"\r\n\r\n", end="close"),
    "in-a-broken-status-line": sends(ECHO + b" is no status\r\n\r\n", end="close"),
    "in-a-broken-header": sends(b"HTTP/1.1 200 OK\r\n" + ECHO + b"\r\n\r\n", end="close"),
    "in-a-broken-chunk": sends(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + ECHO + b"\r\n", end="close"),
    "in-a-content-encoding": sends(b"HTTP/1.1 200 OK\r\nContent-Encoding: " + ECHO + b"\r\n\r\n{}", end="close"),
    "in-a-retry-after": sends(b"HTTP/1.1 503 X\r\nRetry-After: " + ECHO + b"\r\nContent-Length: 0\r\n\r\n"),
}


def test_f70_the_search_finds_a_secret_in_every_form_and_place(tmp_path: Path) -> None:
    """A search that finds nothing has to be shown to be able to find something."""
    forms = [
        PASSWORD,
        base64.b64encode(PASSWORD.encode()).decode(),
        quote(PASSWORD, safe=""),
        "cl\\u00e1ve+secreta/77==",
    ]
    for form in forms:
        for name, content in (("a.db", b"\x00" + form.encode() + b"\x00"), ("b.log", form.encode())):
            (tmp_path / name).write_bytes(content)
            with pytest.raises(AssertionError, match="a secret in"):
                judge.no_secret(judge.produced(tmp_path), [PASSWORD])
            (tmp_path / name).unlink()
        with zipfile.ZipFile(tmp_path / "c.xlsx", "w", zipfile.ZIP_DEFLATED) as packed:
            packed.writestr("xl/sheet1.xml", "x" * 5000 + form)
        with pytest.raises(AssertionError, match=r"c\.xlsx!xl/sheet1\.xml"):
            judge.no_secret(judge.produced(tmp_path), [PASSWORD])
        (tmp_path / "c.xlsx").unlink()
    judge.no_secret(judge.produced(tmp_path), [PASSWORD])


@pytest.mark.one_in(4)
@pytest.mark.parametrize("how", ECHOES, ids=lambda how: f"F70-{how}")
@pytest.mark.parametrize("service", ["token", "cancel", "query"])
def test_f70_a_server_that_gives_back_what_it_was_sent_makes_nobody_write_it_down(
    bench: Bench, service: str, how: str
) -> None:
    bench.batch(2)
    bench.script("cancel", state(5))
    bench.script(service, ECHOES[how])
    bench.run(lasting=2.0)
    assert bench.server.entries(service=service)  # it did have the chance
    secrets = [USER, PASSWORD, BASIC, *bench.server.tokens]
    judge.no_secret([("why it stopped", bench.said.encode())], secrets)


@pytest.mark.parametrize("how", ["in-a-message", "in-a-strange-field", "escaped", "quoted", "in-a-web-page"])
def test_f70_the_raw_answers_of_an_evidence_pack_hold_no_secret_either(bench: Bench, how: str) -> None:
    """They are in base64 there: looked for in what they say, not in how it is written."""
    bench.batch(2)
    bench.script("cancel", ECHOES[how])
    bench.run(lasting=2.0)
    written = write_results(bench.info, bench.views, bench.out)
    now = written.batch.created
    pack = write_pack(bench.views.extract(written.batch), written.workbook, now, who="ana")
    with zipfile.ZipFile(pack) as box:
        events = [json.loads(line) for line in box.read("sucesos.jsonl").splitlines()]
        things = [(name, box.read(name)) for name in box.namelist()]
    things += [(f"body {event['seq']}", base64.b64decode(event["body"])) for event in events if event["body"]]

    assert any(event["http"] and event["body"] for event in events)
    judge.no_secret(things, [USER, PASSWORD, BASIC, *bench.server.tokens])


@pytest.mark.parametrize("kind", [ValueError, OSError, httpx.ReadError, httpx.ConnectError, KeyError])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_f70_an_exception_with_the_request_inside_is_recorded_by_its_kind_only(
    bench: Bench, kind: type[Exception], method: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The library's own transport fails and tells everything it knows."""
    asked: list[str] = []

    async def telling(_: httpx.AsyncBaseTransport, request: httpx.Request) -> httpx.Response:
        asked.append(request.method)
        raise kind(f"{request.url} {request.headers.raw} {request.content!r}")

    # Tokens (GET) come over the library's own pool, everything else over connections that are used once.
    where = httpx.AsyncHTTPTransport if method == "GET" else OneShot
    monkeypatch.setattr(where, "handle_async_request", telling)
    caplog.set_level(0)
    bench.batch(2)
    bench.run(tries=2, lasting=1.0)
    assert set(asked) == {method}
    assert bench.states[0] in (State.READY, State.UNKNOWN, State.NOT_SENT)
    secrets = [USER, PASSWORD, BASIC, *bench.server.tokens]
    judge.no_secret([("log", caplog.text.encode()), ("why it stopped", bench.said.encode())], secrets)


def test_f70_a_bug_inside_the_client_is_recorded_by_its_kind_only(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real = Transport.request

    async def telling(self: Transport, method: str, url: str, **more: Any) -> Any:
        if method == "POST":
            raise RuntimeError(f"{url} {more}")
        return await real(self, method, url, **more)

    monkeypatch.setattr(Transport, "request", telling)
    caplog.set_level(0)
    bench.batch(2)
    bench.run("send")
    assert bench.states == [State.UNKNOWN, State.READY]
    assert bench.exit_code == 5
    assert "RuntimeError" in bench.said
    judge.no_secret(
        [("log", caplog.text.encode()), ("why it stopped", bench.said.encode())],
        [USER, PASSWORD, BASIC, *bench.server.tokens],
    )


def test_f70_the_libraries_of_the_wire_say_nothing_even_at_the_lowest_level(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """Others do: the log is on, and heard."""
    caplog.set_level(0)
    bench.batch(1).run()
    names = {record.name.partition(".")[0] for record in caplog.records}
    assert names
    assert not names & {"httpx", "httpcore"}


@pytest.mark.parametrize("how", ["in-a-message", "in-a-header"])
def test_f70_the_command_prints_and_keeps_no_secret_that_a_server_gives_back(command: Command, how: str) -> None:
    command.batch(2)
    command.script("cancel", ECHOES[how])
    command.script("query", ECHOES[how])
    done = command.run()
    assert done.code in (1, 4, 5)
    assert command.posts >= 1


CRASH = """
import pipeline.edoc.client as place
def crash(self, *arguments, **more):
    raise RuntimeError(f"{self._tokens._user} {self._tokens._basic()} {arguments} {more}")
place.EdocClient.ready = crash
"""


def test_f70_a_crash_of_the_command_prints_no_secret(command: Command) -> None:
    command.batch(2)
    with command.custom.open("a", encoding="utf-8") as file:
        file.write(CRASH)
    assert command.run().code == 5
    assert command.posts == 0

    command.custom.write_text("", "utf-8")
    assert command.run().code == 0
    assert command.posts == 2


ALLOW_CORES = """
import resource
most = resource.getrlimit(resource.RLIMIT_CORE)[1]
resource.setrlimit(resource.RLIMIT_CORE, (most, most))
"""


@pytest.mark.long
def test_f70_a_crash_dump_holds_no_secret_and_no_core_is_written(command: Command) -> None:
    """SIGABRT in the middle of a request, cores allowed and Python's own dump switched on; then all is finished."""
    command.batch(2)
    with command.custom.open("a", encoding="utf-8") as file:
        file.write(ALLOW_CORES)
    command.script("cancel", {"wait": 1.0}, {})
    process = command.real(PYTHONFAULTHANDLER="1")
    command.wait_for(1)
    assert resource.prlimit(process.pid, resource.RLIMIT_CORE)[0] == 0
    process.send_signal(signal.SIGABRT)
    out, err = process.communicate(timeout=LONGEST_S)
    (command.folder / "dump.txt").write_text(out + err, "utf-8")
    assert "Fatal Python error: Aborted" in err
    assert command.run(ANULAR_POLL_FOR="60").code == 0  # until the first answer is there, on whatever machine
    assert command.outcomes == ["ANULADA"] * 2
    assert command.posts == 2
