"""Entries 201 to 210: what a person sees when the file is opened, and the program used not to look at (eyes.md 1)."""

from __future__ import annotations

from tests.corpus.csv_rows import codes
from tests.corpus.dressed import comments, dressed, in_runs, looking, row, solid, styles, thread, view
from tests.corpus.entry import REASON, A, B, C, Read, Refused, Theme
from tests.corpus.parts import GOOD, GOOD_ROWS, HEADER, MAIN, book, shared, sheet
from tests.corpus.parts import row as plain_row

theme = Theme()

STRUCK = '<strike/><sz val="11"/>'
CROSSED_OUT = styles('numFmtId="0" fontId="1" fillId="0"', fonts=[STRUCK])
HEAD_ROW = row(1, looking("A1", "CUFE"), looking("B1", "Motivo"))
FIRST = row(2, looking("A2", A), looking("B2", REASON))
ASKED = {"include_hidden": True}


def struck(*columns: str) -> dict[int, tuple[tuple[str, str], ...]]:
    return {3: (("fila-tachada", f"Hoja1!{columns[0]}3"),)}


def second(code: int | None = None, reason: int | None = None, *more: str, attributes: str = "") -> str:
    """The second row of data, with the styles of its cells."""
    return row(3, looking("A3", B, code), looking("B3", REASON, reason), *more, attributes=attributes)


# --- 201: crossed out

for name, says, line, problems in (
    ("struck_row.xlsx", "a row that is crossed out is rejected", second(1, 1), struck("A")),
    ("struck_code.xlsx", "so is one whose code alone is", second(1), struck("A")),
    ("struck_reason.xlsx", "or whose reason alone is", second(None, 1), struck("B")),
):
    theme.add(201, name, says, dressed(HEAD_ROW, FIRST, line, looks=CROSSED_OUT), Read(GOOD_ROWS, problems))
EMAIL_ROW = row(1, looking("A1", "CUFE"), looking("B1", "Motivo"), looking("C1", "Correo"), looking("D1", "Nota"))
theme.add(
    201,
    "struck_email.xlsx",
    "or whose address is",
    dressed(EMAIL_ROW, second(None, None, looking("C3", "ana@x.pa", 1)), looks=CROSSED_OUT),
    Read({3: (B, REASON, "ana@x.pa", None)}, struck("C"), notes=("Filas en blanco",)),
)
theme.add(
    201,
    "struck_note.xlsx",
    "a column that is not used may be crossed out",
    dressed(EMAIL_ROW, second(None, None, looking("D3", "x", 1)), looks=CROSSED_OUT),
    Read({3: (B, REASON, None, "x")}, notes=("Filas en blanco",)),
)
theme.add(
    201,
    "struck_run.xlsx",
    "a part of a code that is crossed out is enough",
    dressed(
        HEAD_ROW,
        FIRST,
        row(3, '<c r="A3" t="s"><v>0</v></c>', looking("B3", REASON)),
        strings=shared(f"<r><t>{B[:60]}</t></r><r><rPr><strike/></rPr><t>{B[60:]}</t></r>"),
    ),
    Read(GOOD_ROWS, struck("A")),
)
theme.add(
    201,
    "struck_inline_run.xlsx",
    "also where the text stands in the cell itself",
    dressed(HEAD_ROW, FIRST, row(3, in_runs("A3", (STRUCK, B[:9]), ("", B[9:])), looking("B3", REASON))),
    Read(GOOD_ROWS, struck("A")),
)
theme.add(
    201,
    "struck_and_new_code.xlsx",
    "an old code that is crossed out and a new one beside it: rejected",
    dressed(
        HEAD_ROW,
        FIRST,
        row(3, '<c r="A3" t="s"><v>0</v></c>', looking("B3", REASON)),
        strings=shared(f'<r><rPr><strike/></rPr><t>{B}</t></r><r><t xml:space="preserve"> {C}</t></r>'),
    ),
    Read({2: (A, REASON), 3: (f"{B} {C}", REASON)}, {3: (("fila-tachada", "Hoja1!A3"), ("cufe-varios", "Hoja1!A3"))}),
)
theme.add(
    201,
    "strike_off.xlsx",
    "a strike that is switched off is none",
    dressed(
        HEAD_ROW, FIRST, second(1, 1), looks=styles('numFmtId="0" fontId="1" fillId="0"', fonts=['<strike val="0"/>'])
    ),
    Read(GOOD_ROWS),
)
theme.add(
    201,
    "struck_by_parent.xlsx",
    "a style that leaves its font to its parent is as the parent",
    dressed(
        HEAD_ROW,
        FIRST,
        second(1),
        looks=styles(
            'numFmtId="0" fontId="0" fillId="0" xfId="1" applyFont="0"',
            fonts=[STRUCK],
            parents='<xf numFmtId="0" fontId="1" fillId="0"/>',
        ),
    ),
    Read(GOOD_ROWS, struck("A")),
)
theme.add(
    201,
    "struck_default.xlsx",
    "and cells that name no style have the first",
    dressed(
        HEAD_ROW,
        FIRST,
        looks=styles().replace('<font><sz val="11"/></font>', f"<font>{STRUCK}</font>", 1),
    ),
    Read({2: (A, REASON)}, {2: (("fila-tachada", "Hoja1!A2"),)}),
)

