"""Where fuzzing starts: small files and answers made by recipes, one of every kind that the program meets."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from xml.sax.saxutils import escape

from pipeline.domain.cufe import check_digit

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main"
RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
REASON = "Error en el monto facturado"


def cufe(number: int = 1) -> str:
    """A valid, fictional test document."""
    body = f"FE0120000155668001-2-2018-37078920261118{number:010d}006012{number:09d}"
    return body + check_digit(body)


# ------------------------------------------------------------------------------------------------- workbooks


def text_cell(address: str, text: str) -> str:
    return f'<c r="{address}" t="inlineStr"><is><t xml:space="preserve">{escape(text)}</t></is></c>'


def row(number: int, *cells: str, attributes: str = "") -> str:
    """A row of texts in columns A, B, ...; an empty text leaves its cell out."""
    inside = "".join(text_cell(f"{chr(65 + place)}{number}", text) for place, text in enumerate(cells) if text)
    return f'<row r="{number}"{attributes}>{inside}</row>'


def worksheet(*rows: str, before: str = "", after: str = "", main: str = MAIN) -> str:
    root = f'<worksheet xmlns="{main}" xmlns:r="{RELATION}">'
    return f"{HEAD}{root}{before}<sheetData>{''.join(rows)}</sheetData>{after}</worksheet>"


def pack(parts: Mapping[str, str | bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """``parts`` as a zip; the same parts give the same bytes."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", compression) as container:
        for name, content in parts.items():
            container.writestr(zipfile.ZipInfo(name), content, compression)
    return target.getvalue()


def parts_of(*sheets: str, strings: str | None = None, styles: str | None = None) -> dict[str, str | bytes]:
    """The parts of a workbook with these worksheets, named Hoja1, Hoja2, ..."""
    numbers = range(1, len(sheets) + 1)
    more = {"sharedStrings": strings, "styles": styles}
    extra = {name: content for name, content in more.items() if content is not None}
    tabs = "".join(f'<sheet name="Hoja{n}" sheetId="{n}" r:id="rId{n}"/>' for n in numbers)
    links = "".join(
        f'<Relationship Id="rId{n}" Type="{RELATION}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in numbers
    ) + "".join(f'<Relationship Id="x{n}" Type="{RELATION}/{n}" Target="{n}.xml"/>' for n in extra)
    kinds = "".join(
        f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{KIND}.worksheet+xml"/>' for n in numbers
    ) + "".join(f'<Override PartName="/xl/{n}.xml" ContentType="{KIND}.{n}+xml"/>' for n in extra)
    return {
        "[Content_Types].xml": f'{HEAD}<Types xmlns="{PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{KIND}.sheet.main+xml"/>{kinds}</Types>',
        "_rels/.rels": f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{RELATION}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'{HEAD}<workbook xmlns="{MAIN}" xmlns:r="{RELATION}"><sheets>{tabs}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships">{links}</Relationships>',
        **{f"xl/worksheets/sheet{n}.xml": content for n, content in enumerate(sheets, 1)},
        **{f"xl/{name}.xml": content for name, content in extra.items()},
    }


