"""What surrounds the values is seen in whatever form a program wrote its tags: fast scan and slow scan agree."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.domain.errors import InputRefused
from pipeline.read.sheet import Sheet
from tests.support.reading import read_sheet

REASON = "Error en el monto facturado"
Make = Callable[..., Path]
Xml = Callable[..., str]
Refusal = Callable[..., InputRefused]
Values = Callable[[Sheet], dict[int, list[Any]]]


@pytest.mark.parametrize(
    "attribute",
    ['\thidden="1"', '\nhidden="1"', ' hidden = "1"', ' hidden="&#49;"', ' hidden=" 1 "', ' hidden="TRUE"'],
)
def test_a_hidden_row_is_seen_however_its_attribute_is_spelled(
    attribute: str, book: Make, sheet_xml: Xml, rows_xml: Xml, code: Xml, good_rows: list[str], refusal: Refusal
) -> None:
    error = refusal(book(sheet_xml(*good_rows, rows_xml(4, code(3), REASON, attributes=attribute))))
    assert (error.code, "fila 4" in error.message) == ("xlsx-ocultas", True)


@pytest.mark.parametrize(
    "height",
    [
        '\tht="0"',
        ' ht = "0"',
        ' ht=" 0 "',
        ' ht="&#48;"',
        ' ht="0.5"',
        ' ht="1.75" customHeight="1"',
        ' customHeight="1"',
    ],
)
def test_a_row_without_height_or_lower_than_two_points_is_hidden_however_it_is_spelled(
    height: str, book: Make, sheet_xml: Xml, rows_xml: Xml, code: Xml, good_rows: list[str], refusal: Refusal
) -> None:
    path = book(sheet_xml(*good_rows, rows_xml(4, code(3), REASON, attributes=height)))
    assert refusal(path).code == "xlsx-ocultas"


@pytest.mark.parametrize(
    "attribute",
    [' hidden="0"', ' hidden="false"', '\nhidden = "0"', ' ht="15.75"', ' ht="2"', ' ht="2.25" customHeight="1"'],
)
def test_a_row_that_is_shown_is_taken(
    attribute: str, book: Make, sheet_xml: Xml, rows_xml: Xml, code: Xml, good_rows: list[str]
) -> None:
    path = book(sheet_xml(*good_rows, rows_xml(4, code(3), REASON, attributes=attribute)))
    assert len(read_sheet(path).cells) == 3


@pytest.mark.parametrize(
    "inside",
    ['<f>"FE"</f>{v}', "\n  <f>B1</f>\n  {v}\n", "<!-- x --><f>B1</f>{v}", '<f\nt="shared" si="0"/>{v}', " <f/>{v}"],
)
def test_a_formula_is_seen_however_the_cell_is_laid_out(
    inside: str, book: Make, sheet_xml: Xml, cell_xml: Xml, code: Xml, good_rows: list[str]
) -> None:
    cell = f'<c r="A4" t="str">{inside.format(v=f"<v>{code(3)}</v>")}</c>'
    sheet = read_sheet(book(sheet_xml(*good_rows, f'<row r="4">{cell}{cell_xml("B4", REASON)}</row>')))
    assert sheet.oddities == {(4, 0): "formula"}


@pytest.mark.parametrize(
    "cell",
    ["<c r=\"A4\" t='e'><v>#N/A</v></c>", '<c r="A4" t="e">\n<v>#N/A</v>\n</c>', '<c t="e" r="A4"><v>#N/A</v></c>'],
)
def test_a_row_of_nothing_but_an_error_is_not_lost_however_it_is_spelled(
    cell: str, book: Make, sheet_xml: Xml, good_rows: list[str], values: Values
) -> None:
    sheet = read_sheet(book(sheet_xml(*good_rows, f'<row r="4">{cell}</row>')))
    assert (values(sheet)[4][0], sheet.oddities) == ("#N/A", {(4, 0): "error"})


@pytest.mark.parametrize(
    "row",
    [
        '<row r="4"><c r="A4" t="str"><v>x</v><f>B1</f></c></row>',  # the reader drops the value
        '<row r="4"><c r="A4" t="str"><v>FE</v><v>01</v></c></row>',  # one program takes the first, one the last
        '<row r="4"><c r="A4" t="inlineStr"><is><t>a</t></is><is><t>b</t></is></c></row>',
        '<row r="4"><c r="A4" t="inlineStr"><v>x</v></c></row>',
        '<row r="4"><c r="A4"><is><t>x</t></is></c></row>',
        '<row r="4"><c r="A4"><v> 12 </v></c></row>',
        '<row r="4"><c r="A4" t="str"><v>x<![CDATA[y]]></v></c></row>',  # the reader passes over CDATA in a value
        '<row r="4"><c r="A4" t="str"><v><![CDATA[y]]></v></c></row>',
        '<row r="4"><c r="A4" t="str"><v>x<q>y</q></v></c></row>',
        '<row r="4"><c r="A4" t="str"><f>B1<v>y</v></f><v>x</v></c></row>',
        '<row r="4"><c r="A4" t="inlineStr"><is><t>x<t>y</t></t></is></c></row>',
        '<row r="4"><c r="A4" t="inlineStr"><is><t>x<![CDATA[z]]><rPh/></t></is></c></row>',
        '<row r="4"><c r="A4" t="inlineStr"><is><t>x</t> <t>y</t></is></c></row>',
        '<row r="4"><any><c r="A4" t="str"><v>x</v></c></any></row>',
        '<c r="A4" t="str"><v>x</v></c>',
        '<z:row xmlns:z="urn:z" r="4"><z:c r="A4" t="str"><z:v>x</z:v></z:c></z:row>',
        '<row r="4"><c r="A4" t="str"><z:f xmlns:z="urn:z">1</z:f><v>x</v></c></row>',
        '</sheetData><row r="4"><c r="A4" t="str"><v>x</v></c></row><sheetData>',
        '</sheetData><sheetData><row r="4"><c r="A4" t="str"><v>x</v></c></row>',
    ],
)
def test_what_programs_read_differently_is_damage(
    row: str, book: Make, sheet_xml: Xml, good_rows: list[str], refusal: Refusal
) -> None:
    assert refusal(book(sheet_xml(*good_rows, row))).code == "xlsx-danado"


def test_rows_that_are_not_rows_of_the_sheet_are_no_matter(
    book: Make, sheet_xml: Xml, good_rows: list[str], values: Values
) -> None:
    """A form control is anchored at ``<xdr:row>``; it lies outside the data."""
    anchor = '<controls xmlns:xdr="urn:x"><from><xdr:col>1</xdr:col><xdr:row>3</xdr:row></from></controls>'
    assert list(values(read_sheet(book(sheet_xml(*good_rows, after=anchor))))) == [2, 3]


@pytest.mark.parametrize(
    "string", ["<t>a<t>b</t></t>", "<t>a</t><t>b</t>", "<t>a<rPh><t>b</t></rPh></t>", "<is><t>a</t></is>"]
)
def test_a_shared_string_that_programs_read_differently_is_damage(
    string: str, book: Make, sheet_xml: Xml, good_rows: list[str], refusal: Refusal
) -> None:
    shared = f'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si>{string}</si></sst>'
    assert refusal(book(sheet_xml(*good_rows), more={"xl/sharedStrings.xml": shared})).code == "xlsx-danado"
