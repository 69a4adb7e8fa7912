"""The machine's memory of what was sent: the insert is the check, a kill loses nothing, trouble stops nobody (E2)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select

from pipeline.domain.errors import Bug
from pipeline.domain.lifecycle import Event, State
from pipeline.domain.records import Finding, Source
from pipeline.ledger import tables
from pipeline.ledger.ledger_events import continued, id_of, newest_word, start_anew
from pipeline.ledger.moves import Move, Moved
from pipeline.ledger.sent import Sending, Sent
from pipeline.ledger.storage.driver import sqlite3
from pipeline.ledger.store import Store

ROOT = Path(__file__).parents[3]
CUFE, OTHER = "FE-uno", "FE-dos"


def claim(seq: int = 1, cufe: str = CUFE, batch: str = "20261120-aaaaaaaa") -> Sending:
    return Sending(cufe, seq, bytes([seq]) * 32, batch, "2026-11-20T09:00:00Z")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "enviados.db"


@pytest.fixture
def memory(path):
    made = []

    def make(ledger: str = "a", env: str = "lab") -> Sent:
        made.append(Sent(path, env, ledger))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_what_another_ledger_sent_is_told_with_its_batch_and_may_not_leave(memory):
    assert memory("a").insert([claim(7)]) == [None]

    (other,) = memory("b").insert([claim(1, batch="20261121-bbbbbbbb")])

    assert other is not None
    assert (other.ledger, other.batch) == ("a", "20261120-aaaaaaaa")
    assert memory("c").insert([claim(1), claim(2, OTHER)])[1] is None, "its neighbours go on"


def test_the_same_ledger_may_send_again_and_its_newest_claim_is_kept(memory, path):
    assert memory().insert([claim(1)]) == [None]
    assert memory().insert([claim(9)]) == [None]

    assert sqlite3.connect(path).execute("SELECT ledger, seq FROM sent").fetchall() == [("a", 9)]


def test_another_environment_is_another_document(memory):
    memory("a", "lab").insert([claim()])

    assert memory("b", "production").insert([claim()]) == [None]


def test_what_a_person_knows_of_leaves_and_is_asked_about_first(memory):
    memory("a").insert([claim()])
    mine = memory("b")
    assert not mine.asks(CUFE)
    mine.allow([CUFE])

    assert mine.asks(CUFE)
    assert mine.insert([claim(), claim(2, OTHER)]) == [None, None]
    (now,) = memory("a").insert([claim(3)])
    assert now is not None, "from now on it is the other one's"


def test_the_file_names_no_document_and_only_its_user_may_read_it(memory, path):
    memory().insert([claim()])

    assert CUFE.encode() not in path.read_bytes() + path.with_name("enviados.db-wal").read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_killed_process_loses_nothing(path):
    code = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom pipeline.ledger.sent import Sending, Sent\n"
        f"Sent(Path({str(path)!r}), 'lab', 'a').insert([Sending({CUFE!r}, 1, b'x', 'batch', 'utc')])\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False)

    other = Sent(path, "lab", "b")
    assert other.insert([claim()]) != [None]
    other.close()


@pytest.mark.parametrize("content", [b"no es una base de datos " * 500, b"\0" * 8192])
def test_one_that_cannot_be_read_is_put_aside_and_begun_anew_with_a_note(memory, path, content):
    path.parent.mkdir()
    path.write_bytes(content)
    mine = memory()

    assert mine.insert([claim()]) == [None]
    assert path.with_name("enviados.db.danada.1").read_bytes() == content
    (warning,) = mine.warnings
    assert "empieza de nuevo" in warning
    assert memory("b").insert([claim()]) != [None]


def test_an_earlier_form_of_the_file_is_put_aside(memory, path):
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE sent (mark BLOB PRIMARY KEY, ledger TEXT, lost INT, seq INT)")
    mine = memory()

    assert mine.insert([claim()]) == [None]
    assert "empieza de nuevo" in mine.warnings[0]


def test_one_that_cannot_be_written_stops_no_run(memory, path):
    path.parent.parent.mkdir(exist_ok=True)
    path.parent.write_text("a file where the folder would be")
    mine = memory()

    assert mine.insert([claim()]) == [None]
    assert mine.insert([claim(2, OTHER)]) == [None]
    (warning,) = mine.warnings
    assert "no se pudo usar la memoria" in warning


def test_deleting_it_loses_nothing_else(memory, path):
    memory().insert([claim()])
    for left in path.parent.iterdir():
        left.unlink()

    assert memory("b").insert([claim()]) == [None]


# --- with a ledger


@pytest.fixture
def claiming(book, row, memory):
    """Takes rows in and claims them, as a run does: ``claiming(1, 2)``."""

    def claim_rows(*numbers: int, name: str = "lote", sha: str = "a") -> list[Moved]:
        info = book.take([row(number) for number in numbers], name=name, sha=sha)
        moves = [
            Move(one.attempt, one.version, one.batch, one.pos, State.READY, Event.CLAIMED, book.now, cufe=one.cufe)
            for one in book.views.ready(info.id)
        ]
        return store.apply(moves)

    store = Store(book.database, "sandbox", sent=memory(id_of(book.database), "sandbox"))
    store.begin_run(book.now)
    book.store = store
    return claim_rows


def test_a_claim_is_remembered_with_its_event_and_the_ledger_is_not_doubted(book, claiming, memory):
    assert [moved.elsewhere for moved in claiming(1, 2)] == [None, None]

    assert memory(id_of(book.database), "sandbox").doubts(book.database) == []
    assert memory("another").doubts(book.database) == []


def test_a_claim_that_another_ledger_has_is_told_to_whoever_would_send_it(claiming, memory):
    memory("another", "sandbox").insert([claim(1, f"FE{2:064d}")])

    assert [moved.elsewhere is None for moved in claiming(1, 2, 3)] == [True, False, True]


def test_a_claim_without_its_document_is_a_bug_and_moves_nothing(book, claiming, row):
    claiming(1)
    (ready,) = (book.take([row(2)], name="dos", sha="b"), book.views.ready("20261120-dos"))[1]

    with pytest.raises(Bug, match="which document"):
        book.claim(ready)
    assert book.views.ready("20261120-dos") == [ready]


@pytest.mark.parametrize("grown", [False, True])
def test_a_ledger_without_the_event_of_its_own_claim_is_doubted_also_when_it_went_on(
    book, claiming, memory, row, grown
):
    mine = memory(id_of(book.database), "sandbox")
    mine.insert([claim(2)])
    if grown:
        book.take([row(5), row(6), row(7)], name="otro", sha="d")

    (doubt,) = mine.doubts(book.database)
    assert "20261120-aaaaaaaa" in doubt


def test_a_row_that_went_back_to_unsent_with_its_claim_in_the_chain_is_no_alarm(book, claiming, memory):
    (moved,) = claiming(1)
    (line,) = book.database.read(select(tables.attempt))
    found = Finding(Source.CANCELLATION, Event.NOTHING_LEFT, note="refused")
    book.move(line.id, moved.version, 1, State.SENDING, Event.NOTHING_LEFT, found, retry=True)

    assert memory(id_of(book.database), "sandbox").doubts(book.database) == []


def test_a_persons_word_marks_what_the_ledger_lost_once_and_it_is_asked_about_from_then_on(book, claiming, memory):
    claiming(1)
    memory(id_of(book.database), "sandbox").insert([claim(40, OTHER)])
    assert memory(id_of(book.database), "sandbox").doubts(book.database) != []

    start_anew(book.database, book.now, who="ana", why="se restauró un respaldo")
    mine = memory(id_of(book.database), "sandbox")
    mine.heed(book.database, [], newest_word(book.database))

    assert mine.doubts(book.database) == []
    assert (mine.asks(OTHER), mine.asks(f"FE{1:064d}")) == (True, False)
    mine.insert([claim(50, "FE-tres")])
    again = memory(id_of(book.database), "sandbox")
    again.heed(book.database, [], newest_word(book.database))
    assert again.doubts(book.database) != [], "the same word does not answer for what came after it"


def test_what_a_lost_or_moved_ledger_sent_belongs_to_the_one_that_goes_on_for_it(book, claiming, memory):
    memory("lost", "sandbox").insert([claim(40, OTHER)])
    start_anew(book.database, book.now, who="ana", why="se perdió", lost=["lost"])
    mine = memory(id_of(book.database), "sandbox")
    mine.heed(book.database, continued(book.database), newest_word(book.database))

    assert mine.asks(OTHER)
    assert mine.insert([claim(41, OTHER)]) == [None], "no conflict: it was asked about"
    assert memory("lost", "sandbox").insert([claim(42, OTHER)]) != [None]
