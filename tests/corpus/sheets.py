"""Entries 77 to 93 and 102 to 109: what worksheets hold beside their values, their layout, and who wrote them."""

from __future__ import annotations

import io
import zipfile

from pipeline.domain.eligibility import Rules
from tests.corpus.entry import REASON, A, B, C, D, Read, Refused, Theme, cufe
from tests.corpus.parts import (
    GOOD,
    GOOD_ROWS,
    HEADER,
    MAIN,
    PACKAGE,
    RELATION,
    book,
    cell,
    packed,
    parts,
    row,
    shared,
    sheet,
    with_strings,
)

theme = Theme()

FAR = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
HUNDRED = [HEADER, *(row(n + 1, cufe(n), REASON) for n in range(1, 101))]
HIDDEN = ' hidden="1"'

theme.add(
    77,
    "far_cell.xlsx",
    "refused before anything makes room for it",
    book(sheet(*GOOD, FAR)),
    Refused("xlsx-lejos", says="Hoja1!XFD1048576"),
)
for name, dimension in (("dimension_lie_small.xlsx", "A1:B3"), ("dimension_lie_huge.xlsx", "A1:XFD1048576")):
    theme.add(
        78 if "small" in name else 79,
        name,
        "all 100 rows are read",
        book(sheet(*HUNDRED, before=f'<dimension ref="{dimension}"/>')),
        Read({n + 1: (cufe(n), REASON) for n in range(1, 101)}),
    )

# --- hidden rows, columns and sheets

HIDDEN_ROWS = book(sheet(*GOOD, row(4, C, REASON, attributes=HIDDEN), row(5, D, REASON, attributes=HIDDEN)))
FOUR_ROWS = {**GOOD_ROWS, 4: (C, REASON), 5: (D, REASON)}
FILTERED = book(
    sheet(
        HEADER,
        row(2, A, REASON),
        row(3, B, REASON, attributes=HIDDEN),
        after='<autoFilter ref="A1:B3"><filterColumn colId="1"><filters><filter val="x"/></filters></filterColumn>'
        "</autoFilter>",
    )
)
HIDDEN_COLUMN = book(
    sheet(
        row(1, "CUFE", "Motivo", "Correo"),
        row(2, A, REASON, "ana@x.pa"),
        before='<cols><col min="3" max="3" width="9" hidden="1"/></cols>',
    )
)
ASKED = {"include_hidden": True}

