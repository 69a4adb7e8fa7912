"""Sandbox server on a loopback port.

It ends on SIGTERM, on Ctrl-C, and, as the child of a run, when its standard input closes: the parent has ended.
As a child it leaves Ctrl-C to the parent, whose requests in flight still need their answers.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
import signal
import socket
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import uvicorn.config
import uvicorn.server

from pipeline.domain.errors import AnotherRun, StorageTrouble, WrongUsage
from pipeline.runtime.clock import Clock
from pipeline.runtime.shutdown import handled, when_input_closes
from pipeline.sandbox.app import BASE_PATH, make_app
from pipeline.sandbox.delivery import OpenConnection
from pipeline.sandbox.request_log import RequestLog
from pipeline.sandbox.service import Sandbox

GRACE = 1.0
"""Seconds that delayed answers get when the server ends."""
KEEP_ALIVE = 75
"""Seconds an idle connection stays open: longer than any poll interval, so that none is cut between two queries."""
LOCK_WAIT = 10.0
"""Seconds to wait for the journal of a sandbox that is just ending."""


def serve(
    clock: Clock,
    *,
    on_ready: Callable[[str], None],
    host: str = "127.0.0.1",
    port: int = 0,
    journal: Path | None = None,
    user: str = "sandbox",
    password: str = "sandbox",  # noqa: S107 - the sandbox's public credentials
    token_lifetime: timedelta = timedelta(hours=1),
    latency: timedelta = timedelta(0),
    base_path: str = BASE_PATH,
    stop_when_stdin_closes: bool = False,
) -> None:
    """Serves until stopped; ``on_ready`` gets the base URL once requests are answered. Call from the main thread.

    ``port`` 0 takes a free one. ``journal`` is replayed and continued; None keeps it in memory. Raises
    ``WrongUsage`` (not a loopback address, port taken), ``StorageTrouble`` (journal), ``AnotherRun`` (journal in use).
    """
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(_listening(host, port))
        sandbox = Sandbox(
            clock,
            stack.enter_context(_request_log(journal)),
            user=user,
            password=password,
            token_lifetime=token_lifetime,
            latency=latency,
        )
        app = make_app(sandbox, base_path)
        config = uvicorn.config.Config(
            app,
            http=OpenConnection,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,  # the sandbox answers with its own time
            timeout_keep_alive=KEEP_ALIVE,
        )
        url = _url(listening, base_path)
        server = _Server(config, lambda: on_ready(url), child=stop_when_stdin_closes)
        server.run(sockets=[listening])


class _Server(uvicorn.server.Server):
    """uvicorn with our own stop conditions, and no re-raised signals."""

    def __init__(self, config: uvicorn.config.Config, on_ready: Callable[[], None], *, child: bool) -> None:
        super().__init__(config)
        self._on_ready = on_ready
        self._child = child

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._child:
            when_input_closes(self.stop)
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        asyncio.get_running_loop().call_later(GRACE, self._cut_off)
        await super().shutdown(sockets)

    def stop(self) -> None:
        """Ends soon."""
        self.should_exit = True

    def _cut_off(self) -> None:
        """Drops the answers that are still held back."""
        self.force_exit = True
        for connection in list(self.server_state.connections):
            if connection.transport is not None:
                connection.transport.abort()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """SIGTERM stops, Ctrl-C too unless a parent handles it; afterwards the handlers are restored."""
        wanted: dict[signal.Signals, Callable[..., object] | signal.Handlers] = {
            signal.SIGTERM: lambda *_: self.stop(),
            signal.SIGINT: signal.SIG_IGN if self._child else lambda *_: self.stop(),
        }
        with handled(wanted):
            yield


@contextlib.contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        raise WrongUsage(f"La dirección «{host}» no es válida para el simulador.", code="sandbox-host") from None
    if not address.is_loopback:
        raise WrongUsage(
            f"El simulador solo atiende en este equipo; «{host}» no es una dirección local.",
            code="sandbox-host",
            remedy="Use 127.0.0.1.",
        )
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    # The protocol is named because asyncio turns Nagle's delay (40 ms per answer) off only then.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        if os.name == "posix":
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((str(address), port))
        except (OSError, OverflowError) as problem:
            raise WrongUsage(
                f"El simulador no puede usar el puerto {port}.",
                code="sandbox-port",
                remedy="Elija otro, o 0 para uno libre.",
            ) from problem
        yield listening


@contextlib.contextmanager
def _request_log(path: Path | None) -> Iterator[RequestLog]:
    if path is None:
        yield RequestLog(None)
        return
    import filelock  # only for a journal in a file: saves a third of the start-up otherwise

    lock = filelock.FileLock(f"{path}.lock", timeout=LOCK_WAIT)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
        request_log = RequestLog(path)
    except filelock.Timeout as problem:
        raise AnotherRun(f"Otro simulador está usando la bitácora {path.name}.") from problem
    except (OSError, ValueError) as problem:
        raise StorageTrouble(f"La bitácora del simulador ({path.name}) no se puede usar: {problem}.") from problem
    try:
        yield request_log
    finally:
        request_log.close()
        lock.release()


def _url(listening: socket.socket, base_path: str) -> str:
    host, port = listening.getsockname()[:2]
    host = f"[{host}]" if ":" in host else host
    path = f"/{base_path.strip('/')}/".replace("//", "/")
    return f"http://{host}:{port}{path}"
