"""Moves: the wish to take one attempt from a state to the next, and what became of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from pipeline.domain.deadline import PANAMA
from pipeline.domain.lifecycle import Event, State, move
from pipeline.domain.records import Cancellation, Finding
from pipeline.ledger.sent import Elsewhere


class Handle(Protocol):
    """The compare-and-set handle of an attempt, and the row that it is of."""

    @property
    def attempt(self) -> int: ...
    @property
    def version(self) -> int: ...
    @property
    def batch(self) -> str: ...
    @property
    def pos(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Move:
    """A wish to move one attempt. ``retry`` adds the next attempt of the row in the same transaction.

    ``next_due`` when to query next (None: not followed); ``miss`` counts an 18 for the settle schedule; ``payload`` is
    the hash of what was sent, for the reserve journal; ``cufe`` of a claim, for the machine's memory.
    """

    attempt: int
    version: int
    batch: str
    pos: int
    source: State
    event: Event
    at: datetime
    finding: Finding | None = None
    note: str = ""
    who: str | None = None
    next_due: datetime | None = None
    miss: bool = False
    retry: bool = False
    payload: str = ""
    cufe: str = ""

    @classmethod
    def of(
        cls,
        row: Handle,
        source: State,
        event: Event,
        at: datetime,
        finding: Finding | None = None,
        note: str = "",
        **more: Any,
    ) -> Move:
        """The move of ``row`` from ``source`` by ``event``; ``more`` are further fields by name."""
        return cls(row.attempt, row.version, row.batch, row.pos, source, event, at, finding, note, **more)

    @property
    def target(self) -> State:
        return move(self.source, self.event)


@dataclass(frozen=True, slots=True)
class Moved:
    """What became of a move: the new version, the state, and the id of the next attempt when one was added; of a claim
    also which other ledger of this machine has sent the document: then nothing of it may leave."""

    version: int
    state: State
    next_attempt: int | None = None
    elsewhere: Elsewhere | None = None


def next_try(sent: Cancellation, moved: Moved) -> Cancellation | None:
    """The cancellation that follows ``sent`` when a further attempt was added."""
    if moved.next_attempt is None:
        return None
    return replace(sent, attempt=moved.next_attempt, version=1, number=sent.number + 1)


def batch_id(env: str, sha256: str, sheet: str | None, created: datetime) -> str:
    """``20261120-3f9a2c71``: the Panamanian day, and eight characters that only this file in this environment has."""
    mark = hashlib.sha256(f"{env}|{sha256}|{sheet or ''}".encode()).hexdigest()[:8]
    return f"{created.astimezone(PANAMA):%Y%m%d}-{mark}"
