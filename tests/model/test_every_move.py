"""Every move of the table, made once in a real ledger: each with its event, from the file on, in a chain that holds.

The cases come from ``MOVES`` itself, so a move that is added is tested, and the coverage of moves is whole by
construction (reliability.md 5, G18).
"""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from pipeline.domain.errors import Bug
from pipeline.domain.lifecycle import MOVES, Event, State
from pipeline.domain.records import BatchInfo, CheckedRow, Correction, Finding, Leader, Position, Source, Verdict
from pipeline.ledger import tables
from pipeline.ledger.moves import Move, Moved
from pipeline.ledger.storage.location import Database, open_ledger
from pipeline.ledger.store import Store
from pipeline.ledger.verify import examine
from pipeline.ledger.views import Views

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
VERDICTS = {
    Event.ACCEPTED: Verdict.ACCEPTED,
    Event.HELD: Verdict.HELD,
    Event.REJECTED: Verdict.REJECTED,
    Event.DUPLICATED: Verdict.DUPLICATE,
    Event.CONFLICTED: Verdict.CONFLICT,
    Event.NO_INVOICE: Verdict.NOT_APPLICABLE,
}
UNANSWERED = frozenset({Event.CLAIMED, Event.APPROVED, Event.STOPPED, Event.WITHDRAWN, Event.RESOLVED, Event.RESEND})
"""The program's own first step, and what a person decides: no service says anything."""
Way = tuple[Event, ...]


def ways() -> dict[State, Way]:
    """The shortest way from a received row to every state."""
    found: dict[State, Way] = {State.RECEIVED: ()}
    todo = deque([State.RECEIVED])
    while todo:
        state = todo.popleft()
        for (source, event), target in MOVES.items():
            if source is state and target not in found:
                found[target] = (*found[state], event)
                todo.append(target)
    return found


WAYS = ways()
CASES = [(source, event) for source, event in MOVES]


class Book:
    """One ledger for all cases, a batch of one row for each."""

    def __init__(self, folder: Path) -> None:
        self.database: Database = open_ledger(f"sqlite:///{folder / 'registro.db'}")
        self.store, self.views = Store(self.database, "sandbox"), Views(self.database, "sandbox")
        self.store.begin_run(NOW)
        self.taken = 0

    def take(self, verdict: Verdict) -> BatchInfo:
        self.taken += 1
        leader = Leader(None, 1, Position(None, 2))
        number = self.taken * 10
        first = self._row(1, f"FE{number:064d}", Verdict.ACCEPTED)
        second = self._row(2, f"FE{number + 1:064d}", verdict, leader if verdict is Verdict.DUPLICATE else None)
        info = BatchInfo(
            f"b{self.taken}", "lote.csv", f"{self.taken:064d}", "sandbox", None, 2, ("CUFE",), NOW, folder="/r"
        )
        self.store.intake(info, [first, second])
        return info

    def _row(self, pos: int, cufe: str, verdict: Verdict, leader: Leader | None = None) -> CheckedRow:
        return CheckedRow(pos, Position(None, pos + 1), (cufe,), verdict, cufe, "Error en el monto", leader=leader)

    def newest(self, info: BatchInfo) -> Any:
        """The newest attempt of the second row; None when it was never to be sent."""
        attempt = tables.attempt
        query = select(attempt).where(attempt.c.batch == info.id, attempt.c.pos == 2).order_by(attempt.c.n.desc())
        found = self.database.read(query.limit(1))
        return found[0] if found else None

    def move(
        self, info: BatchInfo, event: Event, *, retry: bool = False, finding: Finding | None = None, **more: Any
    ) -> Moved:
        line = self.newest(info)
        source = Source.CANCELLATION if line.state == State.SENDING.value else Source.QUERY
        if finding is None and event not in UNANSWERED:
            finding = Finding(source, event, http=200)
        said: dict[str, Any] = {"note": "n", "who": "ana", "retry": retry, **more}
        wish = Move(line.id, line.v, info.id, 2, State(line.state), event, NOW, finding, **said)
        return self.store.apply([wish])[0]

    def lead(self, way: Way, *, retry: bool = False) -> BatchInfo:
        """A batch whose second row has gone ``way``; ``retry`` adds the next attempt to the last step."""
        info = self.take(VERDICTS[way[0]])
        for place, event in enumerate(way[1:], start=2):
            self.move(info, event, retry=retry and place == len(way))
        return info

    def events(self, info: BatchInfo) -> list[tuple[State | None, Event, State]]:
        return [(line.source, line.event, line.target) for line in self.views.log(info) if line.pos == 2]


