"""A grid of generated files: nothing is taken for sending that a reader of the file would not cancel (eyes.md 1).

Each case is a good table with one thing beside it. What a reader would cancel are the rows of the table that nothing
speaks against. Where the file is refused, or a row rejected, the test applies the remedy that the sentence names, and
the file passes.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import pytest

from pipeline.domain.eligibility import Rules
from pipeline.domain.errors import InputRefused
from pipeline.domain.records import Verdict
from pipeline.validate.check import check
from tests.corpus.entry import NOW, REASON, cufe
from tests.support.reading import read_sheet

Table = list[list[str]]
HEAD = ["CUFE", "Motivo", "Correo"]
KEEP = [cufe(number) for number in range(50, 54)]
"""Codes that a reader of the file would not cancel."""


@dataclass(frozen=True)
class Case:
    """``rows`` (with their codes ``good``) as written, and after the remedy; ``codec`` of a CSV; ``says`` the code."""

    name: str
    rows: Table
    mended: Table
    good: tuple[str, ...]
    says: str
    kinds: tuple[str, ...] = ("csv", "xlsx")
    codec: str = "utf-8"
    others: int = 0

    def __str__(self) -> str:
        return self.name


def table(count: int) -> Table:
    return [HEAD, *([cufe(number), REASON, "ana@x.pa"] for number in range(1, count + 1))]


def codes(count: int) -> tuple[str, ...]:
    return tuple(cufe(number) for number in range(1, count + 1))


def second_headings() -> Iterator[Case]:
    heads = (HEAD, ["CUFE", "Observación", ""], ["Cliente", "CUFE", "Motivo"], ["No. CUFE", "Nota", "Total"],
             ["Código único", "Razón", "E-mail"], ["CUFE que se conservan", "", ""])  # fmt: skip
    for count in (2, 9, 15, 40):
        for gap in (0, 1, 3):
            for head in heads:
                moved = head[1] == "CUFE"
                kept = [["ACME", KEEP[0], "El cliente pagó"] if moved else [KEEP[0], "El cliente pagó, conservar", ""]]
                rows = [*table(count), *[["", "", ""]] * gap, head, *kept]
                name = f"second heading {head[0]}, {head[1]} after {count} rows and {gap} blank"
                yield Case(name, rows, table(count), codes(count), "dos-encabezados")


def around_a_code() -> Iterator[Case]:
    words = ("NO ANULAR: {}", "{} (ya anulada)", "~~{}~~", "NO {}", "NO. {}", "{} no", "({})", "{}?", "* {}", "{} - NO",
             "Anulada {}", "ver {}", "{} {}", "1) {}", "¿{}?", "{}.", "No anular\n{}", "x{}", "{}; conservar",
             "https://x.gob.pa/Otra/{}", "https://x.gob.pa/FacturasPorCUFE/{} NO", "pendiente: {}",
             "NO-{}")  # fmt: skip
    for word in words:
        rows, mended = table(4), table(4)
        rows[2] = [word.replace("{}", cufe(2)), *rows[2][1:]]
        mended.pop(2)
        good = (cufe(1), cufe(3), cufe(4))
        says = "cufe-longitud" if word in ("x{}", "NO-{}") else "cufe-con-texto"
        kinds = ("xlsx",) if "\n" in word else ("csv", "xlsx")  # in a CSV it may be a quote that swallowed a line
        yield Case(f"beside a code {word!r}", rows, mended, good, says, kinds)


def labels() -> Iterator[Case]:
    for label in ("CUFE: {}", "Código {}", "Código único - {}", "No. {}", "Factura: {}", "«{}»", " {} ", "'{}",
                  "https://x.gob.pa/Consultas/FacturasPorCUFE/{}", "CUFE No.: {}"):  # fmt: skip
        rows = table(3)
        rows[1] = [label.format(cufe(1)), *rows[1][1:]]
        yield Case(f"label {label!r}", rows, rows, codes(3), "")


def outside() -> Iterator[Case]:
    for line in (1, 2, 4):
        title = [[""] * 3 for _ in range(line)]
        title[-1] = [f"En lugar de {KEEP[0]}", "", ""]
        yield Case(f"code in title row {line}", [*title, *table(3)], table(3), codes(3), "cufe-fuera")
    for count in (2, 5, 7):
        rows = [*table(8)[1 : count + 1], HEAD, *table(8)[count + 1 :]]
        yield Case(f"sorted with its heading after {count}", rows, table(8), codes(8), "cufe-fuera")
    for at in (1, 3, 6):
        for gap in (0, 2):
            rows = [[*row, *[""] * gap, ""] for row in table(6)]
            rows[at][-1] = KEEP[1]
            yield Case(f"code right of row {at}, {gap} columns off", rows, table(6), codes(6), "cufe-fuera")
    for place in (2,):
        row = ["", "", ""]
        row[place] = KEEP[2]
        yield Case(f"code moved to column {place}", [*table(3), row], table(3), codes(3), "cufe-fuera")


def lines_between() -> Iterator[Case]:
    for words in ("NO ANULAR", "Estas no", "Conservar", "Pendientes de pago", "Vigentes", "Ya anuladas", "Excluidas"):
        for at in (2, 4):
            rows = [*table(6)[:at], [words, "", ""], *table(6)[at:]]
            yield Case(f"line {words!r} before row {at}", rows, table(6)[:at], codes(at - 1), "linea-dice-no")


def footers() -> Iterator[Case]:
    for words in (["Total registros: 3", "", ""], ["", "", "3"], ["Preparado por: A. Ruiz", "", ""], ["3", "", ""],
                  ["", "", "Firma"], ["Total", "", "30.00"], ["No. de facturas: 3", "", ""]):  # fmt: skip
        for gap in (0, 1):
            rows = [*table(3), *[["", "", ""]] * gap, words]
            yield Case(f"footer {words} after {gap} blank", rows, rows, codes(3), "", others=1)


def code_pages() -> Iterator[Case]:
    for codec in ("mac_roman", "cp850", "cp437"):
        for word in ("Anulación", "devolución", "número", "débito", "cálculo", "Pasó"):
            rows = [*table(2), [cufe(3), f"Error: {word} del cliente", ""]]
            yield Case(f"{codec} {word}", rows, rows, codes(3), "csv-codificacion", ("csv",), codec)


CASES = [
    case
    for make in (second_headings, around_a_code, labels, outside, lines_between, footers, code_pages)
    for case in make()
]
EACH = [(case, kind) for case in CASES for kind in case.kinds]


def as_csv(rows: Table, codec: str) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=";").writerows(rows)
    return text.getvalue().encode(codec)


def as_xlsx(rows: Table) -> bytes:
    book, target = openpyxl.Workbook(), io.BytesIO()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append([value or None for value in row])
    book.save(target)
    return target.getvalue()


def taken(path: Path) -> tuple[set[str], set[str], int]:
    """The codes that would be sent, the problems of rows, and how many rows are no invoice."""
    checked = check(read_sheet(path), Rules(), NOW, lambda _: {})
    sent = {row.cufe for row in checked.rows if row.verdict is Verdict.ACCEPTED and row.cufe}
    problems = {problem.code for row in checked.rows for problem in row.problems}
    return sent, problems, checked.counts[Verdict.NOT_APPLICABLE]


def judge(case: Case, kind: str, folder: Path) -> None:
    write: Callable[[Table, str], bytes] = as_csv if kind == "csv" else lambda rows, _: as_xlsx(rows)
    path = folder / f"lote.{kind}"
    path.write_bytes(write(case.rows, case.codec))
    try:
        sent, problems, others = taken(path)
    except InputRefused as refusal:
        sent, problems, others = set(), {refusal.code} if refusal.remedy else set(), case.others
    assert sent <= set(case.good), case
    assert problems == ({case.says} if case.says else set()), case
    assert others == case.others, case
    path.write_bytes(write(case.mended, "utf-8"))
    assert taken(path)[:2] == (set(case.good), set()), case


def test_the_grid_is_large_enough() -> None:
    assert len(EACH) >= 170
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("first", range(7))
def test_a_part_of_the_grid_sends_only_what_a_reader_would_cancel(first: int, tmp_path: Path) -> None:
    for case, kind in EACH[first * 3 :: 29]:
        judge(case, kind, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize(("case", "kind"), EACH, ids=str)
def test_no_file_of_the_grid_sends_what_a_reader_would_not_cancel(case: Case, kind: str, tmp_path: Path) -> None:
    judge(case, kind, tmp_path)
