"""``Estados eDoc``: the table of states, the authority's codes, the values of ``resultado`` and the colours."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pipeline.domain.edoc_states import DGI_CODES
from pipeline.report.labels import MEANINGS, TONES
from pipeline.report.model import Report, Tone
from pipeline.report.sheets.page import Page, Span, set_up
from pipeline.report.styles import CENTRED, HEAD, PLAIN, SECTION, WRAPPED, Palette, toned
from pipeline.report.xlsx_writer import Book

WIDTHS = (12, 58, 11, 11, 58, 30)
_BOLD = replace(CENTRED, bold=True)


def write_legend(book: Book, sheet: Any, palette: Palette, report: Report) -> None:
    """Prints ``Estados eDoc``."""
    set_up(sheet, report, WIDTHS, one_page=True)
    page = Page(book, sheet, palette)
    page.line(Span(6, "Qué significa cada estado de eDoc", SECTION), height=30)
    page.row([(h, HEAD) for h in ("Estado", "Significado", "Reenviar", "Consultar", "Qué hacer", "Clase")], height=20)
    for state in report.states:
        page.fitted(
            [
                (state.number, _BOLD),
                (state.meaning, WRAPPED),
                ("SI" if state.resend else "NO", CENTRED),
                ("SI" if state.query else "NO", CENTRED),
                (state.action, WRAPPED),
                (state.kind.value, WRAPPED),
            ],
            WIDTHS,
        )
    page.row(
        [
            ("otro", _BOLD),
            ("Estado desconocido", WRAPPED),
            ("NO", CENTRED),
            ("SI", CENTRED),
            ("Consultar y llamar a soporte de eDoc. Nunca reenviar.", WRAPPED),
            ("pendiente", WRAPPED),
        ]
    )
    _results(page)
    _authority(page)
    _colours(page)
    page.end()


def _results(page: Page) -> None:
    page.line(Span(6, "Qué significa cada resultado", SECTION), height=36)
    page.line(Span(2, "Resultado", HEAD), Span(4, "Significado", HEAD), height=20)
    for outcome, words in MEANINGS.items():
        page.line(
            Span(2, outcome.value, toned(replace(PLAIN, indent=1), TONES[outcome], strong=True)),
            Span(4, words, PLAIN),
            height=18,
        )


def _authority(page: Page) -> None:
    page.line(Span(6, "Códigos de la DGI", SECTION), height=36)
    page.line(Span(1, "Código", HEAD), Span(5, "Significado", HEAD), height=20)
    for code, words in DGI_CODES.items():
        page.line(Span(1, code, _BOLD), Span(5, words, PLAIN), height=18)


def _colours(page: Page) -> None:
    page.line(Span(6, "Colores", SECTION), height=36)
    for tone in Tone:
        page.line(Span(2, tone.value, toned(replace(PLAIN, indent=1), tone, strong=True)), height=18)
