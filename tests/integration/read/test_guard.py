"""What a hostile or broken container may not do: all of it ends in one refusal, nothing is parsed."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.domain.errors import InputRefused
from pipeline.read.container import unpacked
from pipeline.read.guard import open_workbook, resolve
from pipeline.read.limits import Limits
from tests.support.reading import read_sheet

Refusal = Callable[..., InputRefused]
Make = Callable[..., Path]
Xml = Callable[..., str]


@pytest.fixture
def plain(book: Make, sheet_xml: Xml, good_rows: list[str]) -> Path:
    return book(sheet_xml(*good_rows))


@pytest.fixture
def good(sheet_xml: Xml, good_rows: list[str]) -> str:
    return sheet_xml(*good_rows)


def rewritten(path: Path, change: Callable[[zipfile.ZipFile], Any]) -> Path:
    with zipfile.ZipFile(path, "a") as container:
        change(container)
    return path


@pytest.mark.parametrize("keep", [0.2, 0.5, 0.9, 0.99])
def test_a_truncated_workbook_is_damaged(keep: float, plain: Path, refusal: Refusal) -> None:
    data = plain.read_bytes()
    plain.write_bytes(data[: int(len(data) * keep)])
    assert refusal(plain).code == "xlsx-danado"


def test_any_flipped_byte_is_read_alike_or_refused(plain: Path) -> None:
    """Every byte in turn: never another exception, never other values."""
    data = plain.read_bytes()
    expected = read_sheet(plain).text
    for place in range(0, len(data), 7):
        plain.write_bytes(data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :])
        try:
            assert read_sheet(plain).text.equals(expected)
        except InputRefused:
            continue


@pytest.mark.parametrize(
    ("part", "content", "code"),
    [
        ("xl/vbaProject.bin", b"x", "tipo-macros"),
        ("xl/macrosheets/sheet1.xml", "<a/>", "tipo-macros"),
        ("xl/externalLinks/externalLink1.xml", "<a/>", "xlsx-externo"),
        ("xl/connections.xml", "<a/>", "xlsx-consulta"),
        ("xl/workbook.bin", b"x", "tipo-otro"),
        ("EncryptedPackage", b"x", "tipo-protegido"),
        ("../../x", b"x", "xlsx-sospechoso"),
        ("/etc/x", b"x", "xlsx-sospechoso"),
        ("xl\\x.xml", b"x", "xlsx-nombres"),
        ("..\\x.xml", b"x", "xlsx-sospechoso"),
        ("C:x", b"x", "xlsx-sospechoso"),
        ("XL/Workbook.xml", b"x", "xlsx-sospechoso"),
        ("xl/workbook.xml", None, "tipo-otro"),
        ("[Content_Types].xml", None, "tipo-otro"),
        ("[Content_Types].xml", "<Types/>", "xlsx-danado"),
        ("xl/_rels/workbook.xml.rels", None, "xlsx-danado"),
        ("xl/_rels/workbook.xml.rels", "<a", "xlsx-danado"),
        ("xl/worksheets/sheet1.xml", None, "xlsx-danado"),
        ("xl/worksheets/sheet1.xml", "<worksheet", "xlsx-danado"),
        ("xl/worksheets/sheet1.xml", "<worksheet/>", "sin-filas"),
        ("xl/worksheets/sheet1.xml", b"\xff\xfe<\x00a\x00/\x00>\x00", "xlsx-sospechoso"),
        ("xl/worksheets/sheet1.xml", '<?xml version="1.0" encoding="UTF-7"?><worksheet/>', "xlsx-sospechoso"),
        ("xl/worksheets/sheet1.xml", "<worksheet>\x00</worksheet>", "xlsx-sospechoso"),
    ],
)
def test_a_part_that_should_not_be_there_or_is_missing(
    part: str, content: str | bytes | None, code: str, book: Make, good: str, refusal: Refusal
) -> None:
    assert refusal(book(good, more={part: content})).code == code


@pytest.mark.parametrize(
    "part", ["xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/sharedStrings.xml", "docProps/app.xml"]
)
@pytest.mark.parametrize("case", ["<!DOCTYPE a [<!ENTITY b 'c'>]>", "<!doctype a SYSTEM 'file:///etc/passwd'>"])
def test_entities_are_refused_in_every_part(part: str, case: str, book: Make, good: str, refusal: Refusal) -> None:
    error = refusal(book(good, more={part: f'<?xml version="1.0"?>{case}<a/>'}))
    assert (error.code, "entidades" in error.message) == ("xlsx-sospechoso", True)


@pytest.mark.parametrize("promised", ["4000000000", "9" * 30, "&#52;000000000", ""])
def test_a_part_that_promises_more_strings_than_it_has_is_refused(
    promised: str, book: Make, good: str, refusal: Refusal
) -> None:
    """The reader reserves room for the promise at once; at four billion the process is gone."""
    strings = f'<sst xmlns="x" count="1" uniqueCount="{promised}"><si><t>x</t></si></sst>'
    assert refusal(book(good, more={"xl/sharedStrings.xml": strings})).code == "xlsx-sospechoso"
    honest = strings.replace(promised, "1") if promised else strings.replace('=""', '="1"')
    assert len(read_sheet(book(good, more={"xl/sharedStrings.xml": honest})).cells) == 2


def test_other_kinds_of_zip_are_named(tmp_path: Path, refusal: Refusal) -> None:
    for members, what in (
        (["mimetype", "content.xml"], "LibreOffice"),
        (["[Content_Types].xml", "word/document.xml"], "Word"),
        (["ppt/presentation.xml"], "presentación"),
        (["a.txt"], "comprimido"),
    ):
        path = tmp_path / "lote.xlsx"
        with zipfile.ZipFile(path, "w") as container:
            for name in members:
                container.writestr(name, "x")
        error = refusal(path)
        assert (error.code, what in error.message) == ("tipo-otro", True)


def test_too_many_members_are_refused(plain: Path, refusal: Refusal) -> None:
    rewritten(plain, lambda zf: [zf.writestr(f"x/{n}.xml", "") for n in range(200)])
    assert refusal(plain).code == "xlsx-sospechoso"


def test_a_member_without_a_name_is_refused(plain: Path, refusal: Refusal) -> None:
    """Found by fuzzing: the zip module itself fails on it."""
    nameless = zipfile.ZipInfo("x")
    nameless.filename = ""
    rewritten(plain, lambda zf: zf.writestr(nameless, b"x"))
    assert refusal(plain).code == "xlsx-sospechoso"


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_refused(plain: Path, refusal: Refusal) -> None:
    rewritten(plain, lambda zf: zf.writestr("xl/worksheets/sheet1.xml", "<worksheet/>"))
    assert refusal(plain).code == "xlsx-sospechoso"


def test_a_bomb_is_refused_by_its_ratio_before_it_is_unpacked(
    plain: Path, refusal: Refusal, monkeypatch: pytest.MonkeyPatch
) -> None:
    rewritten(plain, lambda zf: zf.writestr("xl/x.xml", b"a" * 30_000_000, zipfile.ZIP_DEFLATED))
    opened: list[str] = []

    def noting(data: bytes, container: zipfile.ZipFile, member: zipfile.ZipInfo) -> object:
        opened.append(member.filename)
        return unpacked(data, container, member)

    monkeypatch.setattr("pipeline.read.guard.unpacked", noting)
    assert refusal(plain).code == "xlsx-sospechoso"
    assert opened, "the parts before it"
    assert "xl/x.xml" not in opened


def test_a_size_that_lies_does_not_help_a_bomb(plain: Path, refusal: Refusal) -> None:
    """The directory says 10 bytes; what is really unpacked counts, or the damage is noticed."""
    rewritten(plain, lambda zf: zf.writestr("xl/x.xml", b"a" * 30_000_000, zipfile.ZIP_DEFLATED))
    data = plain.read_bytes().replace(struct.pack("<L", 30_000_000), struct.pack("<L", 10))
    plain.write_bytes(data)
    assert refusal(plain).code in ("xlsx-danado", "xlsx-sospechoso")


def test_overlapping_members_are_refused(good: str, book: Make, refusal: Refusal) -> None:
    """The directory entry of a second part points into the bytes of the first."""
    path = book(good, more={"xl/a.xml": "<a/>" * 50, "xl/b.xml": "<a/>" * 50})
    with zipfile.ZipFile(path) as container:
        first, second = container.getinfo("xl/a.xml"), container.getinfo("xl/b.xml")
    data = path.read_bytes()
    before = struct.pack("<L", second.header_offset) + b"xl/b.xml"
    assert data.count(before) == 1
    path.write_bytes(data.replace(before, struct.pack("<L", first.header_offset) + b"xl/b.xml"))
    assert refusal(path).code in ("xlsx-danado", "xlsx-sospechoso")


def test_an_encrypted_member_is_told_as_a_password(plain: Path, refusal: Refusal) -> None:
    data = bytearray(plain.read_bytes())
    place = data.rindex(b"PK\x01\x02")
    data[place + 8] |= 1
    plain.write_bytes(bytes(data))
    assert refusal(plain).code == "tipo-protegido"


def test_the_reader_gets_exactly_the_bytes_that_were_checked(plain: Path) -> None:
    rewritten(plain, lambda zf: zf.writestr("xl/media/image1.png", b"\x89PNG<!DOCTYPE"))
    parts = open_workbook(plain.read_bytes(), plain.name, Limits())
    with zipfile.ZipFile(io.BytesIO(parts.repacked().read())) as container:
        assert {name: container.read(name) for name in container.namelist()} == parts.by_name
    assert "xl/media/image1.png" not in parts.by_name
    assert len(read_sheet(plain).cells) == 2


def test_a_relation_is_resolved_from_its_base() -> None:
    assert resolve("xl/workbook.xml", "worksheets/sheet1.xml") == "xl/worksheets/sheet1.xml"
    assert resolve("xl/workbook.xml", "/xl/worksheets/sheet1.xml") == "xl/worksheets/sheet1.xml"
    assert resolve("xl/workbook.xml", "../xl/./a.xml") == "xl/a.xml"


def test_two_relations_of_one_id_are_damage(book: Make, good: str, refusal: Refusal) -> None:
    one = '<Relationship Id="rId1" Type="x/worksheet" Target="worksheets/sheet1.xml"/>'
    assert refusal(book(good, more={"xl/_rels/workbook.xml.rels": f"<R>{one}{one}</R>"})).code == "xlsx-danado"
