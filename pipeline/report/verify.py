"""Verification: opens the written file and compares it with the report before publishing (reliability.md 2.6, P11).

It uses its own parser, not the code that wrote: members by an allow-list, every worksheet well-formed and without
formulas, links or errors, and in ``Resultados`` the same rows in the same order with the same codes. A corrections
workbook may also have comments and the drawing of their boxes; the drawing may have only the elements and attributes
that such boxes need.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from html import unescape
from itertools import chain, islice, zip_longest
from pathlib import Path
from typing import IO
from xml.parsers.expat import ExpatError, ParserCreate
from zipfile import BadZipFile, ZipFile

from openpyxl.utils import get_column_letter

from pipeline.domain.columns import FIRST_COLUMNS, LAST_COLUMNS, PLACE_COLUMN, REASONS_COLUMN
from pipeline.domain.errors import Bug
from pipeline.report.corrections import Corrections
from pipeline.report.inert import fit, visible
from pipeline.report.model import Report, Row
from pipeline.report.printed import last_values
from pipeline.report.vml_check import only_boxes
from schemas.columns import RESULT_COLUMNS
from schemas.results import check_results

_SHAPES = "xl/drawings/commentsDrawing1.vml"
MEMBERS = frozenset(
    {
        "[Content_Types].xml",
        "_rels/.rels",
        "docProps/app.xml",
        "docProps/core.xml",
        "docProps/custom.xml",
        "xl/_rels/workbook.xml.rels",
        "xl/charts/chart1.xml",
        "xl/drawings/_rels/drawing1.xml.rels",
        "xl/drawings/drawing1.xml",
        "xl/styles.xml",
        "xl/theme/theme1.xml",
        "xl/workbook.xml",
        "xl/worksheets/_rels/sheet1.xml.rels",
        *(f"xl/worksheets/sheet{number}.xml" for number in range(1, 7)),
    }
)
"""All members of a results workbook: no macros, links, connections, comments, shared strings. The sixth sheet is there
only where an invoice is past the legal limit."""

FIX_MEMBERS = frozenset(
    {
        *(name for name in MEMBERS if "chart" not in name and "drawing" not in name),
        "xl/comments1.xml",
        _SHAPES,
    }
) - {f"xl/worksheets/sheet{number}.xml" for number in (4, 5, 6)}
"""All members of a corrections workbook."""

_RESULTS_MEMBER = "xl/worksheets/sheet2.xml"
# A "<" starts a tag, never text: texts that look like these are written with "&lt;".
_FORBIDDEN = re.compile(rb'<(?:f|hyperlink|oleObject|control|externalReference)[ >/s]|<c [^>]*t="(?:e|str|s)"')
_FORBIDDEN_LINK = re.compile(rb"<Relationship [^>]*TargetMode")
_CHUNK = 1 << 20
_ROWS = 1_000
"""Rows that are held against their schema at a time."""

_RUN = re.compile(r"<t[^>]*>([^<]*)</t>")

_FIXES_MEMBER = "xl/worksheets/sheet1.xml"
Identity = tuple[str, ...]
"""Compared cells of a row: outcome, place in the input, code sent; of a correction, its two columns."""


def verify(path: Path, report: Report) -> None:
    """Raises ``Bug`` unless the rows of ``report`` keep to their schema and ``path`` holds it, complete and inert.
    ``OSError`` passes."""
    with _opened(path, MEMBERS) as archive, archive.open(_RESULTS_MEMBER) as member:
        after = len(FIRST_COLUMNS) + len(report.headings) + 1
        letters = ["A", get_column_letter(after), get_column_letter(after + 1)]
        _same_rows(member, letters, [_COMPARED], map(_identity, _sound(report)))


def _sound(report: Report) -> Iterator[Row]:
    """The rows, once their schema holds. Raises ``Bug``."""
    rows, first, names = iter(report.rows), 1, ("pos", *RESULT_COLUMNS)
    while chunk := list(islice(rows, _ROWS)):
        values = zip(*((row.pos, *row.added.values()) for row in chunk), strict=True)
        check_results(dict(zip(names, values, strict=True)), first, review=report.preview)
        yield from chunk
        first += len(chunk)


def verify_corrections(path: Path, fixes: Corrections) -> None:
    """Raises ``Bug`` unless ``path`` holds ``fixes``, complete and inert. ``OSError`` passes."""
    if not fixes.lines:
        with _opened(path, FIX_MEMBERS):
            return
    letters = ["A", get_column_letter(len(fixes.headings) + 2)]
    head = (PLACE_COLUMN, REASONS_COLUMN)
    with _opened(path, FIX_MEMBERS) as archive, archive.open(_FIXES_MEMBER) as member:
        wanted = ((fit(visible(fix.place)), fit(visible(fix.reasons))) for fix in fixes.rows)
        _same_rows(member, letters, [head], wanted)


@contextmanager
def _opened(path: Path, allowed: frozenset[str]) -> Iterator[ZipFile]:
    """The workbook, once every member of it is allowed, well-formed and inert."""
    try:
        with ZipFile(path) as archive:
            names = archive.namelist()
            if len(names) != len(set(names)) or not allowed.issuperset(names):
                raise Bug(f"{path.name}: unexpected members {sorted(set(names) - allowed)}")
            for name in names:
                with archive.open(name) as member:
                    inert(name, member)
            yield archive
    except (BadZipFile, ExpatError, EOFError, zlib.error) as error:
        raise Bug(f"{path.name} cannot be read back: {error}") from error


def inert(name: str, member: IO[bytes]) -> None:
    """Raises ``Bug`` or ``ExpatError`` unless the part is well-formed and inert.

    Reading to the end also proves the part's checksum.
    """
    parser = ParserCreate()
    parser.StartDoctypeDeclHandler = _no_doctype
    if name == _SHAPES:
        parser.StartElementHandler = only_boxes
    tail = b""
    while chunk := member.read(_CHUNK):
        parser.Parse(chunk, False)
        forbidden = _FORBIDDEN_LINK if name.endswith(".rels") else _FORBIDDEN
        found = forbidden.search(tail + chunk)
        if found and not name.startswith("xl/charts/"):  # the chart names its cells in <f>
            raise Bug(f"{name} holds {found[0]!r}")
        tail = chunk[-128:]
    parser.Parse(b"", True)


def _no_doctype(name: str, *_: object) -> None:
    raise Bug(f"a document type {name!r}, which could define entities")


def _same_rows(member: IO[bytes], letters: list[str], head: list[Identity], rows: Iterable[Identity]) -> None:
    """Raises ``Bug`` unless the header and every row are those of ``head`` and ``rows``, in order."""
    written = _identities(member, letters)
    for number, (found, wanted) in enumerate(zip_longest(written, chain(head, rows))):
        if found != wanted:
            raise Bug(f"row {number} is {found}, it should be {wanted}")


_COMPARED: Identity = (FIRST_COLUMNS["resultado"], LAST_COLUMNS["fila_origen"], LAST_COLUMNS["cufe_enviado"])


def _identity(row: Row) -> Identity:
    place, code = last_values(row)[:2]
    return row.added.resultado, fit(visible(str(place))), str(code or "")


def _identities(member: IO[bytes], letters: list[str]) -> Iterator[Identity]:
    """The compared cells of every row, as a stream."""
    cells = [re.compile(rf'<c r="{letter}\d+"[^>]*?(?:/>|>(.*?)</c>)', re.DOTALL) for letter in letters]
    rest = b""
    while chunk := member.read(_CHUNK):
        *rows, rest = (rest + chunk).split(b"</row>")
        for raw in rows:
            row = raw.decode()
            yield tuple(_content(cell.search(row)) for cell in cells)


def _content(match: re.Match[str] | None) -> str:
    return unescape("".join(_RUN.findall(match[1]))) if match and match[1] else ""
