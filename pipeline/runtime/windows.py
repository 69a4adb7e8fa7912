"""Windows as the program asks it: one port, so that what depends on its answers is tried on every system.

``this_windows`` is the real one; on other systems there is none.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Protocol

FIXED = 3
"""``GetDriveTypeW`` of a disk that stays in the machine."""


class Windows(Protocol):
    """Answers of the system. A question that it does not answer gives "", 0 or an empty list, and raises nothing."""

    def drive_kind(self, root: str) -> int:
        """``GetDriveTypeW`` of a root such as ``C:\\``."""
        ...

    def file_system(self, root: str) -> str:
        """Name of the file system of a root: ``NTFS``, ``ReFS``, ``FAT32`` …"""
        ...

    def attributes(self, path: str) -> int:
        """``GetFileAttributesW``; 0 for what does not exist."""
        ...

    def resolved(self, path: str) -> str:
        """``path`` without links, junctions and substituted drives."""
        ...

    def variable(self, name: str) -> str:
        """Variable of the environment."""
        ...

    def onedrive_folders(self) -> list[str]:
        """Folders that OneDrive keeps, as it registers them."""
        ...

    def text(self, path: str) -> str:
        """Content of a small file."""
        ...

    def machine_guid(self) -> str:
        """Id that Windows got when it was installed."""
        ...

    def python_home(self) -> str:
        """Folder of the interpreter itself."""
        ...

    def recall(self, name: str) -> str:
        """Value that ``remember`` kept under ``name``."""
        ...

    def remember(self, name: str, value: str) -> None:
        """Keeps ``value`` in the user's part of the registry, outside of every folder."""
        ...


if sys.platform == "win32":
    import ctypes
    import winreg

    _KEY = r"Software\anular"

    class _ThisWindows:
        def drive_kind(self, root: str) -> int:
            return int(ctypes.windll.kernel32.GetDriveTypeW(root))

        def file_system(self, root: str) -> str:
            name = ctypes.create_unicode_buffer(64)
            asked = ctypes.windll.kernel32.GetVolumeInformationW(root, None, 0, None, None, None, name, 64)
            return name.value if asked else ""

        def attributes(self, path: str) -> int:
            found = int(ctypes.windll.kernel32.GetFileAttributesW(path)) & 0xFFFFFFFF
            return 0 if found == 0xFFFFFFFF else found

        def resolved(self, path: str) -> str:
            try:
                return os.path.realpath(path)
            except OSError:
                return path

        def variable(self, name: str) -> str:
            return os.environ.get(name, "")

        def onedrive_folders(self) -> list[str]:
            found: list[str] = []
            with suppress(OSError), winreg.OpenKey(winreg.HKEY_CURRENT_USER, r"Software\Microsoft\OneDrive") as root:
                for account in range(100):
                    with winreg.OpenKey(root, "Accounts") as accounts:
                        name = winreg.EnumKey(accounts, account)
                    found += [_value(winreg.HKEY_CURRENT_USER, rf"Software\Microsoft\OneDrive\Accounts\{name}")]
            return [folder for folder in found if folder]

        def text(self, path: str) -> str:
            try:
                return Path(path).read_text("utf-8")[:100_000]
            except (OSError, UnicodeDecodeError):
                return ""

        def machine_guid(self) -> str:
            return _value(winreg.HKEY_LOCAL_MACHINE, r"SOFTWARE\Microsoft\Cryptography", "MachineGuid")

        def python_home(self) -> str:
            return sys.base_prefix

        def recall(self, name: str) -> str:
            return _value(winreg.HKEY_CURRENT_USER, _KEY, name)

        def remember(self, name: str, value: str) -> None:
            with suppress(OSError), winreg.CreateKey(winreg.HKEY_CURRENT_USER, _KEY) as key:
                winreg.SetValueEx(key, name, 0, winreg.REG_SZ, value)

    def _value(root: int, path: str, name: str = "UserFolder") -> str:
        try:
            with winreg.OpenKey(root, path, 0, winreg.KEY_READ | winreg.KEY_WOW64_64KEY) as key:
                return str(winreg.QueryValueEx(key, name)[0])
        except OSError:
            return ""

    @cache
    def this_windows() -> Windows | None:
        """Windows of this machine."""
        return _ThisWindows()

else:

    @cache
    def this_windows() -> Windows | None:
        """None: this machine has another system."""
        return None
