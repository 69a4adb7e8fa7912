"""What a refusal says to do leads to a file that passes: each remedy is applied here as a person would."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.domain.eligibility import Rules
from pipeline.domain.errors import InputRefused
from pipeline.domain.records import Verdict
from pipeline.run import questions
from pipeline.validate.check import check
from tests.corpus.dressed import dressed, looking, row, view
from tests.corpus.entry import NOW, REASON, A, B
from tests.corpus.parts import GOOD, MAIN, book, sheet
from tests.corpus.parts import row as plain_row
from tests.corpus.test_corpus import nothing_seen
from tests.support.reading import read_sheet

HEAD = row(1, looking("A1", "CUFE"), looking("B1", "Motivo"))
FIRST, SECOND = (row(n, looking(f"A{n}", code), looking(f"B{n}", REASON)) for n, code in ((2, A), (3, B)))
GOOD_BOOK = book(sheet(*GOOD))
CONNECTION = {"xl/connections.xml": f'<connections xmlns="{MAIN}"/>'}
LABELLED = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage DRMEncryptedDataSpace".encode("utf-16-le")


def starting_at(line: int) -> bytes:
    rows = [plain_row(line, "CUFE", "Motivo"), plain_row(line + 1, A, REASON), plain_row(line + 2, B, REASON)]
    return book(sheet(*(plain_row(n, "Reporte") for n in range(1, line)), *rows))


def merged(*refs: str) -> str:
    inside = "".join(f'<mergeCell ref="{ref}"/>' for ref in refs)
    return f"<mergeCells>{inside}</mergeCells>"


def all_in_a() -> bytes:
    return book(sheet(plain_row(1, "CUFE;Motivo"), plain_row(2, f"{A};{REASON}"), plain_row(3, f"{B};{REASON}")))


def two_lines() -> bytes:
    third = row(4, looking("A4", B), looking("B4", REASON))
    return dressed(HEAD, row(2), row(3, looking("A3", A), looking("B3", REASON)), third, after=merged("A1:A2", "B1:B2"))


def far() -> bytes:
    return book(sheet(*GOOD[:2], plain_row(40, B, REASON)))


REMEDIES: list[tuple[str, str, bytes, bytes]] = [
    ("delete rows above", "encabezado-abajo", starting_at(12), starting_at(10)),
    ("titles in one row", "encabezado-doble", two_lines(), GOOD_BOOK),
    ("text to columns", "todo-en-una-columna", all_in_a(), GOOD_BOOK),
    ("delete the query", "xlsx-consulta", book(sheet(*GOOD), more=CONNECTION), GOOD_BOOK),
    ("open in Excel and save", "xlsx-nombres", book(sheet(*GOOD), more={"xl\\x.xml": "<x/>"}), GOOD_BOOK),
    ("a label that does not encrypt", "tipo-etiqueta", LABELLED, GOOD_BOOK),
    (
        "separate and repeat the value",
        "xlsx-combinadas",
        dressed(HEAD, FIRST, row(3, looking("A3", B)), after=merged("B2:B3")),
        dressed(HEAD, FIRST, SECOND),
    ),
    (
        "show the row",
        "xlsx-ocultas",
        dressed(HEAD, FIRST, SECOND.replace('r="3"', 'r="3" ht="0.75"', 1)),
        dressed(HEAD, FIRST, SECOND.replace('r="3"', 'r="3" ht="15"', 1)),
    ),
    ("take the empty rows away", "fila-lejana", far(), GOOD_BOOK),
    (
        "delete the view",
        "vista-filtra",
        dressed(HEAD, FIRST, SECOND, beside=[view("Ana")]),
        dressed(HEAD, FIRST, SECOND),
    ),
]


def outcome(data: bytes, folder: Path, name: str = "lote.xlsx") -> str:
    """The code with which the file is refused where nobody is asked; "" when all of it is sent."""
    path = folder / name
    path.write_bytes(data)
    try:
        found = read_sheet(path)
    except InputRefused as refusal:
        return refusal.code
    if (distant := questions.far_rows([found])) is not None:
        return distant[1].code
    if (filtering := questions.views([found])) is not None:
        return filtering.code
    checked = check(found, Rules(), NOW, nothing_seen)
    assert [one.verdict for one in checked.rows] == [Verdict.ACCEPTED] * 2
    return ""


@pytest.mark.parametrize(("what", "code", "broken", "mended"), REMEDIES, ids=[one[0] for one in REMEDIES])
def test_what_is_refused_passes_when_the_remedy_was_applied(
    what: str, code: str, broken: bytes, mended: bytes, tmp_path: Path
) -> None:
    assert outcome(broken, tmp_path) == code
    assert outcome(mended, tmp_path) == ""


@pytest.mark.parametrize(("above", "code"), [(11, "encabezado-abajo"), (9, "")])
def test_a_list_below_the_tenth_line_of_a_csv_passes_without_what_stands_above(
    above: int, code: str, tmp_path: Path
) -> None:
    data = b"x\n" * above + f"CUFE;Motivo\n{A};{REASON}\n{B};{REASON}\n".encode()
    assert outcome(data, tmp_path, "lote.csv") == code
