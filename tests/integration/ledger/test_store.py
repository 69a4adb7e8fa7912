"""The writing side: whole files, compare-and-set, one live attempt, recovery (reliability.md 2)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from pipeline.domain.errors import Bug, StorageTrouble
from pipeline.domain.lifecycle import Event, State
from pipeline.domain.records import Finding, Source, Verdict
from pipeline.ledger import tables
from pipeline.ledger.chain import GENESIS, link
from pipeline.ledger.moves import batch_id, next_try
from pipeline.ledger.scope import Scope
from pipeline.ledger.sent import Sent
from pipeline.ledger.store import Store
from pipeline.ledger.verify import examine
from tests.support import ledgers

ENV = "sandbox"


def states(book, info):
    return [line.state for line in book.views.lines(info)]


def test_a_file_goes_in_whole_with_an_event_for_each_row(book, row):
    rows = [row(1), row(2, Verdict.REJECTED), row(3, Verdict.HELD), row(4, Verdict.CONFLICT)]
    info = book.take(rows)

    assert states(book, info) == [State.READY, State.REJECTED_INPUT, State.HELD, State.CONFLICT]
    assert [event.target for event in book.views.log(info)] == states(book, info)


def test_a_file_that_cannot_go_in_whole_does_not_go_in_at_all(book, row):
    with pytest.raises(StorageTrouble):
        book.take([row(1), row(2), row(1)])

    assert book.views.batches() == []
    assert book.views.seen([row(1).cufe]) == {}


def test_a_rejected_row_keeps_whatever_its_cells_said(book, row):
    """PostgreSQL has no character NUL; an escape of Excel may stand for one."""
    info = book.take([row(1, Verdict.REJECTED, reason="a\0b", email="\0", cells=("a\0b", "\0"))])

    (line,) = book.views.lines(info)
    assert (line.reason, line.email, line.cells) == ("a␀b", "␀", ("a\0b", "\0"))
    assert examine(book.database).good


def test_the_same_file_cannot_go_in_twice(book, row):
    book.take([row(1)])

    with pytest.raises(StorageTrouble):
        book.take([row(2)], name="otro")


def test_two_live_attempts_of_one_code_cannot_exist(book, row):
    book.take([row(1)])

    with pytest.raises(StorageTrouble):
        book.take([row(1)], name="otro", sha="b")


def test_a_cancelled_code_can_never_get_another_attempt(book, row):
    info = book.take([row(1)])
    book.send(book.views.ready(info.id)[0], Event.CANCELLED)

    with pytest.raises(StorageTrouble):
        book.take([row(1)], name="otro", sha="b")


def test_a_code_that_was_proven_unsent_is_free_for_another_file(book, row):
    info = book.take([row(1)])
    book.send(book.views.ready(info.id)[0], Event.NOTHING_LEFT)

    other = book.take([row(1)], name="otro", sha="b")

    assert len(book.views.ready(other.id)) == 1


def test_a_claim_happens_once(book, row):
    ready = book.views.ready(book.take([row(1)]).id)[0]
    book.claim(ready)

    with pytest.raises(Bug):
        book.claim(ready)


def test_a_move_from_another_state_changes_nothing(book, row):
    info = book.take([row(1)])
    ready = book.views.ready(info.id)[0]

    with pytest.raises(Bug):
        book.move(ready.attempt, ready.version, 1, State.SENDING, Event.CANCELLED)

    assert states(book, info) == [State.READY]
    assert len(list(book.views.log(info))) == 1


def test_an_answer_from_before_another_answer_changes_nothing(book, row):
    """The state is the same, the version is not: only the version tells that somebody else was here."""
    info = book.take([row(1)])
    pending = book.send(book.views.ready(info.id)[0], Event.IN_PROGRESS)
    (tracked,) = book.views.followed([info.id])
    book.move(tracked.attempt, pending.version, 1, State.PENDING, Event.UNCLEAR)

    with pytest.raises(Bug):
        book.move(tracked.attempt, pending.version, 1, State.PENDING, Event.OUT_OF_TIME)

    assert states(book, info) == [State.PENDING]


def test_one_impossible_move_takes_its_whole_group_back(book, row):
    info = book.take([row(1), row(2)])
    first, second = book.views.ready(info.id)
    book.claim(second)

    with pytest.raises(Bug):
        book.store.apply([_claim(book, first), _claim(book, second)])

    assert states(book, info) == [State.READY, State.SENDING]


def test_an_older_run_is_fenced_out_by_a_newer_one(book, row):
    ready = book.views.ready(book.take([row(1)]).id)[0]
    Store(book.database, "sandbox").begin_run(book.now)

    with pytest.raises(Bug):
        book.claim(ready)


def test_what_was_found_in_sending_becomes_unknown_and_due_at_once(book, row):
    info = book.take([row(1), row(2)])
    book.claim(book.views.ready(info.id)[0])

    assert book.store.recover(book.now + timedelta(hours=1)) == 1
    assert states(book, info) == [State.UNKNOWN, State.READY]
    assert [one.pos for one in book.views.followed()] == [1]
    assert book.views.followed()[0].next_due == book.now + timedelta(hours=1)


def test_recovering_again_finds_nothing(book, row):
    info = book.take([row(1)])
    book.claim(book.views.ready(info.id)[0])
    book.store.recover(book.now)

    assert book.store.recover(book.now) == 0


def test_a_retry_is_a_new_attempt_in_the_same_transaction(book, row):
    info = book.take([row(1)])
    sent = book.views.ready(info.id)[0]
    moved = book.send(sent, Event.NOTHING_LEFT, retry=True)
    following = next_try(sent, moved)

    assert following is not None
    assert following.number == 2
    assert book.views.ready(info.id) == [following]
    assert [(e.source, e.target) for e in book.views.log(info)][-1] == (State.NOT_SENT, State.READY)


def test_what_an_earlier_run_proved_unsent_is_ready_again_once(book, row):
    info = book.take([row(1), row(2)])
    book.send(book.views.ready(info.id)[0], Event.UNAUTHORISED)

    assert book.store.reopen(info.id, book.now) == 1
    assert book.store.reopen(info.id, book.now) == 0
    assert [(one.pos, one.number) for one in book.views.ready(info.id)] == [(1, 2), (2, 1)]


def test_rows_are_made_ready_again_in_the_order_of_their_attempts(book, row):
    """Whatever order the database finds them in: the chain is the same on every one."""
    info = book.take([row(1), row(2)])
    first, second = book.views.ready(info.id)
    book.send(first, Event.NOTHING_LEFT, retry=True)
    again = next(one for one in book.views.ready(info.id) if one.pos == 1)
    book.send(second, Event.NOTHING_LEFT)
    book.send(again, Event.NOTHING_LEFT)
    book.store.reopen(info.id, book.now)

    query = "SELECT pos, n FROM attempt ORDER BY id"
    assert [(line["pos"], line["n"]) for line in ledgers.lines(book.url, query)] == [
        (1, 1),
        (2, 1),
        (1, 2),
        (2, 2),
        (1, 3),
    ]


def test_what_lives_in_another_file_meanwhile_is_not_made_ready_again(book, row):
    info = book.take([row(1)])
    book.send(book.views.ready(info.id)[0], Event.NOTHING_LEFT)
    book.take([row(1)], name="otro", sha="b")

    assert book.store.reopen(info.id, book.now) == 0


@pytest.mark.parametrize("event", [Event.UNCLEAR, Event.IN_PROGRESS, Event.CANCELLED, Event.RETURNED])
def test_what_may_have_been_applied_is_never_made_ready_again(book, row, event):
    info = book.take([row(1)])
    book.send(book.views.ready(info.id)[0], event)

    assert book.store.reopen(info.id, book.now) == 0
    assert book.views.ready(info.id) == []


def test_an_answer_is_kept_until_another_answer_says_something(book, row):
    info = book.take([row(1)])
    sent = book.views.ready(info.id)[0]
    found = Finding(Source.CANCELLATION, Event.IN_PROGRESS, 200, 5, None, "en curso", body=b'{"estado":5}')
    moved = book.send(sent, Event.IN_PROGRESS, found)
    silent = Finding(Source.QUERY, Event.UNCLEAR, 500, note="http-500")
    book.move(sent.attempt, moved.version, 1, State.PENDING, Event.UNCLEAR, silent)

    line = book.views.lines(info)[0]

    assert (line.estado, line.source, line.message, line.http) == (5, Source.CANCELLATION, "en curso", 500)
    assert (line.queries, line.note) == (1, "http-500")


def test_the_raw_answer_stays_as_evidence(book, row):
    info = book.take([row(1)])
    found = Finding(Source.CANCELLATION, Event.CANCELLED, 200, 2, body=b'{"estado":"2"}\xff')
    book.send(book.views.ready(info.id)[0], Event.CANCELLED, found)

    bodies = book.database.read(select(tables.event.c.body).where(tables.event.c.event == "cancelled"))

    assert bodies[0].body == b'{"estado":"2"}\xff'


def test_every_event_is_chained_to_all_before_it(book, row):
    info = book.take([row(1), row(2, Verdict.REJECTED)])
    book.send(book.views.ready(info.id)[0], Event.CANCELLED)
    prev = GENESIS
    for event in book.database.read(select(tables.event).order_by(tables.event.c.seq)):
        values = event._asdict()
        assert event.prev == prev
        assert event.hash == link(prev, values)
        assert event.hash != link(prev, {**values, "message": "otra cosa"})
        assert event.hash != link(prev, {**values, "body": b"otro cuerpo"})
        prev = event.hash


def test_a_state_that_does_not_exist_cannot_be_written(book, row):
    book.take([row(1)])

    with pytest.raises(StorageTrouble), book.database.write() as connection:
        connection.execute(update(tables.attempt).values(state="TALVEZ"))


def test_a_batch_id_names_the_panamanian_day_and_the_file(book):
    late_evening = book.now.replace(hour=3)  # 22:00 of the day before in Panama

    assert batch_id("sandbox", "a" * 64, None, late_evening).startswith("20261119-")
    assert batch_id("sandbox", "a" * 64, None, book.now) != batch_id("lab", "a" * 64, None, book.now)
    assert batch_id("sandbox", "a" * 64, "Hoja1", book.now) != batch_id("sandbox", "a" * 64, "Hoja2", book.now)


def _claim(book, ready):
    from pipeline.ledger.moves import Move

    return Move(ready.attempt, ready.version, ready.batch, ready.pos, State.READY, Event.CLAIMED, book.now)


@pytest.mark.sqlite
def test_who_only_hands_batches_in_claims_no_row(book, row):
    info = book.take([row(1)])
    desk = replace(book, store=Store(book.database, ENV, Scope("aa", desk=True)))

    with pytest.raises(Bug, match="moves no row"):
        desk.claim(book.views.ready(info.id)[0])


def test_with_a_memory_a_claim_tells_which_document_it_is(book, row, tmp_path):
    info, memory = book.take([row(1)]), Sent(tmp_path / "enviados.db", ENV, "a")
    watched = replace(book, store=Store(book.database, ENV, sent=memory))
    watched.store.begin_run(book.now)

    with pytest.raises(Bug):
        watched.claim(book.views.ready(info.id)[0])
    assert states(book, info) == [State.READY]
    memory.close()