@pytest.fixture(scope="module")
def book(quick_folder):
    with quick_folder() as folder:
        book = Book(Path(folder))
        yield book
        found = examine(book.database)
        book.database.close()
    assert found.good, found.faults


def test_every_state_can_be_reached() -> None:
    assert set(WAYS) == set(State)


@pytest.mark.parametrize(("source", "event"), CASES, ids=lambda value: value.value)
def test_a_move_is_made_with_its_event(book: Book, source: State, event: Event) -> None:
    target = MOVES[source, event]
    if event is Event.RETRY:
        info = book.lead(WAYS[source], retry=True)
        assert book.newest(info).n == 2
    else:
        info = book.lead((*WAYS[source], event))
    assert book.events(info)[-1] == (source, event, target)
    line = book.newest(info)
    assert line is None or line.state == target.value
    assert book.views.lines(info)[1].state is target


SAID = {Event.ALIVE: 2, Event.CORRECT: 6, Event.RETURNED: 15, Event.SUPPORT: 4, Event.NOT_FOUND: 18}
"""Answers to the query before a resend, by the state that each is of."""


def test_only_a_resend_of_what_was_given_back_carries_other_texts(book: Book) -> None:
    """By every move of an attempt, with every answer: R12."""
    new, taken = Correction("Otro motivo, más claro", "a@empresa.com"), set()
    for (source, event), said in product(CASES, SAID):
        if source is State.RECEIVED or event is Event.RETRY or WAYS[source][0] not in (Event.ACCEPTED, Event.HELD):
            continue
        info = book.lead(WAYS[source])
        finding = Finding(Source.QUERY, said, http=200, estado=SAID[said])
        before = book.newest(info), book.events(info)
        try:
            book.move(info, event, retry=event is Event.RESEND, finding=finding, correction=new)
        except Bug:
            assert (book.newest(info), book.events(info)) == before
            continue
        taken.add((source, event, said))
        assert (book.newest(info).reason, book.newest(info).email) == (new.reason, new.email)
        (ready,) = [one for one in book.views.ready(info.id) if one.pos == 2]
        assert (ready.reason, ready.email, ready.corrected) == (new.reason, new.email, True)
    back, proofs = (State.NEEDS_CORRECTION, State.RETURNED), (Event.ALIVE, Event.CORRECT, Event.RETURNED)
    assert taken == {(source, Event.RESEND, said) for source in back for said in proofs}


def test_the_ledger_has_seen_every_move_of_the_table(quick_folder: Any) -> None:
    """The figure is read from the events of a real ledger, not from the cases. ``python -m tests.model.transitions``
    tells which of them the model, the simulation and the fault matrix meet by living."""
    with quick_folder() as folder:
        book = Book(Path(folder))
        for source, event in CASES:
            retried = event is Event.RETRY
            book.lead(WAYS[source] if retried else (*WAYS[source], event), retry=retried)
        lines = book.database.read(select(tables.event.c.from_, tables.event.c.event).distinct())
        book.database.close()
    made = {(State(line.from_), Event(line.event)) for line in lines}
    print(f"\n{len(made & set(MOVES))} of {len(MOVES)} moves hit")  # noqa: T201 - the figure is part of the result
    assert made == set(MOVES)


def test_a_move_that_is_not_in_the_table_changes_nothing(book: Book) -> None:
    for state in set(State) - {State.RECEIVED}:
        if WAYS[state][0] not in (Event.ACCEPTED, Event.HELD):
            continue
        info = book.lead(WAYS[state])
        before = book.newest(info), book.database.read(select(func.count()).select_from(tables.event))
        for event in Event:
            if (state, event) not in MOVES:
                with pytest.raises(Bug):
                    book.move(info, event)
        assert (book.newest(info), book.database.read(select(func.count()).select_from(tables.event))) == before
