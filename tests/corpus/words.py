"""Entries 201 on: words beside a code, second tables, codes elsewhere, lines without an invoice (eyes.md 1)."""

from __future__ import annotations

from pipeline.domain.cufe import check_digit
from tests.corpus.entry import REASON, A, B, C, Read, Refused, Theme
from tests.corpus.parts import GOOD, GOOD_ROWS, book, row, sheet

theme = Theme()

LINK = "https://dgi-fep.mef.gob.pa/Consultas/"
FIRST = "línea 2, columna 1"
OK = (B, REASON, "")
OTHER_DAY = A[:32] + "20261117" + A[40:65]


def text(*rows: tuple[str, ...], head: tuple[str, ...] = ("CUFE", "Motivo", "Nota"), end: str = "\n") -> bytes:
    return "\n".join(";".join(one) for one in (head, *rows)).encode() + end.encode()


BESIDE = (
    ("no_anular_before.csv", f"NO ANULAR: {A}"),
    ("already_after.csv", f"{A} (ya anulada, no enviar)"),
    ("tildes.csv", f"~~{A}~~"),
    ("no_alone.csv", f"NO {A}"),
    ("no_stop_capitals.csv", f"NO. {A}"),
    ("question_mark.csv", f"{A} ?"),
    ("brackets.csv", f"({A})"),
    ("twice.csv", f"{A} {A}"),
    ("number_before.csv", f"3. {A}"),
    ("word_glued.csv", f"NO-ANULAR:{A}"),
    ("spaced_code.csv", f"no anular: {A[:30]} {A[30:]}"),
    ("link_other_path.csv", f"{LINK}Anuladas/{A}"),
    ("link_other_parameter.csv", f"{LINK}FacturasPorQR?chFE={A}&estado=vigente"),
    ("link_and_words.csv", f"{LINK}FacturasPorCUFE/{A} no enviar"),
)
for number, (name, written) in enumerate(BESIDE, start=201):
    theme.add(
        number,
        name,
        "rejected: what stands beside the code may say no",
        text((written, REASON, ""), OK),
        Read({2: (written, REASON, ""), 3: OK}, {2: (("cufe-con-texto", FIRST),)}),
    )
LABEL, TAKEN_OUT = "se quitó el rótulo que lo acompaña", "se extrajo el código del enlace"
for number, (name, written, what) in enumerate(
    (
        ("label_cufe.csv", f"CUFE: {A}", LABEL),
        ("label_number.csv", f"No. {A}", LABEL),
        ("label_invoice.csv", f"Factura - {A}", LABEL),
        ("label_unique.csv", f"Código único: {A}", LABEL),
        ("link_qr.csv", f"{LINK}FacturasPorQR?chFE={A}&iAmb=2&digestValue=aB%2B%3D&jwt=e.y.J", TAKEN_OUT),
    ),
    start=221,
):
    theme.add(
        number,
        name,
        "a label, or the look-up link of the authority, is taken off",
        text((written, REASON, ""), OK),
        Read({2: (written, REASON, ""), 3: OK}, repairs={2: what}),
    )
for number, (name, says, second) in enumerate(
    (
        ("second_heading_same.csv", "filas 1 y 3", ("CUFE", "Motivo", "Nota")),
        ("second_heading_other.csv", "filas 1 y 3", ("CUFE", "Observación", "Correo")),
        ("second_heading_moved.csv", "filas 1 y 3", ("Cliente", "cufe", "Motivo")),
        ("second_heading_alike.csv", "«CUFE que se conservan»", ("CUFE que se conservan", "", "")),
    ),
    start=231,
):
    theme.add(
        number,
        name,
        "refused with both places",
        text((A, REASON, ""), second, (B, REASON, "")),
        Refused("dos-encabezados", "", says),
    )
