"""How far a ledger had come when it was last used, kept outside of it (reliability.md 2.4, D3).

A ledger that was deleted, exchanged, or restored from an old backup cannot tell that by itself: it is whole, and it has
forgotten what was sent. So every writing command notes in the user's state folder, from its start on and while rows are
sent, which ledger lies in that place, its newest run and event and the hash of it, and on which server; the next one
compares. Two notes are kept, one for the place and one for the ledger: the same ledger restored or copied to another
place of this machine is found as well.

A note is **never lowered**: what a failing run finds at its end may be a ledger that was exchanged under it. Only a
person's word (``ledger_events.Word``) that this note does not know yet makes it begin again from what is there. A note
that is missing or cannot be read proves nothing; one that cannot be written never fails a run.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy import func, select

from pipeline.domain.errors import AnularError
from pipeline.ledger import tables
from pipeline.ledger.ledger_events import newest_word
from pipeline.ledger.storage.database import Database
from pipeline.runtime.atomic_file import replace_file

RENEWED_S = 1.0
"""How often, at most, the notes are renewed while rows are sent."""


@dataclass(frozen=True, slots=True)
class Mark:
    """The ledger's id (hex), its highest event (0: none yet) and the hash of that event (hex), its newest run, the
    server and database that hold it ("" for a file), and the hash (hex) of the newest word that a person gave."""

    ledger: str
    seq: int
    head: str
    run: int = 0
    site: str = ""
    word: str = ""


def take(database: Database) -> Mark:
    """Where the ledger stands now. Raises ``StorageTrouble``."""
    event = tables.event
    (ledger,) = database.read(select(tables.ledger.c.id))
    last = database.read(select(event.c.seq, event.c.hash).order_by(event.c.seq.desc()).limit(1))
    run = database.read(select(func.max(tables.run.c.id)))[0][0] or 0
    word = newest_word(database)
    seq, head = (last[0].seq, last[0].hash.hex()) if last else (0, "")
    return Mark(ledger.id, seq, head, run, database.site, word.hash.hex() if word is not None else "")


def keep(folder: Path, database: Database, *, sync: bool = True, placed: bool = False) -> None:
    """Notes where the ledger stands; without ``sync`` a power cut may forget it; ``placed``: a person put it in this
    place, whatever was there before. Trouble is swallowed: the note is a
    help and not the memory itself. After trouble with the storage nothing is noted: what is there may be anything."""
    if database.troubled:
        return
    with suppress(OSError, AnularError):
        mark = take(database)
        folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        for path in (_of_place(folder, database.key), _of_ledger(folder, mark.ledger)):
            before = _read(path)
            elsewhere = placed and before is not None and before.ledger != mark.ledger
            if not elsewhere and not _may_follow(before, mark):
                continue
            replace_file(path, json.dumps(asdict(mark)).encode("ascii"), sync=sync)


def _may_follow(before: Mark | None, mark: Mark) -> bool:
    """Whether a note may say ``mark`` after ``before``: it is not lowered, unless by a word that it does not know."""
    if before is None or _is_news(before, mark.word):
        return True
    return before.ledger == mark.ledger and mark.seq >= before.seq and mark.run >= before.run


def _is_news(note: Mark, word: str) -> bool:
    """Whether a person gave this ``word`` (hex; "": nobody did) after the note was written."""
    return bool(word) and word != note.word


class Keeping:
    """Renews the notes while rows are sent, at most every ``RENEWED_S`` seconds of ``monotonic``."""

    def __init__(self, folder: Path, database: Database, monotonic: Callable[[], float]) -> None:
        self._folder, self._database, self._monotonic = folder, database, monotonic
        self._last = monotonic()

    def renew(self) -> None:
        """Notes where the ledger stands now."""
        keep(self._folder, self._database)

    def claimed(self) -> None:
        """Rows were claimed: the notes are renewed, unless they were a moment ago."""
        now = self._monotonic()
        if now - self._last >= RENEWED_S:
            self._last = now
            keep(self._folder, self._database, sync=False)


def missed(folder: Path, place: bytes) -> bool:
    """Whether a ledger was used in this place (its ``key``) before. Asked when there is none now."""
    return _read(_of_place(folder, place)) is not None


def knows(folder: Path, ledger: str) -> bool:
    """Whether the ledger with this id was used on this machine before, wherever it lay."""
    return _read(_of_ledger(folder, ledger)) is not None


def doubts(folder: Path, database: Database) -> list[str]:
    """What the notes say against this ledger, in Spanish; nothing when it is the one they know, or newer.

    A person's word that a note does not know answers for all that it says, on the server on which it was given.
    """
    mark, word = take(database), newest_word(database)
    found = []
    place, same = _read(_of_place(folder, database.key)), _read(_of_ledger(folder, mark.ledger))
    if word is not None and word.site == mark.site:
        place, same = (None if one is not None and _is_news(one, mark.word) else one for one in (place, same))
    if place is not None and place.ledger != mark.ledger:
        found.append("en este lugar se usaba otro registro")
    if same is not None and same.site and mark.site and same.site != mark.site:
        found.append("está en otro servidor o en otra base de datos (una réplica ascendida, o un respaldo restaurado)")
    if same is not None and mark.seq < same.seq:
        found.append(f"es una copia anterior: termina en el suceso {mark.seq} y ya había llegado al {same.seq}")
    elif same is not None and same.seq and _hash_at(database, same.seq) != same.head:
        found.append(f"no es el mismo desde el suceso {same.seq} o antes: hay dos copias que siguieron por separado")
    elif same is not None and mark.run < same.run:
        found.append(f"es una copia anterior: no conoce la ejecución {same.run} de este equipo")
    return found


def used_there(folder: Path, place: bytes) -> str:
    """The id of the ledger that this machine used in that place; "" for none."""
    note = _read(_of_place(folder, place))
    return note.ledger if note is not None else ""


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
        more = {name: str(values.get(name, "")) for name in ("site", "word")}
        run = int(values.get("run", 0))
        return Mark(str(values["ledger"]), int(values["seq"]), str(values["head"]), run, **more)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
