"""The note of how far a ledger had come finds one that was deleted, exchanged, restored or copied (2.4, D3)."""

from __future__ import annotations

import json
import shutil

import pytest

from pipeline.ledger import watermark
from pipeline.ledger.backup import _copy_pages
from pipeline.ledger.ledger_events import start_anew
from pipeline.ledger.storage.location import open_ledger
from pipeline.ledger.storage.sqlite import sqlite_path
from tests.support import ledgers


@pytest.fixture
def notes(tmp_path):
    return tmp_path / "state" / "registros"


def test_a_ledger_that_is_as_it_was_or_newer_is_not_doubted(book, row, notes):
    watermark.keep(notes, book.database)
    assert watermark.doubts(notes, book.database) == []

    book.take([row(1)])
    assert watermark.doubts(notes, book.database) == []
    watermark.keep(notes, book.database)
    assert watermark.doubts(notes, book.database) == []


def test_without_a_note_nothing_is_doubted(book, notes):
    assert watermark.doubts(notes, book.database) == []
    assert not watermark.missed(notes, book.database.key)


def test_a_ledger_that_was_there_is_missed(book, notes):
    watermark.keep(notes, book.database)

    assert watermark.missed(notes, book.database.key)
    assert not watermark.missed(notes, book.database.key + b"x")


@pytest.mark.sqlite
def test_another_ledger_in_the_same_place_is_doubted(book, notes):
    watermark.keep(notes, book.database)
    path = sqlite_path(book.url)
    path.rename(path.with_name("viejo.db"))
    other = open_ledger(book.url)

    assert watermark.doubts(notes, other) == ["en este lugar se usaba otro historial de envíos"]
    other.close()


@pytest.mark.sqlite
@pytest.mark.parametrize("name", ["registro.db", "en-otro-lugar.db"])
def test_an_older_copy_is_doubted_wherever_it_lies(book, row, notes, name):
    copy = book.database.path.with_name("copia.db")
    book.take([row(1)])
    _copy_pages(book.database.path, copy, None)
    book.take([row(2)], name="dos", sha="b")
    watermark.keep(notes, book.database)
    book.database.close()
    place = copy.with_name(name)
    copy.replace(place)
    older = open_ledger(f"sqlite:///{place}")

    assert watermark.doubts(notes, older) == ["es una copia anterior: termina en el evento 1 y ya había llegado al 2"]
    older.close()


@pytest.mark.sqlite
def test_two_copies_that_went_on_by_themselves_are_told_apart(book, row, notes):
    copy = book.database.path.with_name("copia.db")
    _copy_pages(book.database.path, copy, None)
    book.take([row(1)])
    watermark.keep(notes, book.database)
    other = open_ledger(f"sqlite:///{copy}")
    twin = type(book)(f"sqlite:///{copy}", other, type(book.store)(other, "sandbox"), book.views)
    twin.store.begin_run(book.now)
    twin.take([row(1), row(2)], name="otro", sha="c")

    (doubt,) = watermark.doubts(notes, other)
    assert "dos copias" in doubt
    other.close()


@pytest.mark.sqlite
@pytest.mark.usefixtures("without_wal")
def test_the_end_of_a_run_whose_ledger_was_exchanged_under_it_does_not_lower_the_note(book, row, notes):
    copy = book.database.path.with_name("copia.db")
    book.take([row(1)])
    _copy_pages(book.database.path, copy, None)
    book.take([row(2)], name="dos", sha="b")
    watermark.keep(notes, book.database)
    shutil.copy(copy, book.database.path)

    watermark.keep(notes, book.database)

    assert watermark.doubts(notes, book.database) == [
        "es una copia anterior: termina en el evento 1 y ya había llegado al 2"
    ]


def test_after_trouble_with_the_storage_nothing_is_noted(book, row, notes):
    watermark.keep(notes, book.database)
    book.take([row(1)])
    book.database.troubled = True

    watermark.keep(notes, book.database)

    assert {json.loads(note.read_text())["seq"] for note in notes.iterdir()} == {0}


def test_a_ledger_that_lost_only_a_run_is_an_older_one(book, notes):
    book.store.begin_run(book.now)
    watermark.keep(notes, book.database)
    ledgers.change(book.url, "DELETE FROM run WHERE id = (SELECT max(id) FROM run)")

    (doubt,) = watermark.doubts(notes, book.database)
    assert "no conoce la ejecución 2" in doubt


@pytest.mark.sqlite
@pytest.mark.usefixtures("without_wal")
def test_a_persons_word_that_the_note_does_not_know_answers_for_it_and_the_note_begins_again(book, row, notes):
    copy = book.database.path.with_name("copia.db")
    _copy_pages(book.database.path, copy, None)
    book.take([row(1), row(2), row(3)])
    watermark.keep(notes, book.database)
    shutil.copy(copy, book.database.path)
    assert watermark.doubts(notes, book.database) != []

    start_anew(book.database, book.now, who="ana", why="respaldo de ayer")

    assert watermark.doubts(notes, book.database) == []
    watermark.keep(notes, book.database)
    shutil.copy(copy, book.database.path)
    assert watermark.doubts(notes, book.database) != [], "the word went with it"


def test_while_rows_are_claimed_the_notes_are_renewed_at_most_each_second(book, row, notes):
    now = [100.0]
    keeping = watermark.Keeping(notes, book.database, lambda: now[0])
    keeping.claimed()
    assert not notes.exists()
    now[0] += 1
    keeping.claimed()
    book.take([row(1)])
    keeping.claimed()

    assert {json.loads(note.read_text())["seq"] for note in notes.iterdir()} == {0}


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"ledger": "x"}', b'{"ledger":1,"seq":"a","head":2}', b"\xff"])
def test_a_note_that_cannot_be_read_proves_nothing(book, notes, content):
    watermark.keep(notes, book.database)
    for note in notes.iterdir():
        note.write_bytes(content)

    assert watermark.doubts(notes, book.database) == []
    assert not watermark.missed(notes, book.database.key)


def test_a_note_that_cannot_be_written_fails_nothing(book, tmp_path):
    (tmp_path / "state").write_text("a file where the folder would be")

    watermark.keep(tmp_path / "state" / "registros", book.database)

    assert not watermark.missed(tmp_path / "state" / "registros", book.database.key)


def test_a_note_tells_neither_the_place_nor_the_ledger_in_its_name(book, notes):
    watermark.keep(notes, book.database)

    assert len([*notes.iterdir()]) == 2
    assert not [
        note
        for note in notes.iterdir()
        if book.database.name.strip("«»") in note.name or watermark.take(book.database).ledger in note.name
    ]


def test_a_record_that_another_company_renews_meanwhile_is_no_doubt(book, row, notes, monkeypatch):
    """On a server its run goes on between two looks: what is read of the ledger afterwards is at least as new."""
    watermark.keep(notes, book.database)
    take = watermark.take

    def meanwhile(database):
        mark = take(database)
        book.take([row(1)])
        monkeypatch.setattr(watermark, "take", take)
        watermark.keep(notes, database)
        return mark

    monkeypatch.setattr(watermark, "take", meanwhile)

    assert watermark.doubts(notes, book.database) == []


def test_side_by_side_the_record_ends_at_the_newest_event(book, row, notes):
    import threading

    for number in range(1, 9):
        book.take([row(1, cufe=f"{number:066}")], f"lote {number}", f"{number}")
        threads = [threading.Thread(target=watermark.keep, args=(notes, book.database)) for _ in range(4)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        values = json.loads(next(notes.glob("registro-*.json")).read_bytes())
        assert values["seq"] == number