theme.add(
    80,
    "hidden_rows.xlsx",
    "refused: what nobody sees is not sent by surprise (D7)",
    HIDDEN_ROWS,
    Refused("xlsx-ocultas", "Hoja1", "2 filas ocultas o filtradas con datos: filas 4, 5"),
)
theme.add(
    80,
    "hidden_rows_included.xlsx",
    "read with --include-hidden, counted and flagged",
    HIDDEN_ROWS,
    Read(
        FOUR_ROWS,
        warnings={4: ("fila-oculta",), 5: ("fila-oculta",)},
        notes=("Se incluyen 2 filas ocultas o filtradas: filas 4, 5.",),
    ),
    options=ASKED,
)
theme.add(
    80,
    "hidden_row_empty.xlsx",
    "a hidden row without data is no matter",
    book(sheet(*GOOD, row(4, attributes=HIDDEN))),
    Read(GOOD_ROWS),
)
theme.add(
    81,
    "autofilter.xlsx",
    "refused (D7)",
    FILTERED,
    Refused("xlsx-ocultas", "Hoja1", "1 fila oculta o filtrada con datos: fila 3"),
)
theme.add(
    81,
    "autofilter_included.xlsx",
    "read with --include-hidden, counted and flagged",
    FILTERED,
    Read(GOOD_ROWS, warnings={3: ("fila-oculta",)}, notes=("Se incluye 1 fila oculta o filtrada: fila 3.",)),
    options=ASKED,
)
theme.add(
    82,
    "hidden_col.xlsx",
    "refused (D7)",
    HIDDEN_COLUMN,
    Refused("xlsx-ocultas", "Hoja1", "1 columna oculta con datos: columna C"),
)
theme.add(
    82,
    "hidden_col_included.xlsx",
    "read with --include-hidden, and said",
    HIDDEN_COLUMN,
    Read({2: (A, REASON, "ana@x.pa")}, notes=("Se incluye 1 columna oculta: columna C.",)),
    options=ASKED,
)
BAD_FILTER = (
    '<autoFilter ref="A1:ZZZZ9"><filterColumn colId="x"><customFilters><customFilter operator="?"/></customFilters>'
)
theme.add(
    83,
    "bad_autofilter.xlsx",
    "a filter that cannot be understood but hides nothing is no matter: nobody here reads filters, only hidden rows",
    book(sheet(*GOOD, after=f"{BAD_FILTER}</filterColumn></autoFilter>")),
    Read(GOOD_ROWS),
)
theme.add(
    83,
    "bad_autofilter_hides.xlsx",
    "and if it hides something, that is refused",
    book(sheet(*GOOD[:2], row(3, B, REASON, attributes=HIDDEN), after=f"{BAD_FILTER}</filterColumn></autoFilter>")),
    Refused("xlsx-ocultas", "Hoja1", "fila 3"),
)
OTHER = sheet(HEADER, row(2, C, REASON))
TWO = book(sheet(*GOOD), OTHER)
theme.add(84, "two_sheets.xlsx", "refused", TWO, Refused("xlsx-varias-hojas", says="«Hoja1», «Hoja2»"))
theme.add(
    84,
    "two_sheets_named.xlsx",
    "read when one is named, and the other is said to be left out",
    TWO,
    Read({2: (C, REASON)}, notes=("otras hojas con datos que no se leyeron: «Hoja1».",)),
    options={"sheet": "Hoja2"},
)
theme.add(
    84,
    "second_sheet_without_header.xlsx",
    "the sheet with the header is read, the other is said to be left out; with codes it is refused (entry 242)",
    book(sheet(*GOOD), sheet(row(1, "Resumen", REASON))),
    Read(GOOD_ROWS, notes=("otras hojas con datos que no se leyeron: «Hoja2».",)),
)
for number, state in ((85, "hidden"), (86, "veryHidden")):
    theme.add(
        number,
        f"{'hidden' if number == 85 else 'very_hidden'}_sheet.xlsx",
        "the visible sheet is read (interface.md 4), the hidden one is said to be left out",
        book(sheet(*GOOD), OTHER, states={2: state}),
        Read(GOOD_ROWS, notes=("hojas ocultas con datos que no se leyeron: «Hoja2».",)),
    )
    theme.add(
        number,
        f"only_{state}.xlsx",
        "when only a hidden sheet has the header, that is said",
        book(sheet(row(1, "Notas")), OTHER, states={2: state}),
        Refused("xlsx-hoja-oculta", says="«Hoja2» está oculta"),
    )
theme.add(
    85,
    "hidden_sheet_named.xlsx",
    "named and asked for, all its rows count as hidden",
    book(sheet(*GOOD), OTHER, states={2: "hidden"}),
    Read(
        {2: (C, REASON)},
        warnings={2: ("fila-oculta",)},
        notes=("otras hojas con datos", "Se incluye 1 fila oculta o filtrada: fila 2."),
    ),
    options={"sheet": "Hoja2", **ASKED},
)
theme.add(
    87,
    "merged_motivo.xlsx",
    "refused: three of four rows would have no reason",
    book(
        sheet(
            HEADER,
            row(2, A, REASON),
            *(row(n, cufe(n), "") for n in (3, 4, 5)),
            after='<mergeCells count="1"><mergeCell ref="B2:B5"/></mergeCells>',
        )
    ),
    Refused("xlsx-combinadas", "Hoja1", "celdas combinadas de varias filas entre los datos: B2:B5"),
)

# --- formulas


def formula(address: str, words: str, value: str = "", kind: str = ' t="str"') -> str:
    cached = f"<v>{value}</v>" if value else ""
    return f'<c r="{address}"{kind}><f>{words}</f>{cached}</c>'


