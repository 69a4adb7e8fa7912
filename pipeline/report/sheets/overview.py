"""``Resumen``: what happened, what to do, and whether the numbers agree, on one page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from openpyxl.chart import BarChart, Reference
from openpyxl.chart.data_source import NumData, NumVal, StrData, StrRef, StrVal
from openpyxl.chart.label import DataLabelList
from openpyxl.chart.layout import Layout, ManualLayout
from openpyxl.chart.marker import DataPoint
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.chart.text import RichText
from openpyxl.drawing.line import LineProperties
from openpyxl.drawing.text import CharacterProperties, Paragraph, ParagraphProperties

from pipeline.domain.approved_by import DIGEST_LABEL
from pipeline.report.labels import FACT_HASH, FACT_SEAL, count
from pipeline.report.model import Report, Tone, Total
from pipeline.report.printed import serial_of
from pipeline.report.sheets.page import Page, Span, fit_height, set_up
from pipeline.report.styles import (
    ACCENT,
    AMOUNT,
    CENTRED,
    COUNT,
    HEAD,
    LIMIT,
    LINE,
    MUTED,
    NOTE,
    PAINTS,
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

COLUMNS = 12
MARGIN = Span(1)
CELL = replace(PLAIN, down="center")
TEXT = replace(WRAPPED, down="center")
FIGURE = replace(COUNT, down="center")
MONEY = replace(AMOUNT, down="center")
DUE = replace(LIMIT, down="center", bold=True)
HOW = 84
"""Characters of a task's words on one line."""


def write_overview(book: Book, sheet: Any, palette: Palette, report: Report) -> None:
    """Prints ``Resumen``."""
    set_up(sheet, report, [2, *[12.5] * COLUMNS, 2], one_page=True)
    page = Page(book, sheet, palette)
    _head(page, report)
    _todo(page, report)
    _totals(page, report)
    _checks(page, report)
    _facts(page, "Quién aprobó, y el sello", report.proof)
    _facts(page, "Datos técnicos del lote", report.facts)
    page.end()


def _head(page: Page, report: Report) -> None:
    title = title_look(18)
    warning = banner_look(12, binding=report.banner.binding)
    company = replace(title, size=13, across="right")
    page.line(MARGIN, Span(6, report.title, title), Span(6, report.company, company), height=36)
    page.line(MARGIN, Span(COLUMNS, report.banner.words, warning), height=24)
    page.line(height=8)
    page.line(MARGIN, Span(COLUMNS, report.headline, Look(size=15, bold=True, color=ACCENT, down="center")), height=30)
    page.line(height=4)
    width = COLUMNS // len(report.tiles)
    number = Look(size=24, bold=True, across="center", down="center", format="#,##0")
    caption = Look(size=10, across="center", down="top")
    page.line(MARGIN, *(Span(width, t.number, toned(number, t.tone)) for t in report.tiles), height=38)
    page.line(MARGIN, *(Span(width, t.caption, toned(caption, t.tone)) for t in report.tiles), height=20)


def _section(page: Page, title: str) -> None:
    page.line(MARGIN, Span(COLUMNS, title, SECTION), height=34)
    page.line(height=4)


def _todo(page: Page, report: Report) -> None:
    _section(page, "Qué hacer ahora, lo que vence antes primero")
    if not report.todo:
        page.line(MARGIN, Span(COLUMNS, "Nada: no queda ninguna tarea.", TEXT), height=18)
        return
    right = replace(HEAD, across="right", indent=1)
    page.line(
        MARGIN,
        Span(2, "Vence la primera", replace(HEAD, across="center")),
        Span(1, "Filas", right),
        Span(3, "Tarea", replace(HEAD, indent=1)),
        Span(6, "Cómo", HEAD),
        height=20,
    )
    for todo in report.todo:
        tone = Tone.PERSON if todo.action.person else Tone.WAITS
        due = serial_of(todo.due)
        page.line(
            MARGIN,
            Span(2, "sin fecha" if due is None else due, toned(DUE, tone)),
            Span(1, todo.rows, toned(replace(FIGURE, bold=True), tone)),
            Span(3, todo.action.title, replace(TEXT, bold=True, indent=1)),
            Span(6, todo.action.words, TEXT),
            height=_height(todo.action.words, HOW),
        )


