"""Search: rows and batches by what a person has in hand (``domain/lookup.py``). Reads only, by indexes only.

A code is looked up by the document number in it: one small index serves both. A code without its dashes is compared
without them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select

from pipeline.domain.lifecycle import Event, State
from pipeline.domain.lookup import LEAST_BEGINNING, LEAST_NAME, Wanted, number_in, squeezed
from pipeline.domain.records import BatchInfo, EventLine, Leader, ResultLine
from pipeline.ledger import tables
from pipeline.ledger.batches import Batches
from pipeline.ledger.counts import is_newest
from pipeline.ledger.snapshot import event_line, events_with_rows, line_of, signed

_DECIDED = (Event.RESOLVED, Event.RESEND, Event.WITHDRAWN)


@dataclass(frozen=True, slots=True)
class Hit:
    """The place of a row that was found."""

    batch: str
    pos: int
    env: str


@dataclass(frozen=True, slots=True)
class FoundRow:
    """A row that was found, with its batch as it was taken in and its events, oldest first."""

    batch: BatchInfo
    line: ResultLine
    log: tuple[EventLine, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of eDoc."""

    #: of its event
    seq: int
    http: int | None
    body: bytes


class Search(Batches):
    """Finds rows and batches; those of other environments by their place alone."""

    def hits(self, wish: Wanted) -> list[Hit]:
        """The rows of every environment with these codes, this document number or this place, newest batch first."""
        found: dict[Hit, None] = {}
        for code in wish.codes:
            found |= dict.fromkeys(hit for hit, cufe in self._numbered(number_in(code)) if squeezed(cufe) == code)
        if wish.number:
            found |= dict.fromkeys(hit for hit, _ in self._numbered(wish.number))
        if wish.batch and wish.line:
            found |= dict.fromkeys(self._lined(wish.batch, wish.line))
        return list(found)

    def _lined(self, batch: str, line: int) -> list[Hit]:
        row, head = tables.row, tables.batch
        query = select(row.c.batch, row.c.pos, head.c.env).join_from(row, head, head.c.id == row.c.batch)
        query = query.where(row.c.batch == batch, row.c.line == line).order_by(row.c.pos)
        return [Hit(one.batch, one.pos, one.env) for one in self._reads.read(query)]

    def _numbered(self, number: str) -> list[tuple[Hit, str]]:
        row, batch = tables.row, tables.batch
        query = (
            select(row.c.batch, row.c.pos, row.c.cufe, batch.c.env)
            .join_from(row, batch, batch.c.id == row.c.batch)
            .where(tables.number(row.c.cufe) == number)
            .order_by(*tables.newest_first(), row.c.pos)
        )
        return [(Hit(line.batch, line.pos, line.env), line.cufe) for line in self._reads.read(query)]

    def row(self, hit: Hit) -> FoundRow:
        """The row at this place; a duplicate with the line of the row that it repeats."""
        info, row = self.heads([hit.batch])[hit.batch], tables.row.c
        line = line_of(self._reads, hit.batch, hit.pos)
        query = select(row.leader_batch, row.leader_pos).where(row.batch == hit.batch, row.pos == hit.pos)
        (leads,) = self._reads.read(query)
        if leads.leader_pos is not None:
            leader = line_of(self._reads, leads.leader_batch or hit.batch, leads.leader_pos)
            line = replace(line, leader=Leader(leads.leader_batch, leader.pos, leader.position), mirrored=leader)
        log = self._log(info, hit.pos)
        if decisions := [event for event in log if event.event in _DECIDED]:
            line = signed(line, (decisions[-1].who or "", decisions[-1].note))
        return FoundRow(info, line, log)

    def _log(self, info: BatchInfo, pos: int) -> tuple[EventLine, ...]:
        """The events of one row, oldest first: those of its attempts, and the one of its intake.

        The intake writes an event for each row in their order, so its number is known; should it be another one, all
        of the batch's events are gone through.
        """
        event, attempt = tables.event.c, tables.attempt.c
        attempts = self._reads.read(select(attempt.id).where(attempt.batch == info.id, attempt.pos == pos))
        lines = list(self._reads.read(events_with_rows().where(event.attempt.in_([line.id for line in attempts]))))
        first = self._reads.read(select(event.seq).where(event.batch == info.id).order_by(event.seq).limit(1))
        of_row, unbound = (event.batch == info.id) & (event.pos == pos), event.attempt.is_(None)
        taken = self._reads.read(events_with_rows().where(event.seq == first[0].seq + pos - 1, of_row, unbound))
        lines += taken or self._reads.read(events_with_rows().where(of_row, unbound))
        return tuple(event_line(line, info.sheet) for line in sorted(lines, key=lambda line: int(line.seq)))

    def in_state(self, batch: str, state: State) -> list[int]:
        """The rows of ``batch`` whose newest attempt is in ``state``, in input order."""
        attempt = tables.attempt.c
        query = select(attempt.pos).where(attempt.batch == batch, attempt.state == state.value, is_newest())
        return [line.pos for line in self._reads.read(query.order_by(attempt.pos))]

    def answers(self, hit: Hit) -> list[Answer]:
        """What eDoc answered about a row, as it was recorded: without secrets, which are struck out on arrival."""
        event, attempt = tables.event.c, tables.attempt.c
        attempts = self._reads.read(select(attempt.id).where(attempt.batch == hit.batch, attempt.pos == hit.pos))
        query = select(event.seq, event.http, event.body).where(event.attempt.in_([line.id for line in attempts]))
        lines = self._reads.read(query.where(event.body.is_not(None)).order_by(event.seq))
        return [Answer(line.seq, line.http, bytes(line.body)) for line in lines if line.body]

    def named(self, wish: Wanted, checksums: Iterable[str] = ()) -> list[tuple[str, str]]:
        """Id and environment of the batches that ``wish`` names, newest first; ``checksums``: also of these files."""
        batch, wholes = tables.batch.c, frozenset(checksums)
        if not (wish.name or wish.batch or wish.checksum or wholes):
            return []
        query = select(batch.id, batch.env, batch.file, batch.sha256).order_by(*tables.newest_first())
        lines = self._reads.read(query)
        whole = [line for line in lines if _is(line, wish) or line.sha256 in wholes]
        found = whole or [line for line in lines if _begins(line, wish)]
        return [(line.id, line.env) for line in found]

    def batches_at_all(self) -> bool:
        """Whether there is any batch of this environment."""
        query = select(tables.batch.c.id).where(tables.batch.c.env == self._env).limit(1)
        return bool(self._reads.read(query))

    def exactly(self, batches: Sequence[str]) -> list[BatchInfo]:
        """The batches with exactly these ids, in this order, with their counts."""
        lines = {line.id: line for line in self._reads.read(select(tables.batch).where(tables.batch.c.id.in_(batches)))}
        return self._infos([lines[batch] for batch in batches])


def _is(line: Any, wish: Wanted) -> bool:
    """Whether ``wish`` names this batch whole: its id, its file's name or checksum."""
    name = _folded(wish.name)
    return (
        wish.batch == line.id
        or (len(wish.checksum) == len(line.sha256) and wish.checksum == line.sha256)
        or (name != "" and name in (_folded(line.file), _folded(line.file).rpartition(".")[0]))
    )


def _begins(line: Any, wish: Wanted) -> bool:
    """Whether ``wish`` is the beginning of this batch's id or checksum, or a part of its file's name."""
    return (
        (len(wish.batch) >= LEAST_BEGINNING and line.id.startswith(wish.batch))
        or (wish.checksum != "" and line.sha256.startswith(wish.checksum))
        or (len(wish.name) >= LEAST_NAME and _folded(wish.name) in _folded(line.file))
    )


def _folded(text: str) -> str:
    """Without regard to case and accents."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in apart if not unicodedata.combining(char)).strip()
