"""The chain and what rests on it: whatever was changed behind the program's back is found and named (P15, F55)."""

from __future__ import annotations

import threading
from dataclasses import replace
from functools import partial

import pytest
from sqlalchemy import select, text

from pipeline.domain.approved_by import ApprovedBy
from pipeline.domain.errors import StorageTrouble
from pipeline.domain.lifecycle import Event
from pipeline.domain.records import Verdict, Waiting
from pipeline.ledger import tables, verify
from pipeline.ledger.chain import fingerprint
from pipeline.ledger.storage.location import open_as_it_is, open_ledger
from pipeline.ledger.storage.sqlite import sqlite_path
from tests.support import ledgers


def tamper(book, *statements: str) -> None:
    """Writes past the program, as somebody with all rights on the database can."""
    ledgers.change(book.url, *statements)


def found(book):
    return [(fault.code, fault.seq) for fault in verify.examine(book.database).faults]


def test_a_ledger_that_nobody_touched_is_good(lived):
    examination = verify.examine(lived.database)

    assert examination.faults == []
    assert (examination.events, examination.rows) == (11, 4)
    assert len(examination.head) == 32


def test_an_empty_ledger_is_good(book):
    assert verify.examine(book.database).good


@pytest.mark.sqlite
def test_examining_changes_nothing(lived):
    before = sqlite_path(lived.url).read_bytes()
    verify.examine(lived.database)
    verify.look_over(lived.database)

    assert sqlite_path(lived.url).read_bytes() == before


@pytest.mark.parametrize(
    "change",
    [
        "to_='REVIEW'",
        "from_='UNKNOWN'",
        "event='already'",
        "utc='2026-01-01T00:00:00.000000Z'",
        "who='otra'",
        "http=500",
        "estado=11",
        "dgi='0600'",
        "message='otra cosa'",
        "note='otra nota'",
        "body=x'00'",
        "run=9",
        "attempt=9",
        "pos=9",
        "batch='otro'",
        "hash=x'00'",
        "prev=x'00'",
    ],
)
def test_a_changed_event_is_named(lived, change):
    tamper(lived, f"UPDATE event SET {change} WHERE seq=6")

    assert found(lived)[0] == ("chain", 6)


def test_a_removed_event_is_named(lived):
    tamper(lived, "DELETE FROM event WHERE seq=5")

    assert found(lived)[0] == ("gap", 5)


def test_two_events_that_changed_places_are_found(lived):
    tamper(
        lived,
        "UPDATE event SET seq=99 WHERE seq=5",
        "UPDATE event SET seq=5 WHERE seq=6",
        "UPDATE event SET seq=6 WHERE seq=99",
    )

    assert found(lived)[0] == ("chain", 5)


def test_newest_events_that_were_cut_off_show_in_the_state_that_they_led_to(lived):
    tamper(lived, "DELETE FROM event WHERE seq=(SELECT max(seq) FROM event)")

    assert [code for code, _ in found(lived)] == ["state"]


def test_a_move_that_happened_and_left_its_state_alone_shows_in_the_count(lived):
    """UNKNOWN and PENDING have moves to themselves: the state alone would not tell that one was cut off."""
    (tracked,) = lived.views.followed()
    lived.move(tracked.attempt, tracked.version, tracked.pos, tracked.state, Event.UNCLEAR)
    tamper(lived, "DELETE FROM event WHERE seq=(SELECT max(seq) FROM event)")

    assert [code for code, _ in found(lived)] == ["version"]


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("UPDATE attempt SET state='CANCELLED' WHERE id=3", "state"),
        ("UPDATE attempt SET state='NOT_SENT' WHERE id=1", "state"),
        ("UPDATE attempt SET cufe='FE' WHERE id=3", "cufe"),
        ("UPDATE attempt SET v=v+1 WHERE id=3", "version"),
        ("DELETE FROM attempt WHERE id=3", "attempt"),
        (
            "CREATE TABLE aside AS SELECT * FROM attempt WHERE id=3; UPDATE aside SET id=99, state='NOT_SENT'; "
            "INSERT INTO attempt SELECT * FROM aside; DROP TABLE aside",
            "attempt",
        ),
        ("UPDATE row SET cufe='FE' WHERE pos=1", "row"),
        ("UPDATE row SET reason='Otro motivo cualquiera' WHERE pos=4", "row"),
        ("UPDATE row SET cells='[]' WHERE pos=2", "row"),
        ("UPDATE row SET state='READY' WHERE pos=4", "row"),
        ("DELETE FROM row WHERE pos=4", "count"),
        ("UPDATE batch SET approved_by='otra'", "row"),
        ("UPDATE batch SET env='production'", "row"),
        ("DROP INDEX one_live", "schema"),
    ],
)
def test_what_does_not_agree_with_the_events_is_found(lived, statement, code):
    tamper(lived, *statement.split("; "))

    assert code in {code for code, _ in found(lived)}


