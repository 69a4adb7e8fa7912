"""Entries 53 to 76: what calls itself a workbook and is something else, is broken, or is meant to hurt."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

from tests.corpus.entry import REASON, A, Read, Refused, Theme
from tests.corpus.parts import GOOD, GOOD_ROWS, SHEET, TYPES, Content, book, packed, parts, sheet, with_strings

theme = Theme()

GOOD_BOOK = book(sheet(*GOOD))
CSV = f"cufe,motivo\n{A},{REASON}\n".encode()
HTML = f"<html><body><table><tr><td>CUFE</td><td>Motivo</td></tr><tr><td>{A}</td></tr></table></body></html>".encode()
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
SUSPICIOUS = "no es seguro de abrir"


def zipped(*names: str, content: Content = "x") -> bytes:
    return packed(dict.fromkeys(names, content))


theme.add(53, "html_as.xls", "refused: no Excel", HTML, Refused("tipo-otro", says="una página web"))
theme.add(54, "html_as.xlsx", "refused: no Excel", HTML, Refused("tipo-otro", says="una página web"))
theme.add(55, "csv_as.xlsx", "the content decides", CSV, Refused("tipo-extension", says="contiene texto CSV"))
theme.add(56, "xlsx_as.csv", "the content decides", GOOD_BOOK, Refused("tipo-extension", says="un libro de Excel"))
theme.add(57, "legacy.xls", "refused", OLE, Refused("tipo-otro", says="guárdelo como «Libro de Excel (.xlsx)»"))
theme.add(
    58,
    "encrypted.xlsx",
    "refused: protected",
    OLE + "EncryptedPackage".encode("utf-16-le"),
    Refused("tipo-protegido", says="protegido con contraseña"),
)
MACROS = book(sheet(*GOOD), more={"xl/vbaProject.bin": OLE})
theme.add(59, "macro.xlsm", "refused", MACROS, Refused("tipo-macros"))
theme.add(60, "macro_renamed.xlsx", "refused", MACROS, Refused("tipo-macros", says="contiene macros"))
theme.add(
    61,
    "xlsb.xlsb",
    "refused",
    zipped(TYPES, "xl/workbook.bin", "xl/worksheets/sheet1.bin"),
    Refused("tipo-desconocido"),
)
theme.add(
    61,
    "xlsb.xlsx",
    "refused, also under another name",
    zipped(TYPES, "xl/workbook.bin", "xl/worksheets/sheet1.bin"),
    Refused("tipo-otro", says=".xlsb"),
)
ODS = zipped("mimetype", "content.xml", "META-INF/manifest.xml")
theme.add(62, "ods.ods", "refused", ODS, Refused("tipo-desconocido"))
theme.add(62, "ods.xlsx", "refused, also under another name", ODS, Refused("tipo-otro", says="LibreOffice"))
theme.add(63, "pdf.xlsx", "refused", b"%PDF-1.7\n%\xe2\xe3\n", Refused("tipo-otro", says="un PDF"))
theme.add(64, "docx.xlsx", "refused", zipped(TYPES, "word/document.xml"), Refused("tipo-otro", says="Word"))
theme.add(65, "zip_random.xlsx", "refused", zipped("a.txt", "b/c.txt"), Refused("tipo-otro", says="comprimido"))
theme.add(66, "truncated.xlsx", "refused", GOOD_BOOK[: len(GOOD_BOOK) // 2], Refused("xlsx-danado"))


@theme(67, "crc_bad.xlsx", "refused", Refused("xlsx-danado"))
def crc_bad() -> bytes:
    """One character of the worksheet changed, after its checksum was made."""
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w", zipfile.ZIP_STORED) as container:
        for name, content in parts(sheet(*GOOD)).items():
            container.writestr(name, content)
    return stored.getvalue().replace(A.encode(), A[:-1].encode() + b"0")


theme.add(68, "empty.xlsx", "refused", b"", Refused("archivo-vacio"))


def bomb(size: int) -> bytes:
    """A workbook whose strings are one string of ``size`` bytes."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as container:
        for name, content in parts(sheet(*GOOD)).items():
            container.writestr(name, content)
        with container.open("xl/sharedStrings.xml", "w") as stream:
            block = b"a" * 1_000_000
            for _ in range(size // len(block)):
                stream.write(block)
    return target.getvalue()


@theme(69, "bomb_ratio.xlsx", "refused by its ratio", Refused("xlsx-sospechoso", says="comprimido de forma anormal"))
def bomb_ratio() -> bytes:
    return bomb(150_000_000)


@theme(69, "bomb_size.xlsx", "refused by its size", Refused("xlsx-desempacado", says="más de 200 MB. Divida"))
def bomb_size() -> bytes:
    return bomb(300_000_000)


@theme(69, "bomb_lying.xlsx", "refused, though the directory says ten bytes", Refused("xlsx-danado"))
def bomb_lying() -> bytes:
    return bomb(50_000_000).replace(struct.pack("<L", 50_000_000), struct.pack("<L", 10))


@theme(70, "bomb_overlap.xlsx", "refused", Refused("xlsx-sospechoso", says="se superponen"))
def bomb_overlap() -> bytes:
    """Two directory entries of one name and size point at the same bytes, as in a bomb of overlapping members."""
    data = book(sheet(*GOOD), more={"xl/a.xml": "<a/>" * 50, "xl/b.xml": "<a/>" * 50})
    with zipfile.ZipFile(io.BytesIO(data)) as container:
        first, second = container.getinfo("xl/a.xml"), container.getinfo("xl/b.xml")
    old = struct.pack("<L", second.header_offset) + b"xl/b.xml"
    return data.replace(old, struct.pack("<L", first.header_offset) + b"xl/b.xml")


@theme(71, "bomb_many.xlsx", "refused", Refused("xlsx-sospechoso", says="más de 200 partes"))
def bomb_many() -> bytes:
    """100,000 empty members, written by hand: the library takes seconds for that."""
    local, directory, count = bytearray(), bytearray(), 0
    for count in range(1, 100_001):
        name = b"xl/%06d.xml" % count
        head = struct.pack("<5H3L2H", 20, 0, 0, 0, 33, zlib.crc32(b""), 0, 0, len(name), 0)
        directory += b"PK\x01\x02" + struct.pack("<H", 20) + head + struct.pack("<3H2L", 0, 0, 0, 0, len(local)) + name
        local += b"PK\x03\x04" + head + name
    wide = len(local) + len(directory)
    end64 = b"PK\x06\x06" + struct.pack("<Q2H2L4Q", 44, 45, 45, 0, 0, count, count, len(directory), len(local))
    locator = b"PK\x06\x07" + struct.pack("<LQL", 0, wide, 1)
    end = b"PK\x05\x06" + struct.pack("<4H2LH", 0, 0, 0xFFFF, 0xFFFF, len(directory), len(local), 0)
    return bytes(local + directory + end64 + locator + end)


@theme(
    72, "dup_member.xlsx", "refused: two readers would see two tables", Refused("xlsx-sospechoso", says="dos partes")
)
def dup_member() -> bytes:
    data = book(sheet(*GOOD), more={"xl/worksheets/sheet9.xml": sheet(GOOD[0])})
    return data.replace(b"xl/worksheets/sheet9.xml", SHEET.encode())


theme.add(
    73,
    "zip_slip.xlsx",
    "refused",
    book(sheet(*GOOD), more={"../../x": "x"}),
    Refused("xlsx-sospechoso", says="sale de su carpeta"),
)

LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ja"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>'
)
ENTITIES = Refused("xlsx-sospechoso", says="define entidades XML")


