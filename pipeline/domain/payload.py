"""Payload identity: same CUFE and payload is a duplicate, another payload a conflict (reliability.md 2.2)."""

from __future__ import annotations

import hashlib
import json


def payload_sha256(cufe: str, reason: str | None, email: str | None) -> str:
    """Hex SHA-256 over the canonical texts of one cancellation."""
    text = json.dumps([cufe, reason or "", email or ""], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
