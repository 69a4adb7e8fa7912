"""Opens what was written and compares it with the report, before anybody can see it (reliability.md 2.6, P11).

Reads with a parser of its own, not with the code that wrote: members by an allow-list, every worksheet well-formed and
without formulas, links or errors, and in ``Resultados`` the same rows in the same order with the same codes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html import unescape
from itertools import zip_longest
from pathlib import Path
from typing import IO
from xml.parsers.expat import ExpatError, ParserCreate
from zipfile import BadZipFile, ZipFile

from openpyxl.utils import get_column_letter

from pipeline.domain.errors import Bug
from pipeline.report.inert import fit, visible
from pipeline.report.model import Report, Row
from schemas.columns import RESULT_COLUMNS

MEMBERS = frozenset(
    {
        "[Content_Types].xml",
        "_rels/.rels",
        "docProps/app.xml",
        "docProps/core.xml",
        "xl/_rels/workbook.xml.rels",
        "xl/charts/chart1.xml",
        "xl/drawings/_rels/drawing1.xml.rels",
        "xl/drawings/drawing1.xml",
        "xl/styles.xml",
        "xl/theme/theme1.xml",
        "xl/workbook.xml",
        "xl/worksheets/_rels/sheet1.xml.rels",
        *(f"xl/worksheets/sheet{number}.xml" for number in range(1, 6)),
    }
)
"""All that a results workbook consists of: no macros, links, connections, comments, shared strings."""

_RESULTS_MEMBER = "xl/worksheets/sheet2.xml"
# A "<" begins a tag, never text: texts that look like these are written with "&lt;".
_FORBIDDEN = re.compile(rb'<(?:f|hyperlink|oleObject|control|externalReference)[ >/s]|<c [^>]*t="(?:e|str|s)"')
_FORBIDDEN_LINK = re.compile(rb"<Relationship [^>]*TargetMode")
_CHUNK = 1 << 20
_RUN = re.compile(r"<t[^>]*>([^<]*)</t>")

Identity = tuple[str, str, str]
"""What is compared of every row: ``fila_origen``, ``cufe_enviado``, ``resultado``."""


def verify(path: Path, report: Report) -> None:
    """Raise ``Bug`` unless ``path`` holds ``report``, whole and inert. ``OSError`` passes."""
    try:
        with ZipFile(path) as archive:
            names = archive.namelist()
            if len(names) != len(set(names)) or not MEMBERS.issuperset(names):
                raise Bug(f"{path.name}: unexpected members {sorted(set(names) - MEMBERS)}")
            for name in names:
                with archive.open(name) as member:
                    _inert(name, member)
            with archive.open(_RESULTS_MEMBER) as member:
                _same_rows(member, len(report.headings), report.rows)
    except (BadZipFile, ExpatError) as error:
        raise Bug(f"{path.name} cannot be read back: {error}") from error


def _inert(name: str, member: IO[bytes]) -> None:
    """Well-formed, and nothing in it that acts. Reading to the end also proves the member's checksum."""
    parser = ParserCreate()
    tail = b""
    while chunk := member.read(_CHUNK):
        parser.Parse(chunk, False)
        forbidden = _FORBIDDEN_LINK if name.endswith(".rels") else _FORBIDDEN
        found = forbidden.search(tail + chunk)
        if found and not name.startswith("xl/charts/"):  # the chart names the cells it draws in <f>
            raise Bug(f"{name} holds {found[0]!r}")
        tail = chunk[-128:]
    parser.Parse(b"", True)


def _same_rows(member: IO[bytes], given: int, rows: Iterable[Row]) -> None:
    letters = [get_column_letter(given + 1 + RESULT_COLUMNS.index(name)) for name in _COMPARED]
    written = _identities(member, letters)
    if next(written, None) != _COMPARED:
        raise Bug("Resultados: the header is not where it belongs")
    for number, (found, row) in enumerate(zip_longest(written, rows), start=1):
        wanted = _identity(row) if row is not None else None
        if found != wanted:
            raise Bug(f"Resultados: row {number} is {found}, the report says {wanted}")


_COMPARED: Identity = ("fila_origen", "cufe_enviado", "resultado")


def _identity(row: Row) -> Identity:
    added = row.added
    return fit(visible(added.fila_origen)), added.cufe_enviado or "", added.resultado


def _identities(member: IO[bytes], letters: list[str]) -> Iterator[Identity]:
    """The compared cells of every row, streaming."""
    cells = [re.compile(rf'<c r="{letter}\d+"[^>]*?(?:/>|>(.*?)</c>)') for letter in letters]
    rest = b""
    while chunk := member.read(_CHUNK):
        *rows, rest = (rest + chunk).split(b"</row>")
        for raw in rows:
            row = raw.decode()
            first, second, third = (_content(cell.search(row)) for cell in cells)
            yield first, second, third


def _content(match: re.Match[str] | None) -> str:
    return unescape("".join(_RUN.findall(match[1]))) if match and match[1] else ""
