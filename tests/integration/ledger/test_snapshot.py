"""What the report shows of a batch is of one moment and takes no more memory than what is shown (decision 0050)."""

from __future__ import annotations

import gc
import random
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pytest
from sqlalchemy import func, select

from pipeline.domain.lifecycle import Event, State
from pipeline.domain.records import Finding, Position, Source, Verdict
from pipeline.ledger import snapshot, tables
from pipeline.ledger.moves import Move
from pipeline.ledger.storage.driver import has_wal, sqlite3
from pipeline.ledger.views import Views
from pipeline.report.lines import outcome_of
from pipeline.report.summary import summarise
from tests.support import ledgers

OUTCOMES = (Event.CANCELLED, Event.IN_PROGRESS, Event.UNCLEAR, Event.NOTHING_LEFT)


@dataclass
class Busy:
    """A ledger beside which a run goes on: it makes a move before each read."""

    database: Any
    moves: Iterator[Callable[[], object]]

    def read(self, query: Any) -> Sequence[Any]:
        for move in self.moves:
            move()
            break
        return self.database.read(query)

    @contextmanager
    def moment(self) -> Iterator[Any]:
        with self.database.moment() as moment:
            yield moment


@pytest.fixture
def batch(book, row, leader, monkeypatch):
    """Eight rows, one of them a duplicate, read two at a time."""
    monkeypatch.setattr(snapshot, "PART", 2)
    twin = row(8, Verdict.DUPLICATE, cufe=row(3).cufe, leader=leader(None, 3, Position("Hoja1", 7)))
    return book.take([*(row(n) for n in range(1, 8)), twin])


@pytest.mark.parametrize("seed", range(12))
def test_totals_rows_and_log_agree_whatever_a_run_does_between_the_reads(book, batch, seed):
    chance = random.Random(seed)
    ready = book.views.ready(batch.id)
    moves: list[Callable[[], object]] = []
    for sent in chance.sample(ready, chance.randint(1, len(ready))):
        event = chance.choice(OUTCOMES)
        moves += [partial(book.claim, sent), partial(_ended, book, sent, event)]
    beside = Views(Busy(book.database, iter(moves)), "sandbox")  # type: ignore[arg-type]

    found = beside.whole(batch)
    log = list(found.log)

    assert dict(Counter(outcome_of(line).value for line in found.lines)) == found.info.counts
    assert all(check.agrees for check in summarise(found.info, found.lines, log).checks)
    newest = {event.pos: event.target for event in log}
    assert {line.pos: line.state for line in found.lines} == newest
    assert log[-1].at == found.info.ended
    assert found.lines[7].mirrored == found.lines[2]


def _ended(book: Any, sent: Any, event: Event) -> None:
    found = Finding(Source.CANCELLATION, event, http=200)
    book.move(sent.attempt, sent.version + 1, sent.pos, State.SENDING, event, found, retry=event is Event.NOTHING_LEFT)


def test_what_was_moved_after_the_last_read_is_in_nothing_that_is_shown(book, batch):
    found = book.views.whole(batch)
    before = list(found.log)
    book.send(book.views.ready(batch.id)[0], Event.CANCELLED)

    assert list(found.log) == before
    assert len(list(book.views.log(batch))) == len(before) + 2


def test_a_decision_made_while_the_rows_are_read_is_shown(book, batch):
    sent = book.views.ready(batch.id)[1]
    unclear = book.send(sent, Event.UNCLEAR)
    decision = (Event.RESOLVED, book.now, None, "x", "ana")
    decide = Move(sent.attempt, unclear.version, batch.id, 2, State.UNKNOWN, *decision)
    busy = Busy(book.database, iter([lambda: None, lambda: None, lambda: None, lambda: book.store.apply([decide])]))

    line = Views(busy, "sandbox").whole(batch).lines[1]  # type: ignore[arg-type]

    assert (line.state, line.decided_by, line.decided_why) == (State.CLOSED_BY_PERSON, "ana", "x")


@pytest.mark.sqlite  # nobody can write a file meanwhile; on a server they can: test_postgres.py
def test_the_reads_of_a_moment_see_one_state_of_the_ledger(book, batch):
    count = select(func.count()).select_from(tables.run)
    more = "INSERT INTO run (id, started_utc, who, host) VALUES (99, '', '', '')"
    goes_on = ledgers.on_a_server() or has_wal()
    with book.database.moment() as moment:
        before = moment.read(count)[0][0]
        if ledgers.on_a_server():
            ledgers.change(book.url, more)
        elif goes_on:
            with closing(sqlite3.connect(book.database.path, timeout=0)) as other, other:
                other.execute(more)
        else:  # a file lets nobody commit meanwhile
            other = sqlite3.connect(book.database.path, timeout=0)
            with closing(other), pytest.raises(sqlite3.OperationalError, match="locked"), other:
                other.execute(more)
        assert moment.read(count)[0][0] == before
    assert book.database.read(count)[0][0] == before + goes_on


def test_equal_texts_of_a_batch_are_one_object_and_a_code_stands_in_memory_once(book, batch):
    one, two, *_ = book.views.lines(batch)

    assert one.reason is two.reason
    assert one.cells[1] is two.cells[1]
    assert one.cells[0] is one.cufe


def test_equal_cells_of_different_kinds_stay_what_they_are(book, row):
    info = book.take([row(1, cells=(1, True, 1.0, "1", None)), row(2, cells=(True, 1, 1.0, "1", ""))])

    assert [[type(cell) for cell in line.cells] for line in book.views.lines(info)] == [
        [int, bool, float, str, type(None)],
        [bool, int, float, str, str],
    ]


def test_only_so_many_texts_are_remembered(monkeypatch):
    monkeypatch.setattr(snapshot, "MOST_SHARED", 2)
    shared = snapshot.Shared()
    texts = [f"texto {n}" for n in range(3)]

    assert [shared(text) for text in texts] == texts
    assert [shared(f"texto {n}") is texts[n] for n in range(3)] == [True, True, False]


def test_reading_takes_no_more_than_what_is_read_however_many_rows_there_are(book, row, monkeypatch):
    monkeypatch.setattr(snapshot, "PART", 100)
    beyond = []
    for name, rows in (("a", 400), ("b", 400), ("c", 2_000)):  # the first fills the caches
        first = {"a": 0, "b": 1_000, "c": 2_000}[name]
        info = book.take([replace(row(first + n), pos=n) for n in range(1, rows + 1)], name=name, sha=name)
        gc.collect()
        tracemalloc.start()
        kept = book.views.whole(info)
        now, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert len(kept.lines) == rows
        beyond.append(peak - now)
    assert beyond[2] - beyond[1] < 100_000
