"""Compiled statements: SQLAlchemy's, once in a process for every SQLite file, since a page opens the ledger for each
visit and asks the same.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.util import LRUCache

MOST = 1_000
"""More than the program has; the least used are compiled again."""


class Statements(LRUCache[Any, Any]):
    """Compiled statements. Of a key ``(dialect, …)`` only the dialect's name counts: each engine has its own."""

    def __init__(self) -> None:
        super().__init__(MOST)

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get((key[0].name, *key[1:]), default)

    def __setitem__(self, key: Any, compiled: Any) -> None:
        super().__setitem__((key[0].name, *key[1:]), compiled)


OF_SQLITE = Statements()
