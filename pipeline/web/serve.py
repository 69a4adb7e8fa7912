"""Server of the pages: uvicorn on one port, which ends on SIGTERM, on Ctrl-C, and, as a child, with its parent."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn.config
import uvicorn.server
from uvicorn.protocols.http.h11_impl import H11Protocol

from pipeline.domain.errors import WrongUsage
from pipeline.runtime.shutdown import handled, when_input_closes
from pipeline.settings.model import Settings
from pipeline.web.asgi import application
from pipeline.web.gate import SILENCE_S
from pipeline.web.headers import answer_headers
from pipeline.web.site import Site
from pipeline.web.texts import frame as words

GRACE_S = 5
"""Seconds that answers under way get when the server ends; a page that listens to a sending is cut off."""
EVERY_S = 600.0
"""Seconds between two looks at what falls due by itself."""


def serve(site: Site, *, on_ready: Callable[[], None], child: bool = False) -> None:
    """Serves until stopped; ``on_ready`` is called once requests are answered. From the main thread.

    Raises ``WrongUsage`` for a port that is taken or a certificate that cannot be used.
    """
    settings = site.settings
    with _listening(settings) as listening, _sweeping():
        server = _Server(_config(site), on_ready, child=child, changed=site.changed.is_set)
        server.run(sockets=[listening])


def _config(site: Site) -> uvicorn.config.Config:
    settings = site.settings
    try:
        return uvicorn.config.Config(
            application(site),
            http=_protocol(site),
            lifespan="off",
            ws="none",
            log_config=None,
            log_level="error",
            access_log=False,  # addresses hold links, which stand in no log
            server_header=False,
            date_header=True,
            proxy_headers=bool(settings.web_proxy),
            forwarded_allow_ips=sorted(settings.web_proxy),
            ssl_certfile=str(settings.web_tls_cert) if settings.web_tls_cert else None,
            ssl_keyfile=str(settings.web_tls_key) if settings.web_tls_key else None,
            timeout_keep_alive=20,
            timeout_graceful_shutdown=GRACE_S,
            h11_max_incomplete_event_size=32_768,
        )
    except OSError:
        raise WrongUsage(
            "No se puede usar el certificado de la página o su clave.", code="web-tls", where=str(settings.web_tls_cert)
        ) from None


class Impatient(H11Protocol):
    """Connection that is closed when the head of a request is not whole in time: who opens one and says nothing holds
    it no longer than a body is waited for (S19)."""

    patience = SILENCE_S
    https = False
    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._late is not None:
            self._late.cancel()

    def send_400_response(self, msg: str) -> None:
        """Answer to what is no request, with the headers of every answer (S10); nothing but the end where another
        answer has begun."""
        del msg
        if self._idle:
            told = {**answer_headers(https=self.https), "Content-Type": "text/plain; charset=utf-8"}
            body = words.NOT_UNDERSTOOD.encode()
            lines = ["HTTP/1.1 400 Bad Request", *(f"{name}: {value}" for name, value in told.items())]
            lines += [f"Content-Length: {len(body)}", "Connection: close", "", ""]
            self.transport.write("\r\n".join(lines).encode("ascii") + body)
        self.transport.close()

    @property
    def _idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete  # type: ignore[redundant-expr]  # None before the first

    def _wait(self) -> None:
        if self._late is not None and not self._idle:
            self._late.cancel()
            self._late = None
        elif self._late is None and self._idle:
            self._late = self.loop.call_later(self.patience, self._give_up)

    def _give_up(self) -> None:
        self._late = None
        if self._idle:
            self.transport.close()


def _protocol(site: Site) -> type[Impatient]:
    """The protocol of a connection to ``site``."""
    return type("Connection", (Impatient,), {"https": site.https})


class _Server(uvicorn.server.Server):
    """uvicorn with our own stop conditions, and no re-raised signals."""

    def __init__(
        self, config: uvicorn.config.Config, on_ready: Callable[[], None], *, child: bool, changed: Callable[[], bool]
    ) -> None:
        super().__init__(config)
        self._on_ready, self._child, self._changed = on_ready, child, changed

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._child:
            when_input_closes(self.stop)
        self._on_ready()

    async def on_tick(self, counter: int) -> bool:
        return await super().on_tick(counter) or self._changed()

    def stop(self) -> None:
        """Ends soon."""
        self.should_exit = True

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """SIGTERM stops, Ctrl-C too unless a parent handles it; afterwards the handlers are restored."""

        def stop(*_: Any) -> None:
            if self.should_exit:
                self.force_exit = True
            self.stop()

        wanted: dict[signal.Signals, Any] = {
            signal.SIGTERM: stop,
            signal.SIGINT: signal.SIG_IGN if self._child else stop,
        }
        with handled(wanted):
            yield


@contextlib.contextmanager
def _listening(settings: Settings) -> Iterator[socket.socket]:
    host = "127.0.0.1" if settings.web_host == "localhost" else settings.web_host
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        if os.name == "posix":
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((host, settings.web_port))
        except (OSError, OverflowError) as problem:
            raise WrongUsage(
                f"La página no puede usar el puerto {settings.web_port} de {settings.web_host}.",
                code="web-port",
                remedy="¿Está abierta en otra ventana? Elija otro puerto con ANULAR_WEB_PORT.",
            ) from problem
        yield listening


@contextlib.contextmanager
def _sweeping() -> Iterator[None]:
    """Beside the server: what falls due by itself."""
    ended = threading.Event()

    def sweep() -> None:
        while not ended.wait(EVERY_S):
            due()

    threading.Thread(target=sweep, name="plazos", daemon=True).start()
    try:
        yield
    finally:
        ended.set()


def due() -> None:
    """Reminds of requests past their time, and removes sessions that are long over."""
    from datetime import timedelta

    from django.db import Error, connection

    from pipeline.web.access.requests import remind
    from pipeline.web.models import WebSession
    from pipeline.web.site import site

    now = site().now()
    try:
        remind(now)
        WebSession.objects.filter(expire_date__lt=now - timedelta(days=1)).delete()
    except Error as error:
        site().log("web_error", {"kind": type(error).__name__, "path": "sweep"})
    finally:
        connection.close()
