"""D8: on PostgreSQL each run owns one credential and its rows; others work beside it on the same ledger."""

from __future__ import annotations

import multiprocessing
import os
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import pairwise

import pytest
from sqlalchemy import text

from pipeline.domain.errors import AnotherRun, Bug, StorageTrouble
from pipeline.domain.lifecycle import Event, State
from pipeline.domain.records import Finding, Source
from pipeline.ledger.moves import Move
from pipeline.ledger.scope import Scope, credential_mark
from pipeline.ledger.storage.location import location_of
from pipeline.ledger.store import Store
from pipeline.ledger.verify import examine
from pipeline.ledger.views import Views
from pipeline.settings.model import Env, Settings
from pipeline.wiring.views import open_views
from tests.support import ledgers

pytestmark = pytest.mark.postgres

ENV = "sandbox"
ANA, EVA = credential_mark(ENV, "ana"), credential_mark(ENV, "eva")


@contextmanager
def running(book, credential):
    """A run as the program begins one: its locks, its ledger, its number. Gives a book of its own."""
    site = location_of(book.url)
    with site.working(ENV, credential) as scope:
        database = site.open()
        store = Store(database, ENV, scope)
        store.begin_run(book.now)
        yield replace(book, database=database, store=store, views=Views(database, ENV, scope))
        database.close()


@pytest.fixture
def two(book):
    """Two runs at the same time, each under a credential of its own."""
    with running(book, ANA) as ana, running(book, EVA) as eva:
        yield ana, eva


def test_two_credentials_work_on_one_ledger_at_the_same_time(two, row):
    ana, eva = two
    first = ana.take([row(1)], name="ana")
    second = eva.take([row(2)], name="eva", sha="b")
    ana.send(ana.views.ready(first.id)[0], Event.CANCELLED)
    eva.send(eva.views.ready(second.id)[0], Event.CANCELLED)

    assert [line.state for line in ana.views.lines(second)] == [State.CANCELLED], "what is shown is everything"
    assert examine(ana.database).good


def test_a_second_run_of_one_credential_is_told_so(book):
    with running(book, ANA), pytest.raises(AnotherRun) as refusal, running(book, ANA):
        pass

    assert refusal.value.exit_code == 6
    assert "Otra ejecución está usando el historial de envíos" in refusal.value.sentence


def test_the_same_user_of_another_environment_is_another_credential(book):
    assert credential_mark("production", "ana") != ANA


def test_whoever_needs_the_whole_ledger_waits_for_every_run_and_they_for_it(book):
    site = location_of(book.url)
    with running(book, ANA), pytest.raises(AnotherRun), site.alone():
        pass
    with site.alone(), pytest.raises(AnotherRun), running(book, EVA):
        pass
    with running(book, EVA):
        pass


def test_rows_that_another_credential_is_sending_are_not_recovered(two, row):
    ana, eva = two
    info = ana.take([row(1), row(2)])
    ana.claim(ana.views.ready(info.id)[0])

    assert eva.store.recover(eva.now) == 0
    assert [line.state for line in eva.views.lines(info)] == [State.SENDING, State.READY]


def test_rows_of_another_credential_are_neither_sent_nor_asked_about_nor_counted_nor_made_ready(two, row):
    ana, eva = two
    info = ana.take([row(1), row(2), row(3)])
    first, second, _ = ana.views.ready(info.id)
    ana.send(first, Event.IN_PROGRESS)
    ana.send(second, Event.NOTHING_LEFT)

    assert eva.views.of_another(info.id)
    assert not ana.views.of_another(info.id)
    assert eva.views.ready(info.id) == eva.views.followed() == []
    assert eva.views.waiting_since(eva.now.replace(year=2030)) == set()
    assert (ana.views.sent_for("ana", ana.now), eva.views.sent_for("ana", eva.now)) == (3, 0)
    assert eva.store.reopen(info.id, eva.now) == 0


def test_a_row_of_another_credential_cannot_be_moved_even_by_mistake(two, row):
    ana, eva = two
    ready = ana.views.ready(ana.take([row(1)]).id)[0]

    with pytest.raises(Bug):
        eva.claim(ready)
    ana.claim(ready)


def test_a_code_that_lives_under_another_credential_is_a_duplicate_and_cannot_live_twice(two, row):
    ana, eva = two
    info = ana.take([row(1)])

    assert eva.views.seen([row(1).cufe])[row(1).cufe].batch == info.id
    with pytest.raises(StorageTrouble, match="otra ejecución recibió entretanto") as refusal:
        eva.take([row(1)], name="otro", sha="b")
    assert refusal.value.code == "ledger-taken"


