"""``anular web``: two children that are watched, the pages without a password of eDoc, and the end of both (S27)."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.cli.web_pages import REOPEN
from pipeline.cli.web_parent import AGAIN_AFTER_S, MOST_STARTS, WITHIN_S, Watched
from tests.storm.workers import children, loaded
from tests.support import needs
from tests.support.certificates import free_port
from tests.support.warm import ROOT, without_settings

SECRET = "planted-secret-7711"


class Dies:
    """A process that ends when it is told to."""

    def __init__(self) -> None:
        self.code: int | None = None
        self.stdin = None

    def poll(self) -> int | None:
        return self.code


def test_a_sender_that_dies_starts_again_after_five_seconds_three_times_in_ten_minutes():
    now, started = [0.0], list[Dies]()

    def start() -> Any:
        started.append(Dies())
        return started[-1]

    sender = Watched(start, lambda: now[0])
    assert sender.look() is None
    for count in range(1, MOST_STARTS + 1):
        assert len(started) == count
        started[-1].code = 5
        assert sender.look() == 5
        sender.look()
        assert len(started) == count, "not at once"
        now[0] += AGAIN_AFTER_S
        sender.look()
    started[-1].code = 5
    sender.look()
    assert sender.given_up
    now[0] += WITHIN_S
    sender.look()
    assert len(started) == MOST_STARTS + 1


def test_who_reads_the_terminal_sees_the_exit_code_of_a_child_that_ended():
    from pipeline.cli import web_parent
    from pipeline.domain.errors import StoppedEarly, WrongUsage

    said: list[str] = []
    talk = SimpleNamespace(err=SimpleNamespace(print=lambda words, **_: said.append(words)))
    now, pages, sender = [0.0], Dies(), Dies()
    both = [Watched(lambda one=one: one, lambda: now[0]) for one in (pages, sender)]  # type: ignore[misc]
    web_parent._look(talk, *both)  # type: ignore[arg-type]
    now[0] += web_parent.YOUNG_S
    pages.code, sender.code = -9, 5
    web_parent._look(talk, *both)  # type: ignore[arg-type]
    assert ["(código -9)" in said[0], "(código 5)" in said[1]] == [True, True]
    assert "(código 2)" in web_parent._ended(WrongUsage.exit_code).message
    assert isinstance(web_parent._ended(5), StoppedEarly)


def test_deaths_that_are_far_apart_are_not_counted_together():
    now, started = [0.0], list[Dies]()

    def start() -> Any:
        started.append(Dies())
        return started[-1]

    sender = Watched(start, lambda: now[0])
    for _ in range(10):
        sender.look()
        started[-1].code = 5
        sender.look()
        now[0] += WITHIN_S
    assert not sender.given_up


def test_pages_that_wrote_the_settings_start_again_at_once_and_the_sender_too():
    now, started = [0.0], list[Dies]()

    def start() -> Any:
        started.append(Dies())
        return started[-1]

    pages, sender = Watched(start, lambda: now[0]), Watched(start, lambda: now[0])
    pages.look(), sender.look()
    started[0].code = REOPEN
    assert pages.look() == REOPEN
    sender.start_again()
    started[1].code = 0
    assert sender.look() is None, "that it ended was asked for"
    pages.look(), sender.look()
    assert len(started) == 4
    assert not sender.given_up


def test_s27_the_pages_have_no_password_of_edoc_nor_what_reads_and_writes_sheets_and_both_end_with_ctrl_c(tmp_path):
    """What reads and writes sheets is loaded in children alone: it takes half as much memory as all the rest."""
    needs.proc()
    port = free_port()
    own = {f"XDG_{kind}_HOME": str(tmp_path / kind) for kind in ("STATE", "CONFIG", "DATA", "CACHE")}
    own |= {"HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "ANULAR_WEB_PORT": str(port), "ANULAR_ISSUERS": "29-29-29"}
    own |= {"ANULAR_USER": "empresa", "ANULAR_PASSWORD": SECRET}
    with subprocess.Popen(
        [sys.executable, "-m", "pipeline", "web"],
        cwd=tmp_path,
        env={**without_settings(), **own},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as parent:
        try:
            assert parent.stdout is not None
            said = ""
            while "Primera vez" not in said or "Envía" not in said:
                line = parent.stdout.readline()
                assert line, said
                said += line
            parts = children(parent.pid)
            environments = {pid: Path(f"/proc/{pid}/environ").read_text() for pid in parts}
            pages = [pid for pid, words in _commands(parts).items() if "pages" in words]
            assert len(parts) == 2
            assert [SECRET in environments[pid] for pid in pages] == [False]
            assert SECRET in "".join(environments.values()), "the sender has it"
            address = re.search(r"http://localhost:\d+(/inicio/\S+)", said)
            assert address
            with urllib.request.urlopen(f"http://localhost:{port}{address[1]}") as answer:
                assert answer.status == 200
            assert loaded(pages[0], "pandas", "numpy") == []
            parent.send_signal(signal.SIGINT)
            assert parent.wait(40) == 130
            assert [pid for pid in parts if _alive(pid)] == []
        finally:
            if parent.poll() is None:
                os.killpg(parent.pid, signal.SIGKILL)
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]
    assert kept == []


@pytest.mark.long
def test_s27_the_pages_alone_begin_anew_without_a_password_that_they_were_given(tmp_path):
    needs.proc()
    own = {f"XDG_{kind}_HOME": str(tmp_path / kind) for kind in ("STATE", "CONFIG", "DATA", "CACHE")}
    own |= {"HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "ANULAR_WEB_PORT": str(free_port())}
    own |= {"ANULAR_PASSWORD": SECRET, "ANULAR_USER": "empresa"}
    with subprocess.Popen(
        [sys.executable, "-m", "pipeline", "web", "--only", "pages", "--child"],
        cwd=tmp_path,
        env={**without_settings(), **own},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as pages:
        assert pages.stdout is not None
        assert pages.stdin is not None
        assert pages.stdout.readline().startswith("Página: ")
        assert SECRET not in Path(f"/proc/{pages.pid}/environ").read_text()
        assert loaded(pages.pid, "numpy", "pandas", "PIL") == [], "children read files"
        pages.stdin.close()
        assert pages.wait(30) == 0


def _commands(pids: list[int]) -> dict[int, list[str]]:
    return {pid: Path(f"/proc/{pid}/cmdline").read_text().split("\0") for pid in pids}


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False
