"""``Pendientes de acción``: only the rows that need a person, by what is to be done, first legal limit first.

The reason for the cancellation is not among the columns: without it nothing reads this sheet as a file to send.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from pipeline.domain.columns import role_of
from pipeline.report.labels import count
from pipeline.report.model import Report, Row, Value
from pipeline.report.printed import serial_of
from pipeline.report.sheets.page import Page, Span, fit_height, place_width, set_up
from pipeline.report.sheets.results import given_cells, given_widths
from pipeline.report.styles import (
    CENTRED,
    CODE_WRAPPED,
    HEAD,
    HEAD_GIVEN,
    LIMIT,
    PLAIN,
    SECTION,
    WRAPPED,
    Look,
    Palette,
    toned,
)
from pipeline.report.xlsx_writer import Book

BEFORE: tuple[tuple[str, float, Look], ...] = (
    ("Hecho", 8, replace(CENTRED, size=12)),
    ("Vence", 17, LIMIT),
)
ANSWER = "Mensaje de eDoc"
"""A review has no such column: nothing was asked."""

AFTER: tuple[tuple[str, float, Look], ...] = (
    ("Resultado", 28, replace(PLAIN, bold=True)),
    ("Observaciones", 56, WRAPPED),
    (ANSWER, 50, WRAPPED),
    ("CUFE", 36, CODE_WRAPPED),
    ("Fila", 18, PLAIN),
)
_SAMPLE = 200


def write_todo(book: Book, sheet: Any, palette: Palette, report: Report) -> None:
    """Prints ``Pendientes de acción``."""
    own = _own(report)
    headings = [report.headings[place] for place in own]
    shown = islice((report.rows[index] for group in report.groups for index in group.indexes), _SAMPLE)
    own_widths = given_widths(headings, ([_at(row, place) for place in own] for row in shown))
    columns = [one for one in AFTER if one[0] != ANSWER or not report.preview]
    after = [place_width(report) if name == "Fila" else width for name, width, _ in columns]
    widths = [*(width for _, width, _ in BEFORE), *own_widths, *after]
    set_up(sheet, report, widths, header_row=1, repeated=len(BEFORE), grid=False)
    page = Page(book, sheet, palette)
    heads: list[tuple[Value, Look | None]] = [(name, HEAD) for name, _, _ in BEFORE]
    heads += [(heading, HEAD_GIVEN) for heading in headings]
    page.row([*heads, *((name, HEAD) for name, _, _ in columns)], height=30)
    if not report.groups:
        page.line(Span(len(widths), "Ninguna fila requiere su revisión.", replace(SECTION, down="center")), height=40)
    for group in report.groups:
        action = group.action
        title = f"{action.title}: {count(len(group.indexes), 'fila', 'filas')}"
        page.line(Span(len(widths), title, replace(SECTION, size=12)), height=30)
        words = f"{action.words}  [{action.rule}]"
        height = fit_height([(words, sum(widths))]) or 20
        page.line(Span(len(widths), words, Look(wrap=True, down="center")), height=height)
        for index in group.indexes:
            _write_row(page, report.rows[index], own, widths, len(report.headings), columns)
    page.end()


def _own(report: Report) -> list[int]:
    """The person's columns beside each task: number, customer and amount; all but code and reason where it is not
    known which those are."""
    own = report.own
    if own.number is not None or own.customer is not None:
        return [place for place in (own.number, own.customer, own.amount) if place is not None]
    roles = [role_of(heading) for heading in report.headings]
    return [place for place, role in enumerate(roles) if role not in ("cufe", "reason")]


def _at(row: Row, place: int) -> Any:
    return row.cells[place] if place < len(row.cells) else None


def _write_row(
    page: Page,
    row: Row,
    own: Sequence[int],
    widths: Sequence[float],
    given: int,
    columns: Sequence[tuple[str, float, Look]],
) -> None:
    added, palette = row.added, page.palette
    before: tuple[Value, ...] = ("☐", serial_of(added.vence))
    after: dict[str, Value] = {
        "Resultado": added.resultado,
        "Observaciones": added.observaciones,
        ANSWER: added.mensaje_edoc,
        "CUFE": added.cufe_enviado or row.cufe,
        "Fila": added.fila_origen,
    }
    cells = [(value, palette[look]) for value, (_, _, look) in zip(before, BEFORE, strict=True)]
    all_given = given_cells(row, given, palette)
    cells += [all_given[place] for place in own]
    looks = {name: toned(look, row.tone) if name == "Resultado" else look for name, _, look in columns}
    cells += [(after[name], palette[look]) for name, look in looks.items()]
    wrapped = [(value, width) for (value, style), width in zip(cells, widths, strict=True) if palette.look(style).wrap]
    page.stream.row(cells, fit_height(wrapped))
