"""Workbook styles: one accent colour, five tones with a meaning, and the styles made of them.

A palette numbers the looks of a workbook in the order in which they are asked for. What openpyxl makes of them, the
part ``styles.xml``, depends on nothing else, so workbooks with the same looks have it made once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, cast

from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.styles.stylesheet import write_stylesheet
from openpyxl.workbook import Workbook
from openpyxl.xml.functions import tostring

from pipeline.domain.errors import Bug
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

    def __init__(self, workbook: Workbook) -> None:
        self._workbook = workbook
        self._first = 0
        self._ids: dict[Look, int] = {}
        self._settled: dict[Look, int] = {}
        self._looks: dict[int, Look] = {0: Look(down="bottom")}
        self._quoted: dict[int, int] = {}

    def __getitem__(self, look: Look) -> int:
        """The style id of ``look``."""
        known = self._ids.get(look)
        if known is None:
            known = self._ids[look] = self._id_of(_settled(look))
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

    def stylesheet(self) -> bytes:
        """The part ``styles.xml``. Raises ``Bug`` when openpyxl numbers a look otherwise."""
        looks = tuple(self._settled)
        if self._own_styles() == 1:
            return _stylesheet(looks)
        return _with(self._workbook, looks, self._first)  # columns that have a style themselves

    def _id_of(self, look: Look) -> int:
        if not self._settled:
            self._first = self._own_styles()
        return self._settled.setdefault(look, self._first + len(self._settled))

    def _own_styles(self) -> int:
        """How many styles the workbook has beside the looks: one, that of a cell without any."""
        styles: Any = self._workbook
        return len(styles._cell_styles)


def base_font(workbook: Workbook) -> None:
    """Sets the font for column widths and unstyled cells."""
    styles: Any = workbook
    styles._named_styles["Normal"].font = Font(name=SANS, size=10)


def _settled(look: Look) -> Look:
    """The one of the looks that are the same to a spreadsheet."""
    return replace(look, across="left") if look.indent and look.across == "general" else look


@lru_cache(64)
def _stylesheet(looks: tuple[Look, ...]) -> bytes:
    workbook = Workbook(write_only=True)
    base_font(workbook)
    return _with(workbook, looks, 1)


def _with(workbook: Workbook, looks: tuple[Look, ...], first: int) -> bytes:
    sheet = workbook.create_sheet()
    for number, look in enumerate(looks, start=first):
        if (known := _register(sheet, look)) != number:
            raise Bug(f"the style of {look} is {known}, it should be {number}")
    workbook.remove(sheet)
    return cast(bytes, tostring(write_stylesheet(workbook)))


def _register(sheet: Any, look: Look) -> int:
    cell = WriteOnlyCell(sheet)
    cell.font = Font(
        name=MONO if look.mono else SANS,
        size=look.size,
        bold=look.bold,
        color=look.color,
        strike=look.struck or None,
    )
    if look.fill:
        cell.fill = PatternFill("solid", fgColor=look.fill)
    cell.alignment = Alignment(
        horizontal=look.across, vertical=look.down, wrap_text=look.wrap or None, indent=look.indent
    )
    if look.line:
        cell.border = Border(bottom=Side("thin", color=LINE))
    cell.number_format = look.format
    cell.quotePrefix = look.quoted
    style_id: int = cell.style_id
    return style_id
