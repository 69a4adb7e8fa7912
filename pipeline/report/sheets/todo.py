"""``Pendientes de acción``: only the rows that need a person, grouped by action, least time left first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pipeline.report.labels import count
from pipeline.report.model import Report, Row
from pipeline.report.rowxml import Value
from pipeline.report.sheets.page import Page, Span, place_width, set_up
from pipeline.report.styles import CENTRED, CODE, HEAD, NUMBER, PLAIN, SECTION, WRAPPED, Look, Palette, toned
from pipeline.report.xlsx_writer import Book

COLUMNS: tuple[tuple[str, float, Look], ...] = (
    ("Hecho", 7, replace(CENTRED, size=12)),
    ("Fila", 18, PLAIN),
    ("CUFE", 70, CODE),
    ("Resultado", 26, replace(PLAIN, bold=True)),
    ("Estado eDoc", 9, CENTRED),
    ("Mensaje de eDoc", 42, WRAPPED),
    ("Plazo", 12, PLAIN),
    ("Horas restantes", 12, replace(NUMBER, format="0.0")),
    ("Observaciones", 70, WRAPPED),
)


def write_todo(book: Book, sheet: Any, palette: Palette, report: Report) -> None:
    """Prints ``Pendientes de acción``."""
    widths = [place_width(report) if name == "Fila" else width for name, width, _ in COLUMNS]
    set_up(sheet, report, widths, header_row=1)
    page = Page(book, sheet, palette)
    page.row([(name, HEAD) for name, _, _ in COLUMNS], height=30)
    if not report.groups:
        page.line(Span(len(COLUMNS), "Ninguna fila requiere su revisión.", replace(SECTION, down="center")), height=40)
    for group in report.groups:
        action = group.action
        title = f"{action.title}: {count(len(group.indexes), 'fila', 'filas')}"
        page.line(Span(len(COLUMNS), title, replace(SECTION, size=12)), height=30)
        page.line(Span(len(COLUMNS), f"{action.words}  [{action.rule}]", Look(wrap=True, down="center")), height=20)
        for index in group.indexes:
            _write_row(page, report.rows[index])
    page.end()


def _write_row(page: Page, row: Row) -> None:
    added = row.added
    values: tuple[Value, ...] = (
        "☐",
        added.fila_origen,
        added.cufe_enviado or row.cufe,
        added.resultado,
        added.estado_edoc,
        added.mensaje_edoc,
        added.plazo,
        added.horas_restantes,
        added.observaciones,
    )
    looks = [toned(look, row.tone) if name == "Resultado" else look for name, _, look in COLUMNS]
    page.fitted(list(zip(values, looks, strict=True)), [width for _, width, _ in COLUMNS])
