"""Private temporary file in the folder of its target; never stays behind, not even after a kill."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pipeline.report.names import plain
from pipeline.runtime.patience import unlink

if sys.platform == "win32":  # an open file cannot be removed or moved there, so it is neither locked nor kept open

    def _hold(handle: int) -> None:
        """Nothing to hold."""

else:
    import fcntl

    def _hold(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


KEPT_OPEN = sys.platform != "win32"
LEFT_S = 3600.0
"""Age of a file without a lock from which on nobody works on it any more."""


@contextmanager
def new_aside(folder: Path, batch: str) -> Iterator[Path]:
    """A new file (``O_EXCL``, 0600) in ``folder`` that is removed afterwards unless it was moved.

    It is locked while in use; unlocked files of the same batch were left by a killed run and are removed.
    ``OSError`` passes.
    """
    prefix = f".anular-{plain(batch)[:60]}-"
    _sweep(folder, prefix)
    handle, name = tempfile.mkstemp(prefix=prefix, suffix=".tmp", dir=folder)
    temporary = Path(name)
    try:
        with suppress(OSError):  # where folders have no locks, the next run removes a leftover all the same
            _hold(handle)
        if not KEPT_OPEN:
            os.close(handle)
        yield temporary
    finally:
        if KEPT_OPEN:
            os.close(handle)
        unlink(temporary)


def _sweep(folder: Path, prefix: str) -> None:
    for left in folder.iterdir():
        if left.name.startswith(prefix) and left.name.endswith(".tmp"):
            with suppress(OSError):
                _remove_if_free(left)


def _remove_if_free(path: Path) -> None:
    if not KEPT_OPEN:  # no lock says whether it is in use, so its age does
        if time.time() - path.stat().st_mtime > LEFT_S:
            unlink(path)
        return
    handle = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    try:
        _hold(handle)
        path.unlink()
    finally:
        os.close(handle)
