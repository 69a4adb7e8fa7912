"""Workbook writer: openpyxl's with two differences: same workbook, same bytes; rows go straight to the file.

Every zip member has one fixed time stamp and the order never changes; document properties hold the batch's
times, never the clock's (reliability.md P15). A worksheet is streamed into its zip member as its rows come: no
temporary file, memory stays flat. Rows are written by ``rowxml``, which knows text, numbers and truth values and
cannot write a formula.
"""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from types import TracebackType
from typing import IO, Any, cast
from xml.etree.ElementTree import Element, SubElement
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from openpyxl.drawing.spreadsheet_drawing import SpreadsheetDrawing
from openpyxl.packaging.custom import StringProperty
from openpyxl.packaging.extended import ExtendedProperties
from openpyxl.packaging.relationship import Relationship, RelationshipList
from openpyxl.utils import get_column_letter
from openpyxl.workbook import Workbook
from openpyxl.workbook._writer import WorkbookWriter
from openpyxl.worksheet._write_only import WriteOnlyWorksheet
from openpyxl.worksheet._writer import WorksheetWriter
from openpyxl.writer.excel import ExcelWriter
from openpyxl.writer.theme import theme_xml
from openpyxl.xml.constants import (
    ARC_APP,
    ARC_CORE,
    ARC_CUSTOM,
    ARC_ROOT_RELS,
    ARC_STYLE,
    ARC_THEME,
    ARC_WORKBOOK,
    ARC_WORKBOOK_RELS,
    CPROPS_TYPE,
    SHEET_MAIN_NS,
)
from openpyxl.xml.functions import tostring

from pipeline.domain.visible import one_line
from pipeline.report.edit_check import seal_of
from pipeline.report.model import Value
from pipeline.report.notes import COMMENTS_PART, SHAPES_PART, Note, comments_xml, shapes_xml
from pipeline.report.rowxml import Quote, row_xml
from pipeline.report.styles import Palette, base_font

_EPOCH = (1980, 1, 1, 0, 0, 0)
_BUFFER, _AHEAD = 1 << 19, 2
"""Bytes that are compressed at a time, and how many such pieces wait at most."""

_COMMENTS_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.comments+xml"


class FixedZip(ZipFile):
    """A zip whose members have one fixed time stamp and the same attributes on every system."""

    def member(self, name: str) -> ZipInfo:
        """The header of a member called ``name``."""
        info = ZipInfo(name, _EPOCH)
        info.compress_type = ZIP_DEFLATED
        info.create_system = 3
        info.external_attr = 0o600 << 16
        return info

    def stream(self, name: str) -> IO[bytes]:
        """A member to be written piece by piece. It is compressed beside who makes its content, in a thread: zlib works
        without the interpreter."""
        return io.BufferedWriter(_Beside(self.open(self.member(name), "w")), _BUFFER)

    def writestr(self, zinfo_or_arcname: str | ZipInfo, data: Any, *args: Any, **kwargs: Any) -> None:
        """As in ``ZipFile``, with our own header for a plain name."""
        name = zinfo_or_arcname
        super().writestr(self.member(name) if isinstance(name, str) else name, data, *args, **kwargs)


class _Beside(io.RawIOBase):
    """Passes what it gets to ``member`` in a thread, in order; one piece alone without a thread. What fails there is
    raised at a later write, or at the end."""

    def __init__(self, member: IO[bytes]) -> None:
        self._member = member
        self._first = b""
        self._thread: ThreadPoolExecutor | None = None
        self._waiting: deque[Future[int]] = deque()

    def writable(self) -> bool:
        return True

    def write(self, piece: Any) -> int:
        content = bytes(piece)
        if self._thread is None:
            if not self._first:
                self._first = content
                return len(content)
            self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="zip")
            self._waiting.append(self._thread.submit(self._member.write, self._first))
            self._first = b""
        while len(self._waiting) >= _AHEAD:
            self._waiting.popleft().result()
        self._waiting.append(self._thread.submit(self._member.write, content))
        return len(content)

    def close(self) -> None:
        if self.closed:
            return
        try:
            while self._waiting:
                self._waiting.popleft().result()
            if self._thread is None:
                self._member.write(self._first)
        finally:
            if self._thread is not None:
                self._thread.shutdown()
            super().close()
            self._member.close()  # else the archive complains about an open member, and not about a full disk


