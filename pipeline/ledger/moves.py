"""Moves: a requested step of one attempt from a state to the next, and its result."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from pipeline.domain.deadline import PANAMA
from pipeline.domain.edoc_states import may_correct
from pipeline.domain.lifecycle import NOT_ACCEPTED, Event, State, move
from pipeline.domain.records import Cancellation, Correction, Finding
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
    """State transition requested for one attempt; written by compare-and-set on ``version`` and ``source``."""

    #: id of the attempt
    attempt: int
    #: the version that the attempt must still have
    version: int
    #: id of the batch, and position of the row in it
    batch: str
    pos: int
    #: the state that the attempt must still be in
    source: State
    #: what happened; with ``source`` it gives the next state
    event: Event
    #: when it happened
    at: datetime
    #: what eDoc's answer proved; None for a step without an exchange
    finding: Finding | None = None
    #: reason or proof that is kept with the event
    note: str = ""
    #: the person who decided; None for the program
    who: str | None = None
    #: when to query next; None when the row is not followed
    next_due: datetime | None = None
    #: counts an answer «not found» (18) for the settle schedule
    miss: bool = False
    #: adds the next attempt of the row in the same transaction
    retry: bool = False
    #: hash of what was sent, for the reserve journal
    payload: str = ""
    #: CUFE of a claim, for this machine's memory of what was sent
    cufe: str = ""
    #: what the next attempt sends instead of the row's own texts, of a resend
    correction: Correction | None = None

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
        """State after the move; raises for an event that ``source`` does not allow."""
        return move(self.source, self.event)

    @property
    def corrects_unproven(self) -> bool:
        """Whether it would send other texts without the proof that the first request was not accepted (R12)."""
        if self.correction is None:
            return False
        estado, dgi = (self.finding.estado, self.finding.dgi) if self.finding is not None else (None, None)
        answered = self.finding is not None and self.finding.event in NOT_ACCEPTED
        return not (self.retry and answered and may_correct(self.source, self.event, estado, dgi))


@dataclass(frozen=True, slots=True)
class Moved:
    """Result of a durable move."""

    #: the attempt's new version
    version: int
    #: the attempt's new state
    state: State
    #: id of the attempt that was added; None when none was
    next_attempt: int | None = None
    #: of a claim: the other ledger of this machine that sent the document; then no request may leave
    elsewhere: Elsewhere | None = None


def next_try(sent: Cancellation, moved: Moved) -> Cancellation | None:
    """Cancellation of the attempt that ``moved`` added after ``sent``; None when it added none."""
    if moved.next_attempt is None:
        return None
    return replace(sent, attempt=moved.next_attempt, version=1, number=sent.number + 1)


def batch_id(env: str, sha256: str, sheet: str | None, created: datetime) -> str:
    """Id of a batch, ``20261120-3f9a2c71``: Panamanian day, and a hash of environment, content and sheet."""
    return f"{created.astimezone(PANAMA):%Y%m%d}-{_mark(env, sha256, sheet)}"


def future_id(env: str, sha256: str, sheet: str | None) -> str:
    """Id of a batch that was only checked, ``00000000-3f9a2c71``: its day is not known yet."""
    return f"{NO_DAY}{_mark(env, sha256, sheet)}"


NO_DAY = "00000000-"
"""Start of such an id."""


def _mark(env: str, sha256: str, sheet: str | None) -> str:
    return hashlib.sha256(f"{env}|{sha256}|{sheet or ''}".encode("utf-8", "surrogatepass")).hexdigest()[:8]
