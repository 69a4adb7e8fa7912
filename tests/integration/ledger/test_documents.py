"""Which other codes of a fiscal document were sent (eyes.md 1)."""

from __future__ import annotations

import pytest

from pipeline.domain.cufe import check_digit
from pipeline.domain.lifecycle import Event
from pipeline.ledger import views


def sibling(cufe: str, security: str = "987654321") -> str:
    """Another code of the same document."""
    body = cufe[:56] + security
    return body + check_digit(body)


@pytest.mark.parametrize(
    ("event", "counts"),
    [
        (Event.CANCELLED, True),
        (Event.IN_PROGRESS, True),
        (Event.UNCLEAR, True),
        (Event.SUPPORT, True),
        (Event.NOT_FOUND, False),
        (Event.CORRECT, False),
        (Event.RETURNED, False),
        (Event.NOTHING_LEFT, False),
        (None, False),
    ],
)
@pytest.mark.parametrize("few", [500, 1])
def test_another_code_counts_when_it_was_sent_and_not_turned_away(book, row, monkeypatch, event, counts, few):
    monkeypatch.setattr(views, "IN", few)  # 1: as for a file of many documents
    info = book.take([row(1), row(2)])
    if event is not None:
        book.send(book.views.ready(info.id)[0], event)

    found = book.views.taken([sibling(row(1).cufe), row(3).cufe])

    assert [(one.cufe, one.batch, one.pos) for one in found] == ([(row(1).cufe, info.id, 1)] if counts else [])
