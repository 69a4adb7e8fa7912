"""Folders of the user: data, settings, and apart from both what says that a ledger was here before.

On Windows and macOS the customary folder of state is that of data: restored or deleted as a whole, it would take the
ledger and the notes about it at once. So state has a root of its own there (reliability.md 2.4).
"""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.runtime.patience import rename

if TYPE_CHECKING:
    from platformdirs.api import PlatformDirsABC

PROGRAM = "anular"
SYSTEM = sys.platform
"""The system whose customs count; tests try the others."""
_STATE = ("registros", "credenciales", "enviados.db", "enviados.db-wal", "enviados.db-shm")
"""What earlier versions kept in the folder of data, on the systems where that is the folder of state."""


def data_folder() -> Path:
    """Folder of ledgers without a place of their own in the settings."""
    return Path(_dirs(PROGRAM).user_data_dir)


def config_folder() -> Path:
    """Folder of the settings file."""
    return Path(_dirs(PROGRAM).user_config_dir)


def documents_folder() -> Path:
    """Folder of the person's own documents."""
    return Path(_dirs(PROGRAM).user_documents_dir)


def state_folder() -> Path:
    """Folder of the notes about ledgers; those of an earlier version are brought there."""
    if SYSTEM not in ("win32", "darwin"):
        return Path(_dirs(PROGRAM).user_state_dir)
    folder = Path(_dirs(f"{PROGRAM}-estado", author=False).user_data_dir)
    if not folder.exists():
        _bring(Path(_dirs(PROGRAM).user_state_dir), folder)
    return folder


def _bring(before: Path, folder: Path) -> None:
    there = [before / name for name in _STATE if (before / name).exists()]
    if there:
        with suppress(OSError):  # another command does it at this moment
            folder.mkdir(mode=0o700)
            for path in there:
                rename(path, folder / path.name)


def _dirs(name: str, *, author: bool = True) -> PlatformDirsABC:
    if SYSTEM == "win32":
        from platformdirs.windows import Windows

        return Windows(name, None if author else False)
    if SYSTEM == "darwin":
        from platformdirs.macos import MacOS

        return MacOS(name)
    from platformdirs import PlatformDirs

    return PlatformDirs(name)