OTHER = {
    "message": "'Evento registrado'",
    "dgi": "'0600'",
    "estado": "11",
    "source": "'query'",
    "http": "201",
    "note": "'otra'",
    "authorised_at": "'2026-11-20'",
    "sent_utc": "'2026-01-01T00:00:00.000000Z'",
    "queried_utc": "'2026-01-01T00:00:00.000000Z'",
    "queries": "queries+1",
    "misses": "misses+1",
    "next_due": "'2027-01-01T00:00:00.000000Z'",
    "possible_duplicate": "1",
    "preflight": "2",
    "epoch": "epoch+1",
    "n": "n+3",
    "env": "'production'",
    "reason": "'Otro motivo cualquiera'",
    "email": "'otro@empresa.com'",
    "credential": "'0123456789abcdef0123456789abcdef'",
}
"""A value that no event told, for every column of an attempt but those that say which row it is of."""


def test_every_column_of_every_attempt_is_what_its_events_tell(lived):
    missed = []
    for attempt in (1, 3, 4):
        for column, value in OTHER.items():
            tamper(
                lived,
                "CREATE TABLE aside AS SELECT * FROM attempt",
                f"UPDATE attempt SET {column}={value} WHERE id={attempt}",
            )
            faults = verify.examine(lived.database).faults
            if not {column, "attempt"} & {fault.code for fault in faults}:
                missed.append((attempt, column))
            tamper(
                lived,
                f"UPDATE attempt SET {column}=(SELECT {column} FROM aside WHERE aside.id=attempt.id)",
                "DROP TABLE aside",
            )

    assert missed == []
    assert verify.examine(lived.database).good


def test_whatever_is_printed_of_a_batch_is_held_by_the_chain(lived):
    others = {
        "headings": '["CUFE","Nota"]',
        "issuers": "[]",
        "notes": "[]",
        "deadline_hours": "9999",
        "approved_by": "",
        "file": "otro.xlsx",
        "sheet": "Hoja2",
        "created_utc": "2026-01-01T00:00:00.000000Z",
    }
    for column, value in others.items():
        (line,) = ledgers.lines(lived.url, f"SELECT {column} FROM batch")
        tamper(lived, f"UPDATE batch SET {column}='{value}'")
        assert {code for code, _ in found(lived)} == {"row"}, column
        tamper(lived, f"UPDATE batch SET {column}='{line[column]}'")
    assert found(lived) == []


@pytest.mark.parametrize("name", ["lgomez", "maría.núñez", "ñ" * 100], ids=["short", "spanish", "longest"])
def test_an_edit_of_who_approved_what_is_found_and_its_events_name_the_people(book, row, name):
    by = str(ApprovedBy("terminal", name, "aperez", "3f9c" * 16))
    info = replace(book.take([row(90)]), id="20261121-dos", sha256="b" * 64, approved_by=by, rows=2)
    book.store.intake(info, [row(1), row(2)])
    assert found(book) == []
    assert book.views.batch("20261121-dos").approved_by == by
    told = ledgers.lines(book.url, "SELECT DISTINCT who FROM event WHERE batch='20261121-dos'")
    assert told == [{"who": f"terminal: {name} aprobó; aperez preparó"}]

    for edit in (by.replace("aperez", "otra"), by.replace(name, "otro"), by[:-1] + "d", by.partition(";")[0], ""):
        tamper(book, f"UPDATE batch SET approved_by='{edit}' WHERE id='20261121-dos'")
        assert {code for code, _ in found(book)} == {"row"}, edit
    tamper(book, f"UPDATE batch SET approved_by='{by}'")
    assert {code for code, _ in found(book)} == {"row"}, "of the other batch"
    tamper(book, "UPDATE batch SET approved_by='ana' WHERE id<>'20261121-dos'")
    assert found(book) == []


def test_an_edit_of_who_released_what_was_held_is_found(book, row):
    info = book.take([row(1, Verdict.HELD)])
    (waiting,) = ledgers.lines(book.url, "SELECT id, v, pos FROM attempt")
    by = str(ApprovedBy("web", "lgomez", "aperez", "3f9c" * 16))
    book.store.approve([Waiting(waiting["id"], waiting["v"], info.id, waiting["pos"])], book.now, who=by)
    assert [one.who for one in book.views.approvals(info.id)] == [by]

    tamper(book, f"UPDATE event SET who='{by[:-1]}d' WHERE seq=2")
    assert found(book)[0] == ("chain", 2)


