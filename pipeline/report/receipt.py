"""Constancias as PDF: one page of a batch with its seal, and one page for each cancelled invoice, for its customer.

Made from the ledger alone; the same batch gives the same bytes. An invoice gets its page only when eDoc or the
authority proved its cancellation (reliability.md P5).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

from pipeline.domain.cufe import DOCUMENT_TYPES, Cufe
from pipeline.domain.deadline import PANAMA
from pipeline.domain.edoc_states import DGI_CODES
from pipeline.domain.outcomes import SUCCESSES
from pipeline.domain.own_columns import amount_in
from pipeline.domain.records import Cell, ResultLine
from pipeline.domain.visible import thousands
from pipeline.report.inert import one_line
from pipeline.report.lines import outcome_of, row_of
from pipeline.report.model import Report, Row
from pipeline.report.styles import ACCENT, BINDING, HARMLESS, INK, LINE, MUTED, PALE

Facts = Sequence[tuple[str, str]]

_WIDTH, _HEIGHT = 612.0, 792.0  # a letter page, in points
_LEFT, _RIGHT = 54.0, 558.0
_NAMES = 150.0
"""Width of the column of names."""
_BODY, _BOLD = "Vera", "VeraBd"
_LOWEST = 72.0
_LONG = 60
"""Characters of a word (a CUFE, a hash) that is set smaller, to stay in one line."""
_PROOF = (
    "Esta constancia se hizo con el historial de envíos de anular. Solo llama anulada a una factura cuya anulación "
    "confirmó eDoc o la DGI. Para comprobarla, pida el paquete de evidencia del lote y compruébelo con el comando "
    "verify: el sello debe ser el mismo."
)


def write_receipt(report: Report, stream: IO[bytes]) -> None:
    """Writes the constancia of the whole batch to ``stream``. ``OSError`` of the stream passes."""
    pages = _Pages(stream, report, "Constancia de anulación")
    pages.begin()
    pages.headline(report.headline)
    money = report.money is not None
    pages.table(
        ("Resultado", "Facturas", "Monto") if money else ("Resultado", "Facturas"),
        [
            (total.outcome.value, thousands(total.rows), *([_money(total.amount)] if money else []))
            for total in report.totals
            if total.rows
        ],
    )
    pages.facts([*report.proof, *report.facts])
    pages.note(_PROOF)
    pages.end()


def write_receipts(report: Report, lines: Sequence[ResultLine], stream: IO[bytes]) -> int:
    """Writes a page for each invoice of ``lines`` (the rows of ``report``) that was cancelled; returns how many."""
    pages, written = _Pages(stream, report, "Constancia de anulación de factura electrónica"), 0
    for line in lines:
        if line.leader is not None or outcome_of(line) not in SUCCESSES:
            continue  # a repeated row is the invoice of the row that it repeats
        pages.begin()
        row = row_of(line)
        pages.headline(f"{outcome_of(line).value}: la anulación de esta factura consta en eDoc.")
        pages.facts([(name, value) for name, value in _of_invoice(report, line, row) if value])
        pages.note(_PROOF)
        written += 1
    pages.end()
    return written


def _of_invoice(report: Report, line: ResultLine, row: Row) -> Facts:
    code, own, added = Cufe.parse(line.cufe or "", allow_bad_check_digit=True), report.own, row.added
    amount = amount_in(_cell(line, own.amount))
    seal = report.batch.seal
    return [
        ("CUFE", code.text),
        ("Documento", f"{DOCUMENT_TYPES[code.document_type]}, número {code.number}, punto {code.point}"),
        ("Fecha de emisión", f"{code.issued_on:%d/%m/%Y}"),
        ("RUC del emisor", f"{code.ruc} DV {code.dv}"),
        ("Su número", str(_cell(line, own.number) or "")),
        ("Cliente", str(_cell(line, own.customer) or "")),
        ("Monto", "" if amount is None else _money(amount)),
        ("Motivo", line.reason or ""),
        (
            "Estado en eDoc",
            "" if added.estado_edoc is None else f"{added.estado_edoc}, {added.estado_edoc_descripcion}",
        ),
        ("Código de la DGI", _dgi(added.codigo_dgi)),
        ("Autorizada", added.fecha_autorizacion or ""),
        ("Enviada", _moment(line.sent_at)),
        ("Consultada", _moment(line.queried_at)),
        ("Archivo", f"{report.batch.file}, {line.position}"),
        ("Lote", report.batch.id),
        ("Sello del lote", f"{seal.hash} (evento {seal.seq})" if seal is not None else ""),
    ]


def _cell(line: ResultLine, place: int | None) -> Cell:
    return line.cells[place] if place is not None and place < len(line.cells) else None


def _dgi(code: str | None) -> str:
    return "" if not code else f"{code}, {DGI_CODES[code]}" if code in DGI_CODES else code


def _moment(at: datetime | None) -> str:
    return "" if at is None else f"{at.astimezone(PANAMA):%d/%m/%Y %H:%M:%S} (hora de Panamá)"


def _money(amount: Decimal | None) -> str:
    return "" if amount is None else f"{amount:,.2f}"


class _Pages:
    """Pages of one PDF, each with the title, the company and the environment on top and its number at the foot."""

    def __init__(self, stream: IO[bytes], report: Report, title: str) -> None:
        import reportlab
        from reportlab.pdfbase import pdfmetrics
        from reportlab.pdfbase.ttfonts import TTFont
        from reportlab.pdfgen.canvas import Canvas

        fonts = Path(reportlab.__file__).parent / "fonts"
        for name in (_BODY, _BOLD):  # embedded, so that every name of a customer is shown on every machine
            pdfmetrics.registerFont(TTFont(name, fonts / f"{name}.ttf"))
        self._report, self._title, self._number = report, title, 0
        self._canvas: Any = Canvas(stream, pagesize=(_WIDTH, _HEIGHT), invariant=1)
        self._canvas.setTitle(f"{title}, lote {report.batch.id}")
        self._canvas.setCreator("anular")
        self._y = 0.0

    def begin(self) -> None:
        """A new page with its head."""
        if self._number:
            self._foot()
        self._number += 1
        canvas, banner = self._canvas, self._report.banner
        canvas.setFillColor(f"#{ACCENT}")
        canvas.rect(0, _HEIGHT - 78, _WIDTH, 78, stroke=0, fill=1)
        self._line(self._title, _LEFT, _HEIGHT - 38, _BOLD, 16, "#FFFFFF")
        self._line(self._report.company, _LEFT, _HEIGHT - 58, _BODY, 11, "#FFFFFF")
        canvas.setFillColor(f"#{BINDING if banner.binding else HARMLESS}")
        canvas.rect(0, _HEIGHT - 98, _WIDTH, 20, stroke=0, fill=1)
        self._line(banner.words, _LEFT, _HEIGHT - 92, _BOLD, 9, "#FFFFFF" if banner.binding else "#5A3D00")
        self._y = _HEIGHT - 124

    def headline(self, words: str) -> None:
        self._wrapped(words, _LEFT, _RIGHT - _LEFT, _BOLD, 12, f"#{ACCENT}")
        self._y -= 10

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Names on the left, numbers on the right."""
        ends = (_LEFT, _LEFT + 320, _RIGHT)
        for number, cells in enumerate([head, *rows]):
            self._shade(PALE if number == 0 else None, 16)
            font = _BOLD if number == 0 else _BODY
            for place, text in enumerate(cells):
                right = place > 0
                self._line(text, ends[place] - (6 if right else -4), self._y, font, 9, f"#{INK}", right=right)
            self._y -= 16
        self._y -= 10

    def facts(self, facts: Facts) -> None:
        """A name and a value a line; long values take several."""
        for name, value in facts:
            self._room(30)
            start = self._y
            self._wrapped(name, _LEFT + 4, _NAMES - 10, _BOLD, 8.5, f"#{MUTED}")
            low, self._y = self._y, start
            size = 8.2 if any(len(word) > _LONG for word in value.split()) else 9
            self._wrapped(value, _LEFT + _NAMES, _RIGHT - _LEFT - _NAMES, _BODY, size, f"#{INK}")
            self._y = min(low, self._y) - 3
            self._canvas.setStrokeColor(f"#{LINE}")
            self._canvas.line(_LEFT, self._y + 9, _RIGHT, self._y + 9)
            self._y -= 4

    def note(self, words: str) -> None:
        self._room(60)
        self._y -= 12
        self._wrapped(words, _LEFT, _RIGHT - _LEFT, _BODY, 8, f"#{MUTED}")

    def end(self) -> None:
        """Finishes the file; it has a page even when nothing was written."""
        if not self._number:
            self.begin()
            self.headline("Ninguna factura de este lote consta anulada.")
        self._foot()
        self._canvas.save()

    def _foot(self) -> None:
        self._line(f"Lote {self._report.batch.id}", _LEFT, 40, _BODY, 8, f"#{MUTED}")
        self._line(f"Página {self._number}", _RIGHT, 40, _BODY, 8, f"#{MUTED}", right=True)
        self._canvas.showPage()

    def _room(self, height: float) -> None:
        if self._y - height < _LOWEST:
            self.begin()

    def _shade(self, fill: str | None, height: float) -> None:
        self._room(height)
        if fill is not None:
            self._canvas.setFillColor(f"#{fill}")
            self._canvas.rect(_LEFT, self._y - 5, _RIGHT - _LEFT, height, stroke=0, fill=1)

    def _wrapped(self, text: str, left: float, width: float, font: str, size: float, color: str) -> None:
        from reportlab.lib.utils import simpleSplit

        for part in simpleSplit(one_line(text), font, size, width) or [""]:
            for piece in _pieces(part, font, size, width):
                self._room(size)
                self._line(piece, left, self._y, font, size, color)
                self._y -= size + 3.5

    def _line(self, text: str, x: float, y: float, font: str, size: float, color: str, *, right: bool = False) -> None:
        self._canvas.setFillColor(color)
        self._canvas.setFont(font, size)
        (self._canvas.drawRightString if right else self._canvas.drawString)(x, y, one_line(text))


def _pieces(text: str, font: str, size: float, width: float) -> list[str]:
    """A word that is wider than its column (a code, a hash) in several pieces."""
    from reportlab.pdfbase.pdfmetrics import stringWidth

    pieces, piece, used = list[str](), "", 0.0
    for letter in text:
        wide = stringWidth(letter, font, size)
        if piece and used + wide > width:
            pieces.append(piece)
            piece, used = "", 0.0
        piece, used = piece + letter, used + wide
    return [*pieces, piece]