def test_a_newer_run_of_another_credential_fences_nobody_out(two, row):
    ana, eva = two
    info = ana.take([row(1)])
    eva.store.begin_run(eva.now)

    assert ana.send(ana.views.ready(info.id)[0], Event.CANCELLED).state is State.CANCELLED


def test_who_hands_in_adds_a_batch_beside_the_run_fences_nobody_and_moves_no_row(book, row):
    with running(book, ANA) as ana:
        first = ana.take([row(1)])
        with location_of(book.url).visited(ANA) as scope:
            database = location_of(book.url).open()
            desk = replace(
                book, database=database, store=Store(database, ENV, scope), views=Views(database, ENV, scope)
            )
            desk.store.begin_run(book.now)
            second = desk.take([row(2)], name="otro", sha="b")
            with pytest.raises(Bug, match="moves no row"):
                desk.claim(desk.views.ready(second.id)[0])
            database.close()

        for info in (first, second):
            assert ana.send(ana.views.ready(info.id)[0], Event.CANCELLED).state is State.CANCELLED


def test_what_is_told_of_how_the_ledger_stands_is_told_of_ones_own_rows(two, row):
    ana, eva = two
    info = ana.take([row(1)])
    ana.send(ana.views.ready(info.id)[0], Event.CANCELLED)

    assert ana.views.tally() != eva.views.tally()
    assert eva.views.tally() == Views(eva.database, "lab").tally(), "nothing of anybody else's"


def test_a_server_that_keeps_no_locks_for_a_connection_is_refused(book, monkeypatch):
    monkeypatch.setattr("pipeline.ledger.storage.postgres_location.holds", lambda *_: False)
    with pytest.raises(StorageTrouble, match="pgbouncer"), running(book, ANA):
        pass


def test_rows_of_before_the_credentials_are_followed_by_whoever_comes_first(book, row):
    """They bear no mark: one run at a time takes care of them."""
    info = book.take([row(1)])
    book.claim(book.views.ready(info.id)[0])
    with running(book, ANA) as ana, running(book, EVA) as eva:
        assert eva.store.recover(eva.now) == 0
        assert ana.store.recover(ana.now) == 1
        assert [one.pos for one in ana.views.followed()] == [1]
        assert eva.views.followed() == []


def test_the_follow_up_of_every_company_leaves_the_batches_of_the_others_to_them(book, row):
    """``poll --all`` looks first, without owning anything: it has to see its own rows only there as well."""
    with running(book, ANA) as ana:
        info = ana.take([row(1)])
        ana.send(ana.views.ready(info.id)[0], Event.IN_PROGRESS)
    seen = {}
    for user in ("ana", "eva"):
        settings = Settings(**{"env": Env.SANDBOX, "user": user, "ledger": book.url})
        with open_views(settings, mine=True) as views:
            assert views is not None
            seen[user] = (len(views.followed()), views.waiting_since(book.now.replace(year=2030)))

    assert seen == {"ana": (1, {info.id}), "eva": (0, set())}


# --- the lock, and what stands behind it


def kill_sessions(book, where="true"):
    """The server ends what matches, as it does when it loses somebody."""
    ledgers.change(
        book.url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        f"WHERE datname = current_database() AND pid <> pg_backend_pid() AND {where}",
    )


HOLDERS = "pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1)"


def test_a_run_that_lost_its_lock_begins_nothing_more_and_records_what_is_in_flight(book, row):
    with running(book, ANA) as ana:
        info = ana.take([row(1), row(2)])
        first, second = ana.views.ready(info.id)
        version = ana.claim(first).version
        kill_sessions(book, HOLDERS)

        with pytest.raises(StorageTrouble, match="Se perdió el bloqueo") as trouble:
            ana.claim(second)
        with pytest.raises(StorageTrouble):
            ana.take([row(3)], name="otro", sha="b")
        found = Finding(Source.CANCELLATION, Event.CANCELLED, http=200)
        ana.move(first.attempt, version, 1, State.SENDING, Event.CANCELLED, found)

        assert trouble.value.code == "ledger-lock-lost"
        assert [line.state for line in ana.views.lines(info)] == [State.CANCELLED, State.READY]


