"""The page on Windows: opened, entered, and a batch taken from the file to the receipt by two people."""

from __future__ import annotations

import re
import socket
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.support.wine import PROGRAM, ROOT, Wine, posts
from tests.windows.conftest import VERSION, Desk

PATIENCE_S = 300.0


class Page:
    """The page as a process on Windows, with what it says; its loopback is this machine's."""

    def __init__(self, desk: Desk, *words: str) -> None:
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self.port = int(found.getsockname()[1])
        self.desk, self.url, self.said = desk, f"http://localhost:{self.port}", ""
        self.clients: list[httpx.Client] = []
        own = {**desk.settings, "ANULAR_WEB_PORT": str(self.port), "PYTHONUTF8": "1"}
        program = rf"{PROGRAM}\v\{VERSION}\Scripts\anular.exe"
        self.process = subprocess.Popen(
            desk.wine.command(program, "web", *words, folder=desk.folder, variables=own),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def wait_for(self, *words: str) -> None:
        """Reads until it has said all of ``words``."""
        assert self.process.stdout is not None
        while not all(one in self.said for one in words):
            line = self.process.stdout.readline()
            assert line, self.said
            self.said += line

    def passwords(self) -> dict[str, str]:
        return dict(re.findall(r"^ +(\w+) +(\S+)$", self.said, re.MULTILINE))


class Browser:
    """A person's browser: cookies, and the forms that the page gave."""

    def __init__(self, page: Page, name: str) -> None:
        self.client = httpx.Client(base_url=page.url, follow_redirects=True, timeout=60)
        page.clients.append(self.client)
        self.at = self.post("/entrar", usuario=name, clave=page.passwords()[name])
        assert self.at.url.path == "/", self.at.text

    def get(self, path: str) -> httpx.Response:
        self.at = self.client.get(path)
        assert self.at.status_code == 200, (path, self.at.status_code)
        return self.at

    def hidden(self) -> dict[str, Any]:
        """Hidden fields of the page that was seen last."""
        return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', self.at.text))

    def post(self, path: str, files: Any = None, form: str = "", **fields: Any) -> httpx.Response:
        """Fills in the form of the page ``form`` (else the same address) and hands it in."""
        self.get(form or path)
        self.at = self.client.post(path, data={**self.hidden(), **fields}, files=files)
        assert self.at.status_code == 200, (path, self.at.status_code, self.at.text[-2000:])
        return self.at

    def download(self, path: str) -> bytes:
        """Asks for a file until it is made."""
        end = time.monotonic() + PATIENCE_S
        while "text/html" in (answer := self.client.get(path)).headers["content-type"]:
            assert time.monotonic() < end, answer.text[-3000:]
            time.sleep(1)
        return answer.content

    def until(self, path: str, words: str) -> None:
        """Looks at a page until it says ``words``."""
        end = time.monotonic() + PATIENCE_S
        while words not in self.get(path).text:
            assert time.monotonic() < end, f"{path} never said {words}: {self.at.text[-3000:]}"
            time.sleep(1)


@pytest.fixture
def page(desk: Desk) -> Iterator[Page]:
    made = Page(desk, "--sample")
    try:
        yield made
    finally:
        for client in made.clients:
            client.close()
        made.process.kill()
        made.process.communicate()
        desk.wine.end()


def test_a_batch_goes_from_the_file_to_the_receipt_on_the_page_by_two_people(page: Page):
    page.wait_for("Página: ", "admin", "Envía lo que se aprueba")
    desk, ana, luis = page.desk, Browser(page, "ana"), Browser(page, "luis")
    data = (ROOT / "sample_data" / "lote_mensual.xlsx").read_bytes()
    there = ana.post("/cargar", files={"archivo": ("lote & (ñ) 50%.xlsx", data)}).url.path
    assert re.fullmatch(r"/propuestas/\d+", there)
    ana.until(there, "Enviar a aprobación")
    assert "lote &amp; (ñ) 50%.xlsx" in ana.at.text
    ana.post(f"{there}/enviar", form=there)

    page_of_luis = luis.get(f"{there}/aprobar").text
    count = re.search(r"(\d+) facturas", page_of_luis)
    assert count is not None
    assert posts(desk.journal()) == 0
    issuers = re.findall(r'name="emisores" value="([^"]+)"', page_of_luis)
    more = {"certificados": "on"} if 'name="certificados"' in page_of_luis else {}
    luis.post(f"{there}/aprobar", cantidad=count[1], emisores=issuers, **more)
    ana.until(there, "Terminada")
    sent = posts(desk.journal())
    assert sent >= int(count[1]) - 5

    (batch,) = set(re.findall(r"/lotes/([\w-]+)", ana.at.text))
    assert ana.download(f"/descargas/{batch}/resultados").startswith(b"PK")
    assert ana.download(f"/descargas/{batch}/constancia").startswith(b"%PDF")
    assert posts(desk.journal()) == sent, "something was sent after the end"


def test_a_page_that_is_open_is_shown_and_not_opened_again(wine: Wine, desk: Desk):
    browser = rf"{desk.folder}\navegador.bat"
    wine.put(browser, b'@echo off\r\n>>"%~dp0abierto.txt" echo %~1\r\n')
    desk.settings["BROWSER"] = browser.replace("\\", "/") + " %s"
    page = Page(desk, "--open")
    try:
        page.wait_for("Primera vez", "Envía lo que se aprueba")
        again = desk.anular("web", "--open", ANULAR_WEB_PORT=str(page.port))
        assert again.code == 0, again.words
        assert "ya estaba abierta" in again.words
        opened = wine.path(rf"{desk.folder}\abierto.txt").read_text().split()
        assert [one.partition("/inicio/")[0] for one in opened] == [page.url, page.url]
        assert httpx.get(opened[0], follow_redirects=True).status_code == 410, "the address of before is none"
        assert httpx.get(opened[1]).status_code == 200
    finally:
        page.process.kill()
        page.process.communicate()
        wine.end()
