"""The documents: found by the key of a query, cancelled once, remembered as time passes."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.domain.cufe import Cufe
from pipeline.sandbox.documents import Book, Registered, key_of
from pipeline.sandbox.scenarios import SCENARIOS

MakeCufe = Callable[..., Cufe]
DOCUMENTED = "FE0120000155668001-2-2018-3707892023061300000002050060120035300326"


def test_the_key_is_cut_out_of_the_code_as_documented() -> None:
    assert key_of(Cufe.parse(DOCUMENTED)) == ("155668001-2-2018", "01", "0789", "006", "0000000205")


def test_a_key_never_seen_is_not_found(now: datetime) -> None:
    assert _query(Book().query("1-1-1", "01", "0000", "001", "0000000001", now).body) == ("18", None)


def test_a_query_answers_about_the_code_that_was_sent(make_cufe: MakeCufe, now: datetime) -> None:
    book, one, two = Book(), make_cufe(number=1), make_cufe("951", number=2)
    book.cancel(one, now)
    book.cancel(two, now)
    assert _query(book.query(*key_of(one), now).body) == ("11", one.text)
    assert _query(book.query(*key_of(two), now).body) == ("2", two.text)


@pytest.mark.parametrize("place", range(5))
def test_each_part_of_the_key_counts(place: int, make_cufe: MakeCufe, now: datetime) -> None:
    book, cufe = Book(), make_cufe()
    book.cancel(cufe, now)
    key = list(key_of(cufe))
    key[place] = "0" + key[place]
    ruc, idoc, sucem, ptofacdf, ndf = key
    assert _query(book.query(ruc, idoc, sucem, ptofacdf, ndf, now).body) == ("18", None)


def test_a_wrong_check_digit_is_answered_with_not_found_and_changes_nothing(make_cufe: MakeCufe, now: datetime) -> None:
    good = make_cufe()
    bad = Cufe.parse(good.text[:65] + str((int(good.text[65]) + 1) % 10), allow_bad_check_digit=True)
    book = Book()
    reply = book.cancel(bad, now)
    assert json.loads(reply.body)["estado"] == 18
    assert not reply.processed
    assert _query(book.query(*key_of(bad), now).body)[0] == "18"


def test_a_document_registered_as_alive_is_alive_until_its_cancellation(make_cufe: MakeCufe, now: datetime) -> None:
    book, cufe = Book(), make_cufe()
    book.register(cufe, Registered.ALIVE)
    assert _query(book.query(*key_of(cufe), now).body) == ("2", cufe.text)
    book.cancel(cufe, now)
    assert _query(book.query(*key_of(cufe), now).body) == ("11", cufe.text)


def test_a_document_registered_as_cancelled_answers_0622(make_cufe: MakeCufe, now: datetime) -> None:
    book, cufe = Book(), make_cufe()
    book.register(cufe, Registered.CANCELLED)
    assert _query(book.query(*key_of(cufe), now).body)[0] == "11"
    reply = book.cancel(cufe, now)
    assert json.loads(reply.body)["codigoRespuestaDGI"] == "0622"
    assert not reply.processed


def test_an_unprocessed_post_leaves_a_registered_document_alive(make_cufe: MakeCufe, now: datetime) -> None:
    book, cufe = Book(), make_cufe("972")
    book.register(cufe, Registered.ALIVE)
    book.cancel(cufe, now)
    assert _query(book.query(*key_of(cufe), now).body)[0] == "2"


def test_a_late_delivery_is_not_found_first_and_cancelled_later(make_cufe: MakeCufe, now: datetime) -> None:
    book, cufe = Book(), make_cufe("973")
    book.cancel(cufe, now)
    states = [_query(book.query(*key_of(cufe), now + timedelta(seconds=s)).body)[0] for s in (0, 2.9, 3, 60)]
    assert states == ["18", "18", "11", "11"]


def test_a_post_that_overtakes_a_late_delivery_counts_as_applied_twice(make_cufe: MakeCufe, now: datetime) -> None:
    """The harm of sending again on 18 (reliability.md 2.5): the judge has to see it."""
    book, cufe = Book(), make_cufe("973")
    book.cancel(cufe, now)
    again = book.cancel(cufe, now + timedelta(seconds=1))
    document = book.find(cufe.text)
    assert again.processed
    assert document is not None
    assert (document.posts, document.taken) == (2, 2)


def test_a_chosen_scenario_wins_over_the_ending(make_cufe: MakeCufe, now: datetime) -> None:
    book, cufe = Book(), make_cufe("905")
    book.choose(cufe, "904")
    assert book.cancel(cufe, now).scenario == "904"


def test_a_scenario_that_does_not_exist_cannot_be_chosen(make_cufe: MakeCufe) -> None:
    with pytest.raises(KeyError):
        Book().choose(make_cufe(), "901")


def test_the_flapping_document_steps_with_each_query(make_cufe: MakeCufe, now: datetime) -> None:
    book, cufe = Book(), make_cufe("953")
    book.cancel(cufe, now)
    states = [_query(book.query(*key_of(cufe), now).body)[0] for _ in range(9)]
    assert states == ["5", "18", "2", "11", "5", "18", "11", "11", "11"]


def test_queries_are_counted(make_cufe: MakeCufe, now: datetime) -> None:
    book, cufe = Book(), make_cufe()
    book.cancel(cufe, now)
    for _ in range(3):
        book.query(*key_of(cufe), now)
    assert [document.queries for document in book] == [3]


@settings(max_examples=25, deadline=None)
@given(code=st.sampled_from(sorted(SCENARIOS)), gaps=st.lists(st.floats(0, 10), max_size=6))
def test_once_cancelled_a_document_stays_cancelled_whatever_comes(code: str, gaps: list[float]) -> None:
    cufe = Cufe.parse(DOCUMENTED)
    book, moment = Book(), datetime.fromisoformat("2026-11-20T12:00:00+00:00")
    book.choose(cufe, code)
    for gap in [0.0, *gaps]:
        moment += timedelta(seconds=gap)
        document = book.find(cufe.text)
        assert document is not None
        was = document.cancelled(moment)
        book.cancel(cufe, moment)
        assert document.cancelled(moment) >= was
        assert document.taken + document.repeated <= document.posts


def _query(body: bytes) -> tuple[str, str | None]:
    answer = json.loads(body)
    return str(answer["estadoEdoc"]), answer["cufe"]
