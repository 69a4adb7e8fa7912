"""Ledgers of a command that works for many companies, or of a page: one on a server is opened once, and each is looked
over once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from pipeline.ledger.storage.location import Location, location_of
from pipeline.ledger.verify import LookedOver


class Ledgers:
    """Ledgers of companies of which at most ``most`` work at the same time; ends with its ``with`` block."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._stack = ExitStack()
        self._again: dict[str, Callable[[], Location]] = {}
        self._lock = threading.Lock()
        self.looked_over = LookedOver()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def location(self, url: str) -> Location:
        """The location of ``url`` for one company. Raises ``WrongUsage``."""
        with self._lock:
            if url not in self._again:
                kept_open = getattr(location_of(url), "kept_open", None)
                self._again[url] = (
                    self._stack.enter_context(kept_open(self._most))
                    if kept_open is not None
                    else lambda: location_of(url)
                )
            return self._again[url]()
