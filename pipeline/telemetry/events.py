"""Event bus: publishes run events to listeners (a log, a metrics file). One small object that is passed along.

Every event is published once it is durable, and never delays the run: errors of a listener are ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pipeline.domain.records import Tally

COUNTED = frozenset({"departure", "request"})
"""Events that are counted but not logged: there may be hundreds a second, and each row has its own log line."""


class Listener(Protocol):
    """Receives events with their facts, plain JSON values. May be called from any thread; must not block."""

    def on_event(self, event: str, facts: Mapping[str, object]) -> None: ...

    def ledger(self, count: Callable[[], Tally] | None) -> None:
        """Sets ``count``, which counts rows from now on; None when the ledger is about to be closed."""


class EventBus:
    """Event bus with its ``listeners`` (may be none). ``facts`` are added to every event."""

    def __init__(self, listeners: Sequence[Listener] = (), facts: Mapping[str, object] | None = None) -> None:
        self._listeners = tuple(listeners)
        self._facts = dict(facts or {})

    @property
    def has_listeners(self) -> bool:
        """Whether there is a listener: facts that are costly to collect are collected only then."""
        return bool(self._listeners)

    def note(self, event: str, /, **facts: object) -> None:
        """Publishes ``event``. Never raises: telemetry must not be able to end a run."""
        for one in self._listeners:
            with suppress(Exception):
                one.on_event(event, {**self._facts, **facts})

    def bind(self, **facts: object) -> EventBus:
        """A bus with the same listeners and more facts in every event."""
        return EventBus(self._listeners, {**self._facts, **facts})

    def ledger(self, count: Callable[[], Tally] | None) -> None:
        """See ``Listener.ledger``. Never raises."""
        for one in self._listeners:
            with suppress(Exception):
                one.ledger(count)


SILENT = EventBus()
