"""Workbooks made by hand, part by part, so that they can be wrong in every way."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import openpyxl
import pytest

from pipeline.domain.cufe import check_digit
from pipeline.domain.errors import InputRefused
from pipeline.domain.problems import KINDS
from pipeline.read.sheet import Sheet
from tests.support.reading import read_sheet

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'

Parts = dict[str, str | bytes]


def cufe(number: int = 1) -> str:
    body = f"FE0120000155668001-2-2018-37078920261118{number:010d}006012{number:09d}"
    return body + check_digit(body)


def cell(address: str, text: str) -> str:
    return f'<c r="{address}" t="inlineStr"><is><t xml:space="preserve">{escape(text)}</t></is></c>'


def row(number: int, *texts: str, attributes: str = "") -> str:
    cells = "".join(cell(f"{chr(65 + place)}{number}", text) for place, text in enumerate(texts) if text)
    return f'<row r="{number}"{attributes}>{cells}</row>'


def worksheet(*rows: str, before: str = "", after: str = "", root: str = f'xmlns="{MAIN}" xmlns:r="{RELATION}"') -> str:
    return f"{HEAD}<worksheet {root}>{before}<sheetData>{''.join(rows)}</sheetData>{after}</worksheet>"


def parts_of(sheets: Mapping[str, str], states: Mapping[str, str]) -> Parts:
    """The parts of a workbook with these worksheets."""
    tabs = "".join(
        f'<sheet name="{name}" sheetId="{n}" r:id="rId{n}"{states.get(name, "")}/>' for n, name in enumerate(sheets, 1)
    )
    links = "".join(
        f'<Relationship Id="rId{n}" Type="{RELATION}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in range(1, len(sheets) + 1)
    )
    kinds = "".join(
        f'<Override PartName="/xl/worksheets/sheet{n}.xml" '
        'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>'
        for n in range(1, len(sheets) + 1)
    )
    package = "http://schemas.openxmlformats.org/package/2006"
    parts: Parts = {
        "[Content_Types].xml": f'{HEAD}<Types xmlns="{package}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Override PartName="/xl/workbook.xml" '
        'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
        f"{kinds}</Types>",
        "_rels/.rels": f'{HEAD}<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="rId1" Type="{RELATION}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'{HEAD}<workbook xmlns="{MAIN}" xmlns:r="{RELATION}"><sheets>{tabs}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'{HEAD}<Relationships xmlns="{package}/relationships">{links}</Relationships>',
    }
    for n, content in enumerate(sheets.values(), 1):
        parts[f"xl/worksheets/sheet{n}.xml"] = content
    return parts


def write_parts(path: Path, parts: Mapping[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as container:
        for name, content in parts.items():
            container.writestr(name, content)
    return path


@pytest.fixture
def code() -> Callable[..., str]:
    return cufe


@pytest.fixture
def rows_xml() -> Callable[..., str]:
    return row


@pytest.fixture
def cell_xml() -> Callable[[str, str], str]:
    return cell


@pytest.fixture
def sheet_xml() -> Callable[..., str]:
    return worksheet


@pytest.fixture
def good_rows() -> list[str]:
    """A header and two rows that are fine."""
    return [
        row(1, "CUFE", "Motivo", "Correo"),
        row(2, cufe(1), "Error en el monto facturado", "ana@x.pa"),
        row(3, cufe(2), "Cliente devolvió la mercancía", ""),
    ]


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes bytes or text under a name."""

    def write(content: bytes | str, name: str = "lote.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.fixture
def book(tmp_path: Path) -> Callable[..., Path]:
    """Writes a workbook of raw worksheets; ``more`` replaces or adds parts (None leaves one out)."""

    def book(
        *sheets: str,
        names: Sequence[str] = (),
        states: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
        name: str = "lote.xlsx",
    ) -> Path:
        called = {(names[n] if n < len(names) else f"Hoja{n + 1}"): content for n, content in enumerate(sheets)}
        parts = {**parts_of(called, states or {}), **(more or {})}
        return write_parts(tmp_path / name, {key: value for key, value in parts.items() if value is not None})

    return book


@pytest.fixture
def excel(tmp_path: Path) -> Callable[..., Path]:
    """Writes rows with openpyxl; ``change`` may alter the worksheet before it is saved."""

    def excel(
        rows: Sequence[Sequence[Any]], change: Callable[[Any], None] = lambda sheet: None, name: str = "lote.xlsx"
    ) -> Path:
        workbook = openpyxl.Workbook()
        sheet = workbook.active
        assert sheet is not None
        sheet.title = "Hoja1"
        for values in rows:
            sheet.append(list(values))
        change(sheet)
        workbook.save(tmp_path / name)
        return tmp_path / name

    return excel


@pytest.fixture
def refusal() -> Callable[..., InputRefused]:
    """Reads a file that has to be refused; checks that code and words come from the table."""

    def refusal(path: Path, **options: Any) -> InputRefused:
        with pytest.raises(InputRefused) as caught:
            read_sheet(path, **options)
        error = caught.value
        assert error.code in KINDS
        assert KINDS[error.code].scope == "archivo"
        assert error.sentence.strip()
        return error

    return refusal


@pytest.fixture
def values() -> Callable[[Sheet], dict[int, list[Any]]]:
    """The cells of a sheet by line."""

    def values(sheet: Sheet) -> dict[int, list[Any]]:
        return {
            line: list(cells)
            for line, cells in zip(sheet.cells.index, sheet.cells.itertuples(index=False), strict=True)
        }

    return values
