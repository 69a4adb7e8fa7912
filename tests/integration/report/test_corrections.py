"""The corrections workbook: what can be mended comes back to be mended, and nothing passes by itself (issue: row 6)."""

from __future__ import annotations

import hashlib
import io
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.domain.cufe import check_digit
from pipeline.domain.eligibility import Rules
from pipeline.domain.errors import Bug, StorageTrouble
from pipeline.domain.lifecycle import State
from pipeline.domain.pasted import MARKER
from pipeline.domain.records import BatchInfo, Correction, Position, ResultLine, Verdict
from pipeline.ledger.moves import future_id
from pipeline.read.sheet import Sheet
from pipeline.report.corrections import Corrections, corrections_of
from pipeline.report.edit_check import untouched
from pipeline.report.preview import lines_of, preview_batch
from pipeline.report.publish import publish_corrections
from pipeline.report.sheets.fixes import MOST_NOTES
from pipeline.report.verify import FIX_MEMBERS, verify_corrections
from pipeline.report.workbook import write_corrections
from pipeline.validate.check import Checked, check
from tests.support.dialects import soffice
from tests.support.long import long
from tests.support.reading import read_sheet

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
RULES = Rules()
REASON = "Error en el monto facturado al cliente"
HEADINGS = ("No.", "CUFE", "Motivo de anulación", "Correo", "Monto")
BATCH = "20261120-7f3a0001"


def cufe(number: int) -> str:
    head = f"FE01200000000000029-29-29-5676322026111{number % 9}{number:010d}001012{number * 7919 % 10**9:09d}"
    return head + check_digit(head + "0")


def wrong_digit(number: int) -> str:
    code = cufe(number)
    return code[:-1] + str((int(code[-1]) + 1) % 10)


def a_workbook(path: Path, rows: Sequence[Sequence[Any]], headings: Sequence[str] = HEADINGS) -> Path:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = "Hoja1"
    for row in (headings, *rows):
        sheet.append(list(row))
    book.save(path)
    return path


def opened(path: Path) -> Any:
    return openpyxl.load_workbook(path)


def checked(sheet: Sheet) -> Checked:
    return check(sheet, RULES, NOW, lambda _: {})


def corrections(sheet: Sheet, batch: str = "") -> Corrections:
    """What ``check`` (or with ``batch`` a run) would ask to be corrected."""
    found = checked(sheet)
    info = preview_batch(
        file=sheet.name,
        sha256=sheet.sha256,
        env="sandbox",
        sheet=sheet.sheet,
        rows=len(found.rows),
        headings=sheet.headings,
        now=NOW,
    )
    if batch:
        info = BatchInfo(**{name: getattr(info, name) for name in BatchInfo.__slots__} | {"id": batch})
    return corrections_of(info, lines_of(found.rows))


MIXED: list[list[Any]] = [
    [1, cufe(1), REASON, None, 10.5],
    [2, wrong_digit(2), "corto", None, 20.25],
    [3, cufe(3), REASON, "uno@x.pa; dos@x.pa", 30],
    [4, cufe(4), "Primera versión del motivo", None, 40],
    [5, cufe(5), REASON, None, 50],
    [6, cufe(4), "Segunda versión del motivo", None, 60],
    [7, cufe(5), REASON, None, 70],
    [8, 123456, REASON, None, 80],
]


@pytest.fixture
def mixed(tmp_path: Path) -> Corrections:
    """Rows 2, 3 and 8 are wrong, 4 and 6 contradict each other; 1 and 5 are good, 7 repeats 5."""
    return corrections(read_sheet(a_workbook(tmp_path / "lote.xlsx", MIXED)), BATCH)


def published(fixes: Corrections, folder: Path) -> Path:
    path = publish_corrections(fixes, folder, "lote")
    assert path is not None
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_it_holds_the_persons_own_columns_between_the_place_and_the_reasons(mixed: Corrections, tmp_path: Path) -> None:
    path = published(mixed, tmp_path / "out")
    rows = list(opened(path)["Corregir"].iter_rows(values_only=True))

    assert path.name == f"lote__{BATCH}__corregir.xlsx"
    assert rows[0] == ("fila_origen", *HEADINGS, "corregir")
    assert [row[:2] for row in rows[1:]] == [(f"Hoja1, fila {n + 1}", n) for n in (2, 3, 4, 6, 8)]
    assert [row[5] for row in rows[1:]] == [20.25, 30, 40, 60, 80]
    assert rows[1][2:4] == (wrong_digit(2), "corto")
    assert rows[5][2] == 123456


