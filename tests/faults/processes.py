"""The fault server and the proxy as processes of their own, spoken to over their control ports."""

from __future__ import annotations

import base64
import json
import socket
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.faults.actions import Action

HERE = Path(__file__).parent
USER = "usuario-Ñandú+3"
PASSWORD = "cláve+secreta/77=="
BASIC = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


class Process:
    """A script of this folder; it ends when its standard input closes, so also when this process dies."""

    def __init__(self, script: str) -> None:
        command = [sys.executable, str(HERE / script)]
        self._child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._child.stdout is not None
        self._socket = socket.create_connection(("127.0.0.1", int(self._child.stdout.readline())), timeout=30)
        self._lines = self._socket.makefile("rw", encoding="utf-8")

    def do(self, what: str, **values: Any) -> Any:
        """Gives one order and waits until it is done."""
        self._lines.write(json.dumps({"do": what, **values}) + "\n")
        self._lines.flush()
        answer = self._lines.readline()
        assert answer, f"the process died of {what!r}"
        return json.loads(answer)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lines.close()
        self._socket.close()
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.close()
        self._child.wait(20)
        self._child.stdout.close()


class FaultServer(Process):
    """The misbehaving eDoc with one port per service, so that each can be cut, moved or put behind a proxy."""

    def __init__(self) -> None:
        super().__init__("server.py")
        self.journal = Path()
        self.ports: dict[str, int] = {}

    def begin(self, journal: Path, documents: list[str], *, lifetime: float = 3600.0) -> None:
        """A new test: its own journal, its own documents, nothing left of the last one."""
        self.journal = journal
        self.do("reset", journal=str(journal), documents=documents, basic=BASIC, lifetime=lifetime)
        self.ports = {}
        for name in ("auth", "cancel", "query", "other"):
            self.listen(name)

    def listen(self, name: str, **tls: Any) -> int:
        self.ports[name] = self.do("listen", name=name, **tls)
        return self.ports[name]

    def script(self, service: str, *actions: Action, cufe: str = "*") -> None:
        """``token``, ``cancel`` or ``query``: what to do with its requests, for one code or for any."""
        self.do("script", service=service, cufe=cufe, actions=list(actions))

    def accept(self, listener: str, *actions: Action) -> None:
        """What to do with each new connection before it is served."""
        self.do("accept", listener=listener, actions=list(actions))

    @property
    def tokens(self) -> list[str]:
        return list(self.do("state")["tokens"])

    @property
    def cancelled(self) -> set[str]:
        return set(self.do("state")["cancelled"])

    @property
    def most_open(self) -> dict[str, int]:
        return dict(self.do("state")["most_open"])

    def entries(self, **wanted: Any) -> list[dict[str, Any]]:
        """The journal so far, or its entries with these values."""
        lines = self.journal.read_text("utf-8").splitlines() if self.journal.exists() else []
        return [e for e in map(json.loads, lines) if all(e.get(name) == value for name, value in wanted.items())]


class Proxy(Process):
    """The misbehaving line."""

    def __init__(self) -> None:
        super().__init__("proxy.py")

    def link(self, name: str, upstream: int, **toxics: Any) -> int:
        """Opens a port that leads to ``upstream``; returns it."""
        return int(self.do("link", name=name, upstream=upstream, toxics=toxics))
