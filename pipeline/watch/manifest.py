"""Manifest of a file, ``<file>.manifest.json``: row count, content hash, and the sender's signature (F66).

``{"rows": 120, "sha256": "…", "hmac": "…"}``; ``hmac`` is the HMAC-SHA256, in hex, of ``<sha256>:<rows>`` under a key
that the sender and this machine share. Control totals that do not agree hold a batch, as in payment systems.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.domain.errors import WrongUsage

MANIFEST = ".manifest.json"
SHORTEST_KEY = 16
"""Bytes; a shorter key can be guessed."""


@dataclass(frozen=True, slots=True)
class Declared:
    """Content of a manifest."""

    rows: int
    sha256: str
    hmac: str


def declared(raw: bytes) -> Declared | None:
    """Parses ``raw``; None when it is not a manifest."""
    try:
        values: Any = json.loads(raw, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return None
    if not isinstance(values, dict):
        return None
    rows, sha256, mac = values.get("rows"), values.get("sha256"), values.get("hmac", "")
    if type(rows) is not int or not isinstance(sha256, str) or not isinstance(mac, str):
        return None
    return Declared(rows, sha256.lower(), mac.lower())


def objections(
    raw: bytes | None, *, sha256: str, rows: int, key: bytes | None, required: bool
) -> list[tuple[str, str]]:
    """Codes and texts of the reasons not to send a file with this manifest unattended; empty when there are none.

    ``raw`` is None when there is no manifest; ``key`` None when none is configured.
    """
    if raw is None:
        missing = ("manifiesto-falta", "falta su manifiesto, que es forzoso")
        return [missing] if required or key is not None else []
    told = declared(raw)
    if told is None:
        return [("manifiesto-ilegible", "su manifiesto no se entiende")]
    found = []
    if told.sha256 != sha256:
        found.append(
            (
                "manifiesto-sha256",
                "su manifiesto es de otro contenido (el código de verificación del archivo, SHA-256, no coincide)",
            )
        )
    if told.rows != rows:
        found.append(("manifiesto-filas", f"su manifiesto dice {told.rows} filas y el archivo tiene {rows}"))
    if key is not None and not hmac.compare_digest(told.hmac.encode(), seal(key, told.sha256, told.rows).encode()):
        found.append(("manifiesto-hmac", "la firma (HMAC) de su manifiesto falta o no es válida"))
    return found


def seal(key: bytes, sha256: str, rows: int) -> str:
    """The HMAC of a manifest, in hex."""
    return hmac.new(key, f"{sha256}:{rows}".encode(), hashlib.sha256).hexdigest()


def read_key(path: Path | None) -> bytes | None:
    """The key in ``path``, without the line end; None for no path. Raises ``WrongUsage``, never with the key."""
    if path is None:
        return None
    try:
        key = path.read_bytes().rstrip(b"\r\n")
    except OSError:
        raise WrongUsage("No se puede leer el archivo con la clave.", code="hmac-key", where=str(path)) from None
    if len(key) < SHORTEST_KEY:
        raise WrongUsage(
            f"La clave del HMAC tiene menos de {SHORTEST_KEY} bytes.", code="hmac-key", where=str(path)
        ) from None
    return key


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("a name twice")
    return values