NO_VALUE = book(
    sheet(HEADER, row(2, more=formula("A2", '"FE"&amp;"01"', kind="") + cell("B2", REASON)), row(3, B, REASON))
)
CACHED = book(
    sheet(HEADER, row(2, more=formula("A2", "D2", A) + formula("B2", "D3", REASON)), row(3, B, REASON)),
)
theme.add(
    88,
    "formula_nocache.xlsx",
    "the row is rejected with its cell, the others go on",
    NO_VALUE,
    Read({2: (None, REASON), 3: (B, REASON)}, {2: (("celda-formula-vacia", "Hoja1!A2"),)}),
)
theme.add(
    88,
    "formula_nocache_accepted.xlsx",
    "and stays rejected with --accept-formulas: there is nothing to accept",
    NO_VALUE,
    Read(2, {2: (("celda-formula-vacia", "Hoja1!A2"),)}),
    rules=Rules(accept_formulas=True),
)
theme.add(
    89,
    "formula_cached.xlsx",
    "the row is rejected: its value may be stale",
    CACHED,
    Read(GOOD_ROWS, {2: (("celda-formula", "Hoja1!A2"), ("celda-formula", "Hoja1!B2"))}),
)
theme.add(
    89,
    "formula_cached_accepted.xlsx",
    "taken with --accept-formulas, and each cell flagged",
    CACHED,
    Read(GOOD_ROWS, warnings={2: ("formula-aceptada", "formula-aceptada")}),
    rules=Rules(accept_formulas=True),
)
theme.add(
    89,
    "formula_cached_number.xlsx",
    "a formula that gives a number is rejected as a number, accepted or not",
    book(sheet(HEADER, row(2, more=formula("A2", "1+1", "2", kind="") + cell("B2", REASON)), row(3, B, REASON))),
    Read(2, {2: (("celda-numero", "Hoja1!A2"),)}),
    rules=Rules(accept_formulas=True),
)

# --- parts that lead outside


def linked(part: str, content: str, kind: str) -> bytes:
    """A workbook with one more part that the book refers to."""
    plain = parts(sheet(*GOOD))
    name = "xl/_rels/workbook.xml.rels"
    relation = f'<Relationship Id="rId8" Type="{RELATION}/{kind}" Target="{part.removeprefix("xl/")}"/></Relationships>'
    return packed({**plain, name: str(plain[name]).replace("</Relationships>", relation), part: content})


EXTERNAL = Refused("xlsx-externo", says="vínculos a otros libros")
LINK = "xl/externalLinks/externalLink1.xml"
theme.add(
    90,
    "external_link.xlsx",
    "refused",
    linked(LINK, f'<externalLink xmlns="{MAIN}"><externalBook/></externalLink>', "externalLink"),
    EXTERNAL,
)
theme.add(
    91,
    "dde.xlsx",
    "refused",
    linked(
        LINK,
        f'<externalLink xmlns="{MAIN}"><ddeLink ddeService="cmd" ddeTopic="/C calc"/></externalLink>',
        "externalLink",
    ),
    EXTERNAL,
)
theme.add(
    91,
    "external_elsewhere.xlsx",
    "refused, wherever the part lies and however its relation is quoted",
    packed(
        {
            **parts(sheet(*GOOD)),
            "xl/worksheets/_rels/sheet1.xml.rels": f"<Relationships xmlns='{PACKAGE}/relationships'><Relationship "
            f"Id='rId1' Type='{RELATION}/externalLink' Target='../a.xml'/></Relationships>",
        }
    ),
    EXTERNAL,
)
theme.add(
    92,
    "hyperlink.xlsx",
    "read as text",
    book(
        sheet(*GOOD, after='<hyperlinks><hyperlink ref="A2" r:id="rId1"/></hyperlinks>'),
        more={
            "xl/worksheets/_rels/sheet1.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship '
            f'Id="rId1" Type="{RELATION}/hyperlink" Target="https://x.example/" TargetMode="External"/></Relationships>'
        },
    ),
    Read(GOOD_ROWS),
)
theme.add(
    93,
    "data_connection.xlsx",
    "refused",
    linked("xl/connections.xml", f'<connections xmlns="{MAIN}"/>', "connections"),
    Refused("xlsx-consulta", says="Consultas y conexiones > Eliminar"),
)

# --- where the header stands, and rows in odd places

