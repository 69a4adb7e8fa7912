"""An outcome that the ledger could not commit is not lost, and never given to another row (reliability.md 2.4, P17)."""

from __future__ import annotations

import asyncio
import os
import stat
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.domain.errors import StorageTrouble
from pipeline.domain.lifecycle import Event, State
from pipeline.domain.payload import payload_sha256
from pipeline.domain.records import Correction, Finding, Source
from pipeline.ledger import reserve_journal
from pipeline.ledger.moves import Move
from pipeline.ledger.reserve_journal import Kept
from pipeline.ledger.store import Store
from pipeline.ledger.verify import examine
from pipeline.ledger.writer import Writer

DONE = Finding(
    Source.CANCELLATION,
    Event.CANCELLED,
    http=200,
    estado=2,
    dgi="0600",
    message="Evento registrado",
    body=b'{"e":2}\xff',
)


@pytest.fixture
def journal(book):
    return book.database.reserve(None)


@pytest.fixture
def in_flight(book, row):
    """Two rows whose requests have left, and the moves that their answers ask for."""
    info = book.take([row(1), row(2)])
    book.info = info
    moves = []
    for one in book.views.ready(info.id):
        version = book.claim(one).version
        payload = payload_sha256(one.cufe, one.reason, one.email)
        wish = Move(one.attempt, version, info.id, one.pos, State.SENDING, Event.CANCELLED, book.now, DONE)
        moves.append(replace(wish, payload=payload))
    return moves


def states(book):
    return [line.state for line in book.views.lines(book.info)]


def next_start(book):
    store = Store(book.database, "sandbox")
    store.begin_run(book.now)
    store.recover(book.now)


def disk_full(book, monkeypatch, moves):
    """The answers come in while the ledger cannot be written: one waits for the commit, one comes after it failed."""

    def full(_moves):
        raise StorageTrouble("el disco está lleno")

    async def main():
        async with Writer(book.store) as writer:
            return [await asyncio.gather(writer.record(wish), return_exceptions=True) for wish in moves]

    with monkeypatch.context() as patch:
        patch.setattr(book.store, "apply", full)
        results = asyncio.run(main())
    assert all(isinstance(error, StorageTrouble) for (error,) in results)


def test_outcomes_that_could_not_be_committed_are_there_at_the_next_start(book, in_flight, journal, monkeypatch):
    disk_full(book, monkeypatch, in_flight)
    assert states(book) == [State.SENDING, State.SENDING]

    next_start(book)

    assert states(book) == [State.CANCELLED, State.CANCELLED]
    (first, _) = book.views.lines(book.info)
    assert (first.estado, first.dgi, first.message, first.note) == (2, "0600", "Evento registrado", "reserve")
    assert examine(book.database).good


def test_an_outcome_of_a_corrected_resend_is_told_by_what_it_sent(book, row, monkeypatch):
    book.info = book.take([row(1)])
    (first,) = book.views.ready(book.info.id)
    moved = book.send(first, Event.CORRECT, Finding(Source.CANCELLATION, Event.CORRECT, http=200, estado=6))
    asked = Finding(Source.QUERY, Event.CORRECT, http=200, estado=6)
    wish = Move(first.attempt, moved.version, book.info.id, 1, State.NEEDS_CORRECTION, Event.RESEND, book.now, asked)
    book.store.apply([replace(wish, who="ana", retry=True, correction=Correction("Otro motivo, más claro", None))])
    (again,) = book.views.ready(book.info.id)
    version = book.claim(again).version
    outcome = Move(again.attempt, version, book.info.id, 1, State.SENDING, Event.CANCELLED, book.now, DONE)
    for reason, state in ((first.reason, State.UNKNOWN), (again.reason, State.CANCELLED)):
        if state is State.UNKNOWN:  # of another payload: evidence, and no outcome of this row
            payload = payload_sha256(again.cufe, reason, None)
            assert book.store._outcome_of(Kept(again.attempt, version, payload, book.now, DONE), book.now) is None
            continue
        disk_full(book, monkeypatch, [replace(outcome, payload=payload_sha256(again.cufe, reason, again.email))])
        next_start(book)
        assert states(book) == [state]
    assert examine(book.database).good


def test_the_journal_is_private_and_stays_as_evidence_when_it_was_read(book, in_flight, journal, monkeypatch):
    disk_full(book, monkeypatch, in_flight)
    assert stat.S_IMODE(journal.stat().st_mode) == 0o600
    text = journal.read_text()

    next_start(book)

    assert not journal.exists()
    (aside,) = journal.parent.glob("*.reserve-*.jsonl")
    assert aside.read_text() == text