def workbooks() -> list[bytes]:
    header, first = row(1, "CUFE", "Motivo", "Nota"), row(2, cufe(1), REASON, "a")
    kinds = (
        '<row r="3" spans="1:4" ht="15"><c r="A3" t="s"><v>0</v></c><c r="B3" t="s" s="1"><v>1</v></c>'
        '<c r="C3" s="1"><v>46000</v></c><c r="D3" t="b"><v>1</v></c></row>'
        '<row r="5" hidden="1"/><row r="6"><c r="A6" t="str"><f>B6</f><v>x</v></c><c r="B6" t="e"><v>#N/A</v></c></row>'
    )
    strings = (
        f'{HEAD}<sst xmlns="{MAIN}" count="2" uniqueCount="2"><si><t>{cufe(2)}</t></si>'
        f'<si><r><rPr><b/></rPr><t xml:space="preserve">Error </t></r><r><t>en el monto</t></r>'
        "<rPh><t>z</t></rPh></si></sst>"
    )
    styles = (
        f'{HEAD}<styleSheet xmlns="{MAIN}">'
        '<numFmts count="1"><numFmt numFmtId="164" formatCode="dd/mm/yyyy"/></numFmts>'
        '<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="164"/></cellXfs></styleSheet>'
    )
    around = {
        "before": '<dimension ref="A1:D6"/><cols><col min="4" max="4" hidden="1"/></cols>',
        "after": '<autoFilter ref="A1:D6"/><mergeCells count="1"><mergeCell ref="C3:D3"/></mergeCells>',
    }
    return [
        pack(parts_of(worksheet(header, first))),
        pack(parts_of(worksheet(header, first, kinds), strings=strings, styles=styles)),
        pack(parts_of(worksheet(row(1, "Anulaciones"), row(3, "CUFE", "Motivo"), row(5, cufe(1), REASON), **around))),
        pack(parts_of(worksheet(row(1, "x")), worksheet(header, first))),
        pack(parts_of(worksheet("<row><c t='str'><v>CUFE</v></c><c t='str'><v>Motivo</v></c></row>", first))),
        pack(parts_of(worksheet(header, first, main=STRICT))),
    ]


# ------------------------------------------------------------------------------------------------ CSV files


def csv_files() -> list[bytes]:
    lines = [
        "CUFE;Motivo;Monto",
        f"{cufe(1)};Devolución total de la mercancía;37,35",
        f'{cufe(2)};"a ""b""; c";0012',
        "",
    ]
    text = "\r\n".join(lines)
    return [
        text.encode(),
        text.encode("utf-8-sig"),
        text.encode("cp1252"),
        text.replace(";", "\t").encode("utf-16"),
        text.replace(";", ",").replace("\r\n", "\n").encode(),
        b"sep=|\n" + text.replace(";", "|").encode(),
        f"Lote de noviembre\n\n{text.replace(';', ',')}\r,,\r".encode(),
        f'CUFE,Motivo\n{cufe(1)},"dos\nlineas"\n{cufe(2)},"'.encode(),
    ]


# -------------------------------------------------------------------------------------- what a server says


def answers() -> list[bytes]:
    """A byte that chooses the circumstances (see ``targets.answer``), then the body."""
    bodies: list[object] = [
        {"estado": 2, "codigoRespuestaDgi": "0600", "mensajeRespuesta": "Evento registrado", "cufe": cufe(1)},
        {"estadoEdoc": "11", "codigoRespuesta": "0622", "fechaAutorizacion": "2026-11-20T10:00:00-05:00"},
        {"estado": 99, "errorEdoc": '=HYPERLINK("http://x")\u202e\x1b[31m', "codigoError": 7},
        {"estado": None, "ESTADO": 2},
        [{"estado": 2}],
        2,
    ]
    plain = [json.dumps(body).encode() for body in bodies]
    plain += [b"<html>502</html>", b"", b"[" * 40 + b"]" * 40, b'{"estado": 1e400}', b'{"estado": NaN}', b'\xff{"a":1}']
    return [bytes([choice]) + body for choice in (0, 1, 6, 9) for body in plain]


def waits() -> list[bytes]:
    """``Retry-After`` and, on the second line, ``Date``."""
    date = b"Fri, 20 Nov 2026 15:00:00 GMT"
    return [b"5", b"0", b"-1", b"1e3", b"99999999999", b"", date + b"\n" + date, b"Sun Nov 6 08:49:37 1994\nx"]


def tokens() -> list[bytes]:
    times = {"expedido": "2026-11-20T10:00:00.1234567", "expira": "2026-11-20T11:00:00-05:00"}
    bodies: list[object] = [
        {"token": "eyJhbGciOi.x.y", **times, "codigoError": None},
        {"token": "", "codigoError": "401", "mensajeRespuesta": "Credenciales inválidas"},
        {"token": "a b", "expedido": "0001-01-01T00:00:00", "expira": 5},
        {"TOKEN": "x", "expira": "9999-12-31T23:59:59+23:59", "expedido": "0001-01-02T00:00:00-23:59"},
    ]
    return [json.dumps(body).encode() for body in bodies]
