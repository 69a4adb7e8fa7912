"""Entries 1 to 37: encodings, delimiters, quotes, line ends, headings of CSV files."""

from __future__ import annotations

from tests.corpus.entry import REASON, A, B, C, Read, Refused, Row, Theme, cufe

theme = Theme()

HEADER = ("cufe", "motivoAnulacion")
GOOD = Read({2: (A, REASON), 3: (B, REASON)})


def text(*rows: Row, delimiter: str = ",", end: str = "\n") -> str:
    """The rows as they are, without quoting anything."""
    return "".join(delimiter.join(row) + end for row in rows)


def plain(delimiter: str = ",", end: str = "\n") -> str:
    return text(HEADER, (A, REASON), (B, REASON), delimiter=delimiter, end=end)


theme.add(1, "ok_utf8.csv", "read as it is", plain().encode(), GOOD)
theme.add(2, "ok_bom.csv", "read as it is", plain(end="\r\n").encode("utf-8-sig"), GOOD)
theme.add(3, "utf16le_bom.csv", "the mark decides", b"\xff\xfe" + plain("\t", "\r\n").encode("utf-16-le"), GOOD)
theme.add(4, "utf16be_bom.csv", "the mark decides", b"\xfe\xff" + plain("\t", "\r\n").encode("utf-16-be"), GOOD)
theme.add(5, "utf16_nobom.csv", "refused", plain().encode("utf-16-le"), Refused("csv-utf16"))
theme.add(
    6,
    "cp1252.csv",
    "read because UTF-8 is impossible, and said with sample words",
    plain().encode("cp1252"),
    Read({2: (A, REASON), 3: (B, REASON)}, notes=("Windows-1252. Revise estas palabras: «Anulación»",)),
)
theme.add(
    7,
    "mixed_encodings.csv",
    "refused at the line that differs",
    text(HEADER, (A, REASON)).encode() + text((B, REASON)).encode("cp1252"),
    Refused("csv-mezcla", "línea 3"),
)


@theme(
    8,
    "mojibake.csv",
    "read and flagged, with what it probably said",
    Read(4, warnings={**dict.fromkeys((2, 3, 4), ("texto-sospechoso",)), 5: ("texto-perdido",)}),
)
def mojibake() -> bytes:
    """UTF-8 read as Windows-1252 once too often: ``ó``; ``í`` (half of it has no width); a part; lost for good."""
    damaged = "Devolución total de la mercancía".encode().decode("cp1252")
    reasons = [
        REASON.encode().decode("cp1252"),
        damaged,
        f"Anulación pedida: {damaged}",
        "Devoluci\ufffdn de la mercanc\ufffda",
    ]
    return text(HEADER, *((cufe(n), reason) for n, reason in enumerate(reasons, 1))).encode()