def laughing(part: str) -> bytes:
    """The part with entities that would grow a thousandfold."""
    content = parts(sheet(*GOOD))
    old = str(content.get(part, "<sst><si><t>x</t></si></sst>"))
    return packed({**content, part: LAUGHS + old.partition("?>\n")[2].replace(REASON, "&c;")})


theme.add(74, "billion_laughs_sheet.xlsx", "refused", laughing(SHEET), ENTITIES)
theme.add(74, "billion_laughs_workbook.xlsx", "refused", laughing("xl/workbook.xml"), ENTITIES)
theme.add(74, "billion_laughs_strings.xlsx", "refused", laughing("xl/sharedStrings.xml"), ENTITIES)


def outside(address: str) -> bytes:
    """A worksheet whose first reason would be what lies at ``address``."""
    declared = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "{address}">]>'
    return book(declared + sheet(*GOOD).partition("?>\n")[2].replace(REASON, "&e;", 1))


theme.add(75, "xxe_file.xlsx", "refused, and nothing is opened", outside("file:///etc/hostname"), ENTITIES)
theme.add(76, "xxe_http.xlsx", "refused, and nothing is asked for", outside("http://127.0.0.1:9/x"), ENTITIES)


def promising(count: str) -> bytes:
    strings = (
        f'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" count="1" uniqueCount="{count}"/>'
    )
    return with_strings(strings, *GOOD)


theme.add(
    76,
    "strings_promised.xlsx",
    "four billion strings are promised, for which the reader would make room: refused",
    promising("4000000000"),
    Refused("xlsx-sospechoso", says="promete más textos"),
)
theme.add(76, "strings_none.xlsx", "no strings are promised, none are there: read", promising("0"), Read(GOOD_ROWS))