def test_each_faulty_cell_is_coloured_and_says_why_in_a_comment_and_in_the_last_column(
    mixed: Corrections, tmp_path: Path
) -> None:
    sheet = opened(published(mixed, tmp_path / "out"))["Corregir"]
    coloured = {
        cell.coordinate
        for row in sheet.iter_rows(min_row=2, max_col=6)
        for cell in row
        if cell.fill.fgColor.rgb == "00FBE3E2"
    }
    commented = {cell.coordinate: cell.comment.text for row in sheet.iter_rows() for cell in row if cell.comment}

    assert coloured == set(commented) == {"C2", "D2", "E3", "C4", "C5", "C6"}
    assert commented["D2"].endswith("[motivo-corto]")
    assert "[cufe-verificador]" in commented["C2"]
    assert "[conflicto-archivo]" in commented["C4"]
    for row in range(2, 7):
        words = sheet.cell(row, 7).value.split("\n")
        assert all(any(line.split(": ", 1)[1] in text for text in commented.values()) for line in words)
    assert sheet["G2"].value.startswith("CUFE: ")
    assert "\nMotivo de anulación: El motivo es demasiado corto" in sheet["G2"].value


def test_the_columns_that_are_read_are_text_so_that_what_is_typed_stays_text(
    mixed: Corrections, tmp_path: Path
) -> None:
    sheet = opened(published(mixed, tmp_path / "out"))["Corregir"]
    assert {sheet.cell(row, column).number_format for row in range(2, 6) for column in (3, 4, 5)} == {"@"}
    assert sheet["C6"].number_format == "General"
    assert sheet["F2"].number_format == "#,##0.00"


def test_corrected_and_read_again_only_the_corrected_rows_are_accepted(mixed: Corrections, tmp_path: Path) -> None:
    path = published(mixed, tmp_path / "out")
    book = opened(path)
    sheet = book["Corregir"]
    sheet["C2"], sheet["D2"] = cufe(2), REASON
    sheet["E3"] = "uno@x.pa"
    sheet.delete_rows(5)
    book.save(path)
    again = read_sheet(path)
    rows = checked(again).rows

    assert again.headings == ("fila_origen", *HEADINGS)
    assert again.corrects == BATCH
    assert "Es un libro de correcciones: su columna «corregir» se dejó a un lado." in again.notes
    assert [(row.cells[1], row.verdict) for row in rows] == [
        (2, Verdict.ACCEPTED),
        (3, Verdict.ACCEPTED),
        (4, Verdict.ACCEPTED),
        (8, Verdict.REJECTED),
    ]
    assert [row.cells[0] for row in rows] == [f"Hoja1, fila {n + 1}" for n in (2, 3, 4, 8)]


def test_a_second_round_keeps_the_place_in_the_first_file(mixed: Corrections, tmp_path: Path) -> None:
    again = read_sheet(published(mixed, tmp_path / "out"))
    second = corrections(again, "20261121-00000002")
    assert second.headings == HEADINGS
    assert [fix.place for fix in second.rows] == [fix.place for fix in mixed.rows]
    assert read_sheet(published(second, tmp_path / "otra")).headings == ("fila_origen", *HEADINGS)


def test_a_row_that_somebody_added_is_placed_where_it_was_added(mixed: Corrections, tmp_path: Path) -> None:
    path = published(mixed, tmp_path / "out")
    book = opened(path)
    book["Corregir"].append([None, 9, wrong_digit(9), REASON])
    book.save(path)
    assert [fix.place for fix in corrections(read_sheet(path)).rows][-1] == "Corregir, fila 7"


def test_the_same_batch_gives_the_same_bytes(mixed: Corrections) -> None:
    first, second = io.BytesIO(), io.BytesIO()
    write_corrections(mixed, first)
    write_corrections(mixed, second)
    assert first.getvalue() == second.getvalue()


