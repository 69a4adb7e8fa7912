"""The reading side: what the report, the runner and ``status`` see."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pipeline.domain.lifecycle import Event, State
from pipeline.domain.lookup import wanted
from pipeline.domain.records import Finding, Position, Problem, Repair, Source, Verdict
from pipeline.ledger.scope import Scope


def test_a_row_comes_back_as_it_went_in(book, row):
    problem = Problem("motivo-corto", "Hoja1!B5", "Motivo", "x", "Muy corto.")
    repair = Repair("Hoja1!A5", "fe", "FE", "mayúsculas")
    sent = row(1, problems=(problem,), repairs=(repair,), warnings=(problem,), email="a@example.com")
    line = book.views.lines(book.take([sent]))[0]

    assert (line.cells, line.position, line.cufe) == (sent.cells, sent.position, sent.cufe)
    assert (line.problems, line.repairs, line.warnings) == (sent.problems, sent.repairs, sent.warnings)
    assert (line.deadline, line.reason, line.email) == (sent.deadline, sent.reason, sent.email)


def test_a_duplicate_mirrors_the_row_it_repeats(book, row, leader):
    twin = row(2, Verdict.DUPLICATE, cufe=row(1).cufe, leader=leader(None, 1, Position("Hoja1", 5)))
    info = book.take([row(1), twin])
    book.send(book.views.ready(info.id)[0], Event.CANCELLED)

    line = book.views.lines(info)[1]

    assert line.state is State.DUPLICATE
    assert line.mirrored.state is State.CANCELLED
    assert line.leader.position == Position("Hoja1", 5)


def test_a_duplicate_of_an_earlier_file_mirrors_that_files_row(book, row, leader):
    first = book.take([row(1)])
    book.send(book.views.ready(first.id)[0], Event.CANCELLED)
    twin = row(1, Verdict.DUPLICATE, leader=leader(first.id, 1, Position("Hoja1", 5)))
    line = book.views.lines(book.take([twin], name="otro", sha="b"))[0]

    assert line.leader.batch == first.id
    assert line.mirrored.state is State.CANCELLED


def test_what_the_ledger_has_seen_is_told_with_its_payload(book, row):
    info = book.take([row(n) for n in range(1, 4)])
    seen = book.views.seen([row(2).cufe, "FE" + "9" * 64])

    assert list(seen) == [row(2).cufe]
    assert (seen[row(2).cufe].batch, seen[row(2).cufe].pos) == (info.id, 2)


def test_more_codes_than_one_question_holds_are_asked_in_several(book, row):
    book.take([row(n) for n in range(1, 1202)])

    assert len(book.views.seen([row(n).cufe for n in range(1, 1300)])) == 1201


def test_another_environment_sees_nothing(book, row):
    info = book.take([row(1)])
    lab = type(book.views)(book.database, "lab")

    assert lab.find(info.sha256, "Hoja1") is None
    assert lab.batches() == []
    assert lab.seen([row(1).cufe]) == {}
    assert lab.followed() == []


def test_a_batch_is_found_by_the_start_of_its_id_when_there_is_only_one(book, row):
    first = book.take([row(1)], name="aaaa")
    book.take([row(2)], name="bbbb", sha="b")

    assert book.views.batch("20261120-a").id == first.id
    assert book.views.batch("20261120") is None
    assert book.views.batch("%") is None


def test_counts_are_by_outcome_word_of_the_newest_attempt(book, row, leader):
    rows = [row(n) for n in range(1, 7)]
    rows.append(row(7, Verdict.REJECTED))
    rows.append(row(8, Verdict.DUPLICATE, cufe=row(1).cufe, leader=leader(None, 1, Position("Hoja1", 5))))
    info = book.take(rows)
    ready = book.views.ready(info.id)
    book.send(ready[0], Event.CANCELLED)
    book.send(ready[1], Event.IN_PROGRESS)
    book.send(ready[2], Event.NOTHING_LEFT, retry=True)
    moved = book.send(ready[3], Event.UNCLEAR)
    alive = Finding(Source.QUERY, Event.ALIVE, 200, 2)
    book.move(ready[3].attempt, moved.version, 4, State.UNKNOWN, Event.ALIVE, alive)

    assert book.views.counts(info.id) == {
        "ANULADA": 1,
        "PENDIENTE": 1,
        "NO ENVIADA": 3,
        "SIGUE AUTORIZADA": 1,
        "RECHAZADA": 1,
        "DUPLICADA": 1,
    }


def test_unsent_counts_what_a_run_would_send(book, row):
    info = book.take([row(1), row(2), row(3)])
    ready = book.views.ready(info.id)
    book.send(ready[0], Event.CANCELLED)
    book.send(ready[1], Event.NOTHING_LEFT)

    assert book.views.unsent(info.id) == 2


def test_the_first_rows_are_the_same_ones_however_often_they_are_asked_for(book, row):
    info = book.take([row(1, Verdict.REJECTED), row(2), row(3), row(4)])
    before = book.views.cutoff(info.id, 2)
    book.send(book.views.ready(info.id)[0], Event.CANCELLED)

    assert before == book.views.cutoff(info.id, 2) == 3
    assert book.views.cutoff(info.id, 99) == 4


@pytest.mark.parametrize(
    ("event", "sent"),
    [(Event.NOTHING_LEFT, False), (Event.UNAUTHORISED, False), (Event.UNCLEAR, True), (Event.CANCELLED, True)],
)
def test_a_code_is_shown_as_sent_only_when_it_may_have_been_applied(book, row, event, sent):
    info = book.take([row(1)])
    book.send(book.views.ready(info.id)[0], event)
    line = book.views.lines(info)[0]

    assert (line.sent_cufe is not None) is sent
    assert (line.sent_at is not None) is sent


def test_a_returned_row_is_followed_until_its_one_query(book, row):
    info = book.take([row(1)])
    sent = book.views.ready(info.id)[0]
    moved = book.send(sent, Event.RETURNED)

    assert [one.state for one in book.views.followed([info.id])] == [State.RETURNED]

    found = Finding(Source.QUERY, Event.RETURNED, 200, 15)
    book.move(sent.attempt, moved.version, 1, State.RETURNED, Event.RETURNED, found)

    assert book.views.followed([info.id]) == []


def test_the_start_and_the_end_of_a_batch_are_its_first_and_last_event(book, row):
    info = book.take([row(1)])
    ready = book.views.ready(info.id)[0]
    book.move(ready.attempt, 1, 1, State.READY, Event.CLAIMED, after=timedelta(minutes=3))
    fresh = book.views.batch(info.id)

    assert (fresh.started, fresh.ended) == (book.now, book.now + timedelta(minutes=3))
    assert (fresh.notes, fresh.issuers, fresh.approved_by) == (("una nota",), ("1-1-1",), "ana")


def test_the_log_can_be_gone_through_twice(book, row):
    log = book.views.log(book.take([row(1)]))

    assert [e.seq for e in log] == [e.seq for e in log] == [1]


def test_which_batches_a_batch_repeats_is_told_with_their_heads(book, row, leader):
    first = book.take([row(1), row(2)])
    twins = [row(n, Verdict.DUPLICATE, leader=leader(first.id, n, Position("Hoja1", n + 4))) for n in (1, 2)]
    own = row(4, Verdict.DUPLICATE, cufe=row(3).cufe, leader=leader(None, 3, Position("Hoja1", 7)))
    second = book.take([*twins, row(3), own], name="otro", sha="b")

    assert book.views.leaders([first.id, second.id]) == {second.id: {first.id}}
    heads = book.views.heads([first.id, second.id, "20261120-ninguno"])
    assert {name: head.file for name, head in heads.items()} == {first.id: "lote.xlsx", second.id: "otro.xlsx"}
    assert book.views.leaders([]) == book.views.heads([]) == {}


def test_a_batch_is_on_the_way_until_its_last_row_has_left(book, row):
    first, second = book.take([row(1)]), book.take([row(2)], name="otro", sha="b")
    assert book.views.all_on_the_way([first.id, second.id]) == {first.id, second.id}

    book.send(book.views.ready(first.id)[0], Event.CANCELLED)

    assert book.views.all_on_the_way([first.id, second.id]) == {second.id}
    assert (book.views.on_the_way(first.id), book.views.on_the_way(second.id)) == (False, True)
    assert book.views.all_on_the_way([]) == set()


def test_who_watches_a_whole_ledger_counts_the_rows_of_every_company(book, row):
    info = book.take([row(1), row(2), row(3, Verdict.REJECTED)])
    sent = book.send(book.views.ready(info.id)[0], Event.IN_PROGRESS)

    tally = book.views.tally()

    assert tally.rows == {"PENDIENTE": 1, "NO ENVIADA": 1, "RECHAZADA": 1}
    assert (sent, tally.oldest) != (None, None)


def test_batches_of_the_same_moment_come_in_the_order_in_which_they_were_taken_in(book, row):
    """Their ids, made of their files' checksums, are in another order."""
    taken = [book.take([row(1, cufe=f"{n:066}")], f"lote {mark}.xlsx", mark) for n, mark in enumerate("cdab")]
    newest = [info.id for info in reversed(taken)]

    assert newest not in (sorted(newest), sorted(newest, reverse=True))
    assert [info.id for info in book.views.batches()] == newest
    assert [batch for batch, _ in book.views.search().named(wanted("lote"))] == newest


def test_the_issuers_of_all_batches_are_known_without_going_through_rows(book, row):
    book.take([row(1)])
    book.take([row(2)], name="otro", sha="b")
    assert book.views.issuers() == ["1-1-1"]
    assert book.views.of("lab").issuers() == []


def test_of_a_shared_ledger_another_credentials_issuers_are_not_shown(book, row):
    book.take([row(1)])
    assert book.views.under("sandbox", Scope("otra", alone=False, orphans=False)).issuers() == []
