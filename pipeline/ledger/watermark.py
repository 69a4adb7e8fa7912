"""Watermark: how far a ledger had come when it was last used, recorded outside of it (reliability.md 2.4, D3).

A ledger that was deleted, replaced, or restored from an old backup cannot show that by itself: it is complete, and it
has forgotten what was sent. So every writing command records in the user's state folder, at its start and while rows
are sent, which ledger is in that place, its newest run and event with its hash, and on which server; the next command
compares. There are two records, one for the place and one for the ledger: so the same ledger restored or copied to
another place of this machine is found as well.

A record is **never lowered**: what a failing run finds at its end may be a ledger that was replaced during the run.
Only a person's word (``ledger_events.Word``) that the record does not know yet makes it start again from what is there.
A record that is missing or unreadable proves nothing; failing to write one never fails a run.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy import func, select

from pipeline.domain.errors import AnularError
from pipeline.ledger import tables
from pipeline.ledger.ledger_events import id_of, newest_word
from pipeline.ledger.storage.database import Database
from pipeline.runtime.atomic_file import replace_file
from pipeline.runtime.windows import this_windows

_KEEPING = threading.Lock()
"""Of several companies side by side, one looks at the records and replaces them: else one could lower another's."""
RENEWED_S = 1.0
"""Least seconds between two updates while rows are sent."""


@dataclass(frozen=True, slots=True)
class Mark:
    """State of a ledger in a record."""

    #: its id (hex)
    ledger: str
    #: its newest event; 0 for none
    seq: int
    #: hash of that event (hex)
    head: str
    #: its newest run
    run: int = 0
    #: the server and database that hold it; "" for a file
    site: str = ""
    #: hash (hex) of the newest word that a person gave
    word: str = ""


def take(database: Database) -> Mark:
    """The current state of the ledger. Raises ``StorageTrouble``."""
    event = tables.event
    (ledger,) = database.read(select(tables.ledger.c.id))
    last = database.read(select(event.c.seq, event.c.hash).order_by(event.c.seq.desc()).limit(1))
    run = database.read(select(func.max(tables.run.c.id)))[0][0] or 0
    word = newest_word(database)
    seq, head = (last[0].seq, last[0].hash.hex()) if last else (0, "")
    return Mark(ledger.id, seq, head, run, database.server, word.hash.hex() if word is not None else "")


def keep(folder: Path, database: Database, *, sync: bool = True, placed: bool = False) -> None:
    """Records the state of the ledger. Without ``sync`` a power cut may lose it; ``placed``: a person put the ledger in
    this place, whatever was there before. Errors are ignored: the record is a help and not the ledger itself. After an
    error of the storage nothing is recorded: the data may be wrong."""
    if database.troubled:
        return
    with suppress(OSError, AnularError), _KEEPING:
        mark = take(database)
        folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        for path in (_of_place(folder, database.key), _of_ledger(folder, mark.ledger)):
            before = _read(path)
            elsewhere = placed and before is not None and before.ledger != mark.ledger
            if not elsewhere and not _may_follow(before, mark):
                continue
            text = json.dumps(asdict(mark))
            if (windows := this_windows()) is not None:
                windows.remember(path.name, text)
            replace_file(path, text.encode("ascii"), sync=sync)


def _may_follow(before: Mark | None, mark: Mark) -> bool:
    """Whether ``mark`` may replace ``before``: a record is not lowered, except for a word that it does not know."""
    if before is None or _is_news(before, mark.word):
        return True
    return before.ledger == mark.ledger and mark.seq >= before.seq and mark.run >= before.run


def _is_news(note: Mark, word: str) -> bool:
    """Whether a person gave this ``word`` (hex; "" for none) after the record was written."""
    return bool(word) and word != note.word


class Keeping:
    """Updates the records while rows are sent, at most every ``RENEWED_S`` seconds of ``monotonic``."""

    def __init__(self, folder: Path, database: Database, monotonic: Callable[[], float]) -> None:
        self._folder, self._database, self._monotonic = folder, database, monotonic
        self._last = monotonic()

    def renew(self) -> None:
        """Records the current state of the ledger."""
        keep(self._folder, self._database)

    def claimed(self) -> None:
        """Rows were claimed: updates the records, unless they were updated a moment ago."""
        now = self._monotonic()
        if now - self._last >= RENEWED_S:
            self._last = now
            keep(self._folder, self._database, sync=False)


def missed(folder: Path, place: bytes) -> bool:
    """Whether a ledger was used in this place (its ``key``) before. For a place without a ledger now."""
    return _read(_of_place(folder, place)) is not None


def knows(folder: Path, ledger: str) -> bool:
    """Whether the ledger with this id was used on this machine before, in any place."""
    return _read(_of_ledger(folder, ledger)) is not None


def doubts(folder: Path, database: Database) -> list[str]:
    """The records' reasons against this ledger, in Spanish; none when it is the one they know, or newer.

    A person's word that a record does not know overrides it, on the server on which it was given.
    """
    # The records first: of a ledger on a server, another company's run may go on meanwhile, and its record with it.
    place, same = _read(_of_place(folder, database.key)), _read(_of_ledger(folder, id_of(database)))
    mark, word = take(database), newest_word(database)
    found = []
    if word is not None and word.server == mark.site:
        place, same = (None if one is not None and _is_news(one, mark.word) else one for one in (place, same))
    if place is not None and place.ledger != mark.ledger:
        found.append("en este lugar se usaba otro historial de envíos")
    if same is not None and same.site and mark.site and same.site != mark.site:
        found.append("está en otro servidor o en otra base de datos (una réplica ascendida, o un respaldo restaurado)")
    if same is not None and mark.seq < same.seq:
        found.append(f"es una copia anterior: termina en el evento {mark.seq} y ya había llegado al {same.seq}")
    elif same is not None and same.seq and _hash_at(database, same.seq) != same.head:
        found.append(f"no es el mismo desde el evento {same.seq} o antes: hay dos copias que siguieron por separado")
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
    """The record: of the file and that of the registry of Windows, where no folder takes it along, the one that knows
    more."""
    try:
        found = _parse(path.read_bytes()[:10_000])
    except OSError:
        found = None
    windows = this_windows()
    kept = _parse(windows.recall(path.name).encode()) if windows is not None else None
    if found is None or kept is None:
        return found or kept
    newer = kept.ledger == found.ledger and (kept.seq, kept.run) > (found.seq, found.run)
    return kept if newer else found


def _parse(text: bytes) -> Mark | None:
    try:
        values = json.loads(text)
        more = {name: str(values.get(name, "")) for name in ("site", "word")}
        run = int(values.get("run", 0))
        return Mark(str(values["ledger"]), int(values["seq"]), str(values["head"]), run, **more)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