def test_a_validation_gives_the_same_bytes_whenever_it_is_made(tmp_path: Path) -> None:
    sheet = read_sheet(a_workbook(tmp_path / "lote.xlsx", MIXED))
    path = published(corrections(sheet), tmp_path / "out")
    before = path.read_bytes()
    found = check(sheet, RULES, NOW.replace(hour=20), lambda _: {})
    info = preview_batch(
        file=sheet.name, sha256=sheet.sha256, env="sandbox", sheet=sheet.sheet, rows=len(found.rows),
        headings=sheet.headings, now=NOW.replace(hour=20),
    )  # fmt: skip
    assert published(corrections_of(info, lines_of(found.rows)), tmp_path / "out") == path
    assert path.name == "lote__corregir.xlsx"
    assert path.read_bytes() == before
    assert read_sheet(path).corrects == future_id("sandbox", sheet.sha256, sheet.sheet)


def test_nothing_to_correct_writes_nothing(tmp_path: Path) -> None:
    good = read_sheet(a_workbook(tmp_path / "lote.xlsx", MIXED[:1]))
    assert publish_corrections(corrections(good), tmp_path / "out", "lote") is None
    assert not (tmp_path / "out").exists()


# ------------------------------------------------------------------------------------ never lose a person's work


def edited(path: Path) -> bytes:
    """As a spreadsheet program saves it after somebody typed something; what is then in the file."""
    book = opened(path)
    book["Corregir"]["C2"] = cufe(2)
    book.save(path)
    return path.read_bytes()


def test_what_somebody_edited_in_a_batchs_corrections_stays_as_it_is(mixed: Corrections, tmp_path: Path) -> None:
    path = published(mixed, tmp_path / "out")
    before = edited(path)
    assert published(mixed, tmp_path / "out") == path
    assert path.read_bytes() == before
    assert names(tmp_path / "out") == [path.name]


def test_a_workbook_that_was_only_opened_and_saved_counts_as_edited(mixed: Corrections, tmp_path: Path) -> None:
    path = published(mixed, tmp_path / "out")
    opened(path).save(path)
    before = path.read_bytes()
    published(mixed, tmp_path / "out")
    assert path.read_bytes() == before


def test_an_edited_file_of_a_validation_gets_a_numbered_sister_and_an_untouched_one_is_replaced(tmp_path: Path) -> None:
    sheet = read_sheet(a_workbook(tmp_path / "lote.xlsx", MIXED))
    fewer = read_sheet(a_workbook(tmp_path / "lote.xlsx", MIXED[:2]))
    path = published(corrections(sheet), tmp_path / "out")
    assert published(corrections(fewer), tmp_path / "out") == path
    assert opened(path)["Corregir"].max_row == 2

    before = edited(path)
    for _ in range(2):
        assert published(corrections(sheet), tmp_path / "out").name == "lote__corregir (2).xlsx"
    assert path.read_bytes() == before
    assert len(names(tmp_path / "out")) == 2


def test_once_nothing_is_wrong_an_untouched_file_of_a_validation_goes_and_an_edited_one_stays(tmp_path: Path) -> None:
    wrong = corrections(read_sheet(a_workbook(tmp_path / "lote.xlsx", MIXED)))
    good = corrections(read_sheet(a_workbook(tmp_path / "lote.xlsx", MIXED[:1])))
    path = published(wrong, tmp_path / "out")
    assert publish_corrections(good, tmp_path / "out", "lote") is None
    assert not path.exists()

    before = edited(published(wrong, tmp_path / "out"))
    assert publish_corrections(good, tmp_path / "out", "lote") is None
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 roto", b"notas mias"])
def test_whatever_else_has_that_name_is_left_alone(content: bytes, mixed: Corrections, tmp_path: Path) -> None:
    path = published(mixed, tmp_path / "out")
    path.write_bytes(content)
    assert published(mixed, tmp_path / "out") == path
    assert path.read_bytes() == content


def test_a_folder_that_cannot_be_written_is_one_sentence(mixed: Corrections, tmp_path: Path) -> None:
    (tmp_path / "archivo").write_text("x")
    with pytest.raises(StorageTrouble, match="no se pudo guardar el libro de correcciones"):
        publish_corrections(mixed, tmp_path / "archivo", "lote")


# ------------------------------------------------------------------------------------ inert, and known to be


