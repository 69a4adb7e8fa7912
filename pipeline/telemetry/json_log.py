"""JSON log: one object per line, in a file that several processes and an external log rotation may share.

A thread writes the lines, so that a disk that is full, hangs or disappears never delays the run. Lost lines are
counted, and the next line that can be written reports them. The log is not the record: that is the ledger.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from queue import SimpleQueue
from threading import Thread

from pipeline.domain.records import Tally
from pipeline.runtime.clock import Clock
from pipeline.telemetry.events import COUNTED

MOST_WAITING = 50_000
"""Lines that may wait for the disk; more are dropped and counted."""
LAST_WORDS_S = 5.0
"""Seconds that the end of a command waits for its last lines."""
_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT


class JsonLog:
    """Listener that writes to ``path`` (created with mode 0600). ``trouble`` is the first error that lost a line.

    Each line is one ``write`` on a descriptor opened for appending, so lines of several processes stay whole. The file
    is reopened when its path holds another file: after a rotation, or a removal.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path, self._clock = path, clock
        self.trouble: OSError | None = None
        self._lost = 0
        self._cut = False  # the last write ended in the middle of a line
        self._handle = -1
        self._state: tuple[int, int] = (0, 0)
        self._waiting: SimpleQueue[dict[str, object] | None] = SimpleQueue()
        self._thread = Thread(target=self._serve, name="log", daemon=True)
        self._thread.start()

    def on_event(self, event: str, facts: Mapping[str, object]) -> None:
        if event in COUNTED:
            return
        if self._waiting.qsize() >= MOST_WAITING:
            self._lose(TimeoutError(errno.ETIMEDOUT, "el disco no responde a tiempo"))
            return
        moment = self._clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self._waiting.put({"time": moment, "event": event, **facts})

    def ledger(self, count: Callable[[], Tally] | None) -> None:
        """Does nothing: a log counts no rows."""

    def close(self) -> None:
        """Waits until every line is written, at most ``LAST_WORDS_S``: a disk that hangs does not block the end."""
        self._waiting.put(None)
        self._thread.join(LAST_WORDS_S)
        if self._thread.is_alive():
            self._lose(TimeoutError(errno.ETIMEDOUT, "el disco no responde a tiempo"))

    def _serve(self) -> None:
        while (facts := self._waiting.get()) is not None:
            if self._lost:
                lost, self._lost = self._lost, 0
                self._write({"time": facts["time"], "event": "log_gap", "lines": lost})
                if self._lost:  # not yet: more lines will be lost
                    self._lost += lost - 1
            self._write(facts)
        self._shut()

    def _write(self, facts: dict[str, object]) -> None:
        # ASCII with escapes: whatever a file is called, a line is one line in every encoding.
        data = (b"\n" if self._cut else b"") + json.dumps(facts, default=repr).encode("ascii") + b"\n"
        try:
            written = os.write(self._opened(), data)
            self._cut = written < len(data)
            if written < len(data) - 1:  # more than the line feed is missing
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            self._lose(error)
            self._shut()

    def _lose(self, error: OSError) -> None:
        self._lost += 1
        self.trouble = self.trouble or error

    def _opened(self) -> int:
        """The descriptor of the file that is now at the path."""
        try:
            found = os.lstat(self._path)
            if not stat.S_ISREG(found.st_mode):
                raise OSError(errno.EINVAL, "no es un archivo de verdad")
            same = self._handle >= 0 and self._state == (found.st_dev, found.st_ino)
        except FileNotFoundError:
            same = False
        if not same:
            self._shut()
            # If the file is replaced right now: never waits for a reader, never follows a link.
            extra = sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_CLOEXEC", "O_NONBLOCK", "O_BINARY"))
            handle = os.open(self._path, _FLAGS | extra, 0o600)
            new = os.fstat(handle)
            self._handle, self._state, self._cut = handle, (new.st_dev, new.st_ino), self._ends_cut(new.st_size)
        return self._handle

    def _ends_cut(self, size: int) -> bool:
        """Whether the opened file ends in the middle of a line: its disk was full, or a writer was killed."""
        if not size:
            return False
        try:
            with self._path.open("rb") as stream:
                stream.seek(-1, os.SEEK_END)
                return stream.read(1) != b"\n"
        except OSError:
            return False  # an append-only log cannot be read

    def _shut(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
