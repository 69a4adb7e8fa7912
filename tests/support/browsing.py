"""A browser in front of the page: the system's chromium, the page as a person starts it (with the sender, the sandbox
and a mail server), and the page of ``pages.House`` on a port, whose clock and states a test makes.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.wiring.sandbox import running_sandbox
from tests.storm.workers import QUICK, until
from tests.support import ledgers, needs
from tests.support.certificates import Box, free_port
from tests.support.desk import settings_of
from tests.support.pages import House
from tests.support.warm import ROOT, without_settings

NOW = "2026-11-20T10:00:00-05:00"
"""When the sample files are in time."""
COMPANY = "Distribuidora Istmo, S.A."
ISSUERS = "155999991-2-2026,155999992-2-2026"
PATIENCE_MS = 90_000
SIDEWAYS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@dataclass
class Browser:
    """The system's chromium, without a window."""

    driver: Any
    #: what it said in its console
    said: list[str] = field(default_factory=list)

    def page(self, width: int = 1200, height: int = 800, **context: Any) -> Any:
        """A page in a context of its own; ``context`` goes to Playwright's ``new_context``."""
        made = self.driver.new_context(viewport={"width": width, "height": height}, locale="es-PA", **context)
        page = made.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        return page

    def complaints(self) -> list[str]:
        """What it said but for plain answers 4xx."""
        return [one for one in self.said if "Failed to load resource" not in one]


@contextmanager
def browser() -> Iterator[Browser]:
    """Ends the test where there is no chromium."""
    chromium = needs.chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        arguments += ["--lang=es-419", "--font-render-hinting=none"]  # its own words as an accountant here has them
        spanish: dict[str, str | float | bool] = {**os.environ, "LANGUAGE": "es_419"}
        driver = playwright.chromium.launch(executable_path=chromium, args=arguments, env=spanish)
        try:
            yield Browser(driver)
        finally:
            driver.close()


@dataclass
class Served:
    """``anular web`` as a process."""

    url: str
    #: of the sample people, by user name
    passwords: dict[str, str]
    browser: Browser
    folder: Path
    #: what the mail server was given
    box: Box
    process: subprocess.Popen[str]
    #: where the first administrator is made, when there is nobody
    first: str = ""
    #: of its ledger on a server; "" for a file
    ledger: str = ""

    def page(self, width: int = 1200, **context: Any) -> Any:
        return self.browser.page(width, **context)

    def enter(self, page: Any, name: str, password: str = "") -> Any:
        """Logs in and returns the page, which is on the start page."""
        page.goto(f"{self.url}/entrar")
        page.fill("#usuario", name)
        page.fill("#clave", password or self.passwords[name])
        page.click("button.main")
        page.wait_for_url(f"{self.url}/")
        return page

    def as_person(self, name: str, width: int = 1200, **context: Any) -> Any:
        """A page of somebody who logged in."""
        return self.enter(self.page(width, **context), name)

    def child(self, part: str) -> int:
        """Process number of one of its two parts."""
        needs.proc()
        parent = self.process.pid
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        (found,) = [one for one in children if part in Path(f"/proc/{one}/cmdline").read_text().split("\0")]
        return int(found)

    def mail(self, page: Any, subject: str, to: str) -> str:
        """Text of the newest mail to somebody with this subject, awaited: it leaves after the page has answered."""
        for _ in range(900):
            for (told, text), people in reversed([*zip(self.box.mails, self.box.to, strict=False)]):
                if subject in told and to in people:
                    return text
            page.wait_for_timeout(100)
        raise AssertionError(f"no mail «{subject}» to {to}, only {self.box.subjects} to {self.box.to}")