def tampered(path: Path, member: str, old: bytes, new: bytes) -> Path:
    stream = io.BytesIO()
    with ZipFile(path) as archive, ZipFile(stream, "w", ZIP_DEFLATED) as copy:
        for name in archive.namelist():
            data = archive.read(name)
            if name == member:
                assert old in data
                data = data.replace(old, new, 1)
            copy.writestr(name, data)
    path.write_bytes(stream.getvalue())
    return path


SHAPES, FIRST = "xl/drawings/commentsDrawing1.vml", "xl/worksheets/sheet1.xml"


@pytest.mark.parametrize(
    ("member", "old", "new"),
    [
        (SHAPES, b"<v:shadow", b'<v:imagedata src="x"/><v:shadow'),
        (SHAPES, b"<v:shadow", b'<v:shadow href="x"'),
        (SHAPES, b'color="black"', b'color="http://x"'),
        (SHAPES, b'style="text-align:left"', b'style="background:url(x)"'),
        (SHAPES, b"<x:AutoFill>", b"<x:FmlaMacro>Auto</x:FmlaMacro><x:AutoFill>"),
        (SHAPES, b"</xml>", b"<script/></xml>"),
        (SHAPES, b"urn:schemas-microsoft-com:vml", b"urn:schemas-microsoft-com:vmx"),
        (FIRST, b">Hoja1, fila 3<", b">Hoja1, fila 4<"),
        (FIRST, b"<v>80</v>", b"<f>1+1</f>"),
        (FIRST, b"</row>", b"</row><row></row>"),
        (FIRST, b">corregir<", b">observar<"),
        ("xl/worksheets/_rels/sheet1.xml.rels", b"<Relationship ", b'<Relationship TargetMode="External" '),
        ("xl/comments1.xml", b"</comments>", b""),
    ],
)
def test_a_corrections_workbook_that_is_not_what_it_should_be_is_found_out(
    member: str, old: bytes, new: bytes, mixed: Corrections, tmp_path: Path
) -> None:
    path = published(mixed, tmp_path / "out")
    verify_corrections(path, mixed)
    with pytest.raises(Bug):
        verify_corrections(tampered(path, member, old, new), mixed)


def test_one_that_was_written_wrongly_is_not_published(
    mixed: Corrections, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shorter = Corrections(mixed.batch, mixed.lines[:-1])
    monkeypatch.setattr("pipeline.report.publish.write_corrections", lambda _, s: write_corrections(shorter, s))
    with pytest.raises(Bug):
        publish_corrections(mixed, tmp_path / "out", "lote")
    assert names(tmp_path / "out") == []


HOSTILE = (
    '=HYPERLINK("http://x";"clic")', "+1", "-1", "@SUM(A1)", "_x0041_", "\ud800", "\x00\x1b[31m", "\u202exslx",
    "x" * 40_000,
    '</t></is></c><c r="A1"><f>1+1</f></c>', "]]>", '<x:FmlaMacro>"', "\ufffe",
)  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_inert_in_cells_comments_and_headings(text: str, mixed: Corrections, tmp_path: Path) -> None:
    line = mixed.lines[0]
    problem = line.problems[1]
    told = type(problem)(problem.code, problem.cell, problem.column, text, f"{text} {problem.message}")
    cells = (text, text, text, text, text)
    hostile = type(line)(
        pos=1, position=type(line.position)(text, 3), cells=cells, state=line.state, problems=(told, *line.problems)
    )  # fmt: skip
    info = BatchInfo(
        id=BATCH, file=text, sha256=text, env="lab", sheet=text, rows=1, headings=(text, *HEADINGS[1:]), created=NOW
    )  # fmt: skip
    path = published(Corrections(info, [hostile]), tmp_path / "out")
    with ZipFile(path) as archive:
        assert set(archive.namelist()) <= FIX_MEMBERS
    book = opened(path)
    cells_of = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells_of} <= {"s", "n"}
    assert not [cell for cell in cells_of if cell.hyperlink]
    assert any(cell.comment for cell in cells_of)


# ------------------------------------------------------------------------------------ nothing passes by itself

