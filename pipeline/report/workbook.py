"""Workbook: ``Report`` or ``Corrections`` -> .xlsx; up to six sheets, computing nothing (interface.md 5)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import IO

from pipeline.domain.columns import ENV_PROPERTY, HASH_PROPERTY, ORIGIN_PROPERTY, OURS_PROPERTY, RETURNED_SHEET
from pipeline.report.corrections import Corrections
from pipeline.report.edit_check import SEAL_PROPERTY
from pipeline.report.labels import CREDIT, FIXES, HOW_TO, LOG, RESULTS, STATES, SUMMARY, TODO
from pipeline.report.layout import LAYOUT_PROPERTY, layout
from pipeline.report.model import Report
from pipeline.report.sheets.credit import write_credit
from pipeline.report.sheets.fixes import write_fixes
from pipeline.report.sheets.howto import write_howto
from pipeline.report.sheets.legend import write_legend
from pipeline.report.sheets.log import write_log
from pipeline.report.sheets.overview import write_overview
from pipeline.report.sheets.results import write_results
from pipeline.report.sheets.returned import write_returned
from pipeline.report.sheets.todo import write_todo
from pipeline.report.xlsx_writer import Book

_SHEETS = (
    (RESULTS, write_results),
    (TODO, write_todo),
    (CREDIT, write_credit),
    (STATES, write_legend),
    (LOG, write_log),
)
"""The sheets after the first; ``CREDIT`` only where an invoice is past the legal limit."""

_REVIEWED = frozenset({RESULTS, TODO, CREDIT})
"""Those that a review has: before sending there is no answer to explain, and no event."""

NO_TIME = datetime(1980, 1, 1, tzinfo=UTC)
"""Replaces a time where there is none: the first moment of the zip format."""


def write_workbook(report: Report, stream: IO[bytes]) -> None:
    """Writes the results workbook of ``report`` to a seekable binary ``stream``.

    The same report gives the same bytes. The only time in it is the batch's. ``OSError`` of the stream passes.
    """
    stamp = report.batch.ended or report.batch.created
    with _opened(stream, report, stamp) as book:
        first = book.sheet(SUMMARY)
        palette = book.palette
        write_overview(book, first, palette, report)
        for title, write in _SHEETS:
            if (title != CREDIT or report.late) and (title in _REVIEWED or not report.preview):
                write(book, book.sheet(title), palette, report)
        book.remember(LAYOUT_PROPERTY, layout())


def write_corrections(fixes: Corrections, stream: IO[bytes]) -> None:
    """Writes the corrections workbook to a seekable binary ``stream``; otherwise like ``write_workbook``.

    A validation has no batch; its workbook contains no time and always has the same bytes.
    """
    stamp = NO_TIME if fixes.preview else fixes.batch.created
    with _opened(stream, fixes, stamp) as book:
        first = book.sheet(FIXES if fixes.lines else RETURNED_SHEET)
        palette = book.palette
        if fixes.lines:
            write_fixes(book, first, palette, fixes)
        if fixes.returned:
            write_returned(book, book.sheet(RETURNED_SHEET) if fixes.lines else first, palette, fixes)
        write_howto(book, book.sheet(HOW_TO), palette, fixes)
        if fixes.preview:
            book.remember(ORIGIN_PROPERTY, fixes.origin)
        book.remember(SEAL_PROPERTY, book.seal())


@contextmanager
def _opened(stream: IO[bytes], content: Report | Corrections, stamp: datetime) -> Iterator[Book]:
    """A workbook of ours with title and font, and the batch it came from, if any."""
    with Book(stream, title=content.title, stamp=stamp) as book:
        book.remember(OURS_PROPERTY, content.title)
        if not content.preview:
            book.remember(ORIGIN_PROPERTY, content.batch.id)
            book.remember(HASH_PROPERTY, content.batch.sha256)
            book.remember(ENV_PROPERTY, content.batch.env)
        yield book
