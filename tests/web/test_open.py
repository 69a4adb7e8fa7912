"""The page is shown in the browser, and one that is open already is not opened a second time."""

from __future__ import annotations

import http.server
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pipeline.cli.web_open import is_open
from pipeline.domain.errors import WrongUsage
from pipeline.settings.model import Settings
from pipeline.web.texts.frame import NOT_WELL, WELL
from tests.support.visitor import free_port
from tests.support.warm import LONGEST_S, ROOT, without_settings


def settings(**values: Any) -> Settings:
    bare: dict[str, Any] = {}
    return Settings(**bare).model_copy(update=values)


@contextmanager
def answering(words: str) -> Iterator[int]:
    """Somebody's server on a port of this machine that says ``words``."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(words.encode())

        def log_message(self, *_words: Any) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("words", "ours"), [(WELL, True), (NOT_WELL, True), ("<html>otro programa", False), ("", False)]
)
def test_a_page_is_open_where_it_answers_as_ours_does(words, ours):
    with answering(words) as port:
        assert is_open(settings(web_port=port)) is ours


def test_where_nothing_listens_none_is_open():
    assert not is_open(settings(web_port=free_port()))


def test_a_page_for_other_machines_is_opened_by_its_address():
    with pytest.raises(WrongUsage, match="dirección propia"):
        is_open(settings(web_url="https://anular.x.example"))


@pytest.mark.long
def test_the_browser_gets_the_address_for_the_first_user_and_a_second_start_gives_a_new_one(tmp_path: Path):
    browser, opened = tmp_path / "navegador", tmp_path / "abierto.txt"
    browser.write_text(f'#!/bin/sh\necho "$1" >> "{opened}"\n')
    browser.chmod(0o755)
    own = {f"XDG_{kind}_HOME": str(tmp_path / kind) for kind in ("STATE", "CONFIG", "DATA", "CACHE")}
    own |= {
        "HOME": str(tmp_path),
        "PYTHONPATH": str(ROOT),
        "ANULAR_WEB_PORT": str(free_port()),
        "BROWSER": f"{browser} %s",
    }
    command, env = [sys.executable, "-m", "pipeline", "web", "--open"], {**without_settings(), **own}
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as page:
        try:
            assert page.stdout is not None
            said = ""
            while "Primera vez" not in said:
                line = page.stdout.readline()
                assert line, said
                said += line
            again = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=LONGEST_S)
            assert again.returncode == 0, again.stderr
            assert "ya estaba abierta" in again.stdout
            page.send_signal(signal.SIGINT)
            page.wait(LONGEST_S)
        finally:
            if page.poll() is None:
                os.killpg(page.pid, signal.SIGKILL)
    first, second = opened.read_text().split()
    assert first in said
    assert first != second
    assert all(re.search(r"/inicio/\w", one) for one in (first, second))
