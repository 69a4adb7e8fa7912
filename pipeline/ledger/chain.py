"""Hash chain over the events (reliability.md P15): each event holds the hash of all before it."""

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
    """SHA-256 over the previous hash and the event's ``digest``: the digests alone are enough to follow the chain."""
    return link_digest(prev, digest(values))


def link_digest(prev: bytes, content: bytes) -> bytes:
    """The hash of the event whose ``digest`` is ``content``, after the event with hash ``prev``."""
    return hashlib.sha256(prev + content).digest()


def digest(values: Mapping[str, Any]) -> bytes:
    """SHA-256 over every column of the event and the raw body's own hash, without the events before it."""
    return hashlib.sha256(_content(values)).digest()


def holds(prev: bytes, values: Mapping[str, Any], kept: bytes) -> bool:
    """Whether ``kept`` is the hash of this event after ``prev``, in the present form or that of schema 0003."""
    content = _content(values)
    if kept == link_digest(prev, hashlib.sha256(content).digest()):
        return True
    return kept == hashlib.sha256(prev + content).digest()


def walkable(prev: bytes, values: Mapping[str, Any], kept: bytes) -> bool:
    """Whether ``kept`` follows from ``prev`` and the digest alone; False for an event of schema 0003 or older."""
    return kept == link(prev, values)


def _content(values: Mapping[str, Any]) -> bytes:
    body = values.get("body") or b""
    chained = [values.get(name) for name in _CHAINED]
    if values.get("more") is not None:  # an event of schema 0006 or older has no such column
        chained.append(values["more"])
    if not isinstance(body, bytes):
        return _text([*chained, _foreign(body)])
    return _text(chained) + hashlib.sha256(body).digest()


_HEAD_OF_BEFORE = ("id", "env", "sha256", "sheet", "file", "n_rows", "created_utc", "approved_by")
_ROW_OF_BEFORE = (
    *("batch", "pos", "line", "cells", "state", "cufe", "reason", "email", "payload_sha256"),
    *("leader_batch", "leader_pos", "remarks", "deadline_window"),
)
HEAD = (*_HEAD_OF_BEFORE, "headings", "issuers", "notes", "deadline_hours", "corrects")
"""All printed columns of a batch. The folder of its results concerns only this machine; ``credential`` follows where
there is one."""
ROW = (*_ROW_OF_BEFORE, "hours_left")
"""All columns of an input row."""


def head_digest(head: Mapping[str, Any], *, credential_apart: bool = False) -> str:
    """SHA-256 (hex) over the head of a batch, computed once for all its rows.

    The mark of its credential is included where there is one; with ``credential_apart`` not: a batch of schema 0009 or
    older has it in an event of its own (``ledger_events.CREDENTIAL``).
    """
    values = [head.get(name) for name in HEAD]
    if not credential_apart and head.get("credential") is not None:
        values.append(head["credential"])
    return hashlib.sha256(_text(values)).hexdigest()


def row_digest(head: str, row: Mapping[str, Any]) -> bytes:
    """SHA-256 over an input row and the ``head_digest`` of its batch. It is the body of the row's first event, so that
    the chain holds what was approved as well as what happened."""
    return hashlib.sha256(_text([head, *(row[name] for name in ROW)])).digest()


def fingerprint(head: Mapping[str, Any], row: Mapping[str, Any]) -> bytes:
    """The form of ``row_digest`` in schema 0006 and older, without headings, issuers, notes, the deadline, and the
    hours that were left. The id of a corrected batch is included where there is one."""
    values = [*(head[name] for name in _HEAD_OF_BEFORE), *(row[name] for name in _ROW_OF_BEFORE)]
    if head.get("corrects"):
        values.append(head["corrects"])
    return hashlib.sha256(_text(values)).digest()


def _text(values: list[Any]) -> bytes:
    return _ENCODER.encode(values).encode("ascii")


def _foreign(value: object) -> dict[str, str]:
    """A value of a kind that its column never holds: SQLite takes any. No digest that was written can be the same,
    because no column holds an object of JSON."""
    return {type(value).__name__: repr(value)}


_ENCODER = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), default=_foreign)