theme.add(
    102,
    "two_headers.xlsx",
    "refused",
    book(sheet(*GOOD, row(4, "CUFE", "Motivo"), row(5, C, REASON))),
    Refused("dos-encabezados", "Hoja1", "filas 1 y 4"),
)
theme.add(
    103,
    "title_rows.xlsx",
    "the header is found below the title",
    book(sheet(row(1, "Anulaciones de noviembre"), row(3, "CUFE", "Motivo"), row(4, A, REASON), row(5, B, REASON))),
    Read({4: (A, REASON), 5: (B, REASON)}, notes=("El encabezado está en la fila 3",)),
)
theme.add(
    103,
    "title_too_long.xlsx",
    "a header below the tenth row is named",
    book(sheet(*(row(n, "Título") for n in range(1, 11)), row(11, "CUFE", "Motivo"), row(12, A, REASON))),
    Refused("encabezado-abajo", "Hoja1", "El encabezado está en la fila 11"),
)
theme.add(
    104,
    "row_gaps.xlsx",
    "rows keep their numbers",
    book(sheet(HEADER, row(5, A, REASON), row(90, B, REASON))),
    Read(
        {5: (A, REASON), 90: (B, REASON)},
        notes=(
            "Filas en blanco que no se tomaron en cuenta: 87",
            "Después de más de 20 filas vacías hay más: fila 90.",
        ),
    ),
)
theme.add(
    105,
    "unsorted_r.xlsx",
    "refused",
    book(sheet(HEADER, row(3, B, REASON), row(2, A, REASON))),
    Refused("xlsx-desorden", says="«Hoja1»"),
)
theme.add(
    106,
    "dup_cell.xlsx",
    "refused",
    book(sheet(HEADER, row(2, A, REASON, more=cell("B2", "otro motivo cualquiera")))),
    Refused("xlsx-desorden", says="«Hoja1»"),
)

# --- as other programs write

PURL = "http://purl.oclc.org/ooxml"


def strict() -> bytes:
    """ISO strict: every namespace and relation type has another name."""
    content = {
        name: str(part)
        .replace(MAIN, f"{PURL}/spreadsheetml/main")
        .replace(RELATION, f"{PURL}/officeDocument/relationships")
        for name, part in parts(sheet(*GOOD)).items()
    }
    return packed(
        {
            **content,
            "xl/workbook.xml": content["xl/workbook.xml"].replace("<workbook ", '<workbook conformance="strict" '),
        }
    )


theme.add(107, "strict_ooxml.xlsx", "read as it is", strict(), Read(GOOD_ROWS))
theme.add(
    108,
    "google_export.xlsx",
    "read as it is",
    with_strings(
        shared("<t>CUFE</t>", "<t>Motivo</t>", f"<t>{A}</t>", f"<t>{REASON}</t>", f"<t>{B}</t>"),
        *(
            f'<row r="{n}"><c r="A{n}" s="1" t="s"><v>{one}</v></c><c r="B{n}" s="2" t="s"><v>{two}</v></c>'
            f'<c r="C{n}" s="3"/></row>'
            for n, one, two in ((1, 0, 1), (2, 2, 3), (3, 4, 3))
        ),
        '<row r="4"><c r="A4" s="1"/></row>',
    ),
    Read(GOOD_ROWS),
)


def libreoffice() -> bytes:
    """As LibreOffice Calc writes: every attribute spelled out, also those that say no."""
    no = 'customFormat="false" ht="12.8" hidden="false" customHeight="false" outlineLevel="0" collapsed="false"'
    rows = [
        f'<row r="{n}" {no}><c r="A{n}" s="0" t="s"><v>{one}</v></c><c r="B{n}" s="0" t="s"><v>{two}</v></c></row>'
        for n, one, two in ((1, 0, 1), (2, 2, 3), (3, 4, 3))
    ]
    strings = shared(
        *(f'<t xml:space="preserve">{text}</t>' for text in ("CUFE", "Motivo", A, REASON, B)),
    )
    data = with_strings(strings, *rows)
    before = (
        '<sheetPr filterMode="false"><pageSetUpPr fitToPage="false"/></sheetPr><dimension ref="A1:B3"/>'
        '<cols><col collapsed="false" customWidth="false" hidden="false" outlineLevel="0" max="16384" min="1" '
        'style="0" width="11.53"/></cols>'
    )
    plain = parts(sheet(*rows, before=before))
    return _with_part(data, "xl/worksheets/sheet1.xml", str(plain["xl/worksheets/sheet1.xml"]))


def _with_part(data: bytes, name: str, content: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as container:
        return packed({**{each: container.read(each) for each in container.namelist()}, name: content})


theme.add(109, "libreoffice.xlsx", "read as it is", libreoffice(), Read(GOOD_ROWS))
