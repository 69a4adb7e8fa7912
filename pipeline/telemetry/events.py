"""What happens, told to whoever listens: a log, a metrics file, nobody. One small object that is passed along.

Everything is told after it is durable, and never in the way of it: a listener that breaks is not heard of here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pipeline.domain.records import Tally

COUNTED = frozenset({"departure", "request"})
"""Events that are counted and not written down: there may be hundreds a second, and each row's own line says more."""


class Listener(Protocol):
    """Hears events with their facts, plain values that JSON knows. May be called from any thread; never waits."""

    def hear(self, event: str, facts: Mapping[str, object]) -> None: ...

    def ledger(self, count: Callable[[], Tally] | None) -> None:
        """From now on rows may be counted with ``count``; None: not any more, the ledger is about to be closed."""


class Journal:
    """Tells ``listeners`` what happened, with the ``facts`` that hold for all of it; without listeners, nobody."""

    def __init__(self, listeners: Sequence[Listener] = (), facts: Mapping[str, object] | None = None) -> None:
        self._listeners = tuple(listeners)
        self._facts = dict(facts or {})

    @property
    def heard(self) -> bool:
        """Whether anybody listens: facts that cost something to gather are gathered only then."""
        return bool(self._listeners)

    def note(self, event: str, /, **facts: object) -> None:
        """``event`` happened. Never raises: what watches a run must not be able to end it."""
        for one in self._listeners:
            with suppress(Exception):
                one.hear(event, {**self._facts, **facts})

    def bind(self, **facts: object) -> Journal:
        """The same listeners, with more facts in everything that they hear."""
        return Journal(self._listeners, {**self._facts, **facts})

    def ledger(self, count: Callable[[], Tally] | None) -> None:
        """See ``Listener.ledger``. Never raises."""
        for one in self._listeners:
            with suppress(Exception):
                one.ledger(count)


SILENT = Journal()
