"""What only a browser shows: keyboard and focus, widths, passkeys, what a reader of screens is told, and that the
page's own policy forbids nothing that it needs. The server is a process of its own, as a person starts it.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.support import needs
from tests.support.warm import ROOT, without_settings

PAGES = ("/entrar", "/entrar/olvide-usuario", "/entrar/olvide-clave", "/entrar/solicitar", "/nada")
INSIDE = ("/", "/cuenta", "/cuenta/clave", "/cuenta/segundo-factor", "/usuarios", "/usuarios/invitar", "/bitacora")


@dataclass
class Served:
    """The page as a process, and a browser."""

    url: str
    passwords: dict[str, str]
    browser: Any
    #: what the browser said in its console that is no plain answer 4xx
    said: list[str] = field(default_factory=list)

    def page(self, width: int = 1200) -> Any:
        made = self.browser.new_context(viewport={"width": width, "height": 800}).new_page()
        made.set_default_timeout(10_000)
        made.on("console", lambda message: self.said.append(message.text))
        made.on("pageerror", lambda error: self.said.append(str(error)))
        return made

    def enter(self, page: Any, name: str) -> None:
        page.goto(f"{self.url}/entrar")
        page.fill("#usuario", name)
        page.fill("#clave", self.passwords[name])
        page.click("button.main")
        page.wait_for_url(f"{self.url}/")

    def complaints(self) -> list[str]:
        return [one for one in self.said if "Failed to load resource" not in one]


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    chromium = needs.chromium()
    from playwright.sync_api import sync_playwright

    folder, port = tmp_path_factory.mktemp("page"), _free_port()
    own = {f"XDG_{kind}_HOME": str(folder / kind) for kind in ("STATE", "CONFIG", "DATA", "CACHE")}
    own |= {"HOME": str(folder), "PYTHONPATH": str(ROOT), "ANULAR_WEB_PORT": str(port)}
    own |= {"ANULAR_COMPANY": "Distribuidora Istmo, S.A.", "ANULAR_ISSUERS": "155999991-2-2026"}
    own |= {"ANULAR_SANDBOX_NOW": "2026-11-20T10:00:00-05:00"}
    command = [sys.executable, "-m", "pipeline", "web", "--only", "pages", "--sample", "--child"]
    with subprocess.Popen(
        command, cwd=folder, env={**without_settings(), **own}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        lines = [process.stdout.readline() for _ in range(5)]
        passwords = dict(re.findall(r"^ +(\w+) +(\S+)$", "".join(lines), re.MULTILINE))
        assert len(passwords) == 4, lines
        try:
            with sync_playwright() as playwright:
                arguments = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
                browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
                yield Served(f"http://localhost:{port}", passwords, browser)
                browser.close()
        finally:
            process.stdin.close()
            assert process.wait(30) == 0


def test_w02_the_log_in_by_keyboard_alone_with_the_error_in_focus(served: Served):
    page = served.page()
    page.goto(f"{served.url}/entrar")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Saltar al contenido"
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("ana")
    page.keyboard.press("Tab")
    page.keyboard.type("no es esta")
    page.keyboard.press("Enter")
    page.wait_for_selector(".problems")
    assert page.evaluate("document.activeElement.className") == "problems"
    assert page.title() == "Error: Iniciar sesión · anular"
    page.fill("#clave", served.passwords["ana"])
    page.keyboard.press("Enter")
    page.wait_for_url(f"{served.url}/")
    assert page.locator("h1").count() == 1
    assert "Ana Pérez" in page.inner_text(".who")


def test_s07_after_log_out_the_button_back_shows_nothing(served: Served):
    page = served.page()
    served.enter(page, "ana")
    page.goto(f"{served.url}/cuenta")
    page.click("text=Salir")
    page.wait_for_url(f"{served.url}/entrar")
    page.go_back()
    assert "/entrar" in page.url
    assert "Ana Pérez" not in page.content()


@pytest.mark.parametrize("width", [1200, 360])
def test_no_page_scrolls_sideways_or_has_a_violation_of_axe(served: Served, width):
    from axe_playwright_python.sync_playwright import Axe

    page = served.page(width)
    wrong = []
    for where in (*PAGES, *INSIDE):
        if where == "/":
            served.enter(page, "admin")
        page.goto(served.url + where)
        wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        if page.evaluate(wide):
            wrong.append(f"{where} scrolls sideways")
        found = Axe().run(page).response["violations"]
        wrong += [f"{where}: {one['id']}: {one['nodes'][0]['html'][:200]}" for one in found]
    assert wrong == []


def test_s15_a_passkey_is_added_and_opens_the_page_by_itself(served: Served):
    page = served.page()
    tool = page.context.new_cdp_session(page)
    tool.send("WebAuthn.enable")
    kind = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    options = {**kind, "isUserVerified": True, "automaticPresenceSimulation": True}
    tool.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    served.enter(page, "marta")
    page.goto(f"{served.url}/cuenta/segundo-factor")
    page.fill("#nombre", "Mi teléfono")
    page.click("text=Agregar llave")
    page.wait_for_url(f"{served.url}/cuenta/codigos")
    assert page.locator(".codes li").count() == 10
    page.click("text=Salir")
    page.wait_for_url(f"{served.url}/entrar")
    page.click("text=Entrar con llave de acceso")
    page.wait_for_url(f"{served.url}/")
    assert "Marta Ríos" in page.inner_text(".who")
    page.goto(f"{served.url}/cuenta/segundo-factor")
    assert "Mi teléfono" in page.inner_text("main")


def test_w02_without_script_the_log_in_works(served: Served):
    context = served.browser.new_context(java_script_enabled=False)
    page = context.new_page()
    served.enter(page, "luis")
    assert "Luis Gómez" in page.inner_text(".who")
    assert page.locator("text=Mostrar").count() == 0


def test_the_page_is_light(served: Served):
    """100 kB the first time, 40 kB again, four requests."""
    page = served.page()
    taken: list[int] = []
    page.on("response", lambda answer: taken.append(len(answer.body()) if answer.status == 200 else 0))
    page.goto(f"{served.url}/entrar")
    page.wait_for_load_state("networkidle")
    assert len(taken) <= 4
    assert sum(taken) <= 100_000
    sizes = {one.name: one.stat().st_size for one in (ROOT / "pipeline" / "web" / "static").iterdir()}
    assert sizes["anular.css"] <= 15_000
    assert sizes["anular.js"] <= 10_000


def test_s10_the_policy_forbids_nothing_that_the_pages_need(served: Served):
    page = served.page()
    served.enter(page, "admin")
    for where in (*INSIDE, *PAGES):
        page.goto(served.url + where)
    assert served.complaints() == []