class SheetStream(WorksheetWriter):
    """Writer of one worksheet into its zip member: start, row after row, end."""

    def __init__(self, sheet: WriteOnlyWorksheet, archive: FixedZip, path: str, quote: Quote) -> None:
        self.file = archive.stream(path)
        super().__init__(sheet, out=path)
        self.written = 0
        self._quote = quote
        self._merged: list[str] = []

    def get_stream(self) -> Generator[Any, Any, None]:
        """Receives the parts around the rows from openpyxl, one element at a time."""
        self.file.write(
            f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<worksheet xmlns="{SHEET_MAIN_NS}">'.encode()
        )
        while True:
            element = yield
            if element is not None:
                self.file.write(cast(bytes, tostring(element)))

    def begin(self) -> None:
        """Writes what comes before the rows: views, widths."""
        self.write_top()
        self.file.write(b"<sheetData>")

    def row(self, cells: Sequence[tuple[Value, int]], height: float | None = None) -> int:
        """Writes the next row of (value, style id) cells; returns its 1-based number. ``height`` in points."""
        self.written += 1
        self.file.write(row_xml(self.written, cells, self._quote, height))
        return self.written

    def merge(self, row: int, first: int, last: int) -> None:
        """Shows the cells of a row from column ``first`` to ``last`` (1-based) as one."""
        self._merged.append(f"{get_column_letter(first)}{row}:{get_column_letter(last)}{row}")

    def end(self) -> None:
        """Writes what comes after the rows; the member is then complete."""
        self.file.write(b"</sheetData>")
        self.write_tail()
        self.xf.close()
        self.file.write(b"</worksheet>")
        self.file.close()

    def write_merged_cells(self) -> None:
        """Names the merged cells in their order; openpyxl's own list looks for each among all before it."""
        if self._merged:
            cells = Element("mergeCells", count=str(len(self._merged)))
            for place in self._merged:
                SubElement(cells, "mergeCell", ref=place)
            self.xf.send(cells)

    def write_drawings(self) -> None:
        """Turns off the warning triangle for digits kept as text (RUC, document numbers), which is intended."""
        if self.written:
            errors = Element("ignoredErrors")
            SubElement(errors, "ignoredError", sqref=f"A1:XFD{self.written}", numberStoredAsText="1")
            self.xf.send(errors)
        super().write_drawings()

    def cleanup(self) -> None:
        """Does nothing: there is no temporary file."""


class _Part:
    """A part that the list of contents has to name."""

    def __init__(self, name: str, mime_type: str) -> None:
        self.path, self.mime_type = f"/{name}", mime_type


@cache
def _application() -> bytes:
    """The part that says which program the workbook is for: the same in each."""
    return cast(bytes, tostring(ExtendedProperties().to_tree()))


