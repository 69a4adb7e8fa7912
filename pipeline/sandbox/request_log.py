"""Request journal: one JSON line for each request received, written before its answer leaves.

The tests judge by it, and the sandbox remembers with it: each line is passed to the operating system with one
write, so a killed process loses no line that it answered. Authorization values and tokens are never recorded.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

Entry = Mapping[str, Any]

_BEGIN = b'{"seq":'


class RequestLog:
    """Append-only lines in a file, or in memory when there is no path."""

    def __init__(self, path: Path | None) -> None:
        """Raises ``OSError`` when the file cannot be written, ``ValueError`` when it is not a journal."""
        self._path = path
        self._lines: list[bytes] = []
        self._file: int | None = None
        self._next = 0
        self.broken = False
        if path is not None:
            self._open(path)

    def append(self, entry: Entry) -> None:
        """Numbers ``entry`` and writes it; returns when the operating system has it.

        Raises ``OSError`` (disk full); from then on the journal is ``broken``, because it may end with half a line.
        """
        line = json.dumps({"seq": self._next, **entry}, separators=(",", ":")).encode() + b"\n"
        self._next += 1
        if self._file is None:
            self._lines.append(line)
            return
        try:
            while line:  # a full disk may take part of a line; writing the rest then fails
                line = line[os.write(self._file, line) :]
        except OSError:
            self.broken = True
            raise

    def entries(self) -> list[Entry]:
        """Every entry so far, oldest first."""
        if self._path is not None:
            return read(self._path)
        return [json.loads(line) for line in self._lines]

    def close(self) -> None:
        """Closes the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _open(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_CREAT | os.O_RDWR | os.O_APPEND | getattr(os, "O_BINARY", 0)
        self._file = os.open(path, flags, 0o600)
        past = read(path)
        # An incomplete last line was never answered and never applied: the process was killed while writing it.
        end = path.read_bytes().rfind(b"\n") + 1
        os.truncate(path, end)
        self._next = past[-1]["seq"] + 1 if past else 0


def read(path: Path) -> list[Entry]:
    """The entries of a journal, oldest first; a last line that is still being written is left out.

    Raises ``FileNotFoundError``, and ``ValueError`` for a file that is not a journal.
    """
    *lines, rest = path.read_bytes().split(b"\n")
    entries = [json.loads(line) for line in lines]
    if not all(isinstance(entry, dict) and "seq" in entry for entry in entries) or not _may_begin_a_line(rest):
        raise ValueError(f"{path.name} is no journal")
    return entries


def _may_begin_a_line(text: bytes) -> bool:
    return text[: len(_BEGIN)] == _BEGIN[: len(text)]


def posts_by_cufe(entries: Iterable[Entry]) -> Counter[str]:
    """How many cancellations were received for each CUFE, whatever their result (promise P1)."""
    return Counter(e["cufe"] for e in entries if e["route"] == "cancel" and e["cufe"] is not None)


def processed_by_cufe(entries: Iterable[Entry]) -> Counter[str]:
    """How many of them eDoc accepted; more than one is a cancellation applied twice."""
    return Counter(e["cufe"] for e in entries if e["route"] == "cancel" and e["processed"])


def busiest_second(entries: Iterable[Entry]) -> int:
    """The most requests received in any second, of any kind (promise P9)."""
    times = sorted(e["at"] for e in entries if e["route"] != "control")
    most = first = 0
    for last, at in enumerate(times):
        while at - times[first] >= 1.0:
            first += 1
        most = max(most, last - first + 1)
    return most
