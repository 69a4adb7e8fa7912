"""How far a ledger had come when it was last used, kept outside of it (reliability.md 2.4, D3).

A ledger that was deleted, exchanged, or restored from an old backup cannot tell that by itself: it is whole, and it has
forgotten what was sent. So the end of every writing command notes, in the user's state folder, which ledger lies in
that place, its highest event and the hash of it; the next opening compares. Two notes are kept, one for the place and
one for the ledger: the same ledger restored or copied to another place of this machine is found as well.

A note that is missing or cannot be read proves nothing; one that cannot be written never fails a run.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from pipeline.domain.errors import AnularError
from pipeline.ledger import tables
from pipeline.ledger.database import Database


@dataclass(frozen=True, slots=True)
class Mark:
    """The ledger's id (hex), its highest event (0: none yet) and the hash of that event (hex)."""

    ledger: str
    seq: int
    head: str


def take(database: Database) -> Mark:
    """Where the ledger stands now. Raises ``StorageTrouble``."""
    event = tables.event
    (ledger,) = database.read(select(tables.ledger.c.id))
    last = database.read(select(event.c.seq, event.c.hash).order_by(event.c.seq.desc()).limit(1))
    return Mark(ledger.id, last[0].seq, last[0].hash.hex()) if last else Mark(ledger.id, 0, "")


def keep(folder: Path, database: Database) -> None:
    """Notes where the ledger stands. Trouble is swallowed: the note is a help and not the memory itself."""
    with suppress(OSError, AnularError):
        mark = take(database)
        text = json.dumps({"ledger": mark.ledger, "seq": mark.seq, "head": mark.head})
        folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        for path in (_of_place(folder, database.key), _of_ledger(folder, mark.ledger)):
            fresh = path.with_name(f"{path.name}.{os.getpid()}.tmp")
            handle = os.open(fresh, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0), 0o600)
            try:
                os.write(handle, text.encode("ascii"))
                os.fsync(handle)
            finally:
                os.close(handle)
            fresh.replace(path)


def missed(folder: Path, place: bytes) -> bool:
    """Whether a ledger was used in this place (its ``key``) before. Asked when there is none now."""
    return _read(_of_place(folder, place)) is not None


def knows(folder: Path, ledger: str) -> bool:
    """Whether the ledger with this id was used on this machine before, wherever it lay."""
    return _read(_of_ledger(folder, ledger)) is not None


def doubts(folder: Path, database: Database) -> list[str]:
    """What the notes say against this ledger, in Spanish; nothing when it is the one they know, or newer."""
    mark = take(database)
    found = []
    place, same = _read(_of_place(folder, database.key)), _read(_of_ledger(folder, mark.ledger))
    if place is not None and place.ledger != mark.ledger:
        found.append("en este lugar se usaba otro registro")
    if same is not None and mark.seq < same.seq:
        found.append(f"es una copia anterior: termina en el suceso {mark.seq} y ya había llegado al {same.seq}")
    elif same is not None and same.seq and _hash_at(database, same.seq) != same.head:
        found.append(f"no es el mismo desde el suceso {same.seq} o antes: hay dos copias que siguieron por separado")
    return found


def _hash_at(database: Database, seq: int) -> str:
    found = database.read(select(tables.event.c.hash).where(tables.event.c.seq == seq))
    return found[0].hash.hex() if found else ""


def _of_place(folder: Path, place: bytes) -> Path:
    return folder / f"lugar-{hashlib.sha256(place).hexdigest()[:32]}.json"


def _of_ledger(folder: Path, ledger: str) -> Path:
    return folder / f"registro-{hashlib.sha256(ledger.encode()).hexdigest()[:32]}.json"


def _read(path: Path) -> Mark | None:
    try:
        values = json.loads(path.read_bytes()[:10_000])
        return Mark(str(values["ledger"]), int(values["seq"]), str(values["head"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
