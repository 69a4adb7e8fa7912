"""The sandbox as a process: how it starts, how it ends, what it remembers."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import filelock
import httpx
import pytest

from pipeline.domain.cufe import Cufe
from pipeline.domain.errors import AnotherRun, StorageTrouble, WrongUsage
from pipeline.runtime.clock import Clock
from pipeline.sandbox import serve as module
from pipeline.sandbox.request_log import posts_by_cufe, processed_by_cufe, read

MakeCufe = Callable[..., Cufe]


def test_it_says_where_it_serves_and_takes_a_free_port(start: Any) -> None:
    one, two = start(), start()
    assert one.url.startswith("http://127.0.0.1:")
    assert one.url.endswith("/EdocPanama/4.0/")
    assert one.url != two.url


def test_as_a_child_it_ends_when_its_input_closes(start: Any) -> None:
    running = start()
    assert running.end() == ""
    assert running.process.returncode == 0


def test_as_a_child_it_leaves_ctrl_c_to_its_parent(start: Any, make_cufe: MakeCufe) -> None:
    running = start()
    running.process.send_signal(signal.SIGINT)
    assert running.cancel(make_cufe()).status_code == 200
    assert running.end() == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_alone_it_ends_quietly_on_a_signal(number: signal.Signals, start: Any) -> None:
    running = start(mode="alone")
    running.token("16")
    running.process.send_signal(number)
    assert running.end() == ""
    assert running.process.returncode == 0


def test_answers_held_back_do_not_hold_up_the_end(start: Any, make_cufe: MakeCufe) -> None:
    running = start()
    running.control("fault", {"kind": "pause", "next": 2, "routes": ["other"], "seconds": 600})
    with pytest.raises(httpx.ReadTimeout):  # one client that left, one that waits
        running.http.get("nada", timeout=0.2)
    port = int(running.url.split(":")[2].split("/")[0])
    with socket.create_connection(("127.0.0.1", port), timeout=20) as waiting:
        waiting.sendall(b"GET /nada HTTP/1.1\r\nHost: localhost\r\n\r\n")
        while running.look("state").json()["received"].get("other 404") != 2:
            pass
        assert running.end() == ""
        assert waiting.recv(1) == b""
    assert running.process.returncode == 0


def test_killed_and_started_again_it_knows_what_it_received(start: Any, tmp_path: Path, make_cufe: MakeCufe) -> None:
    journal = tmp_path / "sandbox.jsonl"
    lost, late, pending = make_cufe("970"), make_cufe("973"), make_cufe("950")
    first = start(journal)
    for cufe in (lost, late):
        with pytest.raises(httpx.RemoteProtocolError):
            first.cancel(cufe)
    first.cancel(pending)
    first.process.kill()
    first.process.wait()

    second = start(journal)
    second.control("advance", {"seconds": 3})
    assert [second.query(c).json()["estadoEdoc"] for c in (lost, late, pending)] == [11, 11, "5"]
    assert second.cancel(late).json()["codigoRespuestaDGI"] == "0622"
    assert second.end() == ""
    entries = read(journal)
    assert [entry["seq"] for entry in entries] == list(range(len(entries)))
    assert posts_by_cufe(entries) == {lost.text: 1, late.text: 2, pending.text: 1}
    assert processed_by_cufe(entries) == {lost.text: 1, late.text: 1, pending.text: 1}


def test_only_the_loopback_is_served() -> None:
    for host in ("0.0.0.0", "192.168.1.5", "::", "eDoc"):
        with pytest.raises(WrongUsage):
            module.serve(Clock(), on_ready=pytest.fail, host=host)


def test_a_port_in_use_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(WrongUsage, match=str(port)):
            module.serve(Clock(), on_ready=pytest.fail, port=port)


def test_a_journal_in_use_is_another_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOCK_WAIT", 0.0)
    journal = tmp_path / "sandbox.jsonl"
    with filelock.FileLock(f"{journal}.lock"), pytest.raises(AnotherRun):
        module.serve(Clock(), on_ready=pytest.fail, journal=journal)


def test_a_journal_that_cannot_be_used_is_storage_trouble(tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("esto no es una bitácora\n")
    for unusable in (tmp_path, notes, notes / "sandbox.jsonl"):
        with pytest.raises(StorageTrouble):
            module.serve(Clock(), on_ready=pytest.fail, journal=unusable)
    assert notes.read_text() == "esto no es una bitácora\n"
