"""Each scenario does what its description says: the answer, what queries say as time passes, and the truth."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from pipeline.domain.cufe import Cufe
from pipeline.domain.edoc_states import EDOC_STATES, TRANSITORY
from pipeline.sandbox.answers import Cut, Reply
from pipeline.sandbox.documents import Book, key_of
from pipeline.sandbox.scenarios import DUPLICATE, SCENARIOS, scenario_of

MakeCufe = Callable[..., Cufe]
UNREADABLE = "unreadable"
NONE = "none"


@dataclass(frozen=True)
class Expected:
    """What a client sees: the state answered to the POST, in the first query, and in a query much later."""

    post: Any
    first: Any
    last: Any
    cancelled: bool
    dgi: str | None = None
    status: int = 200
    cut: Cut | None = None
    processed: bool = True


def _unprocessed(status: int, post: Any = NONE, cut: Cut | None = None) -> Expected:
    return Expected(post, 18, 18, False, status=status, cut=cut, processed=False)


def _lost(cut: Cut) -> Expected:
    return Expected(NONE, 11, 11, True, cut=cut)


EXPECTED = {
    "000": Expected(2, 11, 11, True, dgi="0600"),
    "902": Expected(2, 11, 11, True),
    "903": Expected(3, 11, 11, True),
    "904": Expected(4, 4, 4, False),
    "905": Expected(5, 5, 11, True),
    "906": Expected(6, 6, 6, False),
    "907": Expected(7, 7, 11, True),
    "910": Expected(10, 10, 11, True),
    "911": Expected(11, 11, 11, True),
    "915": Expected(15, 15, 15, False),
    "916": Expected(15, 11, 11, True),
    "917": Expected(15, 15, 15, False),
    "918": _unprocessed(200, post=18),
    "919": Expected(15, 2, 2, False),
    "920": Expected(20, 20, 11, True),
    "930": _unprocessed(500),
    "931": Expected(NONE, 11, 11, True, status=500),
    "932": Expected(UNREADABLE, 11, 11, True, status=502),
    "933": _unprocessed(503, post=UNREADABLE),
    "934": Expected(UNREADABLE, 5, 11, True, status=504),
    "935": _unprocessed(503),
    "940": Expected(6, 6, 6, False, status=400),
    "941": _unprocessed(401),
    "942": Expected(15, 15, 15, False, status=422),
    "943": _unprocessed(403),
    "944": _unprocessed(404, post=UNREADABLE),
    "945": _unprocessed(400),
    "946": _unprocessed(429),
    "947": _unprocessed(307, post=UNREADABLE),
    "948": _unprocessed(408, post=UNREADABLE),
    "949": _unprocessed(429),
    "950": Expected(5, 5, 5, False),
    "951": Expected(5, 2, 2, False),
    "952": Expected(5, 2, 11, True),
    "953": Expected(5, 5, 11, True),
    "954": Expected(5, 5, 4, False),
    "956": Expected(5, 5, 6, False),
    "960": Expected(5, 11, 11, True, dgi="0600"),
    "961": Expected(6, 6, 6, False, dgi="1601"),
    "962": Expected(15, 11, 11, True, dgi="0622"),
    "964": Expected(6, 6, 6, False, dgi="1002"),
    "968": Expected(5, 5, 11, True, dgi="8888"),
    "969": Expected(2, 2, 2, False, dgi="9999"),
    "970": _lost(Cut.CLOSE),
    "971": _lost(Cut.RESET),
    "972": _unprocessed(200, cut=Cut.CLOSE),
    "973": Expected(NONE, 18, 11, True, cut=Cut.CLOSE),
    "974": Expected(2, 11, 11, True, dgi="0600", cut=Cut.TRUNCATE),
    "975": Expected(2, 11, 11, True, dgi="0600"),
    "976": Expected(2, 11, 11, True, dgi="0600"),
    "980": _unprocessed(200, post=UNREADABLE),
    "981": Expected(UNREADABLE, 11, 11, True),
    "982": Expected(UNREADABLE, 11, 11, True),
    "983": Expected(UNREADABLE, 11, 11, True),
    "984": Expected(2, 11, 11, True, dgi="0600"),
    "985": Expected(2.0, 11, 11, True),
    "986": Expected(True, 2, 2, False),
    "987": Expected(None, 5, 11, True),
    "988": Expected(4, 4, 4, False),
    "989": Expected(6, 6, 6, False),
    "990": Expected(NONE, 11, 11, True),
    "991": Expected(5, 5, 11, True),
    "992": Expected(5, 11, 11, False),
    "993": Expected(5, NONE, 11, True),
    "994": Expected(5, UNREADABLE, 11, True),
    "995": Expected(5, NONE, 11, True),
    "996": Expected(5, NONE, 11, True),
    "997": Expected(2, 11, 11, True, dgi="0600"),
    "998": Expected("2 ", 11, 11, True),
    "999": Expected(99, 99, 99, False),
}


def test_every_scenario_of_the_table_is_described_here() -> None:
    assert EXPECTED.keys() == SCENARIOS.keys()


@pytest.mark.parametrize("code", EXPECTED)
def test_a_scenario_answers_the_cancellation_as_described(code: str, make_cufe: MakeCufe, now: datetime) -> None:
    expected = EXPECTED[code]
    reply = Book().cancel(make_cufe(code), now)
    assert (reply.scenario, reply.status, reply.cut) == (code, expected.status, expected.cut)
    assert reply.processed is expected.processed
    seen = _state(reply)
    assert type(seen) is type(expected.post)
    assert seen == expected.post
    assert _field(reply, "codigorespuestadgi") == expected.dgi


@pytest.mark.parametrize("code", EXPECTED)
def test_queries_and_the_truth_follow_as_described(code: str, make_cufe: MakeCufe, now: datetime) -> None:
    expected, book, cufe = EXPECTED[code], Book(), make_cufe(code)
    book.cancel(cufe, now)
    first = _query(book, cufe, now)
    for step in range(1, 10):
        last = _query(book, cufe, now + timedelta(seconds=step))
    document = book.find(cufe.text)
    assert document is not None
    assert (_state(first), _state(last)) == (expected.first, expected.last)
    assert document.cancelled(now + timedelta(seconds=10)) is expected.cancelled
    assert document.taken == int(expected.processed)


def test_no_query_says_cancelled_before_it_is_true(make_cufe: MakeCufe, now: datetime) -> None:
    """Except 992, whose queries speak of another document."""
    early = []
    for number, code in enumerate(sorted(set(EXPECTED) - {"992"}), start=1):
        book, cufe = Book(), make_cufe(code, number)
        book.cancel(cufe, now)
        for half in range(8):
            moment = now + timedelta(seconds=half / 2)
            document = book.find(cufe.text)
            assert document is not None
            if _state(_query(book, cufe, moment)) == 11 and not document.cancelled(moment):
                early.append((code, half / 2))
    assert early == []


@pytest.mark.parametrize("code", EXPECTED)
def test_a_second_post_meets_what_the_table_says(code: str, make_cufe: MakeCufe, now: datetime) -> None:
    book, cufe = Book(), make_cufe(code)
    book.cancel(cufe, now)
    again = book.cancel(cufe, now + timedelta(seconds=30))
    following = SCENARIOS[code].next_post
    document = book.find(cufe.text)
    assert document is not None
    assert document.posts == 2
    assert again.scenario == following
    if following == DUPLICATE:
        assert _state(again) == 15
        assert not again.processed
        cancelled = document.cancelled(now + timedelta(seconds=30))
        assert _field(again, "codigorespuestadgi") == ("0622" if cancelled else None)
        assert "ya existe un evento" in str(_field(again, "mensajerespuesta")).lower()
    elif following == "000":
        assert document.cancelled(now + timedelta(seconds=30))


def test_every_documented_state_is_answered_at_once_by_some_scenario() -> None:
    at_once = {e.post for e in EXPECTED.values() if isinstance(e.post, int) and e.status == 200}
    assert at_once >= set(EDOC_STATES)


def test_every_transitory_state_is_followed_by_a_cancellation_in_some_scenario() -> None:
    assert {e.post for e in EXPECTED.values() if e.first == e.post and e.last == 11} >= TRANSITORY


def test_a_scenario_that_is_never_processed_cannot_make_the_next_post_a_duplicate() -> None:
    assert [s.code for s in SCENARIOS.values() if s.arrives is None and s.next_post == DUPLICATE] == []


def test_names_are_unique_and_descriptions_are_sentences() -> None:
    assert len({s.name for s in SCENARIOS.values()}) == len(SCENARIOS)
    assert all(s.description.endswith(".") for s in SCENARIOS.values())
    assert all(s.name == s.name.lower() and " " not in s.name for s in SCENARIOS.values())


@pytest.mark.parametrize("ending", ["000", "032", "899", "901", "1"])
def test_any_other_ending_is_accepted(ending: str, make_cufe: MakeCufe) -> None:
    assert scenario_of(make_cufe(ending.zfill(3))).name == "accepted"


def test_the_key_of_the_state_and_its_type_vary() -> None:
    answers = [s.answer for s in SCENARIOS.values()]
    assert {a.key for a in answers} >= {"estado", "EstadoEdoc", "estadoAnulacionEDOC", "EstadoEmisionEDOC"}
    assert {type(a.state) for a in answers} >= {int, str, float, bool, type(None)}


def test_a_repeated_key_and_a_lone_surrogate_stand_in_the_bytes_as_promised(make_cufe: MakeCufe, now: datetime) -> None:
    assert Book().cancel(make_cufe("983"), now).body.count(b'"estado"') == 2
    hostile = Book().cancel(make_cufe("988"), now).body
    assert rb"\ud800" in hostile
    assert rb"\u0000" in hostile
    assert b'"=HYPERLINK(' in hostile
    assert len(_field(Book().cancel(make_cufe("989"), now), "mensajerespuesta")) > 40_000


def test_an_answer_about_another_code_names_a_valid_one(make_cufe: MakeCufe, now: datetime) -> None:
    cufe, book = make_cufe("984"), Book()
    other = Cufe.parse(_field(book.cancel(cufe, now), "cufe"))
    assert other != cufe
    late = make_cufe("992")
    book.cancel(late, now)
    assert Cufe.parse(_field(_query(book, late, now), "cufe")) != late


def test_the_two_contradicting_states_stand_side_by_side(make_cufe: MakeCufe, now: datetime) -> None:
    reply = Book().cancel(make_cufe("991"), now)
    assert (_field(reply, "estado"), _field(reply, "estadoemisionedoc")) == ("5", "2")


def _query(book: Book, cufe: Cufe, when: datetime) -> Reply:
    return book.query(*key_of(cufe), when)


def _state(reply: Reply) -> Any:
    """The state as edoc-api.md 3 says to read it: first of four keys, digits as a number; everything else as it is."""
    if reply.cut in (Cut.CLOSE, Cut.RESET):
        return NONE
    body = _object(reply)
    if body is None:
        return UNREADABLE
    names = [n for n in ("estado", "estadoedoc", "estadoanulacionedoc", "estadoemisionedoc") if n in body]
    if not names:
        return NONE
    value = body[names[0]]
    return int(value) if isinstance(value, str) and value.isdigit() else value


def _field(reply: Reply, name: str) -> Any:
    return (_object(reply) or {}).get(name)


def _object(reply: Reply) -> dict[str, Any] | None:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = {name.lower(): value for name, value in pairs}
        if len(found) != len(pairs):
            raise ValueError("duplicate key")
        return found

    try:
        found: dict[str, Any] = json.loads(reply.body, object_pairs_hook=unique)
    except ValueError:
        return None
    return found