def test_what_else_a_move_changed_is_held_by_the_chain(lived):
    tamper(lived, 'UPDATE event SET more=\'{"due":"2027-01-01T00:00:00.000000Z"}\' WHERE seq=6')

    assert found(lived)[0] == ("chain", 6)


def test_the_hours_that_were_left_are_held_by_the_chain(lived):
    tamper(lived, "UPDATE row SET hours_left=1 WHERE pos=2")

    assert found(lived) == [("row", None)]


def test_a_ledger_of_the_schema_before_is_good_and_says_what_its_chain_does_not_cover(lived):
    before = verify.examine(lived.database)
    ledgers.as_before_0007(lived.url)
    now = verify.examine(lived.database)

    assert (before.older, before.partly_covered) == (set(), 0)
    assert (now.faults, now.older, now.partly_covered) == ([], {"20261120-lote"}, 4)
    for unseen in ("UPDATE batch SET notes='[]'", "UPDATE attempt SET next_due=NULL"):
        tamper(lived, unseen)
        assert verify.examine(lived.database).good
    tamper(lived, "UPDATE attempt SET message='otra' WHERE id=1")
    assert [code for code, _ in found(lived)] == ["message"]


def test_what_happens_after_the_schema_before_is_told_again(lived):
    ledgers.as_before_0007(lived.url)
    (tracked,) = lived.views.followed()
    lived.move(tracked.attempt, tracked.version, tracked.pos, tracked.state, Event.UNCLEAR)

    assert verify.examine(lived.database).good


def test_dropped_rules_are_missed(lived):
    with lived.database.write() as connection:
        connection.execute(text("DROP TRIGGER event_no_update" + (" ON event" if lived.database.shared else "")))

    assert found(lived) == [("schema", None)]


def test_two_live_attempts_of_one_code_are_found(lived):
    tamper(lived, "DROP INDEX one_live", "UPDATE attempt SET cufe=(SELECT cufe FROM attempt WHERE id=1) WHERE id=3")

    assert "live" in {code for code, _ in found(lived)}


def test_a_run_refuses_a_ledger_that_was_changed(lived):
    verify.look_over(lived.database)
    tamper(lived, "UPDATE event SET message='otra cosa' WHERE seq=6")

    with pytest.raises(StorageTrouble, match="el evento 6 de la bitácora fue alterado"):
        verify.look_over(lived.database)


@pytest.mark.parametrize(("seq", "seen"), [(11, True), (8, True), (2, False)])
def test_of_a_long_ledger_a_run_looks_at_the_newest_events(lived, monkeypatch, seq, seen):
    monkeypatch.setattr(verify, "WHOLE", 5)
    tamper(lived, f"UPDATE event SET note='otra' WHERE seq={seq}")

    if seen:
        with pytest.raises(StorageTrouble, match=f"evento {seq}"):
            verify.look_over(lived.database)
    else:
        verify.look_over(lived.database)
        assert found(lived)[0] == ("chain", seq)


@pytest.mark.parametrize(
    ("change", "words"), [("state='NOT_SENT'", "bitácora PENDING"), (f"cufe='FE{9:064d}'", "otro CUFE que su fila")]
)
def test_what_no_event_tells_of_a_row_is_refused_in_a_long_ledger_too(lived, monkeypatch, change, words):
    monkeypatch.setattr(verify, "WHOLE", 5)
    tamper(lived, f"UPDATE attempt SET {change} WHERE id=3")

    with pytest.raises(StorageTrouble, match=words):
        verify.look_over(lived.database)


@pytest.mark.sqlite
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_truncated_file_is_one_sentence(lived, share):
    lived.database.close()
    path = sqlite_path(lived.url)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])

    with pytest.raises(StorageTrouble):
        verify.look_over(open_ledger(lived.url))


@pytest.mark.sqlite
def test_bytes_that_flip_anywhere_are_found(lived):
    """Every page of the file, one bit at a time, except in unused space, where nothing is lost."""
    lived.database.close()
    path = sqlite_path(lived.url)
    whole = path.read_bytes()
    needle = whole.find(b"Error en el monto facturado")
    missed = []
    for place in (
        needle,
        whole.find(b'{"estado":2}'),
        whole.find(b"SENDINGCANCELLEDcancelled"),
        whole.rfind(b"nothing-left"),
    ):
        assert place > 0
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        database = open_as_it_is(lived.url)
        if verify.examine(database).good:
            missed.append(place)
        database.close()
    path.write_bytes(whole)

    assert missed == []


@pytest.mark.sqlite
def test_there_is_nothing_to_examine_where_there_is_no_ledger(tmp_path):
    with pytest.raises(StorageTrouble):
        open_as_it_is(f"sqlite:///{tmp_path / 'nada.db'}")


