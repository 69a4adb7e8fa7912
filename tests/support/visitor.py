"""The page as a process, and people who visit it over HTTP as their browsers do, without a browser."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any

import httpx

from tests.support.warm import ROOT

PATIENCE_S = 120.0


@dataclass
class Serving:
    """The page."""

    process: subprocess.Popen[str]
    url: str
    #: of the sample people
    passwords: Mapping[str, str]
    here: list[Visitor] = field(default_factory=list)

    def visitor(self, name: str) -> Visitor:
        """Somebody who has logged in."""
        self.here.append(Visitor(self.url, name, self.passwords[name]))
        return self.here[-1]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def serving(folder: Path, env: Mapping[str, str]) -> Iterator[Serving]:
    """``anular web --only pages`` with the sample people until the end of the block; ``env`` is all of its
    environment, but for the port."""
    port = free_port()
    command = [sys.executable, "-m", "pipeline", "web", "--only", "pages", "--sample", "--child"]
    own = {**env, "ANULAR_WEB_PORT": str(port), "PYTHONPATH": str(ROOT)}
    with (
        (folder / "pages.txt").open("w") as errors,
        subprocess.Popen(
            command, cwd=folder, env=own, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            lines = [process.stdout.readline() for _ in range(5)]
            passwords = dict(re.findall(r"^ +(\w+) +(\S+)$", "".join(lines), re.MULTILINE))
            assert len(passwords) == 4, (lines, (folder / "pages.txt").read_text())
            made = Serving(process, f"http://localhost:{port}", passwords)
            try:
                yield made
            finally:
                for one in made.here:
                    one.close()
        finally:
            process.stdin.close()
            try:
                process.wait(PATIENCE_S)
            finally:
                process.kill()
    assert "Traceback" not in (folder / "pages.txt").read_text()


class Visitor:
    """A person at a browser of their own."""

    def __init__(self, url: str, name: str, password: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=PATIENCE_S, headers={"Origin": url}, trust_env=False)
        answer = self.post("/entrar", {"usuario": name, "clave": password})
        assert (answer.status_code, answer.headers.get("location")) == (302, "/"), answer.text[:1000]

    @property
    def cookies(self) -> httpx.Cookies:
        return self._client.cookies

    def get(self, path: str) -> httpx.Response:
        return self._client.get(path)

    def text(self, path: str) -> str:
        """What a page says, without its marks."""
        answer = self.get(path)
        assert answer.status_code == 200, f"{path}: {answer.status_code}"
        plain = re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", answer.text, flags=re.S)
        return re.sub(r"\s+", " ", unescape(plain))

    def post(self, path: str, data: Mapping[str, Any], *, on: str = "", files: Any = None) -> httpx.Response:
        """The answer to a form of the page ``on`` (by default the one at ``path``)."""
        page = self.get(on or path)
        hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
        return self._client.post(path, data={**hidden, **data}, files=files)

    def hand_in(self, file: Path) -> int:
        """Hands a file in and waits until it is checked; the number of the proposal."""
        answer = self.post("/cargar", {}, files={"archivo": (file.name, file.read_bytes())})
        assert answer.status_code == 302, answer.text[:2000]
        where, end = str(answer.headers["location"]), time.monotonic() + PATIENCE_S
        while not self.get(f"{where}/estado").json()["done"]:
            assert time.monotonic() < end, "the check does not end"
            time.sleep(0.1)
        return int(where.rpartition("/")[2])

    def submit(self, number: int) -> None:
        answer = self.post(f"/propuestas/{number}/enviar", {}, on=f"/propuestas/{number}")
        assert answer.status_code == 302, answer.text[:2000]

    def approve(self, number: int, count: int) -> None:
        answer = self.post(f"/propuestas/{number}/aprobar", {"cantidad": str(count)})
        assert answer.status_code == 302, answer.text[:3000]

    @contextmanager
    def following(self, batch: str) -> Iterator[None]:
        """The stream of a batch stays open until the end of the block."""
        with self._client.stream("GET", f"/lotes/{batch}/avance") as answer:
            assert answer.status_code == 200
            assert next(answer.iter_lines()) == "event: avance"
            yield

    def progress(self, batch: str, *, all_of_it: bool = False) -> list[dict[str, Any]]:
        """What the stream of a batch tells: its first message, or all until it ends by itself."""
        told: list[dict[str, Any]] = []
        with self._client.stream("GET", f"/lotes/{batch}/avance") as answer:
            assert answer.status_code == 200
            kind = ""
            for line in answer.iter_lines():
                kind = line.removeprefix("event: ") if line.startswith("event: ") else kind
                if line.startswith("data: ") and kind == "avance":
                    told.append(json.loads(line.removeprefix("data: ")))
                    if not all_of_it:
                        break
                if kind == "fin":
                    break
        return told

    def close(self) -> None:
        self._client.close()


@dataclass
class Looked:
    """What somebody saw who looked again and again."""

    statuses: Counter[int] = field(default_factory=Counter)


@contextmanager
def looking(visitor: Visitor, *paths: str) -> Iterator[Looked]:
    """Somebody opens these pages one after the other until the end of the block, without a break."""
    seen, enough = Looked(), threading.Event()

    def look() -> None:
        while not enough.is_set():
            for path in paths:
                with suppress(httpx.HTTPError):
                    seen.statuses[visitor.get(path).status_code] += 1

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        enough.set()
        thread.join()
