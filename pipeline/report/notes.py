"""Cell comments: the text part, and the drawing (VML) that older spreadsheets need to show the boxes.

The drawing is made of row and column numbers only. Nothing that came from outside can be in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from openpyxl.utils import get_column_letter
from openpyxl.xml.constants import SHEET_MAIN_NS

from pipeline.domain.columns import NOTE_AUTHOR
from pipeline.report.rowxml import text_xml

COMMENTS_PART = "xl/comments1.xml"
SHAPES_PART = "xl/drawings/commentsDrawing1.vml"

_HEAD = (
    '<xml xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" '
    'xmlns:x="urn:schemas-microsoft-com:office:excel">'
    '<o:shapelayout v:ext="edit"><o:idmap v:ext="edit" data="1"/></o:shapelayout>'
    '<v:shapetype id="_x0000_t202" coordsize="21600,21600" o:spt="202" path="m,l,21600r21600,l21600,xe">'
    '<v:stroke joinstyle="miter"/><v:path gradientshapeok="t" o:connecttype="rect"/></v:shapetype>'
)
_SHAPE = (
    '<v:shape id="_x0000_s{number}" type="#_x0000_t202" style="position:absolute;width:300pt;height:{height}pt;'
    'visibility:hidden" fillcolor="#ffffe1" o:insetmode="auto">'
    '<v:fill color2="#ffffe1"/><v:shadow color="black" obscured="t"/><v:path o:connecttype="none"/>'
    '<v:textbox style="mso-direction-alt:auto"><div style="text-align:left"/></v:textbox>'
    '<x:ClientData ObjectType="Note"><x:MoveWithCells/><x:SizeWithCells/><x:AutoFill>False</x:AutoFill>'
    "<x:Row>{row}</x:Row><x:Column>{column}</x:Column></x:ClientData></v:shape>"
)
_FIRST_SHAPE = 1025
_PER_LINE, _LINE_HEIGHT, _HIGHEST = 60, 13, 260


@dataclass(frozen=True, slots=True)
class Note:
    """A comment on a cell."""

    #: with ``column`` its place on the sheet, from 1
    row: int
    column: int
    text: str

    @property
    def cell(self) -> str:
        return f"{get_column_letter(self.column)}{self.row}"


def comments_xml(notes: Sequence[Note]) -> bytes:
    """The part with the texts, made inert like those of cells."""
    parts = [f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<comments xmlns="{SHEET_MAIN_NS}">']
    parts.append(f"<authors><author>{NOTE_AUTHOR}</author></authors><commentList>")
    for note in notes:
        # Always text in runs: some readers show no other text in a comment.
        parts.append(f'<comment ref="{note.cell}" authorId="0"><text>{text_xml(note.text, runs=True)}</text></comment>')
    parts.append("</commentList></comments>")
    return "".join(parts).encode()


def shapes_xml(notes: Sequence[Note]) -> bytes:
    """The part with one hidden box for each note, as high as its text."""
    parts = [_HEAD]
    for number, note in enumerate(notes, start=_FIRST_SHAPE):
        lines = sum(1 + len(line) // _PER_LINE for line in note.text.split("\n"))
        height = min(_LINE_HEIGHT * (lines + 1), _HIGHEST)
        parts.append(_SHAPE.format(number=number, height=height, row=note.row - 1, column=note.column - 1))
    parts.append("</xml>")
    return "".join(parts).encode()