@pytest.mark.sqlite
def test_an_emptied_file_is_no_good_ledger(lived):
    lived.database.close()
    sqlite_path(lived.url).write_bytes(b"")

    with pytest.raises(StorageTrouble):
        open_as_it_is(lived.url)


def test_a_row_that_was_put_in_by_hand_is_found(lived):
    tamper(
        lived,
        "INSERT INTO row (batch, pos, line, cells, state, remarks) SELECT batch, 99, 99, cells, 'REJECTED_INPUT', '' "
        "FROM row WHERE pos=1",
    )

    assert ("row", None) in found(lived)


def test_the_first_faults_are_told_and_thousands_are_not(book, row):
    book.take([row(n) for n in range(1, 41)])
    tamper(book, "UPDATE row SET line = line + 1")

    assert len(verify.examine(book.database).faults) == verify.MOST_FAULTS


def test_of_a_long_ledger_a_missing_event_where_the_look_begins_is_found(lived, monkeypatch):
    monkeypatch.setattr(verify, "WHOLE", 4)
    tamper(lived, "DELETE FROM event WHERE seq=7")

    with pytest.raises(StorageTrouble) as refusal:
        verify.look_over(lived.database)

    assert refusal.value.code == "ledger-broken"
    assert "evento 7" in refusal.value.sentence


def test_a_batch_whose_head_is_gone_leaves_rows_without_one(lived):
    tamper(lived, "DELETE FROM batch")

    assert ("row", None) in found(lived)


def test_the_batch_that_a_batch_corrects_is_held_by_the_chain(book, row):
    info = replace(book.take([row(1)]), id="20261121-otro", sha256="b" * 64, corrects="20261120-lote")
    book.store.intake(info, [row(1, cufe=f"FE{9:064d}")])
    assert found(book) == []
    assert book.views.batch("20261121-otro").corrects_known
    assert book.views.batch("20261120-lote").corrected_in == ("20261121-otro",)

    tamper(book, "UPDATE batch SET corrects=NULL WHERE id='20261121-otro'")
    assert found(book) == [("row", None)]
    tamper(book, "UPDATE batch SET corrects='20261120-lote'")
    assert found(book) == [("row", None)]


def test_rows_of_before_the_lineage_are_told_by_the_same_hash(book, row):
    info = book.take([row(1)])
    with book.database.write() as connection:
        line = connection.execute(select(tables.row)).one()._mapping
        head = dict(connection.execute(select(tables.batch)).one()._mapping)
    assert head.pop("corrects") is info.corrects is None
    assert fingerprint(head, line) == fingerprint({**head, "corrects": None}, line)
    assert fingerprint(head, line) != fingerprint({**head, "corrects": info.id}, line)


# --- looked over once, for many companies of one command


def test_what_was_looked_over_is_checked_from_there_on(lived, monkeypatch):
    before = verify.LookedOver()
    verify.look_over(lived.database, before=before)
    first = before.of(lived.database)
    assert first == (11, verify.examine(lived.database).head)

    seen: list[int] = []
    events = verify._events

    def from_there(database, after):
        seen.append(after)
        return events(database, after)

    monkeypatch.setattr(verify, "_events", from_there)
    lived.send(lived.views.ready(lived.views.batches()[0].id)[0], Event.CANCELLED)
    verify.look_over(lived.database, before=before)

    assert seen == [11]
    assert before.of(lived.database) == (13, verify.examine(lived.database).head)


@pytest.mark.parametrize("change", ["event='already'", "utc='2026-01-01T00:00:00.000000Z'"])
def test_a_new_event_that_was_altered_is_found_where_all_before_was_looked_over(lived, change):
    before = verify.LookedOver()
    verify.look_over(lived.database, before=before)
    lived.send(lived.views.ready(lived.views.batches()[0].id)[0], Event.CANCELLED)
    tamper(lived, f"UPDATE event SET {change} WHERE seq=12")

    with pytest.raises(StorageTrouble, match="no está íntegro"):
        verify.look_over(lived.database, before=before)


def test_a_ledger_that_was_replaced_since_is_not_the_one_that_was_looked_over(lived):
    before = verify.LookedOver()
    verify.look_over(lived.database, before=before)
    before.add(lived.database, 11, bytes(32))

    with pytest.raises(StorageTrouble, match="alterado"):
        verify.look_over(lived.database, before=before)


def test_of_several_who_open_a_ledger_at_once_one_looks_it_over_whole(lived, monkeypatch):
    before, whole = verify.LookedOver(), []
    examine = verify.examine

    def slow(database):
        whole.append(1)
        return examine(database)

    monkeypatch.setattr(verify, "examine", slow)
    look = partial(verify.look_over, lived.database, before=before)
    threads = [threading.Thread(target=look) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert len(whole) == 1
    assert before.of(lived.database) == (11, examine(lived.database).head)
