"""Arrival: when a file in the inbox is complete, by marker, by manifest, or unchanged for a while (F60).

Only a marker or a manifest is certain: a slow writer may pause for longer than any waiting time.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pipeline.domain.errors import InputRefused
from pipeline.read.limits import Limits
from pipeline.read.source import take
from pipeline.watch.manifest import MANIFEST, declared

MARKER = ".ok"
_UNFINISHED = (
    *(".part", ".partial", ".tmp", ".temp", ".crdownload", ".download", ".filepart", ".swp", ".lock"),
    *(MARKER, MANIFEST),
)
_SYSTEM = frozenset({"thumbs.db", "desktop.ini"})

Mark = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Arrival:
    """A name in the inbox, with the file's state when it was looked at."""

    path: Path
    found: os.stat_result

    @property
    def mark(self) -> Mark:
        """Size, modification time, inode, device: a different mark is another file, or other content."""
        return self.found.st_size, self.found.st_mtime_ns, self.found.st_ino, self.found.st_dev

    @property
    def stamp(self) -> float:
        """When it last changed (seconds since the epoch), including a rename where the system records it."""
        return self.found.st_mtime if os.name == "nt" else self.found.st_ctime


@dataclass(frozen=True, slots=True)
class Patience:
    """Waiting times for a file."""

    #: seconds without a change
    quiet: float
    #: whether a manifest is required
    required: bool
    #: seconds to wait for a required manifest
    manifest_wait: float


def arrivals(inbox: Path) -> list[Arrival]:
    """Everything in ``inbox`` that may be taken, the oldest first. ``OSError`` passes."""
    found = []
    for entry in os.scandir(inbox):
        name = entry.name.lower()
        if name.startswith((".", "~")) or name.endswith(_UNFINISHED) or name in _SYSTEM:
            continue
        try:
            status = Path(entry.path).lstat()  # the listing of Windows has neither inode nor device
        except FileNotFoundError:  # removed since the listing
            continue
        if not stat.S_ISDIR(status.st_mode):
            found.append(Arrival(Path(entry.path), status))
    return sorted(found, key=lambda one: (one.found.st_mtime_ns, one.path.name))


def complete(arrival: Arrival, patience: Patience, unchanged: Callable[[Arrival], float], limits: Limits) -> bool:
    """Whether ``arrival`` may be taken. ``unchanged`` returns for how many seconds it has not changed."""
    seconds = unchanged(arrival)
    if is_there(beside(arrival.path, MARKER)):
        return True
    has_manifest = is_there(beside(arrival.path, MANIFEST))
    if seconds >= (patience.quiet if has_manifest or not patience.required else patience.manifest_wait):
        return True
    return has_manifest and _agrees(arrival.path, limits)


def beside(path: Path, ending: str) -> Path:
    """Path of the marker or manifest of ``path``: its whole name and the ending."""
    return path.with_name(path.name + ending)


def is_there(path: Path) -> bool:
    """Whether anything has that name; False for a name that is too long."""
    return os.path.lexists(path)


def by_stamps(now: float) -> Callable[[Arrival], float]:
    """Ages by the file system's own timestamps, for a single look; ``now`` is ``Clock.stamps()``."""
    return lambda arrival: now - arrival.stamp


class Remembered:
    """Ages from repeated looks, for a long-running process: it trusts no clock that can be set."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._since: dict[Path, tuple[Mark, float]] = {}

    def __call__(self, arrival: Arrival) -> float:
        now = self._monotonic()
        mark, since = self._since.get(arrival.path, (None, now))
        if mark != arrival.mark:
            since = now
            self._since[arrival.path] = (arrival.mark, now)
        return now - since

    def forget_others(self, paths: set[Path]) -> None:
        """Forgets every file that is no longer there."""
        self._since = {path: kept for path, kept in self._since.items() if path in paths}


def _agrees(path: Path, limits: Limits) -> bool:
    """Whether the manifest matches exactly the bytes that are there now."""
    try:
        told = declared(take(beside(path, MANIFEST), limits).data)
        return told is not None and told.sha256 == take(path, limits).sha256
    except InputRefused:
        return False
