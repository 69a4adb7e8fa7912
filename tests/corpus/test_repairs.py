"""Every repair of domain.md 2 is shown in ``observaciones``: the code as received, what was done, the code as used."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.domain.eligibility import Rules
from pipeline.report.lines import row_of
from pipeline.report.preview import lines_of
from pipeline.validate.check import check
from tests.corpus.csv_rows import codes
from tests.corpus.entry import NOW, REASON, A, cufe
from tests.corpus.parts import GOOD, HEADER, book, row, sheet
from tests.corpus.test_corpus import nothing_seen
from tests.support.reading import read_sheet

HALF = A[:33], A[33:]
WIDE = "".join(chr(ord(char) + 0xFEE0) if char != "-" else char for char in A)
PASTED = [
    (f'"{A}"', "se quitaron comillas"),
    (f"'{A}", "se quitaron comillas"),
    (f"'{A}'", "se quitaron comillas"),
    (f"«{A}»", "se quitaron comillas"),
    (f'="{A}"', "se quitaron comillas"),
    (f"  {A} ", "se quitaron espacios o saltos de línea"),
    ("\t".join(HALF), "se quitaron espacios o saltos de línea"),
    ("\n".join(HALF), "se quitaron espacios o saltos de línea"),
    ("\u00a0".join(HALF), "se quitaron espacios o saltos de línea (U+00A0)"),
    ("\u202f".join(HALF), "se quitaron espacios o saltos de línea (U+202F)"),
    ("\u2007".join(HALF), "se quitaron espacios o saltos de línea (U+2007)"),
    ("\u200b".join(HALF), "se quitaron caracteres invisibles (U+200B)"),
    ("\ufeff" + A, "se quitaron caracteres invisibles (U+FEFF)"),
    ("\u00ad".join(HALF), "se quitaron caracteres invisibles (U+00AD)"),
    *(
        (A.replace("-", dash), f"se cambiaron rayas por guiones (U+{ord(dash):04X})")
        for dash in "\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\ufe58\ufe63\uff0d"
    ),
    (WIDE, "se cambiaron letras o números de ancho completo"),
    (A.lower(), "se pasó a mayúsculas"),
    (f"https://dgi-fep.mef.gob.pa/Consultas/FacturasPorQR?chFE={A}&iAmb=2", "se extrajo el código del enlace"),
    (f"https://dgi-fep.mef.gob.pa/Consultas/FacturasPorCUFE/{A}", "se extrajo el código del enlace"),
    (f"CUFE: {A}", "se quitó el rótulo que lo acompaña"),
]
REFUSED = [
    (A[:40] + "O" + A[41:], "cufe-parecido", "en la posición 41 hay la letra «O» donde debe ir 0 (cero)"),
    (A[:57] + "l" + A[58:], "cufe-parecido", "en la posición 58 hay la letra «l» donde debe ir 1 (uno)"),
    (A[2:], "cufe-sin-fe", f"si el código correcto es {A}"),
    (A[2:-1] + "0", "cufe-longitud", "tiene 64 caracteres"),
    ("ab" * 48, "cufe-extranjero", "Colombia"),
    ("E310000000012", "cufe-extranjero", "República Dominicana"),
    ("1" * 44, "cufe-extranjero", "Paraguay"),
    ("1" * 49, "cufe-extranjero", "Ecuador"),
    ("5" * 50, "cufe-extranjero", "Costa Rica"),
    ("1.2E+20", "cufe-cientifico", "notación científica"),
    ("#N/A", "cufe-error-excel", "#N/A"),
    ("=A2", "cufe-formula-texto", "fórmula"),
]


def remarks_of(path: Path) -> list[str]:
    checked = check(read_sheet(path), Rules(), NOW, nothing_seen)
    return [row_of(line, preview=True).added.observaciones or "" for line in lines_of(checked.rows)]


@pytest.mark.parametrize(("received", "what"), PASTED, ids=[what for _, what in PASTED])
def test_a_repaired_code_is_shown_as_received_and_as_used(received: str, what: str, tmp_path: Path) -> None:
    text, workbook = tmp_path / "lote.csv", tmp_path / "lote.xlsx"
    text.write_bytes(codes(received, cufe(2)))
    workbook.write_bytes(book(sheet(HEADER, row(2, received, REASON), GOOD[2])))
    for path, cell in ((text, "línea 2, columna 1"), (workbook, "Hoja1!A2")):
        first, second = remarks_of(path)
        assert first == f"Reparado. {cell}: {what}; recibido «{received}», leído como «{A}»"
        assert second == ""


@pytest.mark.parametrize(("received", "code", "words"), REFUSED, ids=[f"{c} {w[:20]}" for _, c, w in REFUSED])
def test_what_must_not_be_repaired_is_refused_in_words(received: str, code: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "lote.csv"
    path.write_bytes(codes(received))
    (remark,) = remarks_of(path)
    assert words in remark
    assert remark.startswith("línea 2, columna 1: ")
    assert remark.endswith(f"[{code}]")