# --- 202: cells that are there and not seen

CELL = Refused("xlsx-ocultas", "Hoja1", "1 celda que no se ve con datos: celda A3")
PLAIN_FONT = 'numFmtId="0" fontId="1" fillId="0"'
ON_A_FILL = 'numFmtId="0" fontId="1" fillId="2"'
BLUE = 'rgb="FF1F3A5F"'
UNSEEN = {
    "white_rgb.xlsx": ("white letters on no fill", styles(PLAIN_FONT, fonts=['<color rgb="FFFFFFFF"/>'])),
    "white_theme.xlsx": ("white of the theme", styles(PLAIN_FONT, fonts=['<color theme="0"/>'])),
    "white_index.xlsx": ("white of the palette", styles(PLAIN_FONT, fonts=['<color indexed="9"/>'])),
    "nearly_white.xlsx": ("a tint that no eye tells", styles(PLAIN_FONT, fonts=['<color theme="0" tint="-0.05"/>'])),
    "blue_on_blue.xlsx": ("any colour on itself", styles(ON_A_FILL, fonts=[f"<color {BLUE}/>"], fills=[solid(BLUE)])),
    "black_on_black.xlsx": ("black on black", styles(ON_A_FILL, fonts=['<sz val="11"/>'], fills=[solid('theme="1"')])),
    "tiny.xlsx": ("letters of two points", styles(PLAIN_FONT, fonts=['<sz val="2"/>'])),
    "semicolons.xlsx": ("a format that shows nothing", styles('numFmtId="164" fontId="0" fillId="0"', formats=[";;;"])),
    "says_no.xlsx": ("or something else", styles('numFmtId="164" fontId="0" fillId="0"', formats=['"(NO) "@'])),
    "white_format.xlsx": ("or white", styles('numFmtId="164" fontId="0" fillId="0"', formats=["[White]@"])),
}
for name, (says, looks) in UNSEEN.items():
    theme.add(202, name, says, dressed(HEAD_ROW, FIRST, second(1), looks=looks), CELL)
SEEN = {
    "white_on_blue.xlsx": styles(ON_A_FILL, fonts=['<color theme="0"/>'], fills=[solid(BLUE)]),
    "grey.xlsx": styles(PLAIN_FONT, fonts=['<color rgb="FF808080"/><sz val="8"/>']),
    "text_format.xlsx": styles('numFmtId="164" fontId="0" fillId="0"', formats=['_(* #,##0_);_(* "-"_);0;_(@_)']),
    "numbers_hidden.xlsx": styles('numFmtId="164" fontId="0" fillId="0"', formats=[";;"]),
}
for name, looks in SEEN.items():
    theme.add(202, name, "seen: taken", dressed(HEAD_ROW, FIRST, second(1, 1), looks=looks), Read(GOOD_ROWS))
