"""Rows of a batch by problem and issuer: each on one page, together with the outcome, as many as there are."""

from __future__ import annotations

import pytest

from pipeline.approvals.row_index import index_of, read_index, title_of, write_index
from pipeline.domain.lifecycle import Event
from pipeline.domain.outcomes import Outcome
from pipeline.domain.records import Finding, Problem, Source, Verdict
from pipeline.ledger import pages as module
from pipeline.ledger.pages import Pages

OTHERS = "FE012000000000008-888-888-567632202611180000000{0:03d}0010126729580548"
OURS = "FE01200000000000029-29-29-567632202611180000000{0:03d}0010126729580548"


@pytest.fixture
def batch(book, row):
    """Twelve rows: every third of another issuer, every second with a warning, the last two turned away; the first
    four are sent."""

    def wrong(code: str, number: int) -> tuple:
        return (Problem(code, f"A{number}", "CUFE", "x", "Está mal."),)

    def one(number: int):
        code = (OTHERS if number % 3 == 0 else OURS).format(number)
        return row(number, cufe=code, warnings=wrong("dia-limite", number) if number % 2 == 0 else ())

    info = book.take(
        [
            *map(one, range(1, 11)),
            row(11, Verdict.REJECTED, problems=wrong("cufe-vacio", 11) * 2),
            row(12, Verdict.REJECTED, problems=wrong("cufe-vacio", 12) + wrong("motivo-vacio", 12)),
        ]
    )
    for ready in book.views.ready(info.id)[:4]:
        book.send(ready, Event.CANCELLED, Finding(Source.CANCELLATION, Event.CANCELLED, http=200, estado=2))
    return info


@pytest.fixture
def pages(book):
    return Pages(book.database, "sandbox")


def all_of(pages: Pages, batch: str, places: list[int], most: int, outcome: Outcome | None = None) -> list[int]:
    found: list[int] = []
    after: int | None = 0
    while after is not None:
        page = pages.among(batch, places, after=after, most=most, outcome=outcome)
        assert page is not None
        assert len(page.lines) <= most
        found += [line.pos for line in page.lines]
        after = page.following
    return found


def test_an_index_says_which_rows_have_which_problem_and_issuer_the_most_frequent_first(pages, batch):
    found = index_of(pages, batch)
    assert {code: one.places for code, one in found.problems.items()} == {
        "dia-limite": [2, 4, 6, 8, 10],
        "cufe-vacio": [11, 12],
        "motivo-vacio": [12],
    }
    assert list(found.problems) == ["dia-limite", "cufe-vacio", "motivo-vacio"]
    assert {name: one.places for name, one in found.issuers.items()} == {
        "29-29-29": [1, 2, 4, 5, 7, 8, 10],
        "8-888-888": [3, 6, 9],
    }
    assert [one.rows for one in found.problems.values()] == [5, 2, 1]


def test_what_is_kept_in_a_file_is_the_same(pages, batch, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_CHUNK", 5)
    write_index(pages, batch, tmp_path)
    assert read_index(tmp_path / "filas.json") == index_of(pages, batch)


def test_a_problem_of_another_version_is_called_by_its_code():
    assert title_of("cufe-vacio") == "Falta el CUFE"
    assert title_of("otra-cosa") == "otra-cosa"


@pytest.mark.parametrize("most", [1, 2, 50])
def test_page_after_page_shows_every_row_at_these_places_once(pages, batch, most):
    assert all_of(pages, batch.id, [2, 4, 6, 8, 10], most) == [2, 4, 6, 8, 10]
    assert all_of(pages, batch.id, [], most) == []


@pytest.mark.parametrize("chunk", [1, 3, 5_000])
@pytest.mark.parametrize("places", [[2, 4, 6, 8, 10], list(range(1, 13)), [12]])
def test_together_with_an_outcome_it_is_what_both_have(pages, batch, places, chunk, monkeypatch):
    """Whichever side is the smaller one."""
    monkeypatch.setattr(module, "_CHUNK", chunk)
    monkeypatch.setattr(module, "IN", chunk)
    for word, there in ((Outcome.CANCELLED, {1, 2, 3, 4}), (Outcome.REJECTED, {11, 12}), (Outcome.CONFLICT, set())):
        wanted = [pos for pos in places if pos in there]
        assert all_of(pages, batch.id, places, 2, word) == wanted, word


def test_of_a_batch_that_is_not_there_nothing_is_shown(pages, batch):
    assert pages.among("20261120-otro", [1]) is None
