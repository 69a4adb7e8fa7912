"""Progress: how far a run is, for whoever started it: a terminal, a page, or nobody."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol


class Progress(Protocol):
    """Shows the phases of a run."""

    def phase(self, title: str, total: int) -> AbstractContextManager[Callable[[str], None]]:
        """Begins a phase of ``total`` rows; the function is called with the outcome word of each row that got one."""

    def warn(self, words: str) -> None:
        """Shows a warning, one sentence, which changes nothing of what was done."""


class Unseen:
    """Progress that nobody looks at."""

    def phase(self, title: str, total: int) -> AbstractContextManager[Callable[[str], None]]:  # noqa: ARG002
        return nullcontext(lambda _word: None)

    def warn(self, words: str) -> None:
        pass