@contextmanager
def served(folder: Path, browser: Browser, *options: str, **settings: str) -> Iterator[Served]:
    """``anular web`` with ``options``; ``settings`` are its ``ANULAR_…`` by name. Where the tests run on a server, its
    ledger and its office are a new database there, and a worker sends what the page hands in."""
    from aiosmtpd.controller import Controller

    box, port = Box(), free_port()
    post = Controller(box, hostname="127.0.0.1", port=free_port())
    own = {f"XDG_{kind}_HOME": str(folder / kind) for kind in ("STATE", "CONFIG", "DATA", "CACHE")}
    own |= {"HOME": str(folder), "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    given = {"WEB_PORT": str(port), "COMPANY": COMPANY, "ISSUERS": ISSUERS, "SANDBOX_NOW": NOW, "OUT": str(folder)}
    given |= {"RATE": "40", "CONCURRENCY": "8", "POLL_EVERY": "1", "POLL_FOR": "2"}
    given |= {"MAIL_HOST": "127.0.0.1", "MAIL_PORT": str(post.port), "MAIL_SECURITY": "none"}
    given |= {"MAIL_FROM": "anular@sandbox.invalid", **settings}
    post.start()
    with ExitStack() as stack:
        stack.callback(post.stop)
        there = stack.enter_context(ledgers.fresh(folder, tables=False)) if ledgers.on_a_server() else ""
        if there:
            given = {
                "LEDGER": there,
                "OFFICE": there,
                "BASE_URL": stack.enter_context(_edoc(folder, there, given)),
                **given,
            }
        own |= {f"ANULAR_{name}": value for name, value in given.items()}
        with subprocess.Popen(
            [sys.executable, "-m", "pipeline", "web", *options],
            cwd=folder,
            env={**without_settings(), **own},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                said = _until_ready(process, "--sample" in options)
                passwords = dict(re.findall(r"^ +(\w+) +(\S+)$", said, re.MULTILINE))
                found = re.search(r"(http://localhost:\d+/inicio/\S+)", said)
                first = found[1] if found else ""
                if there and "--sample" in options:
                    stack.enter_context(_worker(there, folder, own))
                yield Served(f"http://localhost:{port}", passwords, browser, folder, box, process, first, there)
                process.send_signal(signal.SIGINT)
                assert process.wait(60) == 130
            finally:
                if process.poll() is None:
                    with suppress(ProcessLookupError):
                        os.killpg(process.pid, signal.SIGKILL)


def _edoc(folder: Path, ledger: str, given: Mapping[str, str]) -> AbstractContextManager[str]:
    """Address of one double of eDoc for the sender and the worker, with its journal where a file's is."""
    journal, now = given.get("SANDBOX_JOURNAL", folder / "edoc.jsonl"), given["SANDBOX_NOW"]
    moment = datetime.fromisoformat(now) if now else None
    return running_sandbox(settings_of(folder, ledger, sandbox_journal=Path(journal), sandbox_now=moment))


@contextmanager
def _worker(ledger: str, folder: Path, own: Mapping[str, str]) -> Iterator[None]:
    """``anular worker``, from when the sender has made the ledger to the end of the block."""
    until(lambda: "batch" in ledgers.tables(ledger), "there is a ledger")
    with subprocess.Popen(
        [sys.executable, "-m", "pipeline", "worker"],
        cwd=folder,
        env={**without_settings(), **own, **QUICK},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield
        finally:
            process.terminate()


def _until_ready(process: subprocess.Popen[str], sample: bool) -> str:
    """What it says until both parts are there; afterwards the rest is read and dropped, so that it never waits."""
    assert process.stdout is not None
    said = ""
    ready = re.compile(r"^ +admin +\S+$" if sample else "/inicio/", re.MULTILINE)
    while not (ready.search(said) and "Envía" in said):
        line = process.stdout.readline()
        assert line, said
        said += line
    threading.Thread(target=process.stdout.read, daemon=True).start()
    return said


@dataclass
class Shown:
    """The page of a ``House`` on a port, and a browser."""

    house: House
    url: str
    browser: Browser

    def page(self, who: str = "", width: int = 1200, **context: Any) -> Any:
        """A page of a person with a session; of nobody without ``who``."""
        made = self.browser.page(width, **context)
        if who:
            client = self.house.client(who)
            cookies = [{"name": name, "value": one.value, "url": self.url} for name, one in client.cookies.items()]
            made.context.add_cookies(cookies)
        return made


@contextmanager
def shown(folder: Path, patch: pytest.MonkeyPatch, browser: Browser, **changes: Any) -> Iterator[Shown]:
    """The page of sample people and sent batches (``pages.house``), served by a thread of the test."""
    import uvicorn

    from pipeline.web.asgi import application
    from tests.support import pages

    # Playwright keeps a loop in the test's thread, in which Django otherwise refuses to look into its tables.
    patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        host = f"localhost:{listening.getsockname()[1]}"
        url = f"http://{host}"
        patch.setattr(pages, "HOST", host)
        with pages.house(folder, patch, web_url=url, **changes) as house:
            config = uvicorn.Config(
                application(house.site), lifespan="off", ws="none", log_config=None, access_log=False, http="h11"
            )
            server = uvicorn.Server(config)
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
            thread.start()
            try:
                yield Shown(house, url, browser)
            finally:
                server.should_exit = True
                thread.join(30)