def test_a_run_that_lost_its_lock_to_another_can_neither_claim_nor_record_a_send(book, row):
    """The fence by the number of the run, with no lock in between: a session that nobody told that it is gone."""
    with running(book, ANA) as ana:
        info = ana.take([row(1), row(2)])
        first, second = ana.views.ready(info.id)
        version = ana.claim(first).version
        kill_sessions(book, HOLDERS)
        with running(book, ANA) as newer:
            assert newer.store.recover(newer.now) == 1
            ana.database._holding = None  # as if it had not noticed

            for attempt in (
                lambda: ana.claim(second),
                lambda: ana.move(first.attempt, version, 1, State.SENDING, Event.CANCELLED),
                lambda: ana.take([row(3)], name="otro", sha="b"),
                lambda: ana.store.reopen(info.id, ana.now),
            ):
                with pytest.raises(Bug):
                    attempt()

            assert [line.state for line in newer.views.lines(info)] == [State.UNKNOWN, State.READY]
            assert examine(newer.database).good


def test_the_lock_of_a_process_that_was_killed_is_free_again(book):
    child = multiprocessing.get_context("fork").Process(target=die_owning, args=(book.url,))
    child.start()
    child.join()

    with running(book, ANA):
        pass


def die_owning(url):
    with location_of(url).working(ENV, ANA):
        os.kill(os.getpid(), 9)


def test_a_fork_that_leaves_the_block_does_not_let_go_of_its_parents_lock(book):
    with ExitStack() as stack:
        stack.enter_context(location_of(book.url).working(ENV, ANA))
        child = multiprocessing.get_context("fork").Process(target=stack.close)
        child.start()
        child.join()

        with pytest.raises(AnotherRun), running(book, ANA):
            pass


# --- one order of events for all writers


def test_four_processes_that_write_at_once_make_one_chain_without_fork_or_gap(book, row):
    rows = 60
    for number in range(4):
        with running(book, credential_mark(ENV, str(number))) as one:
            one.take([row(1000 * number + n) for n in range(1, rows + 1)], name=f"lote{number}", sha=f"{number}")
    fork = multiprocessing.get_context("fork")
    children = [fork.Process(target=send_all, args=(book.url, number)) for number in range(4)]
    for child in children:
        child.start()
    for child in children:
        child.join()

    assert [child.exitcode for child in children] == [0] * 4
    found = examine(book.database)
    assert (found.faults, found.events) == ([], 4 * rows * 3)
    moves = ledgers.lines(book.url, "SELECT run FROM event WHERE from_ <> 'RECEIVED' ORDER BY seq")
    changes = sum(one["run"] != other["run"] for one, other in pairwise(moves))
    assert changes > 20, "one after the other: this showed nothing"


def send_all(url, number):
    from tests.integration.conftest import NOW, Book

    site = location_of(url)
    with site.working(ENV, credential_mark(ENV, str(number))) as scope:
        database = site.open()
        store, views = Store(database, ENV, scope), Views(database, ENV, scope)
        store.begin_run(NOW)
        book = Book(url, database, store, views)
        for one in views.ready(f"20261120-lote{number}"):
            book.send(one, Event.CANCELLED)
        database.close()


def test_who_waited_to_write_sees_what_was_written_meanwhile(book, row):
    """What the compare-and-set rests on: READ COMMITTED, whatever the server's default is."""
    ledgers.change(book.url, f"ALTER DATABASE {_name(book.url)} SET default_transaction_isolation = 'serializable'")
    with running(book, ANA) as ana:
        with ana.database.write() as connection:
            assert connection.execute(text("SHOW transaction_isolation")).scalar() == "read committed"
        ready = ana.views.ready(ana.take([row(1)]).id)[0]
        fork = multiprocessing.get_context("fork")
        begun, go = fork.Event(), fork.Event()
        child = fork.Process(target=hold_the_ledger, args=(book.url, ready, begun, go))
        child.start()
        assert begun.wait(20)
        go.set()
        wish = Move(ready.attempt, ready.version, ready.batch, 1, State.READY, Event.CLAIMED, ana.now)
        with pytest.raises(Bug):  # it waited for the other's commit, and found the row moved
            ana.store.apply([wish])
        child.join()
        assert examine(ana.database).good is False, "moved past the program: that shows"
    ledgers.change(book.url, f"ALTER DATABASE {_name(book.url)} RESET default_transaction_isolation")


def hold_the_ledger(url, ready, begun, go):
    site = location_of(url)
    database = site.open()
    with database.write() as connection:
        begun.set()
        go.wait(20)
        connection.execute(text("SELECT pg_sleep(0.3)"))  # the other one is waiting by now
        connection.execute(text("UPDATE attempt SET state = 'REVIEW', v = v + 1"))
    database.close()


def _name(url):
    return url.split("?")[0].rsplit("/", 1)[1]


def test_a_run_without_a_credential_owns_what_bears_none(book):
    assert Scope(alone=False) == book.store._scope
