"""SQLite driver, chosen in one place. A ledger has ``pysqlite3``, which brings a new SQLite, else the interpreter's
own; the office database always has the interpreter's own.

No file may be open through both in one process: when one library closes it, the locks of the other are gone. So what
opens a file of ours, in the program and in its tests, takes its driver from here. The process of the pages has accounts
in the office database too, through a library that knows the interpreter's own only (docs/decisions/0110).
"""

from __future__ import annotations

from sqlite3 import dbapi2 as office_sqlite3
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite3 import dbapi2 as sqlite3
else:
    try:
        from pysqlite3 import dbapi2 as sqlite3
    except ImportError:  # no wheel for this machine
        sqlite3 = office_sqlite3

__all__ = ["WAL_SINCE", "has_wal", "office_sqlite3", "sqlite3"]

WAL_SINCE = (3, 51, 3)
"""The SQLite in which the last known fault of its write-ahead log is mended (two connections could ruin a file)."""


def has_wal(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> bool:
    """Whether this SQLite may keep a ledger in WAL."""
    return version >= WAL_SINCE