class StreamedWriter(ExcelWriter):
    """Writer of everything except the worksheets, which are in the archive already."""

    def __init__(self, workbook: Workbook, archive: FixedZip, notes: Sequence[Note], palette: Palette) -> None:
        super().__init__(workbook, archive)
        self._zip, self._notes, self._palette = archive, notes, palette

    def write_data(self) -> None:
        """Writes what our workbooks have, in openpyxl's order; the styles are those of the palette."""
        archive, book = self._zip, cast(Any, self.workbook)
        archive.writestr(ARC_APP, _application())
        archive.writestr(ARC_CORE, tostring(book.properties.to_tree()))
        archive.writestr(ARC_THEME, theme_xml)
        if len(book.custom_doc_props):
            archive.writestr(ARC_CUSTOM, tostring(book.custom_doc_props.to_tree()))
            self.manifest.append(_Part(ARC_CUSTOM, CPROPS_TYPE))
        writer: Any = self
        writer._write_worksheets()
        writer._write_charts()
        archive.writestr(ARC_STYLE, self._palette.stylesheet())
        parts: Any = WorkbookWriter(self.workbook)
        archive.writestr(ARC_ROOT_RELS, parts.write_root_rels())
        archive.writestr(ARC_WORKBOOK, parts.write())
        archive.writestr(ARC_WORKBOOK_RELS, parts.write_rels())
        writer.manifest._write(archive, self.workbook)

    def write_worksheet(self, ws: Any) -> None:
        """Registers a worksheet that has been streamed, with its drawing and relationships."""
        ws._drawing = SpreadsheetDrawing()
        ws._drawing.charts = ws._charts
        ws._drawing.images = ws._images
        ws._rels = ws._writer._rels
        self.manifest.append(ws)
        if self._notes and ws._id == 1:
            self._zip.writestr(COMMENTS_PART, comments_xml(self._notes))
            self._zip.writestr(SHAPES_PART, shapes_xml(self._notes))
            self.manifest.append(_Part(COMMENTS_PART, _COMMENTS_TYPE))
            ws._rels.append(Relationship(Id="comments", type="comments", Target=f"/{COMMENTS_PART}"))


class Book:
    """A write-only workbook that is written to ``stream``; use as a context manager.

    ``stamp`` (aware) is the only time in the file.
    """

    def __init__(self, stream: IO[bytes], *, title: str, stamp: datetime) -> None:
        self.workbook = Workbook(write_only=True)
        base_font(self.workbook)
        self.palette = Palette(self.workbook)
        self.notes: list[Note] = []
        self._archive = FixedZip(stream, "w", ZIP_DEFLATED, compresslevel=6)
        self._writing: SheetStream | None = None
        properties = self.workbook.properties
        properties.creator = properties.lastModifiedBy = "anular"
        properties.title = title
        properties.language = "es-PA"
        properties.created = properties.modified = stamp.astimezone(UTC).replace(tzinfo=None)

    def remember(self, name: str, text: str) -> None:
        """Adds a document property of our own, for a program that reads the workbook again."""
        properties: Any = self.workbook
        properties.custom_doc_props.append(StringProperty(name=name, value=one_line(text)))

    def comment(self, sheet: Any, notes: Sequence[Note]) -> None:
        """Adds comments to the first sheet; call it before that sheet's stream ends."""
        self.notes.extend(notes)
        if self.notes:
            sheet.legacy_drawing = SHAPES_PART

    def seal(self) -> str:
        """SHA-256 over the worksheets streamed so far, with which ``edit_check.py`` detects edits."""
        return seal_of(self._archive)

    def sheet(self, title: str) -> Any:
        """A new worksheet; set its views and widths, then ``stream`` it."""
        return self.workbook.create_sheet(title)

    def stream(self, sheet: Any, quote: Quote) -> SheetStream:
        """Starts writing ``sheet``. Sheets are written one after the other, in the order of their tabs.

        ``quote`` returns the style for text that looks like a formula.
        """
        number = len(self.workbook.worksheets)
        self._writing = sheet._writer = SheetStream(sheet, self._archive, f"xl/worksheets/sheet{number}.xml", quote)
        sheet._rels = RelationshipList()
        self._writing.begin()
        return self._writing

    def __enter__(self) -> Book:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if kind is None:
            StreamedWriter(self.workbook, self._archive, self.notes, self.palette).write_data()
            self._archive.close()
            return
        with suppress(OSError, ValueError):  # the unfinished file is discarded; only its handles have to be closed
            if self._writing is not None:
                self._writing.file.close()
            self._archive.close()
