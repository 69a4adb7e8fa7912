"""Source: the bytes of a file, read once and safely: what is hashed is what is parsed (reliability.md P2)."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from pipeline.domain.errors import InputRefused
from pipeline.domain.problems import refused
from pipeline.read.limits import MEGABYTE, Limits
from pipeline.runtime.os_error import os_words
from pipeline.runtime.patience import SHARED, Patience

# No links followed, no blocking on a pipe, nothing inherited; each only where the system has it.
_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


HELD_S = (0.1, 0.2, 0.3, 0.4)
"""Waits for a file that another program is reading; what is open in Excel stays so for longer."""


@dataclass(frozen=True, slots=True)
class Source:
    """The content of a file at one moment."""

    path: Path
    data: bytes
    #: hex
    sha256: str


def take(path: Path, limits: Limits) -> Source:
    """Reads the bytes of ``path`` once, through one descriptor.

    Raises ``InputRefused``: missing, folder, link, device, no permission, empty, too large, changed meanwhile.
    """
    name = path.name or str(path)
    try:
        if not hasattr(os, "O_NOFOLLOW") and path.is_symlink():
            raise refused("archivo-especial", name=name)
        descriptor = Patience(HELD_S).run(lambda: _opened(path))
        with os.fdopen(descriptor, "rb", closefd=True) as file:
            data = _read(file.fileno(), name, limits)
    except (OSError, ValueError) as error:
        raise _translated(error, path, name) from error
    return Source(path, data, hashlib.sha256(data).hexdigest())


def _opened(path: Path) -> int:
    try:
        return os.open(path, _FLAGS)
    except PermissionError:
        if path.is_dir():  # so Windows refuses a folder
            raise IsADirectoryError from None
        raise


def _read(descriptor: int, name: str, limits: Limits) -> bytes:
    before = os.fstat(descriptor)
    if stat.S_ISDIR(before.st_mode):
        raise refused("archivo-carpeta", name=name)
    if not stat.S_ISREG(before.st_mode):
        raise refused("archivo-especial", name=name)
    if before.st_size > limits.size:
        raise _too_large(name, before.st_size, limits)
    blocks: list[bytes] = []
    total = 0
    while block := os.read(descriptor, MEGABYTE):
        blocks.append(block)
        total += len(block)
        if total > limits.size:
            raise _too_large(name, total, limits)
    after = os.fstat(descriptor)
    if total != before.st_size or (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise refused("archivo-cambio", name=name)
    if total == 0:
        raise refused("archivo-vacio", name=name)
    return b"".join(blocks)


def _too_large(name: str, size: int, limits: Limits) -> InputRefused:
    shown = f"{size / MEGABYTE:.1f}".replace(".", ",")
    return refused("archivo-grande", name=name, size=shown, limit=f"{limits.size / MEGABYTE:g}")


def _translated(error: OSError | ValueError, path: Path, name: str) -> InputRefused:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return refused("archivo-no-existe", name=str(path))
    if isinstance(error, IsADirectoryError):
        return refused("archivo-carpeta", name=name)
    if isinstance(error, OSError) and getattr(error, "winerror", None) in SHARED:
        return refused("archivo-abierto", name=name)
    if isinstance(error, PermissionError):
        return refused("archivo-permiso", name=name)
    if isinstance(error, OSError) and error.errno in (errno.ELOOP, errno.EMLINK, errno.ENXIO, errno.EOPNOTSUPP):
        return refused("archivo-especial", name=name)
    why = os_words(error) if isinstance(error, OSError) else str(error)
    return refused("archivo-ilegible", name=name, why=why)
