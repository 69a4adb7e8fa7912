"""Reserve journal: outcomes that arrived while the ledger could not commit them (reliability.md 2.4, P17).

One line per outcome, with its own checksum, in a private file next to the ledger. The next start reads it under
the lock: a row that is still undecided gets its outcome, everything else stays as evidence. It cannot contain a secret:
the client has removed the token from the body.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline.domain.lifecycle import Event
from pipeline.domain.records import Finding, Source
from pipeline.ledger import codec
from pipeline.ledger.storage.files import free_name
from pipeline.runtime.atomic_file import sync_file, sync_folder
from pipeline.runtime.failpoints import crashpoint
from pipeline.runtime.patience import rename

_PLAIN = ("http", "estado", "dgi", "message", "authorised_at", "note")


@dataclass(frozen=True, slots=True)
class Kept:
    """An outcome that is not in the ledger."""

    attempt: int
    version: int
    #: hash of what was sent: proof that it is this row
    payload: str
    at: datetime
    finding: Finding


def reserve_path(ledger: Path) -> Path:
    return ledger.with_name(f"{ledger.name}.reserve.jsonl")


def keep(path: Path, outcomes: Sequence[Kept]) -> None:
    """Appends ``outcomes``; they are durable on return. Raises ``OSError``: then the rows stay "sending"."""
    text = "".join(f"\n{_line(one)}\n" for one in outcomes)  # a line break first: the last line may be incomplete
    extra = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)  # else Windows makes two bytes of a line feed
    handle = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY | extra, 0o600)
    try:
        rest = text.encode("ascii")
        while rest:
            rest = rest[os.write(handle, rest) :]
        crashpoint("reserve-before-sync")
        sync_file(handle)
    finally:
        os.close(handle)
    crashpoint("reserve-kept")
    sync_folder(path.parent)


def read(path: Path) -> tuple[list[Kept], int]:
    """The outcomes in order, and the number of lines that are incomplete or changed and so prove nothing."""
    if not path.is_file():
        return [], 0
    kept: list[Kept] = []
    bad = 0
    for line in path.read_bytes().split(b"\n"):
        if line:
            one = _parse(line)
            bad += one is None
            kept += [one] if one is not None else []
    return kept, bad


def put_away(path: Path, run: int) -> None:
    """Renames a processed journal, as evidence, with the number of the run that read it."""
    target = path.with_name(f"{path.name.removesuffix('.jsonl')}-{run:06d}.jsonl")
    if target.exists():  # from a lost ledger, whose runs had the same numbers
        target = free_name(target)
    rename(path, target)
    crashpoint("reserve-put-away")
    sync_folder(path.parent)


def _line(one: Kept) -> str:
    found = one.finding
    values = {
        "attempt": one.attempt,
        "version": one.version,
        "payload": one.payload,
        "at": codec.to_text(one.at),
        "source": found.source.value,
        "event": found.event.value,
        **{name: getattr(found, name) for name in _PLAIN},
        "body": base64.b64encode(found.body).decode("ascii"),
    }
    return json.dumps({"sum": _sum(values), "outcome": values}, ensure_ascii=True, separators=(",", ":"))


def _parse(line: bytes) -> Kept | None:
    try:
        whole = json.loads(line)
        values = whole["outcome"]
        if whole["sum"] != _sum(values):
            return None
        finding = Finding(
            Source(values["source"]),
            Event(values["event"]),
            **{name: values[name] for name in _PLAIN},
            body=base64.b64decode(values["body"], validate=True),
        )
        at = codec.to_time(values["at"])
        return Kept(values["attempt"], values["version"], values["payload"], at, finding)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _sum(values: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True, ensure_ascii=True).encode("ascii")).hexdigest()
