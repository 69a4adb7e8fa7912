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
    """SHA-256 over the hash before and the ``digest`` of the event: the digests alone are enough to walk the chain."""
    return link_digest(prev, digest(values))


def link_digest(prev: bytes, content: bytes) -> bytes:
    """The hash of the event whose ``digest`` is ``content``, after the event with hash ``prev``."""
    return hashlib.sha256(prev + content).digest()


def digest(values: Mapping[str, Any]) -> bytes:
    """SHA-256 over every column of the event and the raw body's own hash: what happened, whatever came before it."""
    return hashlib.sha256(_content(values)).digest()


def holds(prev: bytes, values: Mapping[str, Any], kept: bytes) -> bool:
    """Whether ``kept`` is the hash of this event after ``prev``, in the present form or that of schema 0003."""
    return kept in (link(prev, values), hashlib.sha256(prev + _content(values)).digest())


def walkable(prev: bytes, values: Mapping[str, Any], kept: bytes) -> bool:
    """Whether ``kept`` follows from ``prev`` and the digest alone; False for an event of schema 0003 or older."""
    return kept == link(prev, values)


def _content(values: Mapping[str, Any]) -> bytes:
    body = values.get("body") or b""
    text = json.dumps([values.get(name) for name in _CHAINED], ensure_ascii=True, separators=(",", ":"))
    return text.encode("ascii") + hashlib.sha256(body).digest()


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
    chain holds what was approved as well as what happened. The batch that is corrected counts where there is one, so
    that rows of before are told by the same hash."""
    values = [*(head[name] for name in _HEAD), *(row[name] for name in _ROW)]
    if head.get("corrects"):
        values.append(head["corrects"])
    text = json.dumps(values, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).digest()
