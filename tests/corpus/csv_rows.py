"""Entries 38 to 52: what the cells of rows may hold that is no clean CUFE, reason or e-mail, and how many rows."""

from __future__ import annotations

import csv
import io

from pipeline.domain.eligibility import Rules
from tests.corpus.entry import REASON, A, B, C, D, Read, Refused, Row, Theme, cufe

theme = Theme()

HEADER = ("cufe", "motivo")


def quoted(*rows: Row) -> bytes:
    """The rows as a careful program writes them, every field quoted."""
    target = io.StringIO(newline="")
    csv.writer(target, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(rows)
    return target.getvalue().encode()


def codes(*values: str) -> bytes:
    return quoted(HEADER, *((value, REASON) for value in values))


def reasons(*values: str) -> bytes:
    return quoted(HEADER, *((cufe(n), value) for n, value in enumerate(values, 1)))


def emails(*values: str) -> bytes:
    return quoted((*HEADER, "correo"), *((cufe(n), REASON, value) for n, value in enumerate(values, 1)))


def first_column(code: str, *lines: int) -> dict[int, tuple[tuple[str, str], ...]]:
    return {line: ((code, f"línea {line}, columna 1"),) for line in lines}


def last_column(code: str, *lines: int, column: int = 2) -> dict[int, tuple[tuple[str, str], ...]]:
    return {line: ((code, f"línea {line}, columna {column}"),) for line in lines}


theme.add(
    38,
    "cufe_65_67.csv",
    "rejected by length",
    codes(A[:-1], A + "0", B),
    Read({2: (A[:-1], REASON), 3: (A + "0", REASON), 4: (B, REASON)}, first_column("cufe-longitud", 2, 3)),
)

SPACES = (" {}", "{} ", "\t{}", "\n{}", "\u00a0{}", "{}\u202f", "\u2007{}")
UNSEEN = ("\u200b{}", "\ufeff{}", "{}\u00ad")
WRAPPED = ('"{}"', "'{}", '="{}"', "“{}”")


@theme(
    39,
    "cufe_spaces.csv",
    "repaired and shown (D2)",
    Read(
        18,
        repairs={
            **dict.fromkeys(range(2, 9), "se quitaron espacios o saltos de línea"),
            **dict.fromkeys(range(9, 12), "se quitaron caracteres invisibles"),
            **dict.fromkeys(range(12, 16), "se quitaron comillas"),
            16: "se quitaron espacios o saltos de línea",
            17: "se quitaron caracteres invisibles",
            18: "se extrajo el código del enlace",
            19: "se quitó el rótulo que lo acompaña",
        },
    ),
)
def cufe_spaces() -> bytes:
    """Around the code and inside it; then a link and a label. One physical line each, but for the line break."""
    around = [shape.format(cufe(n)) for n, shape in enumerate((*SPACES, *UNSEEN, *WRAPPED), 1)]
    around[3] = " " + cufe(4)  # the line break has an entry of its own, below: here lines are counted
    inside = [cufe(15)[:30] + "\u00a0" + cufe(15)[30:], cufe(16)[:30] + "\u200b" + cufe(16)[30:]]
    link = f"https://dgi-fep.mef.gob.pa/Consultas/FacturasPorQR?chFE={cufe(17)}&iAmb=2&digestValue=x"
    return codes(*around, *inside, link, f"CUFE: {cufe(18)}")


theme.add(
    39,
    "cufe_line_break.csv",
    "a line break inside the cell is repaired and shown (D2), and the next row keeps its line",
    codes(f"{A[:40]}\n{A[40:]}", B),
    Read(
        {2: (f"{A[:40]}\n{A[40:]}", REASON), 4: (B, REASON)},
        repairs={2: "se quitaron espacios o saltos de línea"},
    ),
)


@theme(
    40,
    "cufe_dash.csv",
    "every dash look-alike is repaired and shown (D2)",
    Read(11, repairs=dict.fromkeys(range(2, 13), "se cambiaron rayas por guiones")),
)
def cufe_dash() -> bytes:
    dashes = "\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\ufe58\ufe63\uff0d"
    return codes(*(cufe(n).replace("-", dash) for n, dash in enumerate(dashes, 1)))


theme.add(
    41,
    "cufe_lookalike.csv",
    "rejected: a letter that looks like another is never guessed",
    codes("F\u0415" + A[2:], B[:40] + "O" + B[41:], C[:57] + "l" + C[58:]),
    Read(3, first_column("cufe-parecido", 2, 3, 4)),
)
theme.add(
    41,
    "cufe_wide.csv",
    "full-width letters and digits mean only themselves: repaired and shown (domain.md 2)",
    codes("".join(chr(ord(char) + 0xFEE0) if char != "-" else char for char in A)),
    Read(1, repairs={2: "se cambiaron letras o números de ancho completo"}),
)
theme.add(
    42,
    "cufe_lower.csv",
    "repaired and shown (D2)",
    codes(A.lower()),
    Read({2: (A.lower(), REASON)}, repairs={2: "se pasó a mayúsculas"}),
)
theme.add(
    42,
    "cufe_lower_wrong.csv",
    "a repaired code whose check digit does not fit is rejected, also where the check digit is waived",
    codes(A[:-1].lower() + "0"),
    Read(1, first_column("cufe-reparado-dudoso", 2)),
    rules=Rules(allow_bad_check_digit=True),
)
theme.add(
    42,
    "cufe_foreign.csv",
    "codes of other countries are named by country",
    codes("ab" * 48, "E310000000012", "1" * 44, "2" * 49, "5" * 50),
    Read(5, first_column("cufe-extranjero", 2, 3, 4, 5, 6)),
)
theme.add(
    42,
    "cufe_without_fe.csv",
    "64 characters without FE are rejected and not completed",
    codes(A[2:]),
    Read(1, first_column("cufe-sin-fe", 2)),
)
theme.add(
    43,
    "cufe_other_ruc.csv",
    "an issuer outside the list is rejected, the others go on",
    codes(A, cufe(2, ruc="155999991-2-2026")),
    Read(2, first_column("emisor-no-permitido", 3), warnings={3: ("cufe-revisar",)}),
    rules=Rules(issuers=frozenset({"155668001-2-2018"})),
)
theme.add(
    44,
    "cufe_test_env.csv",
    "a test document in production is rejected (D5)",
    codes(A, cufe(2, env="1")),
    Read(2, first_column("otro-ambiente", 2)),
    rules=Rules(env_digit="1"),
)
theme.add(
    44,
    "cufe_production.csv",
    "and so is the reverse (D5)",
    codes(A, cufe(2, env="1")),
    Read(2, first_column("otro-ambiente", 3)),
    rules=Rules(env_digit="2"),
)
theme.add(
    45,
    "dup_same.csv",
    "the first leads, the second mirrors it",
    codes(A, A, B),
    Read({2: (A, REASON), 3: (A, REASON), 4: (B, REASON)}, mirrors=(3,)),
)
theme.add(
    46,
    "dup_conflict.csv",
    "neither is sent",
    quoted(HEADER, (A, REASON), (A, "Error en la fecha de la factura"), (B, REASON)),
    Read(3, first_column("conflicto-archivo", 2, 3)),
)


@theme(
    47,
    "motivo_14_15_1000_1001.csv",
    "the limits are exact, and count characters: marks that combine and emoji count one each",
    Read(
        9,
        {
            **last_column("motivo-corto", 2, 6),
            **last_column("motivo-largo", 5, 9),
        },
    ),
)
def reason_limits() -> bytes:
    return reasons(
        "a" * 14,
        "a" * 15,
        "a" * 1000,
        "a" * 1001,
        "e\u0301" * 7,
        "e\u0301" * 7 + "x",
        "😀" * 1000,
        "😀" * 1001,
        "Error " + " " * 40 + "en la fecha",
    )


HOSTILE = "=cmd|' /C calc'!A0 y algo más"
HTML = "<b>Error</b> &amp; <script>"

theme.add(
    48,
    "motivo_spaces.csv",
    "blank ones are rejected, the others are taken word for word",
    reasons(" " * 20, "Error en\nel monto", HTML, HOSTILE),
    Read(
        {2: (A, " " * 20), 3: (B, "Error en\nel monto"), 5: (C, HTML), 6: (D, HOSTILE)},
        last_column("motivo-vacio", 2),
    ),
)
theme.add(
    49,
    "correo_bad.csv",
    "rejected, and an empty one is none",
    emails("a@b", "ana@x.pa;eva@x.pa", "ana@x.pa Bcc: eva", f"{'a' * 96}@x.pa", "ana@ñandú.pa", "", " ana@x.pa "),
    Read(
        7,
        {
            **last_column("correo-invalido", 2, 4, 6, column=3),
            **last_column("correo-varios", 3, column=3),
            **last_column("correo-largo", 5, column=3),
        },
    ),
)
theme.add(
    49,
    "correo_header.csv",
    "a line break that would smuggle in another recipient is rejected",
    emails("ana@x.pa\r\nBcc: eva"),
    Read(1, last_column("correo-invalido", 2, column=3)),
)

FORMULAS = ("=1+1", "+1", "-1", "@x", "\tx", "\rx", '=HYPERLINK("http://x","y")')


@theme(
    50,
    "formula_cells.csv",
    "kept as they are in the other columns",
    Read({n: (cufe(n), REASON, text) for n, text in zip((2, 3, 4, 5, 6, 7, 9), FORMULAS, strict=True)}),
)
def formula_cells() -> bytes:
    """The sixth holds a carriage return, which counts as a line."""
    lines = zip((2, 3, 4, 5, 6, 7, 9), FORMULAS, strict=True)
    return quoted((*HEADER, "nota"), *((cufe(n), REASON, text) for n, text in lines))


@theme(
    51,
    "rows_over_limit.csv",
    "one row too many is refused whole, and how to split is said",
    Refused("demasiadas-filas", says="100,000 filas de datos. Divida el archivo"),
)
def rows_over_limit() -> bytes:
    return b"cufe,motivo\n" + f"{A},{REASON}\n".encode() * 100_001


@theme(
    52,
    "rows_1_1M.csv",
    "refused",
    Refused("demasiadas-filas", says="Divida el archivo"),
)
def rows_1_1m() -> bytes:
    return b"cufe,motivo\n" + b"x,y\n" * 1_100_000


theme.add(
    52,
    "rows_1_1M_long.csv",
    "refused by its size before anything is read",
    b"cufe,motivo\n" + f"{A},{REASON}\n".encode() * 300_000,
    Refused("archivo-grande", says="Divida el archivo"),
)
