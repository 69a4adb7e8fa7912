"""Decisions of people about one row: the row's current state, and who decided what, when and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from pipeline.domain.errors import WrongUsage
from pipeline.domain.lifecycle import Event, State
from pipeline.domain.outcomes import ELSEWHERE, PREFLIGHT, Outcome, outcome
from pipeline.domain.records import BatchInfo, Position, Source
from pipeline.domain.row_labels import row_label
from pipeline.ledger import tables
from pipeline.ledger.storage.database import Database, Reads

DECISIONS = (Event.RESOLVED.value, Event.RESEND.value, Event.WITHDRAWN.value)
CLOSED = frozenset({State.CLOSED_BY_PERSON.value, State.CLOSED_RESEND.value, State.WITHDRAWN.value})


@dataclass(frozen=True, slots=True)
class RowStatus:
    """The newest attempt of one row, for the person who decides about it."""

    #: with ``version`` the compare-and-set handle
    attempt: int
    version: int
    batch: str
    pos: int
    position: Position
    cufe: str
    #: as its newest attempt sends it; ``email`` too
    reason: str
    state: State
    email: str | None = None
    #: whether a person authorised this attempt after an unclear outcome
    resend: bool = False
    #: whether the last answer was a query's 2
    alive: bool = False
    #: whether the query before sending left a doubt and nothing was sent
    unsent: bool = False
    #: whether another ledger of this machine sent it
    elsewhere: bool = False

    @property
    def outcome(self) -> Outcome:
        """The outcome of the row, the same as in ``resultado`` of the workbook."""
        more = {"again": self.resend, "elsewhere": self.elsewhere}
        return outcome(self.state, alive=self.alive, unsent=self.unsent, **more)


def named_row(database: Database, info: BatchInfo, text: str) -> RowStatus:
    """The row of ``info`` that a person named like the column «Fila» or by its number.

    Raises ``WrongUsage`` like ``standing``, for a text that names no single row, and for the row of another sheet.
    """
    label = row_label(text)
    if not label.is_of(info.sheet):
        mine = f"se leyó de la hoja «{info.sheet}»" if info.sheet else "se leyó de un CSV, que no tiene hojas"
        raise WrongUsage(
            f"El lote {info.id} {mine}; no hay filas de «{label.sheet}».",
            code="row-sheet",
            remedy=_nearby(database, info, label.line),
        )
    return standing(database, info, label.line)


def standing(database: Database, info: BatchInfo, number: int) -> RowStatus:
    """The row of ``info`` that the results call row or line ``number``.

    Raises ``WrongUsage`` when there is no such row, or when it was not to be sent itself.
    """
    row = tables.row
    found = database.read(tables.at_line(select(row), info.id, number))
    if not found:
        raise WrongUsage(
            f"El lote {info.id} no tiene la fila {number}.", code="no-row", remedy=_nearby(database, info, number)
        )
    where = Position(info.sheet, number)
    newest = select(tables.attempt).where(tables.attempt.c.batch == info.id, tables.attempt.c.pos == found[0].pos)
    attempts = database.read(newest.order_by(tables.attempt.c.n.desc()).limit(1))
    if not attempts:
        raise _never_sent(found[0], where)
    line = attempts[0]
    return RowStatus(
        attempt=line.id,
        version=line.v,
        batch=info.id,
        pos=line.pos,
        position=where,
        cufe=line.cufe,
        reason=(found[0].reason if line.reason is None else line.reason) or "",
        state=State(line.state),
        email=(found[0].email if line.reason is None else line.email) or None,
        resend=bool(line.possible_duplicate),
        alive=line.source == Source.QUERY.value and line.estado == 2,
        unsent=line.note == PREFLIGHT,
        elsewhere=line.note == ELSEWHERE,
    )


def _nearby(database: Database, info: BatchInfo, number: int) -> str:
    """The rows of ``info`` around a number that a person typed, for her next try."""
    line = tables.row.c.line
    query = select(line).where(tables.row.c.batch == info.id)
    above = database.read(query.where(line <= number).order_by(line.desc()).limit(_NEAR))
    below = database.read(query.where(line > number).order_by(line).limit(_NEAR))
    near = [str(Position(info.sheet, one.line)) for one in (*reversed(above), *below)]
    return f"Las más cercanas: {'; '.join(near)} (así las muestra la columna «Fila»)."


_NEAR = 3


def _never_sent(row: Any, where: Position) -> WrongUsage:
    if row.state == State.DUPLICATE.value:
        leader = f" del lote {row.leader_batch}" if row.leader_batch else ""
        words = f"es una duplicada: decida sobre la fila que repite (la número {row.leader_pos}{leader})."
    else:
        words = "no se envió: sus datos se rechazaron. Corríjala y cárguela de nuevo."
    return WrongUsage(f"Esta fila {words}", code="row-never-sent", where=str(where))


def decided(reads: Reads, batch: str) -> dict[int, tuple[str, str]]:
    """The newest decision about each row of ``batch``: who, and what with its reason."""
    event = tables.event
    query = select(event.c.pos, event.c.who, event.c.note).where(event.c.batch == batch, event.c.event.in_(DECISIONS))
    return {line.pos: (line.who or "", line.note) for line in reads.read(query.order_by(event.c.seq))}