theme.add(9, "semicolon.csv", "read by its header", plain(";").encode(), GOOD)
theme.add(10, "tab.csv", "read by its header", plain("\t").encode(), GOOD)
theme.add(11, "pipe.csv", "read by its header", plain("|").encode(), GOOD)
theme.add(
    12,
    "sep_line.csv",
    "the first line is obeyed and counted",
    b"sep=;\r\n" + plain(";", "\r\n").encode(),
    Read({3: (A, REASON), 4: (B, REASON)}),
)
theme.add(
    13,
    "ambiguous_delim.csv",
    "refused",
    f"cufe;a,cufe,motivo,b;motivo\n{A},x,{REASON},y\n".encode(),
    Refused("csv-separador", "línea 1"),
)
theme.add(14, "cr_only.csv", "read as it is", plain(end="\r").encode(), GOOD)
theme.add(
    15,
    "mixed_eol.csv",
    "read as it is",
    text(HEADER, (A, REASON), end="\r\n").encode() + text((B, REASON)).encode(),
    GOOD,
)
theme.add(16, "no_final_newline.csv", "the last row counts", plain().rstrip("\n").encode(), GOOD)
theme.add(
    17,
    "truncated_midrow.csv",
    "the last code is rejected by its length, and the file is said to be perhaps incomplete",
    f"motivo,cufe\n{REASON},{A}\n{REASON},{B[:40]}".encode(),
    Read(
        {2: (REASON, A), 3: (REASON, B[:40])},
        problems={3: (("cufe-longitud", "línea 3, columna 2"),)},
        notes=("posible archivo incompleto",),
    ),
)
theme.add(
    17,
    "truncated_before_the_reason.csv",
    "a last line that lacks its fields is refused as an incomplete file",
    plain().encode() + C[:40].encode(),
    Refused("csv-incompleto", "línea 4"),
)
theme.add(
    17,
    "truncated_mid_character.csv",
    "half a character at the end is refused as an incomplete file",
    text(HEADER, (A, "Error en el monto")).encode() + f"{B},Anulació".encode()[:-1],
    Refused("csv-incompleto", "línea 3"),
)
theme.add(
    18,
    "unclosed_quote.csv",
    "refused at the line that opens it",
    f'cufe,motivo\n{A},{REASON}\n{B},"{REASON}\n{C},{REASON}\n'.encode(),
    Refused("csv-comilla-abierta", "línea 3"),
)
theme.add(
    19,
    "quote_swallow.csv",
    "a quote that swallowed rows is refused",
    f'cufe,motivo\n{A},"{REASON}\n{B},{REASON}\n{C},{REASON}"\n'.encode(),
    Refused("csv-comilla-traga", "línea 2"),
)
theme.add(
    19,
    "quote_swallow_before.csv",
    "refused, also when the code stands before the line break and the row would fit",
    f'motivo,cufe\n"{REASON},{A}\n{REASON}",{B}\n'.encode(),
    Refused("csv-comilla-traga", "línea 2"),
)
theme.add(
    19,
    "quote_swallow_codes.csv",
    "refused, also when the field holds nothing but two codes",
    f'cufe,motivo\n"{A}\n{B}",{REASON}\n'.encode(),
    Refused("csv-comilla-traga", "línea 2"),
)
theme.add(
    20,
    "stray_quote.csv",
    "refused",
    f'cufe,motivo\n{A},{REASON}\n{B},Anular el "recibo" viejo\n'.encode(),
    Refused("csv-comilla-suelta", "línea 3"),
)
theme.add(
    21,
    "extra_col_one_row.csv",
    "refused at its line",
    text(HEADER, (A, REASON), (B, "Error en el monto", " y en la fecha")).encode(),
    Refused("csv-columnas", "línea 3", "Campos en esta línea: 3; en el encabezado: 2"),
)
theme.add(
    22,
    "extra_col_all_rows.csv",
    "an unnamed value in each row is refused, and shifts nothing",
    text(HEADER, ("1", A, REASON), ("2", B, REASON)).encode(),
    Refused("csv-columnas", "línea 2", "Campos en esta línea: 3; en el encabezado: 2"),
)
theme.add(
    23,
    "short_row.csv",
    "refused at its line, never read as an empty reason",
    text(HEADER, (A, REASON), (B,), (C, REASON)).encode(),
    Refused("csv-columnas", "línea 3", "Campos en esta línea: 1; en el encabezado: 2"),
)
theme.add(
    24,
    "blank_lines.csv",
    "passed over and counted, and the others keep their numbers",
    f"cufe,motivo\n\n{A},{REASON}\n,\n   \n{B},{REASON}\n\n".encode(),
    Read({3: (A, REASON), 6: (B, REASON)}, notes=("Filas en blanco que no se tomaron en cuenta: 4",)),
)
theme.add(
    25,
    "nul_bytes.csv",
    "refused at its line",
    text(HEADER, (A, REASON), (B, "Error\x00 en el monto")).encode(),
    Refused("csv-nul", "línea 3"),
)
theme.add(
    26,
    "ctrl_chars.csv",
    "the rows are rejected, the character and its place are named",
    text(HEADER, (A, "Error \x07en el monto"), (B, "Error en el\x0b monto"), (C, REASON)).encode(),
    Read(
        3,
        problems={
            2: (("motivo-control", "línea 2, columna 2"),),
            3: (("motivo-control", "línea 3, columna 2"),),
        },
    ),
)
theme.add(
    26,
    "ctrl_in_cufe.csv",
    "a character that nobody sees is named, and not counted as a wrong length",
    text(
        HEADER,
        (A[:30] + "\x07" + A[30:], REASON),
        (B[:9] + "\u2063" + B[9:], REASON),
        (C[:65] + "\ufe0f" + C[65:], REASON),
    ).encode(),
    Read(3, problems={line: (("cufe-invisible", f"línea {line}, columna 1"),) for line in (2, 3, 4)}),
)
theme.add(
    26,
    "ctrl_eof.csv",
    "an old end-of-file mark on a line of its own is a line without an invoice",
    plain().encode() + b"\x1a\n",
    Read(3, others=(4,), notes=("la línea 4",)),
)
theme.add(
    27,
    "big_field.csv",
    "refused at its line",
    text(HEADER, (A, REASON), (B, "x" * 200_000)).encode(),
    Refused("csv-campo-enorme", "línea 3"),
)
theme.add(
    27,
    "long_field.csv",
    "below 64 KB the row is rejected by the limit of the reason",
    text(HEADER, (A, REASON), (B, "x" * 60_000)).encode(),
    Read(2, problems={3: (("motivo-largo", "línea 3, columna 2"),)}),
)
theme.add(28, "empty.csv", "refused", b"", Refused("archivo-vacio", says="está vacío"))
theme.add(29, "header_only.csv", "refused: no rows", text(HEADER).encode(), Refused("sin-filas"))
theme.add(30, "only_bom.csv", "refused: no rows", b"\xef\xbb\xbf", Refused("sin-filas"))
theme.add(
    31,
    "dup_header.csv",
    "refused",
    text(("cufe", "cufe", "motivo"), (A, B, REASON)).encode(),
    Refused("columnas-repetidas", "línea 1", "«cufe» y «cufe»"),
)
theme.add(32, "missing_header.csv", "refused", text((A, REASON), (B, REASON)).encode(), Refused("sin-encabezado"))
theme.add(
    33,
    "header_case_accents.csv",
    "known by the table of headings",
    text(("CUFE", " Motivo Anulación "), (A, REASON), (B, REASON), delimiter=";").encode(),
    GOOD,
)
theme.add(
    34,
    "unknown_columns.csv",
    "kept",
    text(("Caja", *HEADER, "Vendedor"), ("7", A, REASON, "Ana"), ("8", B, REASON, "")).encode(),
    Read({2: ("7", A, REASON, "Ana"), 3: ("8", B, REASON, "")}),
)


@theme(
    35,
    "na_words.csv",
    "words that other programs take for nothing are short reasons",
    Read(
        {n: (cufe(n), word) for n, word in enumerate(("NA", "null", "None", "nan", "#N/A"), 2)},
        problems={n: (("motivo-corto", f"línea {n}, columna 2"),) for n in range(2, 7)},
    ),
)
def na_words() -> bytes:
    return text(HEADER, *((cufe(n), word) for n, word in enumerate(("NA", "null", "None", "nan", "#N/A"), 2))).encode()


theme.add(
    36,
    "sci_notation.csv",
    "a code that became a number is rejected; other numbers stay as they are",
    text((*HEADER, "monto"), ("1.23E+20", REASON, "1.10"), (A, REASON, "1.23E+05")).encode(),
    Read(
        {2: ("1.23E+20", REASON, "1.10"), 3: (A, REASON, "1.23E+05")},
        problems={2: (("cufe-cientifico", "línea 2, columna 1"),)},
    ),
)
theme.add(
    37,
    "leading_zero.csv",
    "kept as text",
    text((*HEADER, "caja"), (A, REASON, "0012")).encode(),
    Read({2: (A, REASON, "0012")}),
)