theme.add(
    202,
    "white_run.xlsx",
    "a part of a text that is not seen",
    dressed(
        HEAD_ROW,
        FIRST,
        row(3, '<c r="A3" t="s"><v>0</v></c>', looking("B3", REASON)),
        strings=shared(f'<r><t>{B[:60]}</t></r><r><rPr><color rgb="FFFFFFFF"/></rPr><t>{B[60:]}</t></r>'),
    ),
    CELL,
)
theme.add(
    202,
    "white_included.xlsx",
    "with --include-hidden it is taken, counted and flagged",
    dressed(HEAD_ROW, FIRST, second(1), looks=UNSEEN["white_rgb.xlsx"][1]),
    Read(GOOD_ROWS, warnings={3: ("fila-oculta",)}, notes=("Se incluye 1 celda que no se ve: celda A3.",)),
    options=ASKED,
)
theme.add(
    202,
    "covered.xlsx",
    "what a merged cell of its own row covers is not seen",
    dressed(HEAD_ROW, FIRST, second(), after='<mergeCells><mergeCell ref="A3:B3"/></mergeCells>'),
    Refused("xlsx-ocultas", "Hoja1", "1 celda que no se ve con datos: celda B3"),
)

# --- 203: rows and columns that are next to nothing

LOW = Refused("xlsx-ocultas", "Hoja1", "1 fila oculta o filtrada con datos: fila 3")
for name, said in (("low.xlsx", ' ht="0.75" customHeight="1"'), ("no_height.xlsx", ' customHeight="1"')):
    theme.add(203, name, "a row that is not seen", dressed(HEAD_ROW, FIRST, second(attributes=said)), LOW)
theme.add(
    203,
    "narrow.xlsx",
    "a column that is not seen",
    dressed(HEAD_ROW, FIRST, before='<cols><col min="2" max="2" width="0.2" customWidth="1"/></cols>'),
    Refused("xlsx-ocultas", "Hoja1", "1 columna oculta con datos: columna B"),
)
for name, said in (("default_height.xlsx", 'defaultRowHeight="0"'), ("zero_height.xlsx", 'zeroHeight="1"')):
    theme.add(
        203,
        name,
        "rows without a height of their own have that of the sheet",
        dressed(
            row(1, looking("A1", "CUFE"), looking("B1", "Motivo"), attributes=' ht="15"'),
            row(2, looking("A2", A), looking("B2", REASON), attributes=' ht="15"'),
            second(),
            before=f"<sheetFormatPr {said}/>",
        ),
        LOW,
    )
for name, said in (("default_width.xlsx", 'defaultColWidth="0"'), ("base_width.xlsx", 'baseColWidth="0"')):
    theme.add(
        203,
        name,
        "columns without a width of their own have that of the sheet",
        dressed(HEAD_ROW, FIRST, before=f'<sheetFormatPr {said}/><cols><col min="1" max="1" width="70"/></cols>'),
        Refused("xlsx-ocultas", "Hoja1", "1 columna oculta con datos: columna B"),
    )

# --- 204: comments, threads and conditional formats

for name, part in (("comment.xlsx", comments(("A3", "revisar"))), ("thread.xlsx", thread(("A3", "revisar")))):
    theme.add(
        204,
        name,
        "taken, and said",
        dressed(HEAD_ROW, FIRST, second(), beside=[part]),
        Read(GOOD_ROWS, notes=("1 celda tiene un comentario: A3 «revisar».",)),
    )
for name, part in (
    ("comment_no.xlsx", comments(("A3", "Ojo: NO ANULAR todavía"))),
    ("thread_no.xlsx", thread(("A3", "no se debe anular"))),
):
    theme.add(
        204,
        name,
        "a comment that says no is heeded",
        dressed(HEAD_ROW, FIRST, second(), beside=[part]),
        Read(GOOD_ROWS, {3: (("fila-dice-no", "Hoja1!A3"),)}),
    )
