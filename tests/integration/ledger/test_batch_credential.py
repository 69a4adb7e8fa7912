"""Under which credential a batch was taken in: kept with it, held by the chain, and found for batches of before."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

import pytest
from sqlalchemy import text

from pipeline.domain.lifecycle import Event
from pipeline.domain.records import Verdict
from pipeline.ledger import verify
from pipeline.ledger.scope import Scope, credential_mark
from pipeline.ledger.storage.driver import sqlite3
from pipeline.ledger.storage.location import location_of, open_ledger
from pipeline.ledger.store import Store
from pipeline.ledger.transfer import move
from pipeline.ledger.views import Views
from tests.integration.conftest import ENV, NOW, Book
from tests.support import ledgers

ANA, EVA = credential_mark(ENV, "ana"), credential_mark(ENV, "eva")


def under(book: Book, credential: str | None) -> Book:
    """The same ledger for a run of this credential."""
    scope = Scope(credential, alone=not book.database.shared)
    store = Store(book.database, ENV, scope)
    store.begin_run(NOW)
    return replace(book, store=store, views=Views(book.database, ENV, scope))


def again(book: Book) -> Book:
    """The ledger closed and opened again, as by a later version."""
    book.database.close()
    database = open_ledger(book.url)
    return replace(book, database=database, store=Store(database, ENV), views=Views(database, ENV))


def kept(book: Book) -> dict[str, str | None]:
    return {line["id"]: line["credential"] for line in ledgers.lines(book.url, "SELECT id, credential FROM batch")}


def found(book: Book) -> set[str]:
    return {fault.code for fault in verify.examine(book.database).faults}


@pytest.fixture
def two(book, row):
    """A batch of Ana's and one of Eva's, in which something happened, and one of nobody's."""
    for number, credential in enumerate((ANA, EVA, None)):
        one = under(book, credential)
        rows = [row(10 * number + n) for n in (1, 2)] + [row(10 * number + 3, Verdict.REJECTED, cufe=None)]
        info = one.take([replace(made, pos=pos) for pos, made in enumerate(rows, 1)], f"lote{number}", str(number))
        one.send(one.views.ready(info.id)[0], Event.CANCELLED)
    return book


BATCHES = {"20261120-lote0": ANA, "20261120-lote1": EVA, "20261120-lote2": None}
EDITS = (f"'{EVA}'", f"'{ANA}'", "NULL", "''", "'x'")


def test_a_batch_keeps_the_mark_of_the_credential_that_took_it_in(two):
    assert kept(two) == BATCHES
    assert found(two) == set()


def edited(book: Book, table: str, key: str) -> list[str]:
    """Which edits of the credential in ``table`` were called good."""
    missed = []
    for line in ledgers.lines(book.url, f"SELECT {key} AS k, credential AS c FROM {table} ORDER BY {key}"):
        was = f"'{line['c']}'" if line["c"] else "NULL"
        for value in EDITS:
            if value == was:
                continue
            ledgers.change(book.url, f"UPDATE {table} SET credential={value} WHERE {key}='{line['k']}'")
            missed += [] if found(book) else [f"{table} {line['k']}: {value}"]
            ledgers.change(book.url, f"UPDATE {table} SET credential={was} WHERE {key}='{line['k']}'")
    assert found(book) == set()
    return missed


@pytest.mark.parametrize("age", ["now", "before"])
def test_every_edit_of_a_batchs_or_an_attempts_credential_is_found(two, age):
    if age == "before":
        two.database.close()
        ledgers.as_before_0010(two.url)
        two = again(two)
    try:
        assert edited(two, "batch", "id") == []
        assert edited(two, "attempt", "id") == []
    finally:
        two.database.close()


@pytest.mark.parametrize("age", ["now", "before"])
@pytest.mark.parametrize("other", [f"'{EVA}'", "NULL"])
def test_a_batch_cannot_be_given_to_another_company_with_all_its_rows(two, age, other):
    if age == "before":
        two.database.close()
        ledgers.as_before_0010(two.url)
        two = again(two)
    try:
        ledgers.change(
            two.url,
            f"UPDATE batch SET credential={other} WHERE id='20261120-lote0'",
            f"UPDATE attempt SET credential={other} WHERE batch='20261120-lote0'",
        )
        assert found(two) == {"row" if age == "now" else "credential"}
    finally:
        two.database.close()


def test_the_credential_of_a_batch_without_any_row_to_send_is_held_too(book, row):
    under(book, ANA).take([row(1, Verdict.REJECTED, cufe=None)])
    assert kept(book) == {"20261120-lote": ANA}
    ledgers.change(book.url, f"UPDATE batch SET credential='{EVA}'")
    assert found(book) == {"row"}


