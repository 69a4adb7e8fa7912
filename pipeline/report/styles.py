"""Workbook styles: one accent colour, five tones with a meaning, and the styles made of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side

from pipeline.report.model import Tone

ACCENT = "1F3A5F"
INK = "1F2933"
MUTED = "5F6B78"
LINE = "D5DCE4"
PALE = "F3F6F9"
BINDING = "8C1D18"
HARMLESS = "FFE3A3"

SANS = "Arial"
MONO = "Consolas"


@dataclass(frozen=True, slots=True)
class Paint:
    """A tone's colours."""

    #: of the cell; ``text`` on it, ``bar`` in the chart
    fill: str
    text: str
    bar: str


PAINTS: dict[Tone, Paint] = {
    Tone.DONE: Paint("E1F3E7", "17633A", "3F9E63"),
    Tone.WAITS: Paint("E0EDFA", "1B578F", "4A8FD0"),
    Tone.PERSON: Paint("FFF0D1", "7F5200", "E0A233"),
    Tone.REFUSED: Paint("FBE3E2", "9C1F1B", "CF5550"),
    Tone.QUIET: Paint("EBEEF1", "4D5965", "9FA9B3"),
}


@dataclass(frozen=True, slots=True)
class Look:
    """The look of a cell."""

    #: points
    size: float = 10
    bold: bool = False
    color: str = INK
    fill: str | None = None
    mono: bool = False
    wrap: bool = False
    #: horizontal alignment; ``down`` vertical
    across: str = "general"
    down: str = "top"
    #: bottom border
    line: bool = False
    format: str = "General"
    indent: int = 0
    #: text that a spreadsheet must not turn into a formula when it is edited
    quoted: bool = False
    struck: bool = False


PLAIN = Look(line=True)
WRAPPED = Look(line=True, wrap=True)
CODE = Look(line=True, mono=True, size=8)
CODE_WRAPPED = Look(line=True, mono=True, size=8, wrap=True)
NUMBER = Look(line=True, across="right", indent=1)
AMOUNT = Look(line=True, across="right", indent=1, format="#,##0.00")
COUNT = Look(line=True, across="right", indent=1, format="#,##0")
DATE = Look(line=True, across="center", format="dd/mm/yyyy")
MOMENT = Look(line=True, across="center", format="dd/mm/yyyy hh:mm:ss")
LIMIT = Look(line=True, across="center", format="dd/mm/yyyy hh:mm")
HOUR = Look(line=True, across="center", format="hh:mm:ss")
CENTRED = Look(line=True, across="center")
HEAD = Look(bold=True, color="FFFFFF", fill=ACCENT, down="center", wrap=True)
HEAD_GIVEN = Look(bold=True, color=INK, fill="DDE4EC", down="center", wrap=True)
TYPED = Look(line=True, wrap=True, format="@")
TYPED_CODE = Look(line=True, mono=True, size=9, format="@")
SECTION = Look(size=13, bold=True, color=ACCENT, down="bottom")
NOTE = Look(size=9, color=MUTED, wrap=True)


def title_look(size: float) -> Look:
    """The title on top of a page that is read as a whole."""
    return Look(size=size, bold=True, color="FFFFFF", fill=ACCENT, down="center", indent=1)


def banner_look(size: float, *, binding: bool) -> Look:
    """The line below the title that shows the environment; ``binding``: what is done there has legal effect."""
    color, fill = ("FFFFFF", BINDING) if binding else ("5A3D00", HARMLESS)
    return replace(title_look(size), color=color, fill=fill)


def toned(look: Look, tone: Tone, *, strong: bool = False) -> Look:
    """``look`` in the colours of ``tone``."""
    paint = PAINTS[tone]
    return replace(look, fill=paint.fill, color=paint.text, bold=strong or look.bold)


class Palette:
    """Style ids of one workbook, one per look."""

    def __init__(self, sheet: Any) -> None:
        self._sheet = sheet
        self._ids: dict[Look, int] = {}
        self._looks: dict[int, Look] = {0: Look(down="bottom")}
        self._quoted: dict[int, int] = {}

    def __getitem__(self, look: Look) -> int:
        """The style id of ``look``."""
        known = self._ids.get(look)
        if known is None:
            known = self._ids[look] = self._register(look)
            self._looks[known] = look
        return known

    def look(self, style: int) -> Look:
        """The look behind a style id."""
        return self._looks[style]

    def quoted(self, style: int) -> int:
        """The id of the same look for text that must never become a formula (``Look.quoted``)."""
        known = self._quoted.get(style)
        if known is None:
            known = self._quoted[style] = self[replace(self._looks[style], quoted=True)]
        return known

    def crossed(self, style: int) -> int:
        """The id of the same look, struck through."""
        return self[replace(self._looks[style], struck=True)]

    def _register(self, look: Look) -> int:
        cell = WriteOnlyCell(self._sheet)
        cell.font = Font(
            name=MONO if look.mono else SANS,
            size=look.size,
            bold=look.bold,
            color=look.color,
            strike=look.struck or None,
        )
        if look.fill:
            cell.fill = PatternFill("solid", fgColor=look.fill)
        across = "left" if look.indent and look.across == "general" else look.across
        cell.alignment = Alignment(
            horizontal=across, vertical=look.down, wrap_text=look.wrap or None, indent=look.indent
        )
        if look.line:
            cell.border = Border(bottom=Side("thin", color=LINE))
        cell.number_format = look.format
        cell.quotePrefix = look.quoted
        style_id: int = cell.style_id
        return style_id
