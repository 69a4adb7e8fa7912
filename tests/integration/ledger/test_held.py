"""Rows that the drop folder held back: in the ledger, not sent, released by a person and by nobody else."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from pipeline.domain.errors import SendingStopped, StorageTrouble
from pipeline.domain.lifecycle import HELD_ON_ARRIVAL, Event, State
from pipeline.domain.outcomes import BARRED
from pipeline.domain.problems import problem
from pipeline.domain.records import Finding, Source, Verdict
from pipeline.ledger.cap import Cap
from pipeline.ledger.moves import Move
from pipeline.ledger.verify import examine
from pipeline.ledger.writer import Writer


@pytest.fixture
def held(row):
    """Makes a row that waits for a person for the reason ``code``."""

    def make(pos, code=HELD_ON_ARRIVAL, **words):
        found = problem(code, cell="Hoja1", column="", value="retenida-carpeta", **({"why": "…"} | words))
        return row(pos, Verdict.HELD, problems=(found,))

    return make


def test_a_held_row_is_neither_ready_nor_unsent(book, held):
    info = book.take([held(1), held(2)])
    assert (book.views.ready(info.id), book.views.unsent(info.id)) == ([], 0)
    assert book.views.counts(info.id) == {"RETENIDA": 2}


def test_a_person_releases_what_was_held_on_arrival_and_nothing_else(book, row, held):
    info = book.take([row(1), held(2), held(3, "sin-constancia", word="retenida-carpeta")])
    waiting = book.views.waiting(info.id, HELD_ON_ARRIVAL)
    assert [one.pos for one in waiting] == [2]
    book.store.approve(waiting, book.now, who="Ana Ruiz")
    assert [one.pos for one in book.views.ready(info.id)] == [1, 2]
    assert book.views.waiting(info.id, HELD_ON_ARRIVAL) == []
    assert book.views.counts(info.id) == {"NO ENVIADA": 2, "RETENIDA": 1}


def test_the_log_says_who_released_it_and_the_ledger_stays_whole(book, held):
    info = book.take([held(1)])
    waiting = book.views.waiting(info.id, HELD_ON_ARRIVAL)
    book.store.approve(waiting, book.now, who="Ana Ruiz", note="Certificado digital: vence mañana.")
    (told,) = [line for line in book.views.log(info) if line.event is Event.APPROVED]
    assert (told.source, told.target, told.who) == (State.HELD, State.READY, "Ana Ruiz")
    assert told.note == "Certificado digital: vence mañana."
    assert examine(book.database).faults == []


def test_the_first_rows_of_a_released_batch_are_counted_among_what_was_released(book, held):
    info = book.take([held(1, "sin-constancia", word="x"), held(2), held(3)])
    assert book.views.cutoff(info.id, 1) == 0
    book.store.approve(book.views.waiting(info.id, HELD_ON_ARRIVAL), book.now, who="Ana Ruiz")
    before = book.views.cutoff(info.id, 1)
    book.send(book.views.ready(info.id)[0], Event.CANCELLED)
    assert before == book.views.cutoff(info.id, 1) == 2


def test_what_the_folder_sends_in_a_day_is_counted_across_its_batches_and_no_others(book, row, held):
    def take(name, who, rows):
        book.store.intake(replace(base, id=f"20261120-{name}", sha256=name * 64, approved_by=who, rows=len(rows)), rows)

    base = book.take([row(1)])
    take("b", "carpeta vigilada (root)", [row(2), row(3), held(4), row(5, Verdict.REJECTED)])
    take("c", "carpeta vigilada (root)", [row(6)])
    book.send(book.views.ready("20261120-b")[0], Event.CANCELLED)
    count = book.views.sent_for
    day = book.now - timedelta(hours=24)

    assert count("carpeta vigilada", day) == 3
    assert count("carpeta vigilada", day, besides="20261120-c") == 2
    assert count("carpeta vigilada", book.now + timedelta(seconds=1)) == 2, "what is ready counts as if it were sent"
    assert count("carpeta_vigilada", day) == 0


def test_a_cap_is_weighed_in_the_intake_itself_so_that_what_came_meanwhile_counts(book, row):
    cap = Cap("ana", book.now - timedelta(hours=24), most=3)
    assert book.views.sent_for("ana", cap.since) == 0, "as both saw it when they planned"
    info = book.take([row(1), row(2)], name="primero", sha="a")
    late = replace(info, id="20261120-segundo", sha256="b" * 64, rows=2)

    with pytest.raises(StorageTrouble) as refused:
        book.store.intake(late, [row(3), row(4)], cap)

    assert refused.value.code == "ledger-taken", "the file is weighed again"
    assert [one.id for one in book.views.batches()] == [info.id]
    book.store.intake(replace(late, rows=1), [row(3)], cap)
    assert book.views.sent_for("ana", cap.since) == 3


def test_a_stop_holds_what_was_not_claimed_and_a_person_releases_exactly_that(book, row, held):
    info = book.take([row(1), row(2), held(3), row(4)])
    book.send(book.views.ready(info.id)[0], Event.CANCELLED)

    assert book.store.stop(info.id, book.now, who="terminal: luis", why="se pidió detener") == 2

    assert (book.views.ready(info.id), book.views.unsent(info.id)) == ([], 0)
    assert [one.pos for one in book.views.stopped(info.id)] == [2, 4]
    assert book.views.counts(info.id) == {"ANULADA": 1, "RETENIDA": 3}
    assert book.store.stop(info.id, book.now, who="terminal: luis", why="otra vez") == 0
    (told, _) = [line for line in book.views.log(info) if line.event is Event.STOPPED]
    assert (told.source, told.target, told.who) == (State.READY, State.HELD, "terminal: luis")
    assert told.note == "envío detenido: se pidió detener"

    book.store.approve(book.views.stopped(info.id), book.now, who="terminal: luis")

    assert [one.pos for one in book.views.ready(info.id)] == [2, 4]
    assert book.views.stopped(info.id) == []
    assert [one.pos for one in book.views.waiting(info.id, HELD_ON_ARRIVAL)] == [3]
    assert examine(book.database).faults == []


def test_a_file_that_is_given_again_does_not_go_on_with_what_was_stopped(book, row):
    info = book.take([row(1)])
    book.store.stop(info.id, book.now, who="ana", why="x")
    assert book.views.waiting(info.id, HELD_ON_ARRIVAL) == []
    assert book.store.reopen(info.id, book.now) == 0
    assert book.views.ready(info.id) == []


def test_a_stop_also_holds_what_was_proven_unsent_and_would_be_tried_again(book, row):
    info = book.take([row(1), row(2), row(3)])
    book.send(book.views.ready(info.id)[0], Event.THROTTLED)
    assert book.views.unsent(info.id) == 3

    assert book.store.stop(info.id, book.now, who="web: luis", why="falta revisar") == 3

    assert book.views.unsent(info.id) == 0
    assert book.store.reopen(info.id, book.now) == 0, "a later run, worker or folder finds nothing to try again"
    assert [one.pos for one in book.views.stopped(info.id)] == [1, 2, 3]
    book.store.approve(book.views.stopped(info.id), book.now, who="web: luis")
    assert [one.pos for one in book.views.ready(info.id)] == [1, 2, 3]
    assert examine(book.database).faults == []


def test_a_stop_leaves_alone_what_the_rules_of_the_day_kept_back(book, row):
    info = book.take([row(1)])
    (one,) = book.views.ready(info.id)
    book.store.apply([Move.of(one, State.READY, Event.BARRED, book.now, note=f"{BARRED}: pasó el plazo")])
    assert book.store.stop(info.id, book.now, who="web: luis", why="falta revisar") == 0
    assert book.views.stopped(info.id) == []


def test_who_wants_to_claim_what_somebody_held_meanwhile_hears_of_the_stop_and_the_rest_is_kept(book, row):
    info = book.take([row(1), row(2)])
    first, second = book.views.ready(info.id)
    claimed = book.store.apply([Move.of(first, State.READY, Event.CLAIMED, book.now, cufe=first.cufe)])[0]
    book.store.stop(info.id, book.now, who="web: luis", why="falta revisar")

    with pytest.raises(SendingStopped) as stopped:
        book.store.apply([Move.of(second, State.READY, Event.CLAIMED, book.now, cufe=second.cufe)])

    assert (stopped.value.code, stopped.value.exit_code) == ("sending-stopped", 5)
    answer = Finding(Source.CANCELLATION, Event.CANCELLED, http=200)
    on_the_way = replace(first, version=claimed.version)
    book.store.apply([Move.of(on_the_way, State.SENDING, Event.CANCELLED, book.now, answer)])
    assert book.views.counts(info.id) == {"ANULADA": 1, "RETENIDA": 1}
    assert examine(book.database).faults == []


def test_a_group_of_writes_loses_only_the_claims_of_what_was_held(book, row):
    info = book.take([row(1), row(2)])
    first, second = book.views.ready(info.id)
    claimed = book.store.apply([Move.of(first, State.READY, Event.CLAIMED, book.now, cufe=first.cufe)])[0]
    book.store.stop(info.id, book.now, who="web: luis", why="falta revisar")
    answer = Finding(Source.CANCELLATION, Event.CANCELLED, http=200)
    on_the_way = replace(first, version=claimed.version)

    async def both() -> tuple[object, object]:
        async with Writer(book.store) as writer:
            outcome = Move.of(on_the_way, State.SENDING, Event.CANCELLED, book.now, answer)
            claim = Move.of(second, State.READY, Event.CLAIMED, book.now, cufe=second.cufe)
            return await asyncio.gather(writer.record(outcome), writer.record(claim), return_exceptions=True)

    done, refused = asyncio.run(both())
    assert getattr(done, "state", None) is State.CANCELLED
    assert isinstance(refused, SendingStopped)
