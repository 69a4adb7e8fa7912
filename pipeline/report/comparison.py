"""Comparison workbook: what the ledger holds of a file's rows beside what eDoc says of them now (``reconcile``)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any

from pipeline.domain.comparison import DIFFERENT, TITLES, Conclusion
from pipeline.domain.records import BatchInfo
from pipeline.report.labels import banner, count
from pipeline.report.model import Banner, Tone, local
from pipeline.report.printed import serial_of
from pipeline.report.sheets.page import Page, Span, fit_height, set_up
from pipeline.report.styles import (
    CENTRED,
    CODE,
    COUNT,
    HEAD,
    MOMENT,
    PLAIN,
    SECTION,
    WRAPPED,
    Look,
    Palette,
    banner_look,
    title_look,
    toned,
)
from pipeline.report.xlsx_writer import Book

SUMMARY, ROWS = "Resumen", "Comparación"
TONES = {
    Conclusion.ELSEWHERE: Tone.PERSON,
    Conclusion.ALIVE: Tone.REFUSED,
    Conclusion.OTHER: Tone.REFUSED,
    Conclusion.UNKNOWN: Tone.WAITS,
    Conclusion.NOT_ASKED: Tone.QUIET,
    Conclusion.AGREES: Tone.DONE,
}
COLUMNS: tuple[tuple[str, float, Look], ...] = (
    ("Conclusión", 44, PLAIN),
    ("Qué hacer", 46, WRAPPED),
    ("Fila", 20, PLAIN),
    ("CUFE", 70, CODE),
    ("Aquí consta", 22, PLAIN),
    ("Lote", 20, PLAIN),
    ("Estado eDoc", 9, CENTRED),
    ("Descripción", 40, WRAPPED),
    ("Consultada", 20, MOMENT),
)
_WIDTHS = [width for _, width, _ in COLUMNS]


@dataclass(frozen=True, slots=True)
class Compared:
    """One row of the comparison."""

    conclusion: Conclusion
    #: what to do, in Spanish
    advice: str
    #: the row as people know it, ``Hoja1, fila 7``
    place: str
    #: empty where the row has no valid one
    cufe: str
    #: the outcome word that we have
    here: str
    #: the batch that has it; empty where there is none
    batch: str
    #: what eDoc answered: its state and words
    estado: int | None
    words: str
    #: when it was asked; None where it was not
    asked: datetime | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """A batch or a file compared with eDoc; prints its header and footer as every workbook does."""

    batch: BatchInfo
    rows: Sequence[Compared]
    #: when the first question was asked
    begun: datetime

    @property
    def preview(self) -> bool:
        """Whether it is about a file as it is, without a batch."""
        return not self.batch.id

    @property
    def title(self) -> str:
        return "Comparación con eDoc"

    @property
    def banner(self) -> Banner:
        return banner(self.batch.env, preview=False)

    @property
    def counts(self) -> Counter[Conclusion]:
        return Counter(row.conclusion for row in self.rows)

    @property
    def headline(self) -> str:
        """One sentence: what differs, what is not known."""
        counts = self.counts
        different = sum(counts[one] for one in DIFFERENT)
        told = [
            f"{count(different, 'factura difiere', 'facturas difieren')} de lo que dice eDoc"
            if different
            else "Ninguna factura difiere de lo que dice eDoc"
        ]
        if silent := counts[Conclusion.UNKNOWN]:
            told.append(f"de {count(silent, 'factura', 'facturas')} eDoc no respondió con claridad")
        return "; ".join(told) + "."


def write_comparison(found: Comparison, stream: IO[bytes]) -> None:
    """Writes the comparison workbook to a seekable binary ``stream``. ``OSError`` of the stream passes."""
    with _opened(found, stream) as book:
        first = book.sheet(SUMMARY)
        palette = book.palette
        _summary(book, first, palette, found)
        _rows(book, book.sheet(ROWS), palette, found)


@contextmanager
def _opened(found: Comparison, stream: IO[bytes]) -> Iterator[Book]:
    with Book(stream, title=found.title, stamp=found.begun) as book:
        yield book


def _summary(book: Book, sheet: Any, palette: Palette, found: Comparison) -> None:
    set_up(sheet, found, (44, 14, 60), one_page=True)
    page = Page(book, sheet, palette)
    page.line(Span(3, found.title, title_look(16)), height=32)
    page.line(Span(3, found.banner.words, banner_look(11, binding=found.banner.binding)), height=22)
    page.line(Span(3, found.headline, Look(size=13, bold=True, wrap=True, down="center")), height=44)
    page.line(Span(3, "Qué se encontró", SECTION), height=30)
    page.row([("Conclusión", HEAD), ("Facturas", HEAD), ("Qué hacer", HEAD)], height=20)
    counts = found.counts
    for conclusion in Conclusion:
        if counts[conclusion] or conclusion is Conclusion.AGREES:
            tone = toned(PLAIN, TONES[conclusion], strong=True)
            does = dict.fromkeys(row.advice for row in found.rows if row.conclusion is conclusion)
            page.fitted(
                [(TITLES[conclusion], tone), (counts[conclusion], COUNT), ("\n".join(does) or "Nada", WRAPPED)],
                (44, 14, 60),
            )
    page.line(Span(3, "De qué se trata", SECTION), height=30)
    asked = f"{local(found.begun)} (hora de Panamá)"
    for name, value in (
        ("Archivo", found.batch.file),
        ("Lote", found.batch.id or "ninguno: el archivo se comparó tal como está"),
        ("Código de verificación del archivo (SHA-256)", found.batch.sha256),
        ("Consultado desde", asked),
        ("Qué se hizo", "Solo se consultó a eDoc: no se envió ni se cambió nada."),
    ):
        page.line(Span(1, name, PLAIN), Span(2, value, WRAPPED), height=fit_height([(value, 74)]))
    page.end()


def _rows(book: Book, sheet: Any, palette: Palette, found: Comparison) -> None:
    set_up(sheet, found, _WIDTHS, header_row=1)
    page = Page(book, sheet, palette)
    page.row([(name, HEAD) for name, _, _ in COLUMNS], height=30)
    for row in found.rows:
        values = (
            TITLES[row.conclusion],
            row.advice,
            row.place,
            row.cufe,
            row.here,
            row.batch,
            row.estado,
            row.words,
            serial_of(row.asked),
        )
        looks = [look for _, _, look in COLUMNS]
        looks[0] = toned(PLAIN, TONES[row.conclusion], strong=True)
        page.fitted(list(zip(values, looks, strict=True)), _WIDTHS)
    page.end()