def test_the_batches_of_a_ledger_of_before_get_the_mark_of_their_attempts_and_the_chain_holds_it(two):
    two.database.close()
    ledgers.as_before_0010(two.url)
    before = ledgers.lines(two.url, "SELECT * FROM event ORDER BY seq")
    later = again(two)
    try:
        assert kept(later) == BATCHES
        told = ledgers.lines(two.url, "SELECT * FROM event ORDER BY seq")
        assert told[: len(before)] == before, "what was in the chain stays as it was"
        added = [(line["batch"], line["event"], line["pos"], line["message"]) for line in told[len(before) :]]
        assert added == [(batch, "credential", 0, mark) for batch, mark in BATCHES.items() if mark]
        assert verify.examine(later.database).faults == []
        assert verify.examine(later.database).older == set()
    finally:
        later.database.close()


def test_the_event_of_a_batchs_credential_cannot_be_changed_or_taken_away(two):
    two.database.close()
    ledgers.as_before_0010(two.url)
    later = again(two)
    try:
        (last,) = ledgers.lines(two.url, "SELECT max(seq) AS seq FROM event")
        ledgers.change(two.url, f"UPDATE event SET message='{ANA}' WHERE seq={last['seq']}")
        assert found(later) == {"chain"}
        ledgers.change(two.url, f"DELETE FROM event WHERE seq={last['seq']}")
        assert "row" in found(later), "without its event the mark stands for one of the intake"
    finally:
        later.database.close()


def test_attempts_of_before_under_different_marks_leave_the_batch_without_one(two):
    ledgers.change(two.url, f"UPDATE attempt SET credential='{EVA}' WHERE batch='20261120-lote0' AND pos=2")
    two.database.close()
    ledgers.as_before_0010(two.url)
    later = again(two)
    try:
        assert kept(later) == {**BATCHES, "20261120-lote0": None}
        assert found(later) == set()
        ledgers.change(two.url, f"UPDATE batch SET credential='{ANA}' WHERE id='20261120-lote0'")
        assert found(later) == {"credential"}
    finally:
        later.database.close()


def test_a_ledger_of_before_without_any_mark_gets_no_event(book, row):
    book.take([row(1)])
    book.database.close()
    ledgers.as_before_0010(book.url)
    later = again(book)
    try:
        assert kept(later) == {"20261120-lote": None}
        assert ledgers.lines(book.url, "SELECT event FROM event") == [{"event": "accepted"}]
        assert found(later) == set()
    finally:
        later.database.close()


def test_what_happens_to_a_batch_of_before_goes_on_under_its_mark(two):
    two.database.close()
    ledgers.as_before_0010(two.url)
    later = again(two)
    try:
        ana = under(later, ANA)
        ana.send(ana.views.ready("20261120-lote0")[0], Event.NOTHING_LEFT, retry=True)
        assert found(later) == set()
        marks = ledgers.lines(two.url, "SELECT DISTINCT credential AS c FROM attempt WHERE batch='20261120-lote0'")
        assert marks == [{"c": ANA}]
    finally:
        later.database.close()


@pytest.mark.parametrize("age", ["now", "before"])
def test_a_moved_ledger_has_the_marks_and_is_sound(two, tmp_path, age):
    two.database.close()
    if age == "before":
        ledgers.as_before_0010(two.url)
    target = f"sqlite:///{tmp_path / 'otro' / 'copia.db'}"
    move(two.url, target, NOW, tmp_path / "notas")

    database = location_of(target).open()
    try:
        assert verify.examine(database).faults == []
        assert {line.id: line.credential for line in database.read(text("SELECT id, credential FROM batch"))} == BATCHES
    finally:
        database.close()


def everything(path):
    """All that a file says, and its form."""
    with closing(sqlite3.connect(path)) as connection:
        form = connection.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
        names = [line[0] for line in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return form, {name: connection.execute(f'SELECT * FROM "{name}" ORDER BY 1').fetchall() for name in names}


@pytest.mark.sqlite
def test_a_power_cut_while_an_old_ledger_is_brought_up_to_date_leaves_the_old_one(two, monkeypatch):
    two.database.close()
    ledgers.as_before_0010(two.url)
    path = location_of(two.url).place
    before = everything(path)

    def cut(name: str) -> None:
        if name == "schema-before-commit":
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("pipeline.ledger.storage.schema.crashpoint", cut)
        with pytest.raises(KeyboardInterrupt):
            open_ledger(two.url)
    assert everything(path) == before
    later = again(two)
    assert kept(later) == BATCHES
    later.database.close()