theme.add(
    235,
    "second_heading_far.xlsx",
    "refused, however far below",
    book(sheet(*GOOD, row(60, "CUFE", "Observación"), row(61, C, "El cliente pagó"))),
    Refused("dos-encabezados", "Hoja1", "Hoja1!A60"),
)
theme.add(
    236,
    "second_table_right.xlsx",
    "refused: a table on the right that begins lower",
    book(sheet(*GOOD[:2], row(3, B, REASON, "", "", "CUFE"), row(4, C, REASON, "", "", A))),
    Refused("dos-encabezados", "Hoja1", "Hoja1!E3"),
)
theme.add(
    237,
    "sorted_along.csv",
    "refused: sorted together with its heading, the codes above it were dropped",
    text((B, REASON, ""), ("CUFE", "Motivo", "Nota"), (C, REASON, ""), head=(A, REASON, "")),
    Refused("cufe-fuera", "", "línea 1, columna 1, línea 2, columna 1"),
)
theme.add(
    238,
    "code_in_title.xlsx",
    "refused: a code above the heading",
    book(sheet(row(1, f"Reemplaza a {C}"), row(3, "CUFE", "Motivo"), row(4, A, REASON))),
    Refused("cufe-fuera", "Hoja1", "Hoja1!A1"),
)
theme.add(
    239,
    "code_right.xlsx",
    "refused: codes in a column without a heading",
    book(sheet(*GOOD[:2], row(3, B, REASON, "", C))),
    Refused("cufe-fuera", "Hoja1", "Hoja1!D3"),
)
theme.add(
    240,
    "code_moved.csv",
    "refused: a code that moved to another column",
    text((A, REASON, ""), ("", "", B)),
    Refused("cufe-fuera", "", "línea 3, columna 3"),
)
theme.add(
    241,
    "code_column_headed.csv",
    "a column of its own may hold other codes",
    text((A, REASON, C), head=("CUFE", "Motivo", "Nota de crédito")),
    Read({2: (A, REASON, C)}),
)
theme.add(
    242,
    "code_other_sheet.xlsx",
    "refused: nobody can tell whether they are meant too",
    book(sheet(*GOOD), sheet(row(1, "Revisar"), row(2, C))),
    Refused("cufe-otra-hoja", "", "«Hoja2» (1)"),
)
theme.add(
    243,
    "code_other_sheet_named.xlsx",
    "the sheet was named",
    book(sheet(*GOOD), sheet(row(1, "Revisar"), row(2, C))),
    Read(GOOD_ROWS, notes=("otras hojas con datos que no se leyeron: «Hoja2»",)),
    options={"sheet": "Hoja1"},
)
theme.add(
    244,
    "code_other_sheet_preferred.xlsx",
    "the settings name the sheet",
    book(sheet(row(1, "Revisar"), row(2, C)), sheet(*GOOD)),
    Read(GOOD_ROWS, notes=("otras hojas con datos que no se leyeron: «Hoja1»",)),
    options={"prefer": "last"},
)
theme.add(
    245,
    "code_hidden_sheet.xlsx",
    "a hidden sheet is only noted",
    book(sheet(*GOOD), sheet(row(1, "Revisar"), row(2, C)), states={2: "hidden"}),
    Read(GOOD_ROWS, notes=("hojas ocultas con datos que no se leyeron: «Hoja2»",)),
)
theme.add(
    246,
    "line_says_no.csv",
    "refused: a line between the invoices that says no",
    text((A, REASON, ""), ("NO ANULAR: el cliente pagó", "", ""), (B, REASON, "")),
    Refused("linea-dice-no", "línea 3", "NO ANULAR: el cliente pagó"),
)
theme.add(
    247,
    "totals_and_signature.csv",
    "lines that are no invoice stay at their place and count for nothing",
    text((A, REASON, ""), ("Subtotal", "", "1"), (B, REASON, ""), ("", "", "Preparado por: A. Ruiz"), ("2", "", "")),
    Read(5, others=(3, 5, 6)),
)
theme.add(
    248,
    "total_number.xlsx",
    "a number below the codes is a count",
    book(sheet(*GOOD, '<row r="4"><c r="A4"><v>2</v></c></row>')),
    Read({**GOOD_ROWS, 4: (2, None)}, others=(4,)),
)
theme.add(
    249,
    "piece_of_code.csv",
    "a piece of a code is an invoice that lost the rest",
    text((A[:14], "", ""), OK),
    Read(2, {2: (("cufe-longitud", FIRST), ("motivo-vacio", "línea 2, columna 2"))}),
)
theme.add(
    250,
    "one_document_two_codes.csv",
    "both are in conflict",
    text((A, REASON, ""), (OTHER_DAY + check_digit(OTHER_DAY), REASON, "")),
    Read(2, {n: (("documento-archivo", f"línea {n}, columna 1"),) for n in (2, 3)}),
)
for number, (codec, word) in enumerate(
    (("mac_roman", "devolución"), ("cp850", "número"), ("cp437", "pasó"), ("mac_roman", "débito")), start=251
):
    theme.add(
        number,
        f"{codec}_{number}.csv",
        "refused with an example of what became of its letters",
        text((A, f"Error en el {word} del cliente", "")).decode().encode(codec),
        Refused("csv-codificacion", "línea 2", "Macintosh" if codec == "mac_roman" else "MS-DOS"),
    )
theme.add(
    255,
    "short_lines.csv",
    "filled where nothing that is sent is missing, and said once",
    text((A, REASON), (B, REASON, "x"), ("Total registros: 2",)),
    Read(
        {2: (A, REASON, ""), 3: (B, REASON, "x"), 4: ("Total registros: 2", "", "")}, others=(4,), notes=("2 líneas",)
    ),
)
theme.add(
    256,
    "blank_fields_more.csv",
    "blank fields too many are dropped",
    text((A, REASON, "", ""), (B, REASON, "", " ")),
    Read({2: (A, REASON, ""), 3: (B, REASON, "")}, notes=("2 líneas",)),
)
theme.add(
    257,
    "names_as_reasons.csv",
    "refused: «Razón» holds the names of companies",
    text((A, "Distribuidora Ficticia, S.A.", ""), head=("CUFE", "Razón", "Total")),
    Refused("motivo-o-nombre", "línea 1", "--columns cufe=A,motivo=B"),
)
theme.add(
    258,
    "names_as_reasons_said.csv",
    "the person said that it is the reason",
    text((A, "Distribuidora Ficticia, S.A.", ""), head=("CUFE", "Razón", "Total")),
    Read({2: (A, "Distribuidora Ficticia, S.A.", "")}),
    options={"columns": "cufe=A,motivo=B"},
)
theme.add(
    259,
    "columns_said.xlsx",
    "columns that the person named, whatever their headings",
    book(sheet(row(1, "Lista"), row(2, "Cliente", "Clave", "Explicación"), row(3, "ACME", A, REASON))),
    Read({3: ("ACME", A, REASON)}, notes=("encabezado está en la fila 2",)),
    options={"columns": "cufe=B, motivo=C"},
)
theme.add(
    260,
    "alike_unused.csv",
    "a heading that looks like one of ours and is not used is named",
    text((A, REASON, "x"), head=("CUFE", "Motivo", "Motivo del cliente")),
    Read({2: (A, REASON, "x")}, notes=("La columna C («Motivo del cliente») se parece a «Motivo» y no se usa",)),
)
