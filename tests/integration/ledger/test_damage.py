"""F55: bits that flip, a file that was cut, a journal that was deleted. Either it is found, or the ledger says what it
said: no damage makes it say something else."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from pipeline.domain.errors import StorageTrouble
from pipeline.domain.lifecycle import Event, State
from pipeline.ledger import verify
from pipeline.ledger.moves import Move
from pipeline.ledger.storage.driver import sqlite3
from pipeline.ledger.storage.location import open_as_it_is
from pipeline.ledger.storage.sqlite import sqlite_path

pytestmark = pytest.mark.sqlite

TABLES = ("batch", "row", "attempt", "event", "run", "owner")


@pytest.fixture
def closed(lived):
    """The ledger in which something has happened; its file is closed."""
    lived.database.close()
    return lived


def content(path: Path) -> list[Any]:
    """All that the ledger says; nothing when SQLite cannot read it."""
    with suppress(sqlite3.DatabaseError, OverflowError):
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        connection.text_factory = bytes
        try:
            return [connection.execute(f"SELECT * FROM {name} ORDER BY 1, 2").fetchall() for name in TABLES]
        finally:
            connection.close()
    return []


def accepted(url: str) -> bool:
    """Whether a run would write this ledger."""
    try:
        database = open_as_it_is(url)
    except StorageTrouble:
        return False
    try:
        verify.look_over(database)
    except StorageTrouble:
        return False
    finally:
        database.close()
    return True


def test_f55_a_bit_that_flips_anywhere_is_found_or_changes_nothing_that_the_ledger_says(closed):
    """What belongs to no row (unused space, SQLite's own statistics) may flip, and says nothing."""
    path = sqlite_path(closed.url)
    whole, said = path.read_bytes(), content(path)
    refused = 0
    for place in [n for n, byte in enumerate(whole) if byte][::149]:  # what is zero is mostly unused
        path.write_bytes(whole[:place] + bytes([whole[place] ^ (1 << place % 8)]) + whole[place + 1 :])
        if accepted(closed.url):
            now = content(path)
            assert now[:4] == said[:4], f"byte {place}: accepted, and it says something else"
        else:
            refused += 1
    path.write_bytes(whole)

    assert refused >= 20, "hardly ever where something stands: this showed nothing"
    assert accepted(closed.url)


def test_f55_a_file_that_was_cut_anywhere_is_refused_unless_only_empty_space_is_gone(closed):
    path = sqlite_path(closed.url)
    whole, said = path.read_bytes(), content(path)
    cuts = [*range(0, len(whole), 4096), len(whole) - 1, len(whole) - 4095, 100, 5000]
    taken = []
    for cut in cuts:
        path.write_bytes(whole[:cut])
        if accepted(closed.url):
            assert content(path)[:4] == said[:4], f"cut at {cut}: accepted, and it says something else"
            taken.append(cut)
    path.write_bytes(whole)

    assert len(taken) <= 1, "no more than the very end may be missed"
    assert accepted(closed.url)


@pytest.mark.long
def test_f55_a_ledger_whose_journal_was_deleted_in_the_middle_of_a_commit_is_refused_or_whole(closed):
    """A crash leaves some pages of a commit written and the journal to undo them. Without that journal the file is a
    mixture: every mixture of the pages before and after that a commit can leave."""
    path = sqlite_path(closed.url)
    copy = path.with_name("antes.db")
    shutil.copy(path, copy)
    before, old = content(path), path.read_bytes()
    closed.store.begin_run(closed.now)
    (again,) = (one for one in closed.views.ready("20261120-lote") if one.number == 2)
    claim = Move(again.attempt, again.version, again.batch, again.pos, State.READY, Event.CLAIMED, closed.now)
    closed.store.apply([claim])
    closed.database.close()
    after, new = content(path), path.read_bytes()
    size = int.from_bytes(old[16:18], "big")
    changed = [n for n in range(0, len(new), size) if old[n : n + size] != new[n : n + size]]
    assert len(changed) >= 4

    refused = 0
    for mixture in range(1, 2 ** len(changed) - 1):
        pages = bytearray(old.ljust(len(new), b"\0"))
        for bit, n in enumerate(changed):
            if mixture >> bit & 1:
                pages[n : n + size] = new[n : n + size]
        path.write_bytes(bytes(pages))
        if not accepted(closed.url):
            refused += 1
            continue
        now = content(path)
        assert now[:4] in (before[:4], after[:4]), f"pages {mixture:b} of {changed}"

    assert refused >= 2 ** (len(changed) - 1)
