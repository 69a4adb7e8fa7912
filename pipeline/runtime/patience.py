"""Patience with a file that another program holds: on Windows a scanner, an indexer or a synchronising program opens
each new file for some 50 ms, and until it lets go, nobody may move or remove the file.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

HELD = frozenset({5, 32, 33})
"""Error numbers of Windows: access denied, sharing violation, lock violation. Other systems have no such numbers."""
SHARED = frozenset({32, 33})
"""Those that only say that another program has it open."""
WAITS_S = (0.05, 0.1, 0.2, 0.4, 0.8, 0.8)


class Patience:
    """Waits for one undertaking, 2.35 s at most, however many files it moves. Then every error is raised at once."""

    def __init__(self, waits: tuple[float, ...] = WAITS_S, sleep: Callable[[float], object] = time.sleep) -> None:
        self._waits = list(waits)
        self._sleep = sleep

    def run(self, action: Callable[[], T]) -> T:
        """Result of ``action``, tried again while another program holds its file. Raises ``OSError``."""
        while True:
            try:
                return action()
            except OSError as error:
                if not is_held(error) or not self._waits:
                    raise
                self._sleep(self._waits.pop(0))


def is_held(error: OSError) -> bool:
    """Whether another program may be what keeps the file."""
    return getattr(error, "winerror", None) in HELD


def replace(source: Path, target: Path, patience: Patience | None = None) -> Path:
    """Gives ``source`` the name ``target``, whatever had it."""
    return (patience or Patience()).run(lambda: source.replace(target))


def rename(source: Path, target: Path) -> Path:
    """Gives ``source`` the name ``target``."""
    return Patience().run(lambda: source.rename(target))


def unlink(path: Path) -> None:
    """Removes a file, if it is there."""
    Patience().run(lambda: path.unlink(missing_ok=True))