theme.add(
    204,
    "comment_on_heading.xlsx",
    "one on another cell says nothing of a row",
    dressed(HEAD_ROW, FIRST, second(), beside=[comments(("A1", "no anular"), ("F3", "hola"))]),
    Read(GOOD_ROWS),
)
CONDITION = '<cfRule type="expression" priority="1"><formula>$C2=1</formula></cfRule>'
theme.add(
    204,
    "conditional.xlsx",
    "taken, and said",
    dressed(
        HEAD_ROW, FIRST, second(), after=f'<conditionalFormatting sqref="A2:A99 D1">{CONDITION}</conditionalFormatting>'
    ),
    Read(GOOD_ROWS, notes=("2 celdas tienen formato condicional, que puede tachar u ocultar: A2.",)),
)
theme.add(
    204,
    "conditional_newer.xlsx",
    "also one of the newer kind",
    dressed(
        HEAD_ROW,
        FIRST,
        second(),
        after='<extLst><ext xmlns:x14="urn:a" xmlns:xm="urn:b"><x14:conditionalFormattings><x14:conditionalFormatting>'
        "<xm:sqref>B3</xm:sqref></x14:conditionalFormatting></x14:conditionalFormattings></ext></extLst>",
    ),
    Read(GOOD_ROWS, notes=("1 celda tiene formato condicional",)),
)

# --- 205: a column that says no

for word in ("no", "N", "FALSO", "0", "No, ya se hizo"):
    theme.add(
        205,
        f"column_{word.split(',')[0].lower()}_{len(word)}.csv",
        f"a column «¿Anular?» that says {word}",
        f"CUFE;Motivo;¿Anular?\n{A};{REASON};sí\n{B};{REASON};{word}\n".encode(),
        Read({2: (A, REASON, "sí"), 3: (B, REASON, word)}, {3: (("fila-dice-no", "línea 3, columna 3"),)}),
    )
theme.add(
    205,
    "column_false.xlsx",
    "also as a truth value",
    book(
        sheet(
            plain_row(1, "CUFE", "Motivo", "Anular"),
            plain_row(2, A, REASON, more='<c r="C2" t="b"><v>0</v></c>'),
            plain_row(3, B, REASON, more='<c r="C3" t="b"><v>1</v></c>'),
        )
    ),
    Read({2: (A, REASON, False), 3: (B, REASON, True)}, {2: (("fila-dice-no", "Hoja1!C2"),)}),
)

# --- 206: far rows; 207: views

theme.add(
    206,
    "far.csv",
    "a row below more than 20 empty ones is told, and has to be confirmed",
    codes(A).rstrip(b"\r\n") + b"\n" * 22 + f"{B},{REASON}\n".encode(),
    Read(
        {2: (A, REASON), 24: (B, REASON)},
        notes=("Filas en blanco", "Después de más de 20 filas vacías hay más: fila 24."),
    ),
)
theme.add(
    206,
    "twenty.xlsx",
    "20 empty rows are no matter",
    book(sheet(HEADER, plain_row(2, A, REASON), plain_row(23, B, REASON))),
    Read({2: (A, REASON), 23: (B, REASON)}, notes=("Filas en blanco",)),
)
theme.add(
    207,
    "view.xlsx",
    "a view that filters is told, and has to be confirmed",
    dressed(HEAD_ROW, FIRST, second(), beside=[view("Vista de Ana")]),
    Read(GOOD_ROWS, notes=("El libro tiene vistas que filtran filas: «Vista de Ana».",)),
)
theme.add(
    207,
    "view_sorts.xlsx",
    "one that only sorts is no matter",
    dressed(HEAD_ROW, FIRST, second(), beside=[view("Vista de Ana", filters=False)]),
    Read(GOOD_ROWS),
)
theme.add(
    207,
    "custom_view.xlsx",
    "an older custom view that filters is one as well",
    dressed(HEAD_ROW, FIRST, second(), after='<customSheetViews><customSheetView filter="1"/></customSheetViews>'),
    Read(GOOD_ROWS, notes=("El libro tiene vistas que filtran filas: «personalizada».",)),
)

# --- 208: formulas that fill an area

FORMULA = ("celda-formula",)


def filled(kind: str, ref: str) -> bytes:
    return book(
        sheet(
            HEADER,
            f'<row r="2"><c r="A2" t="str"><f {kind} ref="{ref}">X</f><v>{A}</v></c>'
            f'<c r="B2" t="inlineStr"><is><t>{REASON}</t></is></c></row>',
            f'<row r="3"><c r="A3" t="str"><v>{B}</v></c><c r="B3" t="inlineStr"><is><t>{REASON}</t></is></c></row>',
        )
    )


