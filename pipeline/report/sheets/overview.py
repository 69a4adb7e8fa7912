"""``Resumen``: what happened, what to do, and whether the numbers agree, on one page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
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

from pipeline.report.labels import FACT_HASH, FACT_SEAL
from pipeline.report.model import Report, Tone, Total
from pipeline.report.sheets.page import Page, Span, fit_height, set_up
from pipeline.report.styles import (
    ACCENT,
    BINDING,
    CENTRED,
    COUNT,
    HARMLESS,
    HEAD,
    LINE,
    MUTED,
    NOTE,
    PAINTS,
    PLAIN,
    SECTION,
    WRAPPED,
    Look,
    Palette,
    toned,
)
from pipeline.report.xlsx_writer import Book

COLUMNS = 12
MARGIN = Span(1)
CELL = replace(PLAIN, down="center")
TEXT = replace(WRAPPED, down="center")
FIGURE = replace(COUNT, down="center")
TONE_WIDTHS = (2, 3, 2, 3, 2)


def write_overview(book: Book, sheet: Any, palette: Palette, report: Report) -> None:
    """Prints ``Resumen``."""
    set_up(sheet, report, [2, *[12.5] * COLUMNS, 2], one_page=True)
    page = Page(book, sheet, palette)
    _head(page, report)
    _todo(page, report)
    _totals(page, report)
    _checks(page, report)
    _facts(page, report)
    page.end()


def _head(page: Page, report: Report) -> None:
    title = Look(size=18, bold=True, color="FFFFFF", fill=ACCENT, down="center", indent=1)
    binding = report.banner.binding
    warning = Look(
        size=12,
        bold=True,
        color="FFFFFF" if binding else "5A3D00",
        fill=BINDING if binding else HARMLESS,
        down="center",
        indent=1,
    )
    page.line(MARGIN, Span(COLUMNS, report.title, title), height=36)
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
    _section(page, "Qué hacer ahora, lo más urgente primero")
    if not report.todo:
        page.line(MARGIN, Span(COLUMNS, "Nada: no queda ninguna tarea.", TEXT), height=18)
        return
    right = replace(HEAD, across="right", indent=1)
    page.line(
        MARGIN,
        Span(1, "Filas", right),
        Span(3, "Tarea", replace(HEAD, indent=1)),
        Span(7, "Cómo", HEAD),
        Span(1, "Regla", HEAD),
        height=20,
    )
    for todo in report.todo:
        tone = Tone.PERSON if todo.action.person else Tone.WAITS
        page.line(
            MARGIN,
            Span(1, todo.rows, toned(replace(FIGURE, bold=True), tone)),
            Span(3, todo.action.title, replace(CELL, bold=True, indent=1)),
            Span(7, todo.action.words, TEXT),
            Span(1, todo.action.rule, CELL),
            height=_height(todo.action.words, 108),
        )


def _totals(page: Page, report: Report) -> None:
    _section(page, "Totales por resultado")
    right = replace(HEAD, across="right", indent=1)
    head = page.line(
        MARGIN,
        Span(3, "Resultado", replace(HEAD, indent=1)),
        Span(1, "Filas", right),
        Span(1, "% del total", right),
        height=20,
    )
    last = head
    for total in report.totals:
        quiet = not total.rows
        word = replace(CELL, color=MUTED) if quiet else toned(CELL, total.tone, strong=True)
        figure = replace(FIGURE, color=MUTED, format='#,##0;;"–"') if quiet else FIGURE
        last = page.line(
            MARGIN,
            Span(3, total.outcome.value, replace(word, indent=1)),
            Span(1, total.rows, figure),
            Span(1, total.share, replace(figure, format='0.0%;;"–"')),
            height=18,
        )
    bold = Look(bold=True, across="right", format="#,##0", indent=1)
    page.line(MARGIN, Span(3, "Total", Look(bold=True, indent=1)), Span(1, report.batch.rows, bold), height=18)
    page.sheet.add_chart(_chart(page.sheet, report.totals, head + 1, last), f"H{head}")
    page.line(
        MARGIN,
        *(
            Span(width, tone.value, toned(replace(NOTE, across="center", down="center"), tone))
            for width, tone in zip(TONE_WIDTHS, Tone, strict=True)
        ),
        height=28,
    )


def _chart(sheet: Any, totals: Sequence[Total], first: int, last: int) -> BarChart:
    """Horizontal bars in the order and the colours of the table, each with its number."""
    chart = BarChart()
    chart.type = "bar"
    chart.style = 2
    chart.gapWidth = 35
    chart.legend = None
    chart.width = 16.4  # type: ignore[assignment]  # centimetres
    chart.height = 10.6
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
        strCache=StrData(ptCount=len(totals), pt=[StrVal(idx=i, v=t.outcome.value) for i, t in enumerate(totals)]),
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


def _facts(page: Page, report: Report) -> None:
    _section(page, "Datos del lote")
    label = replace(CELL, color=MUTED)
    for name, value in report.facts:
        mono = name in (FACT_HASH, FACT_SEAL)
        look = replace(TEXT, mono=mono, size=9 if mono else 10)
        page.line(MARGIN, Span(3, name, label), Span(9, value, look), height=_height(value, 110))


def _height(text: str, per_line: int) -> float:
    return fit_height([(text, per_line)]) or 18.0
