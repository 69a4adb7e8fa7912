"""Progress: protocol by which a run reports how far it is, to a terminal or a page."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol


class Progress(Protocol):
    """Display of the phases of a run."""

    def phase(self, title: str, total: int) -> AbstractContextManager[Callable[[str], None]]:
        """Begins a phase of ``total`` rows; the function is called with the outcome word of each row that got one."""

    def warn(self, words: str) -> None:
        """Shows a warning, one sentence, which changes nothing of what was done."""


class Unseen:
    """Null progress: displays nothing."""

    def phase(self, title: str, total: int) -> AbstractContextManager[Callable[[str], None]]:  # noqa: ARG002
        return nullcontext(lambda _word: None)

    def warn(self, words: str) -> None:
        pass