MOMENT = datetime(2026, 11, 20, 8, 30, 15)  # noqa: DTZ001 -- a cell has no zone
BAD_CODES = (
    None, "", "x", wrong_digit(1), wrong_digit(2).lower(), cufe(3)[:-1], cufe(3) + "0", cufe(4)[2:], "1.23E+65",
    12345, 1e65, True, date(2026, 11, 20), MOMENT, "=A1", f"{cufe(5)}\x07", f"{cufe(6)}\u202e",
)  # fmt: skip
BAD_REASONS = (
    None, "corto", "x" * 1_001, "x" * 40_000,
    "Error en el\x07 monto facturado", "Un motivo al rev\u202e\u00e9s aqu\u00ed",
    MOMENT, 123456789012345678, True, "=B1",
)  # fmt: skip
BAD_EMAILS = ("a@b", "a@x.pa b@x.pa", "x" * 120 + "@x.pa", 5, True, date(2026, 11, 20), "=C1", "ana\u202e@x.pa")
GOOD_CODES, GOOD_REASONS, GOOD_EMAILS = [cufe(n) for n in (1, 2)], [REASON, REASON + " otra vez"], [None, "ana@x.pa"]

CELLS = st.tuples(
    st.sampled_from((*BAD_CODES, *GOOD_CODES)),
    st.sampled_from((*BAD_REASONS, *GOOD_REASONS)),
    st.sampled_from((*BAD_EMAILS, *GOOD_EMAILS)),
)


def as_csv(path: Path, rows: Sequence[Sequence[Any]]) -> Path:
    """Texts as they are, everything else as a person would type it; control characters and all."""
    lines = [";".join("" if value is None else str(value) for value in row) for row in rows]
    path.write_text("cufe;motivo;correo\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def as_xlsx(path: Path, rows: Sequence[Sequence[Any]]) -> Path:
    """By openpyxl, which writes no control characters; its formulas have no value."""
    clean = [[v.replace("\x07", "") if isinstance(v, str) else v for v in row] for row in rows]
    return a_workbook(path, clean, ("cufe", "motivo", "correo"))


@pytest.mark.parametrize(("write", "name"), [(as_xlsx, "lote.xlsx"), *long((as_csv, "lote.csv"))])
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(CELLS, min_size=1, max_size=6).filter(lambda rows: any(any(row) for row in rows)))
def test_sent_back_untouched_every_row_is_turned_away_again(
    rows: list[tuple[Any, ...]], write: Callable[..., Path], name: str, tmp_path: Path
) -> None:
    sheet = read_sheet(write(tmp_path / name, rows))
    fixes = corrections(sheet, BATCH)
    turned_away = {Verdict.REJECTED, Verdict.CONFLICT}
    assert len(fixes) == sum(row.verdict in turned_away for row in checked(sheet).rows)
    if not len(fixes):
        return
    path = published(fixes, tmp_path / "out")
    again = checked(read_sheet(path))
    path.unlink()
    assert [row.verdict for row in again.rows if row.verdict not in turned_away] == []
    assert len(again.rows) == len(fixes)


@pytest.mark.parametrize("batch", ["", BATCH])
@pytest.mark.parametrize(
    "row", [("=A1", None, "a@b"), (cufe(1)[:40] + "\x07", None, None), (None, "=A1", None), ("#N/A", None, None)]
)
def test_a_row_without_a_code_that_shows_comes_back_as_an_invoice(row, batch, tmp_path):
    sheet = read_sheet(as_xlsx(tmp_path / "lote.xlsx", [(cufe(2), REASON, None), row]))
    (wrong,) = [one for one in checked(sheet).rows if one.verdict is Verdict.REJECTED]
    path = published(corrections(sheet, batch), tmp_path / "out")

    (again,) = checked(read_sheet(path)).rows
    assert (wrong.verdict, again.verdict) == (Verdict.REJECTED, Verdict.REJECTED)


def test_a_formula_does_not_become_its_value_by_itself(mixed: Corrections) -> None:
    line = mixed.lines[0]
    problem = line.problems[1]
    formula = type(problem)("celda-formula", problem.cell, problem.column, "", "La celda contiene una fórmula.")
    cells = (1, cufe(1), REASON, None, 5)
    one = type(line)(pos=1, position=line.position, cells=cells, state=line.state, problems=(formula,))
    (fix,) = Corrections(mixed.batch, [one]).rows
    assert fix.cells == (1, cufe(1), MARKER, None, 5)
    assert fix.wrong == {2: f"La celda contiene una fórmula. [celda-formula]\nRecibido: {REASON}"}


