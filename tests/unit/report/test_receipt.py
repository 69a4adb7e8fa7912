"""The constancias as PDF: what they say, which invoices get one, and the same bytes each time."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from reportlab.pdfgen.canvas import Canvas

from pipeline.domain.cufe import check_digit
from pipeline.domain.lifecycle import State
from pipeline.domain.records import BatchInfo, Leader, Position, ResultLine, Seal, Source
from pipeline.report.receipt import write_receipt, write_receipts
from pipeline.report.summary import summarise

NOON = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
REASON = "Factura emitida con el monto equivocado"


def cufe(number: int) -> str:
    head = f"FE01200000000000029-29-29-5676322026111{number % 9}{number:010d}001012{number * 7919 % 10**9:09d}"
    return head + check_digit(head + "0")


def line(pos: int, state: State, **more: Any) -> ResultLine:
    values = {
        "position": Position("Hoja1", pos + 4),
        "cells": (cufe(pos), REASON, f"Cliente {pos} Ñandú", 1234.5 + pos),
        "cufe": cufe(pos),
        "reason": REASON,
        "attempts": 1,
        "sent_at": NOON,
        **more,
    }
    return ResultLine(pos=pos, state=state, **values)


def batch(lines: list[ResultLine], **more: Any) -> BatchInfo:
    values = {
        "headings": ("CUFE", "Motivo", "Cliente", "Monto"),
        "env": "production",
        "notes": ("Empresa: Ferretería El Ñandú, S.A.",),
        **more,
    }
    return BatchInfo(
        id="20261120-7f3a0001",
        file="noviembre.xlsx",
        sha256="ab" * 32,
        sheet="Hoja1",
        rows=len(lines),
        created=NOON,
        approved_by="ana",
        seal=Seal(380, "cd" * 32),
        **values,
    )


CANCELLED = {"estado": 2, "dgi": "0600", "source": Source.CANCELLATION, "authorised_at": "2026-11-20T12:00:01-05:00"}
LINES = [
    line(1, State.CANCELLED, **CANCELLED),
    line(2, State.ALREADY_CANCELLED, estado=11, source=Source.CANCELLATION),
    line(3, State.PENDING, estado=5),
    line(4, State.REJECTED_INPUT, cufe=None, attempts=0),
    line(5, State.UNKNOWN),
    line(6, State.DUPLICATE, leader=Leader(None, 1, Position("Hoja1", 5)), cufe=cufe(1), attempts=0),
]
LINES[5] = replace(LINES[5], mirrored=LINES[0])


@pytest.fixture
def pages(monkeypatch) -> list[list[str]]:
    """What is drawn on each page of a PDF, in order."""
    drawn: list[list[str]] = [[]]

    def note(self: Canvas, x: float, y: float, text: str, *_: Any, **__: Any) -> None:
        assert 0 < x < 612, "beside the page"
        assert 30 < y < 792, "below the page"
        drawn[-1].append(text)

    monkeypatch.setattr(Canvas, "drawString", note)
    monkeypatch.setattr(Canvas, "drawRightString", note)
    real = Canvas.showPage
    monkeypatch.setattr(Canvas, "showPage", lambda self: (drawn.append([]), real(self)))
    return drawn


def receipt(info: BatchInfo, lines: list[ResultLine]) -> bytes:
    stream = io.BytesIO()
    write_receipt(summarise(info, lines, ()), stream)
    return stream.getvalue()


def receipts(info: BatchInfo, lines: list[ResultLine]) -> tuple[int, bytes]:
    stream = io.BytesIO()
    return write_receipts(summarise(info, lines, ()), lines, stream), stream.getvalue()


def test_the_page_of_a_batch_says_what_became_of_it_with_its_seal(pages):
    receipt(batch(LINES), LINES)

    text = " ".join(pages[0])
    for words in ("Ferretería El Ñandú, S.A.", "PRODUCCIÓN", "ANULADA", "PENDIENTE", "noviembre.xlsx", "1,235.50"):
        assert words in text
    assert "cd" * 32 in text.replace(" ", "")
    assert "(evento 380)" in text
    assert pages[1:] == [[]]


def test_only_what_was_proven_cancelled_gets_a_page_and_each_invoice_once(pages):
    written, _ = receipts(batch(LINES), LINES)

    assert written == 2
    first, second, *rest = [" ".join(page) for page in pages]
    assert rest == [""]
    assert cufe(1) in first
    assert cufe(2) in second
    for words in (REASON, "Cliente 1 Ñandú", "1,235.50", "29-29-29 DV 56", "0600, Evento de anulación registrado"):
        assert words in first
    assert "YA ANULADA" in second


def test_a_batch_without_a_cancelled_invoice_has_a_page_that_says_so(pages):
    assert receipts(batch(LINES[2:5]), [replace(one, pos=at) for at, one in enumerate(LINES[2:5], 1)])[0] == 0

    assert "Ninguna factura de este lote consta anulada." in pages[0]


def test_without_a_column_of_amounts_there_is_none_on_the_page(pages):
    bare = [replace(one, cells=one.cells[:2]) for one in LINES]
    receipt(batch(bare, headings=("CUFE", "Motivo")), bare)

    assert "Monto" not in pages[0]


@pytest.mark.parametrize("env", ["sandbox", "lab"])
def test_what_has_no_legal_effect_says_so_on_every_page(pages, env):
    receipts(batch(LINES, env=env), LINES)

    assert all("PRODUCCIÓN" not in " ".join(page) for page in pages)
    assert all(any("sin efecto legal" in text for text in page) for page in pages[:-1])


@pytest.mark.parametrize("text", ["x" * 32_767, "línea\r\notra \x07 <b>&amp;</b>", "客户 🙂 \u202egrin", "", "=1+1"])
def test_whatever_a_cell_says_stays_on_the_page_as_text(pages, text):
    """``pages`` fails for what is drawn beside or below a page."""
    lines = [replace(LINES[0], cells=(cufe(1), REASON, text, "1"), reason=text or REASON)]
    written, content = receipts(batch(lines), lines)

    assert written == 1
    assert content.startswith(b"%PDF")


def test_the_same_batch_gives_the_same_bytes():
    assert receipt(batch(LINES), LINES) == receipt(batch(LINES), LINES)
    assert receipts(batch(LINES), LINES) == receipts(batch(LINES), LINES)
    other = replace(batch(LINES), file="diciembre.xlsx")
    assert receipt(other, LINES) != receipt(batch(LINES), LINES)
