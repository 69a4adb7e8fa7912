"""The hash chain over the events (reliability.md P15): each event holds the hash of all before it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

GENESIS = b"\0" * 32
_CHAINED = (
    "seq",
    "batch",
    "pos",
    "attempt",
    "from_",
    "to_",
    "event",
    "utc",
    "run",
    "who",
    "http",
    "estado",
    "dgi",
    "message",
    "note",
)


def link(prev: bytes, values: Mapping[str, Any]) -> bytes:
    """SHA-256 over the hash before, every column of the event, and the raw body's own hash."""
    body = values.get("body") or b""
    text = json.dumps([values.get(name) for name in _CHAINED], ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(prev + text.encode("ascii") + hashlib.sha256(body).digest()).digest()


_HEAD = ("id", "env", "sha256", "sheet", "file", "n_rows", "created_utc", "approved_by")
_ROW = (
    "batch",
    "pos",
    "line",
    "cells",
    "state",
    "cufe",
    "reason",
    "email",
    "payload_sha256",
    "leader_batch",
    "leader_pos",
    "remarks",
    "deadline_window",
)


def fingerprint(head: Mapping[str, Any], row: Mapping[str, Any]) -> bytes:
    """SHA-256 over an input row and the head of its batch. Kept as the body of the row's first event, so that the
    chain holds what was approved as well as what happened."""
    values = [*(head[name] for name in _HEAD), *(row[name] for name in _ROW)]
    text = json.dumps(values, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).digest()
