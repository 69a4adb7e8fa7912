"""Counts: the rows of batches, grouped by everything that their outcome depends on. Read from indexes alone.

What is read of a batch is fixed by the newest event of its rows: every change has one, in the same transaction, and its
hash covers all before it. So counts that were read once hold while that event is the newest (``KeptCounts``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import bindparam, func, select, text

from pipeline.domain.cufe import DAY
from pipeline.domain.lifecycle import MOVES, RETRIED, Event, State
from pipeline.domain.outcomes import ELSEWHERE, PREFLIGHT, Outcome, outcome
from pipeline.domain.records import Source
from pipeline.ledger import tables
from pipeline.ledger.storage.database import Reads

IN = 500
"""Values in one IN (...): SQLite's oldest limit is 999."""
TO_BE_SENT = frozenset({State.HELD, State.READY, *RETRIED})
"""States in which a row still has its legal limit before it."""
_MAY_BE_FOLLOWED = tuple(source for source, event in MOVES if event is Event.RETRY)


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of a batch that are alike in everything that decides their outcome."""

    #: of the newest attempt, or of the row where it has none
    state: str
    rows: int
    #: whether they have no attempt: then what follows is empty
    aside: bool = False
    source: str | None = None
    estado: int | None = None
    note: str = ""
    again: int = 0

    @property
    def outcome(self) -> Outcome:
        """The outcome of these rows, as in ``resultado``."""
        return outcome(
            State(self.state),
            alive=self.source == Source.QUERY.value and self.estado == 2,
            unsent=self.note == PREFLIGHT,
            again=bool(self.again),
            elsewhere=self.note == ELSEWHERE,
        )


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows of one batch."""

    groups: tuple[Group, ...] = ()
    #: the first day of issue (``20261118``) of a row that is still to be sent; "" when there is none
    first_day: str = ""

    @property
    def rows(self) -> int:
        """How many rows there are in all."""
        return sum(group.rows for group in self.groups)

    def by_outcome(self) -> dict[str, int]:
        """Row counts by outcome word."""
        return by_outcome(self.groups)


def by_outcome(groups: Iterable[Group]) -> dict[str, int]:
    """Row counts of ``groups`` by outcome word."""
    total: Counter[str] = Counter()
    for group in groups:
        total[group.outcome.value] += group.rows
    return dict(total)


def count(reads: Reads, batches: Sequence[str]) -> dict[str, Counts]:
    """Counts of each of ``batches``, read from the ledger; many cost hardly more than one with all their rows."""
    groups: dict[str, list[Group]] = {batch: [] for batch in batches}
    days: dict[str, str] = {}
    for start in range(0, len(batches), IN):
        some = {"batches": list(batches[start : start + IN])}
        aside, *attempts = _statements()
        for batch, state, rows in reads.read(aside.params(some)):
            groups[batch].append(Group(state, rows, aside=True))
        for statement in attempts:
            for batch, state, source, estado, note, again, rows in reads.read(statement.params(some)):
                groups[batch].append(Group(state, rows, False, source, estado, note, again))
        waiting = [batch for batch in some["batches"] if any(_waits(group) for group in groups[batch])]
        if waiting:
            days |= {batch: day or "" for batch, day in reads.read(_first_days().params({"batches": waiting}))}
    return {batch: Counts(tuple(found), days.get(batch, "")) for batch, found in groups.items()}


def count_where(reads: Reads, these_rows: Any, these_attempts: Any) -> dict[str, int]:
    """Row counts by outcome of the rows without an attempt and of the attempts that fulfil these conditions."""
    row, attempt = tables.row, tables.attempt.c
    without = select(row.c.state, func.count()).where(these_rows, text(tables.SET_ASIDE)).group_by(row.c.state)
    groups = [Group(state, rows, aside=True) for state, rows in reads.read(without)]
    marks = (attempt.state, attempt.source, attempt.estado, attempt.note, attempt.possible_duplicate)
    counted, followed = select(*marks, func.count()).group_by(*marks).where(these_attempts), _may_be_followed()
    for which in (~followed, followed & is_newest()):
        for state, source, estado, note, again, rows in reads.read(counted.where(which)):
            groups.append(Group(state, rows, False, source, estado, note, again))
    return by_outcome(groups)


def is_newest() -> Any:
    """Whether the attempt of the outer query is the newest of its row.

    Only an attempt that ended in one of a few states can have a successor; for all others, nearly all of a large
    batch, no look-up is needed.
    """
    attempt, other = tables.attempt, tables.attempt.alias()
    newest = (
        select(func.max(other.c.n))
        .where(other.c.batch == attempt.c.batch, other.c.pos == attempt.c.pos)
        .correlate(attempt)
        .scalar_subquery()
    )
    return ~_may_be_followed() | (attempt.c.n == newest)


def may_be_followed(state: str) -> bool:
    """Whether a row whose attempt ended in this state may have a later one."""
    return State(state) in _MAY_BE_FOLLOWED


def _may_be_followed() -> Any:
    return tables.attempt.c.state.in_([state.value for state in _MAY_BE_FOLLOWED])


def _waits(group: Group) -> bool:
    return not group.aside and State(group.state) in TO_BE_SENT


@cache
def _statements() -> tuple[Any, ...]:
    """Made once: what they cost to build is more than what most batches cost to count."""
    row, attempt = tables.row.c, tables.attempt.c
    aside = (
        select(row.batch, row.state, func.count())
        .where(row.batch.in_(bindparam("batches", expanding=True)), text(tables.SET_ASIDE))
        .group_by(row.batch, row.state)
    )
    marks = (attempt.batch, attempt.state, attempt.source, attempt.estado, attempt.note, attempt.possible_duplicate)
    counted = select(*marks, func.count()).where(attempt.batch.in_(bindparam("batches", expanding=True)))
    followed = _may_be_followed()
    return aside, *(counted.where(which).group_by(*marks) for which in (~followed, followed & is_newest()))


@cache
def _first_days() -> Any:
    attempt = tables.attempt.c
    first = func.min(func.substr(attempt.cufe, DAY.start + 1, DAY.stop - DAY.start))
    return (
        select(attempt.batch, first)
        .where(attempt.batch.in_(bindparam("batches", expanding=True)))
        .where(attempt.state.in_([state.value for state in TO_BE_SENT]))
        .where(is_newest())
        .group_by(attempt.batch)
    )
