"""Integrity cache: when a large ledger was last found sound, valid while it is unchanged (docs/decisions/0041).

SQLite reads the whole file to check its structure: 17 seconds for a million rows, at every start. So the clean end of
a command records the state of the file, outside of the ledger; while the file is exactly that one, the check is
skipped for up to a week. A killed run, a restored copy or a changed byte leave a file that differs from the record, or
a log beside it that is not written into it yet. A record that is missing or unreadable proves nothing; failing to write
one is no error: then the file is simply checked.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from pipeline.ledger import codec
from pipeline.ledger.storage.wal import log_of
from pipeline.runtime.atomic_file import replace_file

LARGE = 64 << 20
"""Bytes. A smaller ledger is checked every time: that takes less than a second."""
LASTING = timedelta(days=7)


def sound_since(folder: Path, ledger: Path, now: datetime) -> datetime | None:
    """When the file at ``ledger``, unchanged, was found sound; None when it has to be checked now."""
    try:
        values = json.loads(_note(folder, ledger).read_bytes()[:10_000])
        checked = codec.to_time(values["checked"])
        same = values["file"] == _state(ledger)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return checked if same and timedelta(0) <= now - checked < LASTING else None


def keep(folder: Path, ledger: Path, checked: datetime) -> None:
    """Records that the file as it is now was found sound at ``checked`` and only written by its owner since."""
    with suppress(OSError):
        state = _state(ledger)
        if state[2] < LARGE:
            return
        folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        told = {"checked": codec.to_text(checked), "file": state}
        replace_file(_note(folder, ledger), json.dumps(told).encode("ascii"))


def _state(ledger: Path) -> list[int]:
    """Identity of the file, its length, and when it and its entry were changed; a copy differs in the last. Raises
    ``OSError`` when the file alone is not the whole ledger."""
    if log_of(ledger).exists():
        raise FileExistsError(log_of(ledger))
    found = ledger.stat()
    return [found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns]


def _note(folder: Path, ledger: Path) -> Path:
    return folder / f"entero-{hashlib.sha256(os.fsencode(ledger.resolve())).hexdigest()[:32]}.json"