BOTH = {2: (("celda-formula", "Hoja1!A2"),), 3: (("celda-formula", "Hoja1!A3"),)}
theme.add(
    208, "array.xlsx", "every cell that it fills is a formula", filled('t="array"', "A2:A9"), Read(GOOD_ROWS, BOTH)
)
theme.add(
    208, "data_table.xlsx", "of a data table too", filled('t="dataTable" dt2D="1"', "A2:A3"), Read(GOOD_ROWS, BOTH)
)
theme.add(
    208,
    "array_slow.xlsx",
    "however it is spelled",
    filled("\nt='array'", "A2:A3"),
    Read(GOOD_ROWS, BOTH),
)
theme.add(
    208,
    "array_from_heading.xlsx",
    "also when it begins in the heading",
    book(
        sheet(
            '<row r="1"><c r="A1" t="str"><f t="array" ref="A1:A3">X</f><v>CUFE</v></c>'
            '<c r="B1" t="inlineStr"><is><t>Motivo</t></is></c></row>',
            *GOOD[1:],
        )
    ),
    Read(GOOD_ROWS, BOTH),
)

# --- 209: merged cells

theme.add(
    209,
    "merged_in_rows.xlsx",
    "cells merged within their row show what it says: read",
    dressed(
        row(1, looking("A1", "CUFE"), looking("C1", "Motivo")),
        row(2, looking("A2", A), looking("C2", REASON)),
        after='<mergeCells><mergeCell ref="A1:B1"/><mergeCell ref="A2:B2"/></mergeCells>',
    ),
    Read({2: (A, None, REASON)}),
)
theme.add(
    209,
    "two_line_heading.xlsx",
    "headings over two rows are named as such",
    dressed(
        HEAD_ROW,
        row(2),
        row(3, looking("A3", B), looking("B3", REASON)),
        after='<mergeCells><mergeCell ref="A1:A2"/></mergeCells>',
    ),
    Refused("encabezado-doble", "Hoja1", "una sola fila"),
)

theme.add(
    209,
    "second_line.xlsx",
    "also when nothing is merged: a heading of ours below the headings, where no code stands",
    dressed(HEAD_ROW, row(2, looking("C2", "Correo"), looking("D2", "Teléfono")), second()),
    Refused("encabezado-doble", "Hoja1", "Los títulos ocupan dos filas: 1 y 2"),
)
theme.add(
    209,
    "second_line.csv",
    "and in a CSV",
    f"CUFE;Motivo;Contacto\n;;Correo\n{A};{REASON};a@x.pa\n".encode(),
    Refused("encabezado-doble", "línea 1", "Los títulos ocupan dos filas: 1 y 2"),
)

# --- 210: refusals that help

theme.add(
    210,
    "header_row_12.csv",
    "a header below the tenth line is named",
    b"linea\n" * 11 + codes(A),
    Refused("encabezado-abajo", says="está en la fila 12"),
)
theme.add(
    210,
    "all_in_a.xlsx",
    "all in one column",
    book(sheet(plain_row(1, "CUFE;Motivo"), plain_row(2, f"{A};{REASON}"))),
    Refused("todo-en-una-columna", "Hoja1, fila 1", "Texto en columnas"),
)
theme.add(
    210,
    "labelled.xlsx",
    "encrypted by a label of sensitivity",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage DRMEncryptedDataSpace".encode("utf-16-le"),
    Refused("tipo-etiqueta", says="etiqueta de confidencialidad"),
)
theme.add(
    210, "~$lote.xlsx", "Excel's lock file", b"\x03Ana" + b" " * 160, Refused("archivo-bloqueo", says="use «lote.xlsx»")
)
theme.add(
    210,
    "backslashes.xlsx",
    "names with the other stroke are no attack",
    dressed(HEAD_ROW, FIRST, more={"xl\\worksheets\\x.xml": f'<x xmlns="{MAIN}"/>'}),
    Refused("xlsx-nombres", says="Ábralo en Excel y guárdelo"),
)
