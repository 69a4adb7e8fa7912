"""A whole ledger goes to another place, once and for good; a kill on the way leaves nowhere two that send."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy import insert

from pipeline.domain.errors import AnotherRun, StorageTrouble, WrongUsage
from pipeline.domain.lifecycle import Event, State
from pipeline.domain.records import Finding, Source
from pipeline.ledger import copying, ownership, reserve_journal, tables, transfer, verify
from pipeline.ledger.ledger_events import continued, id_of, moved_to
from pipeline.ledger.reserve_journal import Kept
from pipeline.ledger.storage.database import Database
from pipeline.ledger.storage.location import location_of, open_as_it_is, open_ledger
from pipeline.ledger.storage.sqlite import sqlite_path
from pipeline.ledger.store import Store
from pipeline.ledger.views import Views
from tests.support import ledgers

TABLES = ("run", "owner", "batch", "row", "attempt", "event")
SOME = "it was pulled out"


@pytest.fixture
def notes(tmp_path):
    return tmp_path / "notas"


@pytest.fixture
def target(tmp_path):
    """Where to: from a file to another file; on the test server to another database there."""
    with ledgers.fresh(tmp_path / "otro", tables=False) as url:
        yield url


@pytest.fixture
def source(lived):
    lived.database.close()
    return lived


@pytest.fixture(params=["same kind", "a file"])
def there(request, target, tmp_path):
    return target if request.param == "same kind" else f"sqlite:///{tmp_path / 'archivo' / 'nuevo.db'}"


def move(source, target, notes):
    return transfer.move(source.url, target, source.now + timedelta(hours=1), notes)


def content(url):
    order = {"row": "batch, pos", "event": "seq"}
    return {name: ledgers.lines(url, f"SELECT * FROM {name} ORDER BY {order.get(name, 'id')}") for name in TABLES}


def goes_on(url):
    """Whether a run may send from it."""
    try:
        database = open_ledger(url)
    except StorageTrouble:
        return False
    with suppress(StorageTrouble):
        gone = moved_to(database)
        database.close()
        return gone is None
    return False


def test_everything_is_in_the_new_place_and_the_chain_ends_with_the_same_seal(source, there, notes):
    before = content(source.url)
    done = move(source, there, notes)

    after = content(there)
    assert after == content(source.url)
    assert {name: lines for name, lines in after.items() if name != "event"} == {
        name: lines for name, lines in before.items() if name != "event"
    }
    assert after["event"][:-1] == before["event"]
    assert after["event"][-1]["event"] == "moved"
    for url in (source.url, there):
        database = open_as_it_is(url)
        found = verify.examine(database)
        database.close()
        assert (found.faults, found.head.hex()) == ([], done.head)
    assert done.counts == {name: len(after[name]) for name in TABLES}


def test_the_new_place_goes_on_where_the_old_one_stopped_and_the_old_one_says_where_it_went(source, there, notes, row):
    move(source, there, notes)
    assert (goes_on(source.url), goes_on(there)) == (False, True)

    database = open_ledger(there)
    store, views = Store(database, "sandbox"), Views(database, "sandbox")
    assert store.begin_run(source.now) == 2, "numbers go on behind those that were copied"
    info = type(source)(there, database, store, views).take([row(9)], name="otro", sha="b")
    assert [one.attempt for one in views.ready(info.id)] == [5]
    assert verify.examine(database).good
    database.close()


def test_a_ledger_that_came_from_elsewhere_may_go_back_to_a_new_place(source, there, notes, tmp_path):
    move(source, there, notes)
    back = f"sqlite:///{tmp_path / 'vuelta.db'}"
    transfer.move(there, back, source.now, notes)

    assert (goes_on(there), goes_on(back)) == (False, True)


@pytest.mark.postgres
def test_from_a_server_to_a_file_and_back_nothing_changes(source, target, notes, tmp_path):
    file = f"sqlite:///{tmp_path / 'archivo.db'}"
    transfer.move(source.url, file, source.now, notes)
    transfer.move(file, target, source.now, notes)

    assert content(target) == content(file)
    assert (goes_on(source.url), goes_on(file), goes_on(target)) == (False, False, True)


def test_it_moves_once(source, there, notes, tmp_path):
    move(source, there, notes)

    with pytest.raises(WrongUsage) as refusal:
        move(source, f"sqlite:///{tmp_path / 'tercero.db'}", notes)
    assert refusal.value.code == "ledger-moved-already"


def test_only_an_empty_place_is_filled(source, there, notes):
    open_ledger(there).close()

    with pytest.raises(WrongUsage) as refusal:
        move(source, there, notes)
    assert refusal.value.code == "copy-not-empty"
    assert goes_on(source.url)


def test_the_same_place_and_a_place_without_ledger_are_wrong_usage(source, there, notes):
    for given, to, code in ((source.url, source.url, "copy-same"), (there, source.url, "no-ledger")):
        with pytest.raises(WrongUsage) as refusal:
            transfer.move(given, to, source.now, notes)
        assert refusal.value.code == code


@pytest.mark.parametrize("which", ["source", "target"])
def test_nobody_may_use_either_of_them_meanwhile(source, there, notes, which):
    with location_of(source.url if which == "source" else there).alone(), pytest.raises(AnotherRun):
        move(source, there, notes)


def test_answers_in_the_reserve_come_first(source, there, notes):
    database = open_ledger(source.url)
    found = Finding(Source.CANCELLATION, Event.CANCELLED, http=200)
    reserve_journal.keep(database.reserve("abc"), [Kept(1, 1, "x", source.now, found)])
    database.close()

    with pytest.raises(StorageTrouble) as trouble:
        move(source, there, notes)
    assert trouble.value.code == "copy-reserve"


def test_a_ledger_that_was_changed_behind_the_programs_back_is_not_copied(source, there, notes):
    ledgers.change(source.url, "UPDATE event SET message='otra cosa' WHERE seq=6")

    with pytest.raises(StorageTrouble, match="evento 6"):
        move(source, there, notes)
    assert not location_of(there).exists()


@pytest.mark.parametrize("table", ["attempt", "row", "batch"])
def test_a_copy_that_differs_is_no_ledger_and_the_old_one_goes_on(source, there, notes, monkeypatch, table):
    """Each line is read back: here the new place forgets a word of one table."""
    real = copying._same
    monkeypatch.setattr(copying, "_same", lambda a, b, one: one.name != table and real(a, b, one))

    with pytest.raises(StorageTrouble) as trouble:
        move(source, there, notes)

    assert trouble.value.code == "copy-differs"
    assert (goes_on(source.url), goes_on(there)) == (True, False)


def test_a_copy_with_a_line_more_is_no_ledger(source, there, notes, monkeypatch):
    def put_one_in(_database, connection):
        connection.execute(insert(tables.run).values(id=99, started_utc="", who="", host=""))

    for kind in (Database, *Database.__subclasses__()):
        if "renumber" in vars(kind):
            monkeypatch.setattr(kind, "renumber", put_one_in)
    with pytest.raises(StorageTrouble) as trouble:
        move(source, there, notes)

    assert trouble.value.code == "copy-differs"
    assert (goes_on(source.url), goes_on(there)) == (True, False)


@pytest.mark.one_in(2)
@pytest.mark.parametrize("point", ["copy-begun", "copy-filled", "copy-source-marked", "copy-done"])
def test_a_kill_on_the_way_leaves_no_second_ledger_and_the_same_order_ends_the_move(
    source, there, notes, monkeypatch, point
):
    def pulled(name):
        if name == point:
            raise KeyboardInterrupt(SOME)

    with monkeypatch.context() as patch:
        for module in (transfer, copying):
            patch.setattr(module, "crashpoint", pulled)
        with pytest.raises(KeyboardInterrupt, match=SOME):
            move(source, there, notes)

    both = [goes_on(source.url), goes_on(there)]
    assert both == {"copy-done": [False, True], "copy-source-marked": [False, False]}.get(point, [True, False])
    if point == "copy-done":
        return
    with pytest.raises(StorageTrouble, match="quedó a medias la copia"):
        open_ledger(there)
    move(source, there, notes)
    assert (goes_on(source.url), goes_on(there)) == (False, True)
    database = open_ledger(there)
    assert verify.examine(database).good
    views = Views(database, "sandbox")
    assert views.lines(views.batches()[0])[0].state is State.CANCELLED
    database.close()


@pytest.mark.sqlite
def test_the_same_order_on_another_machine_is_refused_although_nothing_is_there_under_that_name(
    source, target, notes, monkeypatch, tmp_path
):
    move(source, target, notes)
    copied = sqlite_path(target)
    copied.rename(copied.with_name("en-el-otro-equipo.db"))  # the path is another disk's here
    monkeypatch.setattr(ownership, "host_id", lambda: "f" * 64)

    with pytest.raises(WrongUsage, match=r"ya se movió a .*, desde el equipo ") as refused:
        move(source, target, tmp_path / "other machine's notes")

    assert refused.value.code == "ledger-moved-already"
    assert not copied.exists()


def test_the_new_place_goes_on_for_the_old_one(source, target, notes):
    before = open_ledger(source.url)
    old = id_of(before)
    before.close()
    move(source, target, notes)

    moved = open_ledger(target)
    assert continued(moved) == [old]
    moved.close()