def test_thousands_of_wrong_rows_are_all_there_and_only_the_first_have_comments(tmp_path: Path) -> None:
    rows = [[n, wrong_digit(n), REASON, None, n] for n in range(1, MOST_NOTES + 501)]
    fixes = corrections(read_sheet(a_workbook(tmp_path / "lote.xlsx", rows)), BATCH)
    path = published(fixes, tmp_path / "out")
    book = opened(path)
    assert book["Corregir"].max_row == len(rows) + 1
    assert sum(bool(cell.comment) for (cell,) in book["Corregir"].iter_rows(min_col=3, max_col=3)) == MOST_NOTES
    assert all(row[6].startswith("CUFE: ") for row in book["Corregir"].iter_rows(min_row=2, values_only=True))
    assert len(read_sheet(path).cells) == len(rows)


# ------------------------------------------------------------------------------------ other programs


def by_libreoffice(path: Path, folder: Path) -> Path:
    """The workbook as LibreOffice saves it."""
    soffice("--convert-to", "xlsx", "--outdir", folder / "saved", path)
    return folder / "saved" / path.name


@pytest.mark.long
def test_libreoffice_keeps_rows_comments_and_the_batch_it_came_from(mixed: Corrections, tmp_path: Path) -> None:
    path = published(mixed, tmp_path / "out")
    saved = by_libreoffice(path, tmp_path)
    assert hashlib.sha256(saved.read_bytes()).digest() != hashlib.sha256(path.read_bytes()).digest()
    again, first = read_sheet(saved), read_sheet(path)
    assert (again.corrects, again.headings) == (BATCH, first.headings)
    assert [row.verdict for row in checked(again).rows] == [row.verdict for row in checked(first).rows]
    sheet = opened(saved)["Corregir"]
    commented = {cell.coordinate for row in sheet.iter_rows() for cell in row if cell.comment}
    assert commented == {"C2", "D2", "E3", "C4", "C5", "C6"}
    shutil.copy(saved, path)
    assert published(mixed, tmp_path / "out").read_bytes() == saved.read_bytes()  # it counts as worked on


# ---------------------------------------------------------------------------------------------- what was given back


def with_returned(fixes: Corrections) -> Corrections:
    """The same, with a row that was given back, and one that was given back after a correction of its reason."""
    line = ResultLine(
        pos=20, position=Position("Hoja1", 21), cells=(), state=State.NEEDS_CORRECTION, cufe=cufe(20), reason=REASON,
        email="a@empresa.com", estado=6, message='=HYPERLINK("http://x","falta un campo")',
    )  # fmt: skip
    again = replace(
        line, pos=21, position=Position("Hoja1", 22), cufe=cufe(21), correction=Correction("Otro " * 4, None)
    )
    return replace(fixes, returned=[line, again])


def test_what_was_given_back_is_never_read_as_rows_of_a_batch(mixed: Corrections, tmp_path: Path) -> None:
    path = published(with_returned(mixed), tmp_path / "out")
    assert opened(path).sheetnames == ["Corregir", "Devueltas", "Instrucciones"]
    again = read_sheet(path)

    assert (again.sheet, len(again.cells), again.corrects) == ("Corregir", 5, BATCH)
    assert any("se reenvían una por una" in note for note in again.notes)


def test_its_sheet_holds_what_was_sent_last_and_what_edoc_said(mixed: Corrections, tmp_path: Path) -> None:
    path = published(with_returned(mixed), tmp_path / "out")
    _, *rows = opened(path)["Devueltas"].iter_rows(values_only=True)

    assert rows == [
        ("Hoja1, fila 21", cufe(20), REASON, "a@empresa.com", '6: =HYPERLINK("http://x","falta un campo")'),
        ("Hoja1, fila 22", cufe(21), "Otro " * 4, None, '6: =HYPERLINK("http://x","falta un campo")'),
    ]
    back = read_sheet(path, sheet="Devueltas")
    assert (back.corrects, set(back.roles)) == (BATCH, {"cufe", "reason", "email"})


def test_where_nothing_else_is_to_be_corrected_there_is_that_sheet_alone(mixed: Corrections, tmp_path: Path) -> None:
    path = published(replace(with_returned(mixed), lines=[]), tmp_path / "out")

    assert opened(path).sheetnames == ["Devueltas", "Instrucciones"]
    assert read_sheet(path).sheet == "Devueltas"
    assert untouched(path)
