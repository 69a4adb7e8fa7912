"""Workbooks by hand, part by part, so that they can be wrong in every way."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from xml.sax.saxutils import escape

from tests.corpus.entry import REASON, A, B

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml"
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
SHEET = "xl/worksheets/sheet1.xml"
TYPES = "[Content_Types].xml"

Content = str | bytes


def cell(address: str, text: str) -> str:
    """A text cell."""
    return f'<c r="{address}" t="inlineStr"><is><t xml:space="preserve">{escape(text)}</t></is></c>'


def row(number: int, *texts: str, attributes: str = "", more: str = "") -> str:
    """A row of text cells from column A on; empty texts leave no cell. ``more`` are further cells as XML."""
    cells = "".join(cell(f"{chr(65 + place)}{number}", text) for place, text in enumerate(texts) if text)
    return f'<row r="{number}"{attributes}>{cells}{more}</row>'


def sheet(*rows: str, before: str = "", after: str = "", root: str = f'xmlns="{MAIN}" xmlns:r="{RELATION}"') -> str:
    """A worksheet part."""
    return f"{HEAD}<worksheet {root}>{before}<sheetData>{''.join(rows)}</sheetData>{after}</worksheet>"


HEADER = row(1, "CUFE", "Motivo")
GOOD = (HEADER, row(2, A, REASON), row(3, B, REASON))
"""A header and two rows that are fine, and what a person sees of them."""
GOOD_ROWS = {2: (A, REASON), 3: (B, REASON)}


def parts(*sheets: str, names: tuple[str, ...] = (), states: Mapping[int, str] | None = None) -> dict[str, Content]:
    """The parts of a workbook with these worksheets, ``Hoja1`` on; ``states`` (``hidden``) by their place from 1."""
    places = range(1, len(sheets) + 1)
    called = {n: names[n - 1] if n <= len(names) else f"Hoja{n}" for n in places}
    state = {n: f' state="{word}"' for n, word in (states or {}).items()}
    tabs = "".join(f'<sheet name="{called[n]}" sheetId="{n}" r:id="rId{n}"{state.get(n, "")}/>' for n in places)
    links = "".join(
        f'<Relationship Id="rId{n}" Type="{RELATION}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in places
    )
    kinds = "".join(
        f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{SPREADSHEET}.worksheet+xml"/>' for n in places
    )
    return {
        TYPES: f'{HEAD}<Types xmlns="{PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{SPREADSHEET}.sheet.main+xml"/>{kinds}</Types>',
        "_rels/.rels": f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{RELATION}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'{HEAD}<workbook xmlns="{MAIN}" xmlns:r="{RELATION}"><sheets>{tabs}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships">{links}</Relationships>',
        **{f"xl/worksheets/sheet{n}.xml": content for n, content in zip(places, sheets, strict=True)},
    }


def packed(content: Mapping[str, Content]) -> bytes:
    """The parts as a container."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as container:
        for name, part in content.items():
            container.writestr(zipfile.ZipInfo(name), part, zipfile.ZIP_DEFLATED)
    return target.getvalue()


def book(*sheets: str, more: Mapping[str, Content] | None = None, **named: object) -> bytes:
    """A workbook of these worksheets; ``more`` adds or replaces parts; ``names`` and ``states`` as for ``parts``."""
    return packed({**parts(*sheets, **named), **(more or {})})  # type: ignore[arg-type]


def with_strings(strings: str, *rows: str) -> bytes:
    """A workbook whose cells may point into ``strings``, the content of ``sst``."""
    plain = parts(sheet(*rows))
    relations = str(plain["xl/_rels/workbook.xml.rels"]).replace(
        "</Relationships>",
        f'<Relationship Id="rId9" Type="{RELATION}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
    )
    types = str(plain[TYPES]).replace(
        "</Types>",
        f'<Override PartName="/xl/sharedStrings.xml" ContentType="{SPREADSHEET}.sharedStrings+xml"/></Types>',
    )
    return packed({**plain, "xl/_rels/workbook.xml.rels": relations, TYPES: types, "xl/sharedStrings.xml": strings})


def shared(*items: str) -> str:
    """The part of shared strings, of ``si`` contents."""
    inside = "".join(f"<si>{item}</si>" for item in items)
    return f'{HEAD}<sst xmlns="{MAIN}" count="{len(items)}" uniqueCount="{len(items)}">{inside}</sst>'
