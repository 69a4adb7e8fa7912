"""Pages: what a page shows of a ledger, at the price of what it shows: the newest batches, the most urgent ones, the
counts of a batch, fifty of its rows. Reads only, by indexes only.

A company sees the batches of its own credential: an id of another one's is answered like one that does not exist.
Counts come from ``KeptCounts`` where the batch did not move since; without them each batch is counted now.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from heapq import merge
from itertools import islice
from typing import Any

from sqlalchemy import or_, select, text

from pipeline.domain.approved_by import WAYS
from pipeline.domain.cufe import Cufe
from pipeline.domain.deadline import limit_of_day
from pipeline.domain.outcomes import DONE, Outcome
from pipeline.domain.records import BatchInfo, Leader, ResultLine
from pipeline.ledger import codec, tables
from pipeline.ledger.batches import Batches
from pipeline.ledger.counts import IN, Group, is_newest, may_be_followed
from pipeline.ledger.decisions import CLOSED, DECISIONS
from pipeline.ledger.kept_counts import KeptCounts
from pipeline.ledger.scope import Scope
from pipeline.ledger.snapshot import attempts_of, result_line, signed
from pipeline.ledger.storage.database import Reads

NEWEST = 25
"""Batches on one page."""
ROWS = 50
"""Rows on one page."""
_CHUNK = 5_000
"""Rows read at once where a whole batch may be gone through."""
_SETTLED = DONE | {Outcome.DUPLICATE, Outcome.NOT_APPLICABLE}


@dataclass(frozen=True, slots=True)
class RowsPage:
    """Some rows of a batch in input order."""

    #: each as the results workbook has it, a duplicate with the line that it repeats
    lines: tuple[ResultLine, ...]
    #: the position after which the next page begins; None when there is no other row
    following: int | None


@dataclass(frozen=True, slots=True)
class Urgent:
    """A batch in which something is left to do."""

    #: as it was taken in, with ``counts`` and ``seal``
    batch: BatchInfo
    #: rows by outcome, only those that are not settled
    open: dict[str, int]
    #: the first legal limit of a row that is still to be sent (aware); None when none is
    limit: datetime | None


class Pages(Batches):
    """The batches of one company in one environment, by pages."""

    def __init__(self, reads: Reads, env: str, scope: Scope | None = None, kept: KeptCounts | None = None) -> None:
        super().__init__(reads, env, kept)
        self._scope = scope or Scope()

    def recent(self, most: int = NEWEST, *, before: str = "") -> list[BatchInfo]:
        """At most ``most`` batches with their counts, the one taken in last first; ``before``: the id of the last batch
        of the page before, none of an unknown one."""
        query = self._mine()
        if before:
            place = self._reads.read(query.with_only_columns(tables.FIRST_EVENT).where(tables.batch.c.id == before))
            if not place:
                return []
            query = query.where(place[0][0] > tables.FIRST_EVENT)
        return self._infos(self._reads.read(query.order_by(*tables.newest_first()).limit(most)))

    def between(
        self, begin: datetime | None, end: datetime | None, who: str = "", most: int = NEWEST
    ) -> list[BatchInfo]:
        """At most ``most`` batches that were taken in from ``begin`` until before ``end`` (aware; None: at any time),
        the newest first; ``who``: only those that this person prepared or approved."""
        query, batch = self._mine(), tables.batch.c
        if begin is not None:
            query = query.where(batch.created_utc >= codec.to_text(begin))
        if end is not None:
            query = query.where(batch.created_utc < codec.to_text(end))
        if who:
            named = (f"{way}: {who} aprobó;" for way in WAYS)
            prepared = batch.approved_by.contains(f"; {who} preparó;", autoescape=True)
            approved = [batch.approved_by.startswith(one, autoescape=True) for one in named]
            query = query.where(or_(batch.approved_by == who, prepared, *approved))
        return self._infos(self._reads.read(query.order_by(*tables.newest_first()).limit(most)))

    def one(self, batch: str) -> BatchInfo | None:
        """The batch with exactly this id, with its counts; None for another company's, as for one that is not there."""
        found = self._reads.read(self._mine().where(tables.batch.c.id == batch))
        return self._infos(found)[0] if found else None

    def outcomes(self, batch: str) -> dict[str, int]:
        """Row counts of a batch by outcome word; empty for one that is not there."""
        info = self.one(batch)
        return info.counts if info is not None else {}

    def totals(self) -> dict[str, int]:
        """Row counts of all batches by outcome word."""
        total: Counter[str] = Counter()
        lines = self._reads.read(self._mine())
        for counts in self._counted({line.id: line.n_rows for line in lines}).values():
            total.update(counts.by_outcome())
        return dict(total)

    def urgent(self, most: int = NEWEST) -> list[Urgent]:
        """The batches in which something is left to do: those with the nearest legal limit of a row still to be sent
        first, then the others, the newest first."""
        lines = self._reads.read(self._mine().order_by(*tables.newest_first()))
        counted = self._counted({line.id: line.n_rows for line in lines})
        found: list[tuple[datetime | None, dict[str, int], Any]] = []
        for line in lines:
            counts = counted[line.id]
            left: Counter[str] = Counter()
            for group in counts.groups:
                if group.outcome not in _SETTLED:
                    left[group.outcome.value] += group.rows
            if left:
                limit = limit_of_day(counts.first_day, line.deadline_hours) if counts.first_day else None
                found.append((limit, dict(left), line))
        found.sort(key=lambda one: (one[0] is None, one[0].timestamp() if one[0] is not None else 0.0))
        chosen = found[:most]
        infos = self._infos([line for _, _, line in chosen])
        return [Urgent(info, left, limit) for info, (limit, left, _) in zip(infos, chosen, strict=True)]

    def rows(self, batch: str, *, after: int = 0, most: int = ROWS, outcome: Outcome | None = None) -> RowsPage | None:
        """At most ``most`` rows of a batch behind position ``after``, in input order; ``outcome``: only those that
        ``status`` counts under it. None for a batch that is not there.

        Whatever the position and the outcome, an index leads to the rows: a page costs the same anywhere.
        """
        found = self._reads.read(self._mine().where(tables.batch.c.id == batch))
        if not found:
            return None
        head = found[0]
        if outcome is None:
            row = tables.row.c
            query = select(row.pos).where(row.batch == batch, row.pos > after).order_by(row.pos).limit(most + 1)
            places = [line.pos for line in self._reads.read(query)]
        else:
            groups = [one for one in self._counted({batch: head.n_rows})[batch].groups if one.outcome is outcome]
            each = [self._places(batch, group, after, most + 1) for group in groups]
            places = list(islice(merge(*each), most + 1))
        shown = places[:most]
        lines = self._lines(batch, shown, head.sheet or None, leaders=True)
        following = shown[-1] if len(places) > most else None
        return RowsPage(tuple(lines[pos] for pos in shown), following)

    def marks(self, batch: str) -> Iterator[tuple[int, str, tuple[str, ...]]]:
        """Of each row of a batch, in input order: position, issuer (empty without a code), codes of its problems and
        warnings, each once. All of it is fixed when the batch is taken in. Goes through the whole batch."""
        row, after = tables.row.c, 0
        query = select(row.pos, row.cufe, row.remarks).where(row.batch == batch).order_by(row.pos).limit(_CHUNK)
        while lines := self._reads.read(query.where(row.pos > after)):
            for line in lines:
                codes: tuple[str, ...] = ()
                if line.remarks:
                    problems, _, warnings = codec.remarks_from_text(line.remarks)
                    codes = tuple(dict.fromkeys(one.code for one in (*problems, *warnings)))
                yield line.pos, Cufe(line.cufe).ruc if line.cufe else "", codes
            after = lines[-1].pos

    def among(
        self, batch: str, places: Sequence[int], *, after: int = 0, most: int = ROWS, outcome: Outcome | None = None
    ) -> RowsPage | None:
        """The same as ``rows``, of the rows at ``places`` alone (in input order)."""
        found = self._reads.read(self._mine().where(tables.batch.c.id == batch))
        if not found:
            return None
        head, rest = found[0], places[bisect_right(places, after) :]
        if outcome is None:
            shown = list(rest[: most + 1])
        else:
            groups = [one for one in self._counted({batch: head.n_rows})[batch].groups if one.outcome is outcome]
            shown = self._both(batch, groups, rest, most + 1)
        lines = self._lines(batch, shown[:most], head.sheet or None, leaders=True)
        following = shown[most - 1] if len(shown) > most else None
        return RowsPage(tuple(lines[pos] for pos in shown[:most]), following)

    def _both(self, batch: str, groups: Sequence[Group], places: Sequence[int], most: int) -> list[int]:
        """The first of ``places`` whose rows are of one of ``groups``: the smaller side is gone through, the other one
        is looked up, until enough are found."""
        found: list[int] = []
        if sum(group.rows for group in groups) < len(places):
            wanted, after, size = frozenset(places), places[0] - 1, IN
            while len(found) < most:
                each = [self._places(batch, group, after, size) for group in groups]
                some = list(islice(merge(*each), size))
                found += [pos for pos in some if pos in wanted]
                if len(some) < size:
                    break
                after, size = some[-1], min(2 * size, _CHUNK)  # few of them are wanted: longer steps
            return found[:most]
        for start in range(0, len(places), IN):
            some = list(places[start : start + IN])
            each = [self._places(batch, group, some[0] - 1, IN, some) for group in groups]
            found += merge(*each)
            if len(found) >= most:
                break
        return found[:most]

    def these(self, batch: str, places: Sequence[int]) -> tuple[ResultLine, ...]:
        """The rows of a batch at ``places``, in this order; none of a batch that is not there."""
        found = self._reads.read(self._mine().where(tables.batch.c.id == batch))
        lines = self._lines(batch, places, found[0].sheet or None, leaders=True) if found else {}
        return tuple(lines[pos] for pos in places if pos in lines)

    def place_of(self, batch: str, line: int) -> int | None:
        """The position of the row that stands in this line of the file; None where there is none."""
        found = self._reads.read(tables.at_line(select(tables.row.c.pos), batch, line))
        return int(found[0].pos) if found and self.one(batch) is not None else None

    def _mine(self) -> Any:
        batch = tables.batch
        return select(batch).where(batch.c.env == self._env, self._scope.rows(batch))

    def _places(self, batch: str, group: Group, after: int, most: int, among: Sequence[int] | None = None) -> list[int]:
        """The first positions behind ``after`` of rows of this group, or of those ``among`` them: a range of an index,
        which ends with the position."""
        if group.aside:
            row = tables.row.c
            query = select(row.pos).where(row.batch == batch, row.state == group.state, text(tables.SET_ASIDE))
            query = query.where(row.pos.in_(among)) if among is not None else query
            found = self._reads.read(query.where(row.pos > after).order_by(row.pos).limit(most))
            return [line.pos for line in found]
        attempt = tables.attempt.c
        query = select(attempt.pos).where(
            attempt.batch == batch,
            attempt.state == group.state,
            attempt.source.is_(None) if group.source is None else attempt.source == group.source,
            attempt.estado.is_(None) if group.estado is None else attempt.estado == group.estado,
            attempt.note == group.note,
            attempt.possible_duplicate == group.again,
            attempt.pos > after,
        )
        if may_be_followed(group.state):
            query = query.where(is_newest())
        if among is not None:
            query = query.where(attempt.pos.in_(among))
        return [line.pos for line in self._reads.read(query.order_by(attempt.pos).limit(most))]

    def _lines(
        self, batch: str, places: Sequence[int], sheet: str | None, *, leaders: bool = False
    ) -> dict[int, ResultLine]:
        """These rows by their position, with people's decisions, and with ``leaders`` the lines that they repeat."""
        if not places:
            return {}
        row, attempt, event = tables.row, tables.attempt, tables.event.c
        rows = self._reads.read(select(row).where(row.c.batch == batch, row.c.pos.in_(places)))
        attempts = self._reads.read(attempts_of(batch).where(attempt.c.pos.in_(places)))
        newest = {one.pos: one for one in attempts}
        lines = {one.pos: result_line(one, newest.get(one.pos), sheet) for one in rows}
        if closed := [one.id for one in attempts if one.state in CLOSED]:
            query = select(event.pos, event.who, event.note).where(
                event.attempt.in_(closed), event.event.in_(DECISIONS)
            )
            for one in self._reads.read(query.order_by(event.seq)):
                lines[one.pos] = signed(lines[one.pos], (one.who or "", one.note))
        if leaders:
            self._with_leaders(lines, batch, sheet, rows)
        return lines

    def _with_leaders(self, lines: dict[int, ResultLine], batch: str, sheet: str | None, rows: Sequence[Any]) -> None:
        wanted: dict[str, list[int]] = {}
        for one in rows:
            if one.leader_pos is not None:
                wanted.setdefault(one.leader_batch or batch, []).append(one.leader_pos)
        sheets = {name: info.sheet for name, info in self.heads([name for name in wanted if name != batch]).items()}
        there = {name: self._lines(name, sorted(set(at)), sheets.get(name, sheet)) for name, at in wanted.items()}
        for one in rows:
            if one.leader_pos is not None:
                leader = there[one.leader_batch or batch][one.leader_pos]
                named = Leader(one.leader_batch, leader.pos, leader.position)
                lines[one.pos] = replace(lines[one.pos], leader=named, mirrored=leader)
