"""Claim: takes a file and puts it away, so that a kill at any point leaves nothing half-done (reliability.md 2.6).

A claim is its own folder in ``processing/``: ``.entrada.json`` (the file's original name), ``.manifiesto.json`` (a
copy), then the file itself by one rename, then ``.copia/``, the bytes that were read: whatever is still written to the
file, these are hashed, sent and continued (F61). ``.lote.json`` names the batch that workers of the queue process
(``watch --queue``), ``.registro.json`` its ledger and batch. Nothing in it is overwritten, so names cannot collide.
At the end ``.destino.json`` records the destination, the note is put there, and last the file; the next pass finishes
what was started.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePath

from pipeline.domain.errors import InputRefused
from pipeline.domain.problems import refused
from pipeline.read.limits import Limits
from pipeline.read.source import Source
from pipeline.read.source import take as take_bytes
from pipeline.report.names import plain
from pipeline.report.temporary import new_aside
from pipeline.runtime.atomic_file import sync_file, sync_folder
from pipeline.runtime.failpoints import crashpoint
from pipeline.runtime.patience import Patience, is_held, rename, unlink
from pipeline.runtime.patience import replace as swap
from pipeline.watch.arrival import MARKER, Arrival, Mark, beside, is_there
from pipeline.watch.manifest import MANIFEST
from pipeline.watch.places import CLAIM, Lane, folder_errors

ENTRY, COPY, GOAL, OURS, BATCH = ".entrada.json", ".manifiesto.json", ".destino.json", ".copia", ".lote.json"
OWNER = ".registro.json"
MANIFEST_LIMITS = Limits(size=64 * 1024)
LONGEST = 120
"""Bytes of a name in UTF-8, so that suffixes still fit."""
_BATCH = re.compile(r"[0-9]{8}-[0-9a-f]{8}")
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com[0-9]|lpt[0-9])")


@dataclass(frozen=True, slots=True)
class Claim:
    """A file that was taken."""

    lane: Lane
    #: also the folder's name
    id: str
    #: the name it had
    original: str
    #: None when it is gone
    file: Path | None

    @property
    def folder(self) -> Path:
        return self.lane.work / self.id

    @property
    def manifest(self) -> bytes | None:
        """Its manifest as it came; b"" for one that cannot be read."""
        path = self.folder / COPY
        return path.read_bytes() if path.exists() else None

    @property
    def batch(self) -> str:
        """The batch that it waits for in the queue; "" for none or an invalid id."""
        told = _value_of(self.folder / BATCH, "batch")
        return told if _BATCH.fullmatch(told) else ""

    @property
    def ledger(self) -> str:
        """The ledger that owns it; "" for none yet."""
        return _value_of(self.folder / OWNER, "ledger")

    @property
    def taken(self) -> datetime:
        """When it was taken."""
        return datetime.strptime(self.id.split("-")[0], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)


def claim(lane: Lane, arrival: Arrival, now: datetime, token: str) -> Claim | None:
    """Takes ``arrival`` out of the inbox; None when it changed since it was looked at, is gone,
    or is open in another program.

    ``token``: eight unique hex digits. Raises ``StorageTrouble``.
    """
    name = f"{now.astimezone(UTC):%Y%m%dT%H%M%S}-{token}"
    folder = lane.work / name
    with folder_errors(lane.work):
        folder.mkdir(mode=0o750)
        crashpoint("watch-claim-begun")
        write_whole(folder / ENTRY, json.dumps({"name": arrival.path.name}).encode(), name)
        manifest = beside(arrival.path, MANIFEST)
        if is_there(manifest):
            write_whole(folder / COPY, _manifest(manifest), name)
        crashpoint("watch-claim-noted")
        file = folder / safe_name(arrival.path.name)
        try:
            rename(arrival.path, file)
        except OSError as error:
            if not isinstance(error, FileNotFoundError) and not is_held(error):
                raise
            _clear(folder)
            return None
        crashpoint("watch-claimed")
        sync_folder(lane.inbox)
        sync_folder(folder)
        if _mark(file) != arrival.mark and not arrival.path.exists():
            rename(file, arrival.path)  # it is still being written
            _clear(folder)
            return None
    taken = Claim(lane, name, arrival.path.name, file)
    tidy(taken)
    return taken


def tidy(taken: Claim) -> None:
    """Removes the marker and the copied manifest from the inbox. Raises ``StorageTrouble``."""
    with folder_errors(taken.lane.inbox):
        inside = taken.lane.inbox / taken.original
        if inside.exists():  # another file with that name has arrived: they belong to it
            return
        if is_there(beside(inside, MARKER)):
            unlink(beside(inside, MARKER))
        if (manifest := taken.manifest) is not None and _manifest(beside(inside, MANIFEST)) == manifest:
            unlink(beside(inside, MANIFEST))
    crashpoint("watch-tidied")


def wait_for(taken: Claim, batch: str) -> None:
    """Records which batch the file waits for. Raises ``StorageTrouble``."""
    with folder_errors(taken.folder):
        if taken.batch != batch:
            write_whole(taken.folder / BATCH, json.dumps({"batch": batch}).encode(), taken.id)
    crashpoint("watch-waits")


def belong_to(taken: Claim, ledger: str, batch: str) -> None:
    """Records which ledger has the file, before any of it is sent. Raises ``StorageTrouble``."""
    with folder_errors(taken.folder):
        if taken.ledger != ledger:
            write_whole(taken.folder / OWNER, json.dumps({"ledger": ledger, "batch": batch}).encode(), taken.id)
    crashpoint("watch-belongs")


def begun(lane: Lane) -> list[Claim]:
    """The claims that an earlier pass left in ``processing/``, oldest first; leftover folders are removed."""
    found = []
    with folder_errors(lane.work):
        for folder in sorted(lane.work.iterdir()):
            if not CLAIM.fullmatch(folder.name) or folder.is_symlink() or not folder.is_dir():
                continue
            files = [path for path in folder.iterdir() if not path.name.startswith(".")]
            if not files:
                _clear(folder)
                continue
            taken = Claim(lane, folder.name, _value_of(folder / ENTRY, "name") or files[0].name, files[0])
            tidy(taken)
            found.append(taken)
    return found


def private_copy(taken: Claim, limits: Limits) -> Source:
    """The bytes of the file as they were when they were first read, from a private copy.

    Raises ``InputRefused`` for anything but a plain file with one name, and like ``take``; ``StorageTrouble``.
    """
    assert taken.file is not None
    kept = taken.folder / OURS / taken.file.name
    if kept.exists():
        return take_bytes(kept, _not_below(kept, limits))
    found = taken.file.lstat()
    if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:  # another name is another way to change it (F62)
        raise refused("archivo-especial", name=taken.file.name)
    source = take_bytes(taken.file, limits)
    with folder_errors(taken.folder):
        kept.parent.mkdir(mode=0o700, exist_ok=True)
        write_whole(kept, source.data, taken.id)
    crashpoint("watch-copied")
    return replace(source, path=kept)


def changed_since(taken: Claim, sha256: str, limits: Limits) -> bool:
    """Whether the file was written to after it was read."""
    assert taken.file is not None
    try:
        return take_bytes(taken.file, _not_below(taken.folder / OURS / taken.file.name, limits)).sha256 != sha256
    except InputRefused:
        return True


def _not_below(kept: Path, limits: Limits) -> Limits:
    """``limits``, but not smaller than a file that was accepted before: a smaller limit is for new files."""
    return replace(limits, size=max(limits.size, kept.stat().st_size)) if kept.exists() else limits


def put_away(taken: Claim, into: Path, mark: str, note: Callable[[Path], str]) -> tuple[Path, Path]:
    """Moves the file into ``into`` with its note; returns the new paths of the file and the note.

    ``mark`` is appended to the name (``_DUPLICADO``); ``note`` returns the text for the file's new path. A name that is
    taken gets a number. May be called again after a kill: completed steps are kept. Raises ``StorageTrouble``.
    """
    assert taken.file is not None
    with folder_errors(into):
        target = _goal(taken, into, mark)
        text = note_of(target)
        write_whole(text, note(target).encode("utf-8", "replace"), taken.id)
        crashpoint("watch-note-written")
        rename(taken.file, target)
        crashpoint("watch-moved")
        sync_folder(into)
        sync_folder(taken.folder)
        _clear(taken.folder)
    crashpoint("watch-put-away")
    return target, text


def safe_name(name: str) -> str:
    """``name`` as data: no path parts, no hidden or invisible characters, valid as a name on Windows (F63)."""
    path = PurePath(plain(name.replace("/", "_")))
    suffix = path.suffix if len(path.suffix.encode("utf-8", "replace")) <= 10 else ""
    stem = path.name.removesuffix(suffix).strip(". -") or "archivo"
    if _RESERVED.fullmatch(stem.partition(".")[0]):
        stem = f"_{stem}"
    while len((stem + suffix).encode("utf-8", "replace")) > LONGEST:
        stem = stem[:-1].rstrip(". -")
    return stem + suffix


def note_of(target: Path) -> Path:
    """Path of the note about ``target``: the same name with ``.txt``."""
    return target.with_suffix(".txt") if target.suffix.lower() != ".txt" else target.with_suffix(".nota.txt")


def _goal(taken: Claim, into: Path, mark: str) -> Path:
    """The destination: as recorded at the first attempt, or a free name, recorded now."""
    kept = taken.folder / GOAL
    if kept.exists():
        earlier = Path(str(json.loads(kept.read_bytes())["path"]))
        if earlier.parent == into and not earlier.exists() and mark in earlier.name:
            return earlier
        note_of(earlier).unlink(missing_ok=True)
    assert taken.file is not None
    for number in range(1, 100_000):
        tail = f" ({number})" if number > 1 else ""
        target = into / f"{taken.file.stem}{mark}{tail}{taken.file.suffix}"
        if not os.path.lexists(target) and not os.path.lexists(note_of(target)):
            break
    write_whole(kept, json.dumps({"path": str(target)}).encode(), taken.id)
    crashpoint("watch-goal-chosen")
    return target


def _manifest(path: Path) -> bytes:
    try:
        return take_bytes(path, MANIFEST_LIMITS).data
    except InputRefused:  # too large, a link, unreadable: counts as empty
        return b""


def _value_of(path: Path, key: str) -> str:
    """The value in a file of ours; "" when it is missing or unreadable."""
    try:
        return str(json.loads(path.read_bytes())[key])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _mark(path: Path) -> Mark:
    found = path.lstat()
    return found.st_size, found.st_mtime_ns, found.st_ino, found.st_dev


def write_whole(path: Path, data: bytes, batch: str) -> None:
    """Writes the whole file or none, durably."""
    with new_aside(path.parent, batch) as temporary:
        with temporary.open("r+b") as stream:
            stream.write(data)
            stream.flush()
            sync_file(stream.fileno())
        temporary.chmod(0o640)
        swap(temporary, path)
    sync_folder(path.parent)


def _clear(folder: Path) -> None:
    """Removes a claim's folder that no longer holds a file."""
    for name in (ENTRY, COPY, GOAL, BATCH, OWNER):
        unlink(folder / name)
    ours = folder / OURS
    for left in [*folder.glob(".anular-*.tmp"), *(ours.iterdir() if ours.is_dir() else ())]:
        unlink(left)
    if ours.is_dir():
        ours.rmdir()
    Patience().run(folder.rmdir)
