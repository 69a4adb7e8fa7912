"""Lineage: what became of the rejected rows of a batch in the batches made from its corrections workbook.

A row is found there by its place (``fila_origen``), which that workbook carries for every row; of a row whose code was
valid, the code has to be the same too. Of rows that contradict each other (``CONFLICT``) one version is enough: the
others follow the row of their document. Whatever is not found exactly once is not claimed (decision 0030).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from pipeline.domain.columns import PLACE_COLUMN, result_column_of, role_of
from pipeline.domain.cufe import document_of
from pipeline.domain.lifecycle import SETTLED, State
from pipeline.domain.records import Leader, Position, ResultLine
from pipeline.ledger import codec, tables
from pipeline.ledger.snapshot import attempts_of, in_parts, line_of, result_line
from pipeline.ledger.storage.database import Reads

Fixed = tuple[Leader, ResultLine]
"""The row of a correction, and its line; of a row that repeats another, the line of that one."""

CORRECTABLE = frozenset({State.REJECTED_INPUT, State.CONFLICT})
"""Verdicts of rows that stand in a corrections workbook."""

_IN = 500  # values in one IN (...): SQLite's oldest limit is 999


def corrected_in(reads: Reads, batch: str) -> list[str]:
    """The batches that came from the corrections workbook of ``batch``, in its environment, oldest first."""
    head, other = tables.batch.c, tables.batch.alias().c
    query = select(head.id).where(
        head.corrects == batch, head.env == select(other.env).where(other.id == batch).scalar_subquery()
    )
    return [line.id for line in reads.read(query.order_by(*tables.oldest_first()))]


def fixed_rows(reads: Reads, batch: str, above: frozenset[str] = frozenset()) -> dict[int, Fixed]:
    """By ordinal, where each rejected row of ``batch`` was corrected: a settled row before any other, then the newest.

    A correction that was corrected itself is followed to its end. ``above`` are batches on the way here: a file may
    name any batch, so there could be a circle.
    """
    above |= {batch}
    after = [one for one in corrected_in(reads, batch) if one not in above]
    if not after:
        return {}
    wanted = list(_places(reads, batch))
    twice = {place for place, many in Counter(one.place for one in wanted).items() if many > 1}
    found: dict[int, Fixed] = {}
    for other in after:
        here = [one for one in _places(reads, other, first=False) if one.state is not State.NOT_APPLICABLE]
        by_place, by_document = _unique(here, "place"), _unique(here, "document")
        matches: dict[int, int] = {}
        for row in wanted:
            match = None if row.place in twice else by_place.get(row.place)
            if match is not None and row.cufe not in (None, match.cufe) and not row.code_is_wrong:
                match = None  # somebody changed the place, or put another invoice there
            if match is None and row.state is State.CONFLICT:
                match = by_document.get(row.document)
            if match is not None:
                matches[row.pos] = match.pos
        there = _followed(reads, other, sorted(set(matches.values()))) | fixed_rows(reads, other, above)
        for pos, match_pos in matches.items():
            if pos not in found or not settled(found[pos]) or settled(there[match_pos]):
                found[pos] = there[match_pos]
    return found


def settled(fixed: Fixed) -> bool:
    """Whether nothing remains to be done about that row."""
    return fixed[1].state in SETTLED


@dataclass(frozen=True, slots=True)
class _Place:
    """A row that may be matched."""

    pos: int
    state: State
    #: where the row was in the first file; "" when that is not told
    place: str
    cufe: str | None
    #: the fiscal document of ``cufe``
    document: str
    #: whether the code itself is among what was wrong
    code_is_wrong: bool


def _places(reads: Reads, batch: str, *, first: bool = True) -> Iterator[_Place]:
    """The rows of ``batch``: those to be corrected (``first``), or all of a correction. The place of a row that came
    from a corrections workbook is the one that stands in it: in its first column, unless somebody put others before."""
    (head,) = reads.read(select(tables.batch.c.headings, tables.batch.c.sheet).where(tables.batch.c.id == batch))
    headings = codec.cells_from_text(head.headings)
    named = [result_column_of(str(one)) == PLACE_COLUMN for one in headings]
    column = named.index(True) if any(named[:1] if first else named) else None
    row = tables.row
    query = select(row.c.pos, row.c.line, row.c.cells, row.c.state, row.c.cufe, row.c.remarks).where(
        row.c.batch == batch
    )
    if first:
        query = query.where(row.c.state.in_([state.value for state in CORRECTABLE]), row.c.leader_pos.is_(None))
    for part in in_parts(reads, query, row.c.pos):
        for line in part:
            yield _place(line, head.sheet, column, first=first)


def _place(line: Any, sheet: str, column: int | None, *, first: bool) -> _Place:
    cells = codec.cells_from_text(line.cells)
    place = str(cells[column] or "") if column is not None and column < len(cells) else ""
    if first and not place:
        place = str(Position(sheet or None, line.line))
    problems = codec.remarks_from_text(line.remarks)[0]
    wrong = any(role_of(problem.column) == "cufe" for problem in problems)
    document = document_of(line.cufe) if line.cufe else ""
    return _Place(line.pos, State(line.state), " ".join(place.split()), line.cufe, document, wrong)


def _unique(rows: Sequence[_Place], name: str) -> dict[str, _Place]:
    """The rows by this text, without those that share it."""
    many = Counter(getattr(one, name) for one in rows)
    return {text: one for one in rows if (text := getattr(one, name)) and many[text] == 1}


def _followed(reads: Reads, batch: str, wanted: Sequence[int]) -> dict[int, Fixed]:
    """By ordinal, these rows of a correction; of one that repeats another, the line of that one."""
    (head,) = reads.read(select(tables.batch.c.sheet).where(tables.batch.c.id == batch))
    row, attempt, found = tables.row, tables.attempt, dict[int, Fixed]()
    for start in range(0, len(wanted), _IN):
        some = wanted[start : start + _IN]
        newest = {one.pos: one for one in reads.read(attempts_of(batch).where(attempt.c.pos.in_(some)))}
        for one in reads.read(select(row).where(row.c.batch == batch, row.c.pos.in_(some))):
            line = result_line(one, newest.get(one.pos), head.sheet or None)
            told = line if one.leader_pos is None else line_of(reads, one.leader_batch or batch, one.leader_pos)
            found[one.pos] = Leader(batch, one.pos, line.position), told
    return found
