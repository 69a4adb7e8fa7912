"""The workbook of a pack is read in the form in which it was written, and in no other (decision 0051)."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable

import pytest
from openpyxl import load_workbook

from pipeline.evidence.check import check
from pipeline.evidence.sheet import Odd, sheet_rows
from pipeline.evidence.workbook import BOUNDS
from pipeline.read.limits import Limits
from pipeline.report.labels import RESULTS, STATES

SHEET, BOOK = "xl/worksheets/sheet2.xml", "xl/workbook.xml"


@pytest.fixture
def workbook(pack) -> bytes:
    """The results workbook of a batch with everything that can become of a row."""
    (path,) = pack.parent.glob("*__resultados.xlsx")
    return path.read_bytes()


def edited(book: bytes, name: str, change: Callable[[bytes], bytes], **more: bytes) -> bytes:
    """``book`` with one part changed, and perhaps parts added."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        for part in source.namelist():
            content = source.read(part)
            changed = change(content) if part == name else content
            assert part != name or changed != content, "nothing was changed"
            made.writestr(part, changed)
        for part, content in more.items():
            made.writestr(part, content)
    return target.getvalue()


def swapped(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    return lambda content: content.replace(old, new, 1)


def test_it_reads_what_a_spreadsheet_shows(workbook):
    wanted = [
        ["" if value is None else value for value in row]
        for row in load_workbook(io.BytesIO(workbook), read_only=True)[RESULTS].iter_rows(values_only=True)
    ]
    found = [[*row, *[""] * (len(wanted[0]) - len(row))] for row in sheet_rows(workbook, RESULTS, BOUNDS)]

    assert len(found) == len(wanted) == 14
    for ours, theirs in zip(found, wanted, strict=True):
        for here, there in zip(ours, theirs, strict=True):
            assert here == there or not isinstance(there, str | int | float | bool)


def test_another_sheet_is_found_by_its_name(workbook):
    assert next(sheet_rows(workbook, STATES, BOUNDS)) != next(sheet_rows(workbook, RESULTS, BOUNDS))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(b'<c r="A2"', b'<c r="B2"', id="a cell in another's place"),
        pytest.param(b'<c r="A2"', b'<c r="A3"', id="a cell in another's row"),
        pytest.param(b'<c r="A2"', b"<c", id="a cell without an address"),
        pytest.param(b'<row r="3"', b'<row r="4"', id="a row out of order"),
        pytest.param(b'<row r="3"', b'<row hidden="1" r="3"', id="a hidden row"),
        pytest.param(b"<is><t", b"<is><rPh><t>x</t></rPh><t", id="a reading aid"),
        pytest.param(b"<row r=", b'<x:row xmlns:x="y" r="1"/><row r=', id="a row with a prefix"),
        pytest.param(b"</sheetData>", b'</sheetData><extLst><row r="1"/></extLst>', id="a row beside the data"),
        pytest.param(b"</sheetData>", b"</sheetData><sheetData/>", id="two tables"),
        pytest.param(b"</row>", b"ANULADA</row>", id="a text outside of a cell"),
        pytest.param(b"<sheetData>", b"<!DOCTYPE x [<!ENTITY e 'ANULADA'>]><sheetData>", id="entities"),
        pytest.param(b"<is><t", b"<f>1+1</f><is><t", id="a formula"),
        pytest.param(b't="inlineStr"><is>', b't="s"><is>', id="a text that is kept elsewhere"),
        pytest.param(b"</is></c>", b"</is><v>1</v></c>", id="a text and a number"),
        pytest.param(b"</worksheet>", b"", id="half a sheet"),
    ],
)
def test_another_form_is_refused(workbook, old, new):
    with pytest.raises(Odd):
        list(sheet_rows(edited(workbook, SHEET, swapped(old, new)), RESULTS, BOUNDS))


@pytest.mark.parametrize("content", [rb'\1 t="b"><v>2', rb"\1><v>1 000 "], ids=["truth", "number"])
def test_a_number_and_a_truth_value_have_one_form(workbook, content):
    number = re.compile(rb'(<c r="[A-Z]+2" s="\d+")><v>')
    changed = edited(workbook, SHEET, lambda text: number.sub(content, text, count=1))

    with pytest.raises(Odd):
        list(sheet_rows(changed, RESULTS, BOUNDS))


def test_the_tab_counts_and_not_the_name_of_the_part(workbook):
    """What a person sees under «Resultados» is what is compared."""
    other = edited(workbook, BOOK, lambda text: text.replace(RESULTS.encode(), b"Otra", 1))
    hidden = edited(workbook, BOOK, lambda text: re.sub(rb'(name="Resultados"[^>]*state=")visible', rb"\1hidden", text))

    for changed in (other, hidden):
        with pytest.raises(Odd):
            list(sheet_rows(changed, RESULTS, BOUNDS))


@pytest.mark.parametrize("part", ["xl/vbaProject.bin", "xl/externalLinks/externalLink1.xml", "xl/sharedStrings.xml"])
def test_a_part_that_we_never_write_is_refused(workbook, part):
    with pytest.raises(Odd):
        list(sheet_rows(edited(workbook, BOOK, lambda text: text + b"\n", **{part: b"<x/>"}), RESULTS, BOUNDS))


def test_a_bomb_is_not_unpacked(workbook):
    bomb = edited(workbook, SHEET, lambda text: text.replace(b"</sheetData>", b" " * 50_000_000 + b"</sheetData>"))
    with pytest.raises(Odd):
        list(sheet_rows(bomb, RESULTS, BOUNDS))
    with pytest.raises(Odd):
        list(sheet_rows(workbook, RESULTS, Limits(unpacked=10_000)))


@pytest.mark.parametrize("data", [b"", b"PK", b"no es un libro", b"PK\x05\x06" + b"\0" * 18])
def test_what_is_no_workbook_is_a_fault_of_the_pack(case, repack, data):
    found = check(repack(case.pack(), {"resultados.xlsx": data}))

    assert "no se puede leer: no es un libro como los que escribe anular." in [fault.words for fault in found.faults]
