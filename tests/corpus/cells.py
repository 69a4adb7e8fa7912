"""Entries 94 to 101: cells of a workbook that are no plain text, or plain text in an odd form."""

from __future__ import annotations

from datetime import date

from tests.corpus.entry import REASON, A, B, Read, Refused, Theme
from tests.corpus.parts import (
    GOOD,
    GOOD_ROWS,
    HEADER,
    MAIN,
    RELATION,
    SPREADSHEET,
    TYPES,
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

BAD_FIRST = "Hoja1!A2"


def first_cell(xml: str, more: dict[str, str] | None = None) -> bytes:
    """A workbook whose first code is this cell; the second row is fine."""
    return book(sheet(HEADER, row(2, more=xml + cell("B2", REASON)), row(3, B, REASON)), more=more)


def only(code: str) -> dict[int, tuple[tuple[str, str], ...]]:
    return {2: ((code, BAD_FIRST),)}


def dated() -> bytes:
    """A cell with a date format: the number 46344 is 18 November 2026."""
    plain = parts(
        sheet(HEADER, row(2, more=f'<c r="A2" s="1"><v>46344</v></c>{cell("B2", REASON)}'), row(3, B, REASON)),
    )
    styles = (
        f'<styleSheet xmlns="{MAIN}"><fonts count="1"><font/></fonts><fills count="1"><fill/></fills>'
        '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
        '<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>'
    )
    relations = str(plain["xl/_rels/workbook.xml.rels"]).replace(
        "</Relationships>", f'<Relationship Id="rId7" Type="{RELATION}/styles" Target="styles.xml"/></Relationships>'
    )
    types = str(plain[TYPES]).replace(
        "</Types>", f'<Override PartName="/xl/styles.xml" ContentType="{SPREADSHEET}.styles+xml"/></Types>'
    )
    return packed({**plain, "xl/_rels/workbook.xml.rels": relations, TYPES: types, "xl/styles.xml": styles})


theme.add(
    94,
    "cufe_number.xlsx",
    "rejected with its cell",
    first_cell('<c r="A2"><v>1.2000015566800129E+18</v></c>'),
    Read(2, only("celda-numero")),
)
theme.add(
    95,
    "cufe_date.xlsx",
    "rejected with its cell",
    dated(),
    Read({2: (date(2026, 11, 18), REASON), 3: (B, REASON)}, only("celda-fecha")),
)
theme.add(
    96,
    "cufe_bool.xlsx",
    "rejected with its cell",
    first_cell('<c r="A2" t="b"><v>1</v></c>'),
    Read({2: (True, REASON), 3: (B, REASON)}, only("celda-logica")),
)
theme.add(
    97,
    "cufe_error.xlsx",
    "rejected with its cell, the error is kept as the person sees it",
    first_cell('<c r="A2" t="e"><v>#N/A</v></c>'),
    Read({2: ("#N/A", REASON), 3: (B, REASON)}, only("celda-error")),
)
theme.add(
    97,
    "cufe_error_of_formula.xlsx",
    "and so is one that a formula came to",
    first_cell('<c r="A2" t="e"><f>VLOOKUP(1,D:E,2)</f><v>#REF!</v></c>'),
    Read({2: ("#REF!", REASON), 3: (B, REASON)}, only("celda-error")),
)
RICH = f'<r><rPr><b/></rPr><t>{A[:20]}</t></r><r><t xml:space="preserve">{A[20:]}</t></r>'
theme.add(
    98,
    "rich_text.xlsx",
    "the pieces are one text; what is written above a character (phonetics) is none of it",
    with_strings(
        shared(RICH, f'<t>{REASON}</t><rPh sb="0" eb="1"><t>x</t></rPh>'),
        HEADER,
        '<row r="2"><c r="A2" t="s"><v>0</v></c><c r="B2" t="s"><v>1</v></c></row>',
        row(3, B, REASON),
    ),
    Read(GOOD_ROWS),
)
theme.add(99, "inline_str.xlsx", "read as it is", book(sheet(*GOOD)), Read(GOOD_ROWS))
theme.add(
    100,
    "shared_oob.xlsx",
    "a text that is not there is damage: refused",
    with_strings(
        shared("<t>x</t>"), HEADER, '<row r="2"><c r="A2" t="s"><v>7</v></c><c r="B2" t="s"><v>0</v></c></row>'
    ),
    Refused("xlsx-danado"),
)
theme.add(
    101,
    "x_escape.xlsx",
    "decoded once, as Excel shows it: _x0041_ is A, _x005F_x0041_ is _x0041_, _x000D_ is a line break",
    book(
        sheet(
            row(1, "CUFE", "Motivo", "Nota"),
            row(2, A.replace("A", "_x0041_", 1), "Error_x000D_\nen el _x0041_monto", "_x005F_x0041_ _x41_ _xD83D_"),
        )
    ),
    Read({2: (A, "Error\r\nen el Amonto", "_x0041_ _x41_ _xD83D_")}),
)
theme.add(
    101,
    "x_escape_nul.xlsx",
    "a character that no text holds stays harmless: the row is rejected by it",
    book(sheet(HEADER, row(2, A, "Error en el _x0000_monto"), row(3, B, REASON))),
    Read(2, {2: (("motivo-control", "Hoja1!B2"),)}),
)
