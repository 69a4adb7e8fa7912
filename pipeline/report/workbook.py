"""``Report`` -> .xlsx. Prints five sheets and computes nothing (interface.md 5)."""

from __future__ import annotations

from typing import IO

from pipeline.report.archive import Book
from pipeline.report.looks import SANS, Palette
from pipeline.report.model import Report
from pipeline.report.sheets.legend import write_legend
from pipeline.report.sheets.log import write_log
from pipeline.report.sheets.overview import write_overview
from pipeline.report.sheets.results import write_results
from pipeline.report.sheets.todo import write_todo
from pipeline.report.words import LOG, RESULTS, STATES, SUMMARY, TODO


def write_workbook(report: Report, stream: IO[bytes]) -> None:
    """Write the results workbook of ``report`` to a seekable binary ``stream``.

    The same report gives the same bytes. The only time in it is the batch's. ``OSError`` of the stream passes.
    """
    stamp = report.batch.ended or report.batch.created
    with Book(stream, title=report.title, stamp=stamp) as book:
        book.base_font(SANS, 10)
        first = book.sheet(SUMMARY)
        palette = Palette(first)
        write_overview(book, first, palette, report)
        for title, write in ((RESULTS, write_results), (TODO, write_todo), (STATES, write_legend), (LOG, write_log)):
            write(book, book.sheet(title), palette, report)
