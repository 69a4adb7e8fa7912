"""E2: rows belong to the credential under which they were taken in, in a file as on a server."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace

import pytest

from pipeline.domain.errors import Bug
from pipeline.domain.lifecycle import Event, State
from pipeline.ledger.scope import Scope, credential_mark
from pipeline.ledger.storage.location import location_of
from pipeline.ledger.store import Store
from pipeline.ledger.views import Views

ENV = "sandbox"
ANA, EVA = credential_mark(ENV, "ana"), credential_mark(ENV, "eva")


@contextmanager
def running(book, credential):
    """A run as the program begins one, to its end. A file has one at a time."""
    book.database.close()
    site = location_of(book.url)
    with site.working(ENV, credential) as scope:
        database = site.open()
        store = Store(database, ENV, scope)
        store.begin_run(book.now)
        yield replace(book, database=database, store=store, views=Views(database, ENV, scope))
        database.close()


def test_rows_of_another_credential_are_neither_sent_nor_asked_about_nor_made_ready_nor_counted(book, row):
    with running(book, ANA) as ana:
        info = ana.take([row(1), row(2), row(3)])
        first, second, _ = ana.views.ready(info.id)
        ana.send(first, Event.IN_PROGRESS)
        ana.send(second, Event.NOTHING_LEFT)
    with running(book, EVA) as eva:
        assert eva.views.of_another(info.id)
        assert eva.views.ready(info.id) == eva.views.followed() == []
        assert eva.views.waiting_since(eva.now.replace(year=2030)) == set()
        assert eva.views.sent_for("ana", eva.now) == 0
        assert eva.store.reopen(info.id, eva.now) == 0
        assert len(eva.views.lines(info)) == 3, "what is shown is everything"
    with running(book, ANA) as ana:
        assert not ana.views.of_another(info.id)
        assert [one.pos for one in ana.views.followed()] == [1]


def test_a_row_of_another_credential_cannot_be_moved_even_by_mistake(book, row):
    with running(book, ANA) as ana:
        ready = ana.views.ready(ana.take([row(1)]).id)[0]
    with running(book, EVA) as eva, pytest.raises(Bug):
        eva.claim(ready)
    with running(book, ANA) as ana:
        ana.claim(ready)


def test_what_another_credential_was_sending_is_left_to_its_own_next_run(book, row):
    with running(book, ANA) as ana:
        info = ana.take([row(1)])
        ana.claim(ana.views.ready(info.id)[0])
    with running(book, EVA) as eva:
        assert eva.store.recover(eva.now) == 0
        assert eva.views.cut_off() == set()
    with running(book, ANA) as ana:
        assert ana.views.cut_off() == {info.id}
        assert ana.store.recover(ana.now) == 1
        assert [line.state for line in ana.views.lines(info)] == [State.UNKNOWN]


def test_a_code_that_lives_under_another_credential_is_seen_by_all(book, row):
    with running(book, ANA) as ana:
        info = ana.take([row(1)])
    with running(book, EVA) as eva:
        assert eva.views.seen([row(1).cufe])[row(1).cufe].batch == info.id


def test_who_looks_without_a_credential_sees_every_row(book, row):
    with running(book, ANA) as ana:
        info = ana.take([row(1)])
    with running(book, EVA) as eva:
        assert len(Views(eva.database, ENV).ready(info.id)) == 1


@pytest.mark.parametrize(("scope", "everything"), [(Scope(), True), (Scope(ANA), False), (Scope(alone=False), False)])
def test_only_who_has_no_credential_and_is_alone_has_every_row(scope, everything):
    assert scope.everything is everything
