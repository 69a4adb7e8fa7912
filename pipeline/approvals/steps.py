"""Rows of the office database that a step of a proposal writes: its event, and the file that was handed in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert
from sqlalchemy.engine import Connection

from pipeline.office import tables


def write_step(
    connection: Connection,
    number: int,
    version: int,
    at: str,
    who: str,
    address: str,
    event: str,
    before: str,
    after: str,
    why: str,
    data: Mapping[str, Any],
) -> None:
    """Writes the event of one step; ``version`` is the proposal's after it."""
    values = {
        "proposal": number,
        "version": version,
        "at": at,
        "who": who,
        "address": address,
        "event": event,
        "before": before,
        "after": after,
        "why": why,
        "data": json.dumps(dict(data), sort_keys=True),
    }
    connection.execute(insert(tables.proposal_event).values(values))


def keep_file(connection: Connection, number: int, name: str, data: bytes) -> None:
    """Writes the file of a proposal, in pieces."""
    head = {"proposal": number, "name": name, "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
    key = connection.execute(insert(tables.upload).values(head)).inserted_primary_key
    assert key is not None
    for n, start in enumerate(range(0, len(data), tables.CHUNK)):
        piece = {"upload": int(key[0]), "n": n, "data": data[start : start + tables.CHUNK]}
        connection.execute(insert(tables.upload_chunk).values(piece))