def _totals(page: Page, report: Report) -> None:
    money = report.money
    _section(page, "Totales por resultado")
    right = replace(HEAD, across="right", indent=1)
    sums = [Span(2, f"Suma de «{money.heading}»", right)] if money else []
    head = page.line(
        MARGIN,
        Span(3, "Resultado", replace(HEAD, indent=1)),
        Span(1, "Filas", right),
        Span(1, "%", right),
        *sums,
        height=fit_height([(f"Suma de «{money.heading}»", 24)]) or 20 if money else 20,
    )
    last = head
    for total in report.totals:
        last = page.line(
            MARGIN,
            Span(3, total.word, replace(toned(CELL, total.tone, strong=True), indent=1)),
            Span(1, total.rows, FIGURE),
            Span(1, total.share, replace(FIGURE, format="0.0%")),
            *([Span(2, _figure(total.amount), MONEY)] if money else []),
            height=18,
        )
    bold = Look(bold=True, across="right", format="#,##0", indent=1, down="center")
    page.line(
        MARGIN,
        Span(3, "Total", Look(bold=True, indent=1, down="center")),
        Span(1, report.batch.rows, bold),
        Span(1),
        *([Span(2, _figure(money.total), replace(bold, format=MONEY.format))] if money else []),
        height=18,
    )
    if money and money.missing:
        words = f"{count(money.missing, 'factura', 'facturas')} sin un monto que se pueda leer: no está en la suma."
        page.line(MARGIN, Span(7, words, NOTE), height=18)
    if report.totals:
        page.sheet.add_chart(_chart(page.sheet, report.totals, head + 1, last), f"{'I' if money else 'H'}{head}")


def _figure(amount: Decimal | None) -> float | None:
    """A sum in the two decimals of money."""
    return None if amount is None else float(amount.quantize(Decimal("0.01"), ROUND_HALF_UP))


def _chart(sheet: Any, totals: Sequence[Total], first: int, last: int) -> BarChart:
    """Horizontal bars in the order and the colours of the table, each with its number."""
    chart = BarChart()
    chart.type = "bar"
    chart.style = 2
    chart.gapWidth = 35
    chart.legend = None
    chart.width = 16.4 if totals[0].amount is None else 11.0  # type: ignore[assignment]  # centimetres
    chart.height = 1.2 + 0.635 * len(totals)
    chart.add_data(Reference(sheet, min_col=5, min_row=first, max_row=last))
    chart.set_categories(Reference(sheet, min_col=2, min_row=first, max_row=last))
    series = chart.series[0]
    # The numbers are also in the chart, so that viewers that do not recalculate show them.
    series.val.numRef.numCache = NumData(
        formatCode="General", ptCount=len(totals), pt=[NumVal(idx=i, v=str(t.rows)) for i, t in enumerate(totals)]
    )
    series.cat.numRef = None
    series.cat.strRef = StrRef(
        f=f"'{sheet.title}'!$B${first}:$B${last}",
        strCache=StrData(ptCount=len(totals), pt=[StrVal(idx=i, v=t.word) for i, t in enumerate(totals)]),
    )
    for index, total in enumerate(totals):
        point = DataPoint(idx=index)
        point.graphicalProperties = GraphicalProperties(solidFill=PAINTS[total.tone].bar)
        series.data_points.append(point)
    series.graphicalProperties = GraphicalProperties(solidFill=ACCENT)
    series.dLbls = DataLabelList(
        showVal=True, showSerName=False, showCatName=False, showLegendKey=False, numFmt="#,##0;;"
    )
    series.dLbls.position = "outEnd"
    series.dLbls.txPr = _text(900, bold=True)
    chart.x_axis.scaling.orientation = "maxMin"
    chart.x_axis.delete = False
    chart.x_axis.txPr = _text(800)
    chart.x_axis.graphicalProperties = GraphicalProperties(ln=LineProperties(solidFill=LINE))
    chart.x_axis.majorTickMark = "none"
    chart.y_axis.delete = True
    chart.y_axis.majorGridlines = None
    chart.y_axis.scaling.min = 0
    chart.graphical_properties = GraphicalProperties(ln=LineProperties(noFill=True))
    chart.layout = Layout(
        manualLayout=ManualLayout(x=0.34, y=0.02, w=0.58, h=0.96, layoutTarget="inner", xMode="edge", yMode="edge")
    )
    return chart


def _text(size: int, *, bold: bool = False) -> RichText:
    properties = CharacterProperties(sz=size, b=bold, solidFill="1F2933")
    return RichText(p=[Paragraph(pPr=ParagraphProperties(defRPr=properties), endParaRPr=properties)])


def _checks(page: Page, report: Report) -> None:
    _section(page, "Control: cada fila del archivo aparece una sola vez")
    for check in report.checks:
        tone = Tone.DONE if check.agrees else Tone.REFUSED
        page.line(
            MARGIN,
            Span(5, check.words, CELL),
            Span(1, check.rows, FIGURE),
            Span(
                2,
                "✔ cuadra" if check.agrees else "✘ no cuadra",
                toned(replace(CENTRED, down="center"), tone, strong=True),
            ),
            height=18,
        )


def _facts(page: Page, title: str, facts: Sequence[tuple[str, str]]) -> None:
    if not facts:
        return
    _section(page, title)
    label = replace(CELL, color=MUTED)
    for name, value in facts:
        mono = name in (FACT_HASH, FACT_SEAL, DIGEST_LABEL)
        look = replace(TEXT, mono=mono, size=9 if mono else 10)
        page.line(MARGIN, Span(3, name, label), Span(9, value, look), height=_height(value, 110))


def _height(text: str, per_line: int) -> float:
    return fit_height([(text, per_line)]) or 18.0
