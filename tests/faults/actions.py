"""What a test tells the fault server to do, as plain data; see ``server.py``."""

from __future__ import annotations

import json
from typing import Any

Action = dict[str, Any]
CUFE = "@CUFE@".ljust(66, "@")
"""Stands for the code of the request that is answered."""


def http(status: int, body: bytes | str, *, length: int | None = None, **headers: str) -> bytes:
    """A whole answer; ``length`` lies about the body. Header names with ``_`` for ``-``."""
    content = body.encode() if isinstance(body, str) else body
    fields = {"Content-Type": "application/json", "Content-Length": str(len(content) if length is None else length)}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} X\r\n{head}\r\n".encode("latin-1") + content


def sends(*pieces: bytes, end: str = "keep", apply: str = "never", pause: float = 0.0, **more: Any) -> Action:
    """Write ``pieces``, ``pause`` s after each, then ``end``: keep, close, reset or hang.

    ``apply``: ``now`` (before the answer), ``after`` it, ``late`` (with ``late`` s), ``never``.
    """
    return {"pieces": [[p.decode("latin-1"), 1, pause] for p in pieces], "end": end, "apply": apply, **more}


def repeats(first: bytes, piece: bytes, times: int, *, pause: float = 0.0, end: str = "close", **more: Any) -> Action:
    """``first``, then ``piece`` very often."""
    pieces = [[first.decode("latin-1"), 1, 0.0], [piece.decode("latin-1"), times, pause]]
    return {"pieces": pieces, "end": end, "apply": "never", **more}


def says(status: int = 200, *, apply: str = "never", raw: bytes | str | None = None, **fields: Any) -> Action:
    """An answer with a JSON body of ``fields``, or with ``raw``."""
    return sends(http(status, json.dumps(fields) if raw is None else raw), apply=apply)


def state(number: Any, *, apply: str = "never", status: int = 200, **more: Any) -> Action:
    """An answer to a cancellation with that eDoc state."""
    return says(status, apply=apply, estado=number, MensajeRespuesta="…", **more)


def asked(number: Any, cufe: str = CUFE) -> Action:
    """An answer to a query with that eDoc state."""
    return says(estadoEdoc=number, cufe=cufe)
