"""How SQLite goes about each query: with a history of years, what scans a table would take longer every day."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from sqlalchemy import event

from pipeline.domain.lifecycle import Event
from pipeline.domain.lookup import wanted
from pipeline.ledger.search import Hit
from pipeline.ledger.storage.driver import sqlite3

pytestmark = pytest.mark.sqlite

NEWEST_EVENT = "FROM event ORDER BY event.seq DESC\n LIMIT ? OFFSET ?"


def plans(book: Any, ask: Callable[[], object]) -> list[str]:
    """What SQLite says of every SELECT and UPDATE that ``ask`` makes, except of the one for the newest event: that
    begins at the end of the table and stops there, which is called a scan too."""
    told: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, _context: Any, many: bool) -> None:
        if statement.startswith(("SELECT", "UPDATE")) and not statement.endswith(NEWEST_EVENT):
            told.append((statement, values[0] if many else values))

    engine = book.database._engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        ask()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert told, "nothing was asked"
    with closing(sqlite3.connect(book.database.path)) as other:
        return [
            line[3] for statement, values in told for line in other.execute(f"EXPLAIN QUERY PLAN {statement}", values)
        ]


def whole_tables(found: list[str]) -> list[str]:
    """The steps that go through all of a large table; the few batches and runs may be gone through."""
    return [step for step in found if step.startswith("SCAN") and step.split()[1] in ("attempt", "row", "event")]


@pytest.fixture
def history(book, row):
    """Rows of every kind: cancelled, tried twice, waiting, unsent."""
    info = book.take([row(n) for n in range(1, 6)])
    ready = book.views.ready(info.id)
    book.send(ready[0], Event.CANCELLED)
    book.send(ready[1], Event.NOTHING_LEFT, retry=True)
    book.send(ready[2], Event.IN_PROGRESS)
    book.send(ready[3], Event.NOTHING_LEFT)
    return info


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(lambda b, i: b.views.seen(["FE" + "1" * 64]), id="duplicates"),
        pytest.param(lambda b, i: b.views.taken(["FE" + "1" * 64]), id="other codes of a document"),
        pytest.param(lambda b, i: b.store.reopen(i.id, i.created), id="reopen"),
        pytest.param(lambda b, i: b.store.recover(i.created), id="recover"),
        pytest.param(lambda b, i: b.views.find(i.sha256, i.sheet), id="known file"),
        pytest.param(lambda b, i: b.views.batches(), id="status"),
        pytest.param(lambda b, i: b.views.ready(i.id), id="ready"),
        pytest.param(lambda b, i: b.views.unsent(i.id), id="unsent"),
        pytest.param(lambda b, i: b.views.cutoff(i.id, 2), id="cutoff"),
        pytest.param(lambda b, i: b.views.waiting(i.id, "retenida-carpeta"), id="held on arrival"),
        pytest.param(lambda b, i: b.views.waiting_since(i.created), id="grown old"),
        pytest.param(lambda b, i: b.views.sent_for("carpeta", i.created), id="sent by the drop folder"),
        pytest.param(lambda b, i: b.views.followed(), id="followed"),
        pytest.param(lambda b, i: b.views.followed([i.id]), id="followed of a batch"),
        pytest.param(lambda b, i: b.views.lines(i), id="results"),
        pytest.param(lambda b, i: list(b.views.log(i)), id="log"),
        pytest.param(lambda b, i: b.views.search().hits(wanted("FE" + "1" * 64)), id="find a code"),
        pytest.param(lambda b, i: b.views.search().hits(wanted("12")), id="find a document number"),
        pytest.param(lambda b, i: b.views.issuers(), id="issuers"),
        pytest.param(lambda b, i: b.views.search().row(Hit(i.id, 2, "sandbox")), id="find shows a row"),
    ],
)
def test_no_query_of_a_run_goes_through_the_whole_history(book, history, ask):
    assert whole_tables(plans(book, lambda: ask(book, history))) == []


def test_the_counts_of_a_batch_read_no_row(book, history):
    found = plans(book, lambda: book.views.counts(history.id))
    of_batch = [step for step in found if "(batch=? AND pos=?)" not in step]  # of the few that may have a later attempt

    assert any("row USING COVERING INDEX ix_row_set_aside (batch=?)" in step for step in of_batch)
    assert any("attempt USING COVERING INDEX ix_attempt_counts (batch=?)" in step for step in of_batch)


def test_a_code_is_looked_up_in_the_index_of_live_attempts(book, history):
    assert any(
        "USING INDEX one_live (env=? AND cufe=?)" in step for step in plans(book, lambda: book.views.seen(["FE"]))
    )


def test_other_codes_of_a_document_are_looked_up_by_its_number_whatever_the_issuer_sent_before(book, history):
    codes = [line.cufe for line in book.views.lines(history)]
    found = plans(book, lambda: book.views.taken(codes))
    assert any("INDEX ix_row_number (<expr>=?)" in step for step in found)
    assert [step for step in found if "one_live (env=? AND cufe>?" in step] == [], "all codes of the issuer"


def test_a_line_of_the_file_is_found_without_going_through_the_batch(book, history):
    found = plans(book, lambda: book.views.standing(history, 5))
    assert any("(batch=? AND pos<?)" in step for step in found)


def test_a_document_number_and_the_events_of_a_row_have_their_indexes(book, history):
    assert any(
        "INDEX ix_row_number (<expr>=?)" in step for step in plans(book, lambda: book.views.search().hits(wanted("12")))
    )
    found = plans(book, lambda: book.views.search().row(Hit(history.id, 2, "sandbox")))
    assert any("INDEX ix_event_attempt (attempt=?)" in step for step in found)


def test_a_move_finds_its_attempt_by_its_number(book, history):
    (waiting,) = book.views.ready(history.id)[:1]
    found = plans(book, lambda: book.claim(waiting))
    assert any("attempt USING INTEGER PRIMARY KEY" in step for step in found)
    assert whole_tables(found) == []


def test_an_attempt_that_was_followed_by_another_is_counted_once(book, history):
    counts = book.views.counts(history.id)
    assert sum(counts.values()) == 5
