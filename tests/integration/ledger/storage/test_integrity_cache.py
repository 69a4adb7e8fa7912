"""A large ledger that was found sound and has not changed since is not read from end to end at every start."""

from __future__ import annotations

import os
import shutil
from datetime import timedelta

import pytest

from pipeline.domain.errors import StorageTrouble
from pipeline.ledger import verify
from pipeline.ledger.storage import integrity_cache
from pipeline.ledger.storage.location import open_ledger

pytestmark = [pytest.mark.sqlite, pytest.mark.usefixtures("without_wal")]


@pytest.fixture
def notes(tmp_path, monkeypatch):
    monkeypatch.setattr(integrity_cache, "LARGE", 1)
    return tmp_path / "notes"


def test_an_unchanged_file_was_sound_when_it_was_last_checked(book, notes):
    path = book.database.path
    integrity_cache.keep(notes, path, book.now)
    assert integrity_cache.sound_since(notes, path, book.now + timedelta(days=6)) == book.now


def test_a_file_beside_a_log_is_not_the_whole_ledger(book, notes):
    path = book.database.path
    integrity_cache.keep(notes, path, book.now)
    path.with_name(f"{path.name}-wal").write_bytes(b"what is not in the file yet")
    assert integrity_cache.sound_since(notes, path, book.now) is None

    (note,) = notes.iterdir()
    note.unlink()
    integrity_cache.keep(notes, path, book.now)
    assert list(notes.iterdir()) == []


def test_a_small_ledger_is_checked_every_time(book, notes, monkeypatch):
    monkeypatch.setattr(integrity_cache, "LARGE", 64 << 20)
    integrity_cache.keep(notes, book.database.path, book.now)
    assert not notes.exists()


@pytest.mark.parametrize("days", [7, 8, -1])
def test_after_a_week_or_by_a_clock_that_went_back_it_is_checked_again(book, notes, days):
    integrity_cache.keep(notes, book.database.path, book.now)
    assert integrity_cache.sound_since(notes, book.database.path, book.now + timedelta(days=days)) is None


def test_whatever_was_written_since_is_checked(book, row, notes):
    integrity_cache.keep(notes, book.database.path, book.now)
    book.take([row(1)])
    assert integrity_cache.sound_since(notes, book.database.path, book.now) is None


def test_one_changed_byte_is_checked_even_when_somebody_puts_the_time_back(book, row, notes):
    book.take([row(1)])
    path = book.database.path
    integrity_cache.keep(notes, path, book.now)
    before = path.stat()
    with path.open("r+b") as file:
        file.seek(5000)
        byte = file.read(1)
        file.seek(5000)
        file.write(bytes([byte[0] ^ 1]))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert integrity_cache.sound_since(notes, path, book.now) is None


def test_a_restored_copy_is_checked(book, notes):
    path = book.database.path
    integrity_cache.keep(notes, path, book.now)
    shutil.copy2(path, path.with_name("copia"))
    path.with_name("copia").replace(path)
    assert integrity_cache.sound_since(notes, path, book.now) is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"checked": 1}', b'{"checked": "x", "file": []}', b"\xff"])
def test_a_note_that_cannot_be_read_proves_nothing(book, notes, content):
    integrity_cache.keep(notes, book.database.path, book.now)
    (note,) = notes.iterdir()
    note.write_bytes(content)
    assert integrity_cache.sound_since(notes, book.database.path, book.now) is None


def test_a_note_that_cannot_be_written_fails_nothing(book, tmp_path, monkeypatch):
    monkeypatch.setattr(integrity_cache, "LARGE", 1)
    (tmp_path / "file").write_text("")
    integrity_cache.keep(tmp_path / "file" / "notes", book.database.path, book.now)


def test_what_is_not_read_then_are_the_pages_and_not_the_newest_events(book, row, monkeypatch):
    """The rules of the tables and the end of the chain are looked at every time, whatever the note says."""
    monkeypatch.setattr(verify, "WHOLE", 2)
    book.take([row(n) for n in range(1, 6)])
    asked: list[str] = []
    real = book.database.structure
    monkeypatch.setattr(book.database, "structure", lambda pages: asked.append(pages) or real(pages))
    verify.look_over(book.database)
    verify.look_over(book.database, sound=True)
    assert asked == ["quick_check", ""]

    with book.database.write() as connection:
        connection.exec_driver_sql("DROP TRIGGER event_no_update")
        connection.exec_driver_sql("UPDATE event SET note = 'otra' WHERE seq = 5")
    database = open_ledger(book.url)
    with pytest.raises(StorageTrouble, match="event_no_update"):
        verify.look_over(database, sound=True)
    database.close()
