"""Atomic files: complete under their name, or absent; a reader never sees half of one."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress
from pathlib import Path

from pipeline.runtime.patience import replace, unlink

if sys.platform != "win32":
    import fcntl


def replace_file(path: Path, data: bytes, *, mode: int = 0o600, sync: bool = False) -> None:
    """Writes ``data`` under a temporary name in the same folder, then renames it to ``path``; ``mode`` ignores the
    umask.

    With ``sync`` the bytes are on the disk before the name is; the folder is synchronised by ``sync_folder``.
    Raises ``OSError``; then the earlier file is unchanged and nothing is left over.
    """
    fresh = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.tmp")
    try:
        handle = os.open(fresh, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0), mode)
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            if sync:
                stream.flush()
                sync_file(handle)
        fresh.chmod(mode)
        replace(fresh, path)
    finally:
        unlink(fresh)


def sync_file(handle: int) -> None:
    """Puts an open file on the disk. macOS leaves it in the disk's own cache unless it is asked for more (P17)."""
    if sys.platform != "win32" and (full := getattr(fcntl, "F_FULLFSYNC", None)) is not None:
        with suppress(OSError):  # a disk that knows no such request
            fcntl.fcntl(handle, full)
            return
    os.fsync(handle)


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder durable. Raises ``OSError``.

    Where it cannot be opened (Windows, a folder without the right to list it) the system does that, sooner or later.
    """
    try:
        handle = os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
    except PermissionError:
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
