"""What is found in a ledger by a code, a document number, a file or a batch."""

from __future__ import annotations

import pytest

from pipeline import decide
from pipeline.domain.lifecycle import Event, State
from pipeline.domain.lookup import wanted
from pipeline.domain.records import Finding, Leader, Position, Source, Verdict
from pipeline.ledger.decisions import standing
from pipeline.ledger.search import Hit
from pipeline.ledger.views import Views
from pipeline.report.lines import outcome_of


def code(number: int, ruc: str = "29-29-29") -> str:
    """A code with everything in its place; the check digit does not matter here."""
    return f"FE012{ruc:0>20}-56000020181015{number:010d}0010126729580548"


@pytest.fixture
def two(book, row):
    """Two batches: documents 7 and 8, then 8 again as a duplicate and 9."""
    first = book.take([row(1, cufe=code(7)), row(2, cufe=code(8))])
    again = row(1, Verdict.DUPLICATE, cufe=code(8), leader=Leader(first.id, 2, Position("Hoja1", 6)))
    second = book.take([again, row(2, cufe=code(9))], "otro lote", "b")
    return first, second


def found(book, text):
    return [(hit.batch, hit.pos) for hit in book.views.search().hits(wanted(text))]


def named(book, text, checksums=()):
    return [batch for batch, _ in book.views.search().named(wanted(text), checksums)]


def test_a_code_is_found_in_every_batch_that_has_it(book, two):
    first, second = two

    assert len(code(8)) == 66
    assert sorted(found(book, code(8))) == sorted([(first.id, 2), (second.id, 1)])
    assert found(book, code(7)) == found(book, code(7).replace("-", "")) == [(first.id, 1)]
    assert found(book, code(10)) == []


def test_a_number_finds_the_documents_of_every_issuer_and_a_code_its_own_alone(book, row):
    info = book.take([row(1, cufe=code(7)), row(2, cufe=code(7, "155-2-3"))])

    assert found(book, "7") == found(book, "0000000007") == [(info.id, 1), (info.id, 2)]
    assert found(book, code(7, "155-2-3")) == [(info.id, 2)]


def test_a_row_comes_with_its_whole_story_and_nothing_of_its_neighbours(book, two):
    first, _ = two
    one, other = book.views.ready(first.id)
    book.send(other, Event.IN_PROGRESS)
    book.send(one, Event.NOTHING_LEFT, retry=True)
    book.send(book.views.ready(first.id)[0], Event.CANCELLED, Finding(Source.CANCELLATION, Event.CANCELLED, http=200))

    (hit,) = book.views.search().hits(wanted(code(7)))
    seen = book.views.search().row(hit)

    assert seen.line == book.views.lines(first)[0]
    assert list(seen.log) == [event for event in book.views.log(first) if event.pos == 1]
    assert [event.event for event in seen.log][::4] == [Event.ACCEPTED, Event.CLAIMED]
    assert seen.line.state is State.CANCELLED


def test_a_duplicate_shows_the_row_that_it_repeats(book, two):
    first, second = two
    book.send(book.views.ready(first.id)[1], Event.CANCELLED)

    seen = book.views.search().row(Hit(second.id, 1, "sandbox"))

    assert (seen.line.leader.batch, seen.line.leader.position) == (first.id, Position("Hoja1", 6))
    assert outcome_of(seen.line.mirrored).value == "ANULADA"
    assert [event.event for event in seen.log] == [Event.DUPLICATED]


def test_a_decision_is_shown_with_its_name(book, two):
    first, _ = two
    book.send(book.views.ready(first.id)[0], Event.UNCLEAR)
    there = standing(book.database, first, 5)
    decide.resolve(book.store, there, decide.Decision.CANCELLED, who="Ana", why="Visto en el portal", now=book.now)

    seen = book.views.search().row(Hit(first.id, 1, "sandbox"))

    assert (seen.line.decided_by, "Visto en el portal" in seen.line.decided_why) == ("Ana", True)


@pytest.mark.parametrize("text", ["lote.xlsx", "/x/LOTE.xlsx", "Lote", "20261120-lote", "a" * 64])
def test_a_batch_is_found_by_its_whole_name_alone_though_another_contains_it(book, two, text):
    assert named(book, text) == [two[0].id]


@pytest.mark.parametrize("text", ["20261120", "ote"])
def test_a_part_of_a_name_finds_all_that_have_it(book, two, text):
    assert sorted(named(book, text)) == sorted(one.id for one in two)


def test_a_file_is_found_by_its_content_whatever_its_name(book, two):
    assert named(book, "renombrado.xlsx", ["b" * 64]) == [two[1].id]
    assert named(book, "bbbbbbbb") == [two[1].id]
    assert named(book, "renombrado.xlsx") == named(book, "bbbbbbb") == named(book, "ab") == []


def test_accents_and_capitals_do_not_matter(book, row):
    info = book.take([row(1)], "Anulación ñandú")

    assert named(book, "ANULACION NANDU.XLSX") == [info.id]


def test_another_environment_is_named_with_what_is_there(book, two):
    search = Views(book.database, "lab").search()

    assert {hit.env for hit in search.hits(wanted("7"))} == {"sandbox"}
    assert not search.batches_at_all()
    assert book.views.search().batches_at_all()


def test_a_batch_has_its_counts(book, two):
    (info,) = book.views.search().exactly([two[1].id])
    assert info.counts == {"DUPLICADA": 1, "NO ENVIADA": 1}


def test_batches_are_given_in_the_order_asked_for(book, two):
    ids = [two[1].id, two[0].id]
    assert [info.id for info in book.views.search().exactly(ids)] == ids
    assert [info.id for info in book.views.search().exactly(ids[::-1])] == ids[::-1]