def test_a_journal_that_is_replayed_twice_changes_nothing_the_second_time(book, in_flight, journal, monkeypatch):
    """A crash after the replay and before the journal is put away."""
    disk_full(book, monkeypatch, in_flight)
    text = journal.read_text()
    next_start(book)
    journal.write_text(text)
    before = len(list(book.views.log(book.info)))

    next_start(book)

    assert len(list(book.views.log(book.info))) == before


@pytest.mark.parametrize(
    "change", [{"payload": "0" * 64}, {"version": 9}, {"attempt": 99}, {"payload": ""}], ids=lambda c: next(iter(c))
)
def test_an_outcome_of_something_else_is_kept_as_evidence_only(book, in_flight, journal, change):
    book.store.keep_aside([replace(in_flight[0], **change)])

    next_start(book)

    assert states(book) == [State.UNKNOWN, State.UNKNOWN]
    assert len(list(journal.parent.glob("*.reserve-*.jsonl"))) == 1


def test_an_outcome_that_was_committed_after_all_stays_as_it_is(book, in_flight):
    """The commit reported an error and had happened all the same."""
    book.store.apply([in_flight[0]])
    contradiction = replace(DONE, event=Event.NOT_FOUND, estado=18)
    book.store.keep_aside([replace(in_flight[0], event=Event.NOT_FOUND, finding=contradiction)])

    next_start(book)

    assert states(book) == [State.CANCELLED, State.UNKNOWN]


def test_what_the_journal_proves_pending_is_followed_and_what_it_proves_unsent_may_be_sent(book, in_flight):
    pending = replace(DONE, event=Event.IN_PROGRESS, estado=5, dgi=None)
    unsent = Finding(Source.CANCELLATION, Event.NOTHING_LEFT, note="refused")
    book.store.keep_aside(
        [
            replace(in_flight[0], event=Event.IN_PROGRESS, finding=pending),
            replace(in_flight[1], event=Event.NOTHING_LEFT, finding=unsent),
        ]
    )

    next_start(book)

    assert states(book) == [State.PENDING, State.NOT_SENT]
    assert [row.pos for row in book.views.followed()] == [1]
    assert book.views.unsent(book.info.id) == 1


def test_without_the_journal_too_the_rows_are_unknown_and_queried(book, in_flight, journal, monkeypatch):
    journal.mkdir()  # nothing can be appended to a folder
    disk_full(book, monkeypatch, in_flight)

    next_start(book)

    assert states(book) == [State.UNKNOWN, State.UNKNOWN]


def test_intents_and_queries_are_not_kept(book, in_flight, journal):
    claim = replace(in_flight[0], source=State.READY, event=Event.CLAIMED, finding=None)
    query = replace(in_flight[1], source=State.UNKNOWN)
    book.store.keep_aside([claim, query])

    assert not journal.exists()


def test_a_torn_or_changed_line_proves_nothing_and_the_others_count(book, in_flight, journal):
    book.store.keep_aside([in_flight[0]])
    torn = journal.read_bytes()[:-20]
    journal.write_bytes(torn)
    book.store.keep_aside([in_flight[1]])
    assert [(len(kept), bad) for kept, bad in [reserve_journal.read(journal)]] == [(1, 1)]

    next_start(book)

    assert states(book) == [State.UNKNOWN, State.CANCELLED]


@settings(max_examples=60, deadline=None)
@given(place=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_no_flipped_bit_makes_another_outcome(tmp_path_factory, place, bit):
    path = tmp_path_factory.mktemp("reserve") / "r.jsonl"
    one = Kept(1, 2, "a" * 64, datetime(2026, 11, 20, tzinfo=UTC), DONE)
    reserve_journal.keep(path, [one])
    data = bytearray(path.read_bytes())
    data[place % len(data)] ^= 1 << bit
    path.write_bytes(data)

    kept, _ = reserve_journal.read(path)

    assert kept in ([], [one])


def test_an_outcome_comes_back_as_it_was_kept(tmp_path):
    one = Kept(1, 2, "a" * 64, datetime(2026, 11, 20, 15, 0, 1, tzinfo=UTC), DONE)
    reserve_journal.keep(tmp_path / "r.jsonl", [one])
    reserve_journal.keep(tmp_path / "r.jsonl", [one])

    assert reserve_journal.read(tmp_path / "r.jsonl") == ([one, one], 0)
    assert reserve_journal.read(tmp_path / "none.jsonl") == ([], 0)


@pytest.mark.sqlite
def test_on_windows_a_line_feed_stays_one(journal, monkeypatch):
    asked: list[int] = []
    opened, binary = os.open, 0x8000_0000

    def seen(path, flags, *more):
        if str(path) == str(journal):
            asked.append(flags & binary)
        return opened(path, flags & ~binary, *more)

    monkeypatch.setattr(os, "O_BINARY", binary, raising=False)
    monkeypatch.setattr(os, "open", seen)
    reserve_journal.keep(journal, [])
    assert asked == [binary]
