"""A ledger with a past, for those who look for damage in it."""

from __future__ import annotations

import pytest

from pipeline.domain.lifecycle import Event
from pipeline.domain.records import Finding, Source, Verdict


@pytest.fixture
def lived(book, row):
    """A ledger in which something has happened: 4 rows in, one cancelled, one unsent and tried again, one pending."""
    info = book.take([row(1), row(2), row(3), row(4, Verdict.REJECTED)])
    first, second, third = book.views.ready(info.id)
    book.send(first, Event.CANCELLED, Finding(Source.CANCELLATION, Event.CANCELLED, http=200, body=b'{"estado":2}'))
    book.send(second, Event.NOTHING_LEFT, retry=True)
    book.send(third, Event.IN_PROGRESS)
    return book
