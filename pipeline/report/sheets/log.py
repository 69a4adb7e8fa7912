"""``Bitácora``: one line per event, in words, the program's own codes last."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pipeline.domain.visible import thousands
from pipeline.report.model import LogRow, Report, Value
from pipeline.report.printed import serial_of
from pipeline.report.sheets.page import Page, Span, fit_height, place_width, set_up
from pipeline.report.styles import CODE, HEAD, MOMENT, NUMBER, PLAIN, WRAPPED, Look, Palette
from pipeline.report.xlsx_writer import Book

MESSAGE = 60.0
COLUMNS: tuple[tuple[str, float, Look], ...] = (
    ("N.º", 9, NUMBER),
    ("Hora (Panamá)", 20, MOMENT),
    ("Fila", 18, PLAIN),
    ("CUFE", 62, CODE),
    ("Evento", 38, replace(PLAIN, bold=True)),
    ("Antes", 30, PLAIN),
    ("Después", 30, PLAIN),
    ("Qué se dijo", MESSAGE, WRAPPED),
    ("Quién", 24, PLAIN),
    ("Código técnico", 60, PLAIN),
)
LIMIT = 1_000_000
"""A worksheet ends at 1,048,576 rows; further events are counted, and stay in the ledger."""


def write_log(book: Book, sheet: Any, palette: Palette, report: Report, *, limit: int = LIMIT) -> None:
    """Prints ``Bitácora``, at most ``limit`` events."""
    widths = [place_width(report) if name == "Fila" else width for name, width, _ in COLUMNS]
    set_up(sheet, report, widths, header_row=1, frozen=3, repeated=3, pages_wide=2)
    page = Page(book, sheet, palette)
    page.row([(name, HEAD) for name, _, _ in COLUMNS], height=30)
    styles = [palette[look] for _, _, look in COLUMNS]
    written = left_out = 0
    for event in report.log:
        if written == limit:
            left_out += 1
            continue
        page.stream.row(list(zip(values_of(event), styles, strict=True)), fit_height([(event.message, MESSAGE)]))
        written += 1
    if left_out:
        words = f"No caben {thousands(left_out)} eventos más; están completos en el historial de envíos."
        page.line(Span(len(COLUMNS), words, replace(PLAIN, bold=True)), height=20)
    if not written:
        page.line(Span(len(COLUMNS), "Sin eventos.", PLAIN), height=20)
    page.end()


def values_of(event: LogRow) -> tuple[Value, ...]:
    """The cells of an event."""
    return (
        event.seq,
        serial_of(event.at),
        event.where,
        event.cufe,
        event.what,
        event.source,
        event.target,
        event.message,
        event.who,
        event.codes,
    )
