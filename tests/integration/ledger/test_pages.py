"""What a page is given: the newest batches, the most urgent ones, some rows; each as the whole batch has it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from itertools import pairwise

import pytest

from pipeline import decide
from pipeline.domain.lifecycle import Event
from pipeline.domain.outcomes import Outcome
from pipeline.domain.records import Finding, Leader, Position, Source, Verdict
from pipeline.ledger.decisions import standing
from pipeline.ledger.kept_counts import KeptCounts
from pipeline.ledger.pages import Pages
from pipeline.ledger.scope import Scope
from pipeline.ledger.views import Views
from tests.support.long import long

PANAMA = timezone(timedelta(hours=-5))


@pytest.fixture
def kept(tmp_path):
    return KeptCounts(tmp_path / "recuentos" / "uno.json")


@pytest.fixture
def pages(book, kept):
    return Pages(book.database, "sandbox", kept=kept)


def cufe(number: int, day: str = "20261118") -> str:
    """A code with everything in its place; the check digit does not matter here."""
    return f"FE01200000000000029-29-29-567632{day}{number:010d}0010126729580548"


@pytest.fixture
def mixed(book, row):
    """A batch with rows of every fate: some sent, some tried twice, some turned away, some repeated."""
    seventh = Leader(None, 1, Position("Hoja1", 5))
    info = book.take(
        [
            *(row(n, cufe=cufe(n)) for n in range(1, 8)),
            row(8, Verdict.REJECTED),
            row(9, Verdict.DUPLICATE, cufe=cufe(1), leader=seventh),
            row(10, Verdict.HELD, cufe=cufe(10)),
            row(11, Verdict.REJECTED),
        ]
    )
    first, second, third, fourth, fifth, sixth, _ = book.views.ready(info.id)
    book.send(first, Event.CANCELLED, Finding(Source.CANCELLATION, Event.CANCELLED, http=200, estado=2))
    book.send(second, Event.NOTHING_LEFT, retry=True)
    book.send(third, Event.IN_PROGRESS)
    book.send(fourth, Event.NOTHING_LEFT)
    book.send(fifth, Event.CANCELLED, Finding(Source.CANCELLATION, Event.CANCELLED, http=200, estado=2))
    book.send(sixth, Event.UNCLEAR)
    return info


def through(pages, batch, most, outcome=None):
    """All rows of a batch, page after page."""
    found, after = [], 0
    while after is not None:
        page = pages.rows(batch, after=after, most=most, outcome=outcome)
        assert len(page.lines) <= most
        found += page.lines
        after = page.following
    return found


@pytest.mark.parametrize("most", [3, *long(1, 2, 11, 12, 50)])
def test_page_after_page_shows_every_row_as_the_results_have_it(book, pages, mixed, most):
    assert through(pages, mixed.id, most) == book.views.lines(mixed)


@pytest.mark.parametrize("most", [2, *long(1, 50)])
def test_by_outcome_every_row_is_on_one_page_and_as_many_as_are_counted(book, pages, mixed, most):
    counts = book.views.counts(mixed.id)
    shown = {word: through(pages, mixed.id, most, word) for word in Outcome}

    assert {word.value: len(lines) for word, lines in shown.items() if lines} == counts
    assert sum(counts.values()) == 11
    assert sorted(line.pos for lines in shown.values() for line in lines) == list(range(1, 12))
    assert all(one.pos < two.pos for lines in shown.values() for one, two in pairwise(lines))


def test_a_row_that_was_tried_again_stands_where_its_newest_attempt_belongs(pages, mixed):
    """Its first attempt is NO ENVIADA as well, and is not another row."""
    assert [line.pos for line in pages.rows(mixed.id, outcome=Outcome.NOT_SENT).lines] == [2, 4, 7]


def test_a_row_about_which_somebody_decided_says_who_and_why(book, pages, mixed):
    chosen = standing(book.views._database, mixed, 14)
    decide.withdraw(book.store, chosen, now=book.now, who="ana", why="no era de este mes")

    (line,) = pages.rows(mixed.id, outcome=Outcome.WITHDRAWN).lines

    assert (line.pos, line.decided_by) == (10, "ana")
    assert line == book.views.lines(mixed)[9]


def test_a_batch_that_is_not_there_has_no_rows_and_no_counts(pages, mixed):
    assert pages.rows("20261120-otro") is None
    assert pages.outcomes("20261120-otro") == {}
    assert pages.one("20261120-otro") is None
    assert pages.one(mixed.id[:-1]) is None


def test_the_newest_batches_come_first_a_page_at_a_time(book, row, pages):
    taken = [book.take([row(1, cufe=f"{n:066}")], f"lote {mark}", mark).id for n, mark in enumerate("cdabe")]

    first = pages.recent(2)
    second = pages.recent(2, before=first[-1].id)
    third = pages.recent(2, before=second[-1].id)

    assert [info.id for info in (*first, *second, *third)] == taken[::-1]
    assert pages.recent(2, before=third[-1].id) == []
    assert pages.recent(2, before="20261120-otro") == []
    assert pages.recent() == book.views.batches()


def test_of_another_company_there_is_nothing_to_see(book, row):
    book.take([row(1)])
    book.store._scope = Scope("otra")
    theirs = book.take([row(2, cufe=cufe(2))], "ajeno", "b")
    mine = Pages(book.database, "sandbox", Scope("mia", alone=False))

    assert [info.id for info in mine.recent()] != [theirs.id]
    assert theirs.id not in {info.id for info in mine.recent()}
    assert mine.one(theirs.id) is None
    assert mine.rows(theirs.id) is None
    assert mine.outcomes(theirs.id) == {}
    assert mine.recent(before=theirs.id) == []
    assert theirs.id not in {one.batch.id for one in mine.urgent()}
    assert sum(mine.totals().values()) == 1
    assert Pages(book.database, "lab").recent() == []


def test_what_has_the_nearest_limit_comes_first_and_what_is_settled_not_at_all(book, row, pages):
    late = book.take([row(1, cufe=cufe(1, "20261119")), row(2, cufe=cufe(2, "20261117"))], "uno", "a")
    soon = book.take([row(1, Verdict.HELD, cufe=cufe(3, "20261115"))], "dos", "b")
    asked = book.take([row(1, cufe=cufe(4, "20261101"))], "tres", "c")
    book.send(book.views.ready(asked.id)[0], Event.IN_PROGRESS)
    done = book.take([row(1, cufe=cufe(5, "20261101"))], "cuatro", "d")
    book.send(book.views.ready(done.id)[0], Event.CANCELLED)

    found = pages.urgent()

    assert [(one.batch.id, one.open) for one in found] == [
        (soon.id, {"RETENIDA": 1}),
        (late.id, {"NO ENVIADA": 2}),
        (asked.id, {"PENDIENTE": 1}),
    ]
    assert [one.limit for one in found] == [
        datetime(2026, 11, 15, tzinfo=PANAMA) + timedelta(hours=182),
        datetime(2026, 11, 17, tzinfo=PANAMA) + timedelta(hours=182),
        None,
    ]
    assert [one.batch.id for one in pages.urgent(1)] == [soon.id]


def test_the_totals_are_those_of_all_batches(book, row, pages, mixed):
    book.take([row(1, cufe=cufe(99))], "otro", "b")
    assert pages.totals() == {**book.views.counts(mixed.id), "NO ENVIADA": 4}


# --- counts that were kept


def test_counts_are_counted_again_when_the_batch_moved_and_not_before(book, kept, pages, mixed, counted):
    before = pages.outcomes(mixed.id)
    assert counted == [[mixed.id]]
    assert pages.outcomes(mixed.id) == before
    assert counted == [[mixed.id]]

    book.send(book.views.ready(mixed.id)[0], Event.CANCELLED)

    assert pages.outcomes(mixed.id) == book.views.counts(mixed.id) != before
    assert counted[1] == [mixed.id]


@pytest.fixture
def counted(monkeypatch):
    """The batches that are counted, one list a time."""
    from pipeline.ledger import batches, counts

    told = []

    def count(reads, ids):
        told.append(list(ids))
        return counts.count(reads, ids)

    monkeypatch.setattr(batches, "count", count)
    return told


def test_another_process_finds_what_was_kept(book, kept, pages, mixed, counted, tmp_path):
    pages.recent()
    kept.save()
    counted.clear()
    again = Pages(book.database, "sandbox", kept=KeptCounts(tmp_path / "recuentos" / "uno.json"))

    assert again.recent() == pages.recent() == book.views.batches()
    assert counted == [[mixed.id]]  # by the views, which count for themselves


@pytest.mark.parametrize(
    "damage",
    [
        lambda one: one.update(form=99),
        lambda one: one.update(batches=[]),
        lambda one: next(iter(one["batches"].values())).__setitem__(0, "00" * 32),
        lambda one: next(iter(one["batches"].values())).__setitem__(1, []),
        lambda one: next(iter(one["batches"].values())).__setitem__(1, [["NO", 11]]),
        lambda one: next(iter(one["batches"].values())).__setitem__(1, [[7]]),
        lambda one: next(iter(one["batches"].values()))[1][0].__setitem__(1, 1_000),
    ],
    ids=["form", "no batches", "another event", "nothing", "no state", "no group", "more rows than there are"],
)
def test_a_file_that_does_not_fit_is_as_good_as_none(book, kept, pages, mixed, tmp_path, damage):
    path = tmp_path / "recuentos" / "uno.json"
    pages.recent()
    kept.save()
    values = json.loads(path.read_bytes())
    damage(values)
    path.write_text(json.dumps(values))

    again = Pages(book.database, "sandbox", kept=KeptCounts(path))

    assert again.outcomes(mixed.id) == book.views.counts(mixed.id)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff"])
def test_a_damaged_file_is_replaced_by_a_whole_one(book, mixed, tmp_path, content):
    path = tmp_path / "recuentos" / "uno.json"
    path.parent.mkdir()
    path.write_bytes(content)
    kept = KeptCounts(path)

    assert Pages(book.database, "sandbox", kept=kept).outcomes(mixed.id) == book.views.counts(mixed.id)
    kept.save()
    assert list(json.loads(path.read_bytes())["batches"]) == [mixed.id]


def test_a_place_that_cannot_be_written_is_no_trouble(book, mixed, tmp_path):
    (tmp_path / "recuentos").write_bytes(b"a file in the way")
    kept = KeptCounts(tmp_path / "recuentos" / "uno.json")

    assert Pages(book.database, "sandbox", kept=kept).outcomes(mixed.id)
    kept.save()


def test_what_moves_while_it_is_counted_is_not_kept(book, kept, mixed, monkeypatch):
    from pipeline.ledger import batches, counts

    def meanwhile(reads, ids):
        found = counts.count(reads, ids)
        if ready := book.views.ready(mixed.id):
            book.send(ready[0], Event.CANCELLED)
        return found

    monkeypatch.setattr(batches, "count", meanwhile)
    pages = Pages(book.database, "sandbox", kept=kept)
    pages.outcomes(mixed.id)
    pages.outcomes(mixed.id)
    monkeypatch.undo()

    assert pages.outcomes(mixed.id) == book.views.counts(mixed.id)


def test_who_reports_or_decides_counts_for_himself(book, kept, mixed, monkeypatch):
    """Only who asks for kept counts is given any."""
    lying = KeptCounts(kept._path)
    monkeypatch.setattr(lying, "of", lambda *_: pytest.fail("a view without kept counts asked for them"))

    found = Views(book.database, "sandbox").batch(mixed.id)

    assert found is not None
    assert found.counts == book.views.whole(mixed).info.counts
