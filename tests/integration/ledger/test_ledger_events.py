"""What a person says about the whole ledger stands in the chain, where nobody can change it unseen (P15)."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import insert, select

from pipeline.ledger import ownership, tables
from pipeline.ledger.chain import digest, holds, link, link_digest, walkable
from pipeline.ledger.ledger_events import settle_down, sited, start_anew, started_anew
from pipeline.ledger.storage.location import open_ledger
from pipeline.ledger.verify import examine
from tests.support import ledgers


@pytest.fixture
def adopted(book):
    """A ledger that a person moved to another machine after its first use."""
    ownership.own(book.database, book.now, host="aa", name="contabilidad")
    ownership.adopt(book.database, book.now, host="bb", name="portátil", who="Ana", why="equipo nuevo")
    return book


def change(book, statement):
    ledgers.change(book.url, statement)


def events(book):
    found = ledgers.lines(book.url, "SELECT event, who, note, message, body FROM event")
    return [tuple(line.values()) for line in found]


def test_an_adoption_is_an_event_with_who_and_why(adopted):
    assert events(adopted) == [("adopted", "Ana", "equipo nuevo", "portátil", b"bb")]
    assert examine(adopted.database).good


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE owner SET host='cc' WHERE id=2",
        "UPDATE owner SET name='otro' WHERE id=2",
        "UPDATE owner SET who='Eva' WHERE id=2",
        "UPDATE owner SET why='otro motivo' WHERE id=2",
        "UPDATE owner SET since_utc='2026-01-01T00:00:00.000000Z' WHERE id=2",
        "DELETE FROM owner WHERE id=2",
        "INSERT INTO owner SELECT 3, 'cc', 'otro', since_utc, '', 'primer uso' FROM owner WHERE id=1",
    ],
)
def test_an_owner_that_was_put_in_by_hand_is_found(adopted, statement):
    change(adopted, statement)

    assert [fault.code for fault in examine(adopted.database).faults] == ["owner"]


def test_starting_anew_is_an_event_and_the_newest_one_counts(book):
    assert started_anew(book.database) is None
    start_anew(book.database, book.now, who="ana", why="el registro estaba vacío")

    assert started_anew(book.database) == book.now
    assert events(book) == [("started-anew", "ana", "el registro estaba vacío", None, b'{"site": "", "lost": []}')]
    assert examine(book.database).good


def test_deeds_stand_between_the_events_of_batches(book, row):
    book.take([row(1)])
    start_anew(book.database, book.now, who="ana", why="sin rastros")
    book.take([row(2)], name="dos", sha="b")

    found = examine(book.database)
    assert (found.good, found.events) == (True, 3)


@pytest.mark.parametrize("field", ["batch='x'", "pos=1", "who=NULL", "who=''", "from_='READY'", "to_='READY'"])
def test_an_event_that_only_looks_like_a_deed_is_no_move_of_the_program(book, field):
    """Whoever can write the chain anew could put one in: it still has to be one that the program makes."""
    start_anew(book.database, book.now, who="ana", why="sin rastros")
    ledgers.change(book.url, f"UPDATE event SET {field}")
    (line,) = ledgers.lines(book.url, "SELECT * FROM event")
    ledgers.change(book.url, f"UPDATE event SET hash=x'{link(line['prev'], line).hex()}'")

    assert [fault.code for fault in examine(book.database).faults] == ["move"]


def test_the_chain_can_be_walked_with_the_digests_alone():
    values, prev = {"seq": 1, "note": "ñ", "body": b"x"}, b"\0" * 32

    assert link_digest(prev, digest(values)) == link(prev, values)
    assert walkable(prev, values, link(prev, values))
    assert holds(prev, values, link(prev, values))
    assert not holds(prev, {**values, "note": "n"}, link(prev, values))
    assert not holds(prev, {**values, "body": b"y"}, link(prev, values))


def old_link(prev, values):
    """How schema 0003 chained: the text of the event itself behind the hash before it."""
    names = ["seq", "batch", "pos", "attempt", "from_", "to_", "event", "utc", "run", "who", "http"]
    names += ["estado", "dgi", "message", "note"]
    text = json.dumps([values[name] for name in names], separators=(",", ":"))
    return hashlib.sha256(prev + text.encode() + hashlib.sha256(values["body"] or b"").digest()).digest()


@pytest.fixture
def older(tmp_path):
    """A ledger of schema 0003: one deed in its chain, as that version hashed it, and a machine that adopted it."""
    with ledgers.fresh(tmp_path, tables=False) as url:
        yield made_of_0003(url)


def made_of_0003(url):
    engine = ledgers.past_the_program(url)
    config = Config()
    config.set_main_option("script_location", str(Path(tables.__file__).parent / "storage" / "migrations"))
    event = dict.fromkeys(("attempt", "http", "estado", "dgi", "message", "body"))
    event |= {"seq": 1, "batch": "", "pos": 0, "from_": "LEDGER", "to_": "LEDGER", "event": "started-anew"}
    event |= {"utc": "2026-11-20T15:00:00.000000Z", "run": 0, "who": "ana", "note": "ñ", "prev": b"\0" * 32}
    event["hash"] = old_link(event["prev"], event)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
        connection.execute(insert(tables.event), [event])
        for host, who in (("aa", ""), ("bb", "Ana")):
            owner = {"host": host, "name": host, "since_utc": event["utc"], "who": who, "why": "equipo nuevo"}
            connection.execute(insert(tables.owner), [owner])
    engine.dispose()
    return url


def test_a_chain_of_the_version_before_still_holds_and_its_adoptions_join_it(older):
    database = open_ledger(older)
    found = examine(database)
    (last,) = database.read(select(tables.event).where(tables.event.c.seq == 2))
    database.close()

    assert (found.faults, found.events) == ([], 2)
    assert (last.event, last.who, last.message, last.body) == ("adopted", "Ana", "bb", b"bb")
    assert not walkable(b"\0" * 32, {"seq": 1}, last.prev)


def test_where_a_ledger_is_to_be_found_is_the_newest_word(book):
    assert sited(book.database) is None

    settle_down(book.database, book.now, who="Ana")
    assert sited(book.database) == book.database.server

    start_anew(book.database, book.now, who="Ana", why="disco perdido", server="otro-lugar", lost=["a" * 32])
    assert sited(book.database) == "otro-lugar"
