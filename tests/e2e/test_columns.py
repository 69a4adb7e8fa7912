"""Which column is which: said with the command, asked on a terminal, remembered, and always shown (interface.md 4)."""

from __future__ import annotations

from contextlib import closing

import pytest
from openpyxl import load_workbook

from pipeline.ledger.storage.driver import sqlite3
from tests.e2e.conftest import make_cufe
from tests.e2e.test_approval import on_a_terminal
from tests.e2e.test_month import typed

REASON = "Factura emitida con el monto equivocado"
OTHER = "Devolución de toda la mercancía"
HEADINGS = ["No.", "Código de la factura", "Causa", "Comentario"]


@pytest.fixture
def file(place):
    """Two good rows under headings of her own."""
    return own(place)


def own(place, name="lote.xlsx", first=1, headings=HEADINGS):
    rows = [[n, make_cufe(n), REASON, OTHER] for n in range(first, first + 2)]
    return place.file(rows, name, headings)


def sent(place):
    """The reasons of the codes that eDoc received, as the ledger has them."""
    with closing(sqlite3.connect(place.folder / "ledger" / "registro.db")) as ledger:
        reasons = dict(ledger.execute("SELECT cufe, reason FROM row"))
    return sorted(reasons[cufe] for cufe, times in place.posts().items() for _ in range(times))


def test_without_a_terminal_the_refusal_names_an_option_that_works(place, file):
    refused = place.anular("check", file)
    assert (refused.code, "encabezado-ajeno" in refused.words, "--columns cufe=B," in refused.words) == (3, True, True)
    done = place.anular("check", file, "--columns", "cufe=B,motivo=C")
    assert (done.code, f"CUFE ← B · Motivo ← C («{REASON}»)" in done.words) == (0, True)
    assert "Las columnas se indicaron con --columns cufe=B,motivo=C." in done.words


def test_a_column_may_be_said_by_its_heading(place, file):
    done = place.anular("run", file, "--yes", "--json", "--columns", "cufe=código de la factura,motivo=Causa")
    assert (done.code, done.data[0]["outcomes"]) == (0, {"ANULADA": 2})
    assert sent(place) == [REASON, REASON]


def test_on_a_terminal_the_program_asks_shows_the_answer_and_remembers_it(place, file):
    code, shown = on_a_terminal(place, ["check", file], "1")
    assert code == 0, shown
    assert f"1. Motivo ← C «Causa» (por ejemplo «{REASON}»)" in shown
    assert f"CUFE ← B · Motivo ← C («{REASON}»)" in shown
    kept = place.folder / "config" / "anular" / "columns.toml"
    assert str(kept) in "".join(shown.split())

    code, shown = on_a_terminal(place, ["check", own(place, "junio.xlsx", 5)], "nada")
    assert code == 0, shown
    assert "1. Motivo" not in shown
    assert "Las columnas son las que usted eligió el 20/11/2026 para estos mismos títulos: cufe=B,motivo=C" in shown


def test_what_is_remembered_does_not_count_for_other_headings_nor_where_nobody_sees_the_plan(place, file):
    assert on_a_terminal(place, ["check", file], "1")[0] == 0
    assert place.anular("check", file).code == 3
    assert place.anular("run", file, "--yes").code == 3
    other = own(place, "otro.xlsx", headings=[*HEADINGS[:2], "Comentario", "Causa"])
    code, shown = on_a_terminal(place, ["check", other], "")
    assert (code, "1. Motivo" in shown) == (3, True)


def test_no_answer_reads_nothing_and_remembers_nothing(place, file):
    for reply in ("", "9", "si"):
        code, shown = on_a_terminal(place, ["run", file], reply)
        assert (code, "encabezado-ajeno" in shown) == (3, True), shown
    assert not (place.folder / "config" / "anular" / "columns.toml").exists()
    assert place.posts() == {}


def test_a_wrong_answer_is_not_remembered(place):
    """Of the review nothing would be sent; in the run she sees the plan and types no count."""
    rows = [[n, make_cufe(n), "corto", OTHER] for n in range(1, 3)]
    file = place.file(rows, headings=HEADINGS)
    kept = place.folder / "config" / "anular" / "columns.toml"

    code, shown = on_a_terminal(place, ["check", file], "1")
    assert (code, kept.exists()) == (1, False), shown
    code, shown = on_a_terminal(place, ["run", file], "1")
    assert (code, kept.exists()) == (1, False), shown
    own(place, "junio.xlsx", 5)
    code, shown = typed(place, "run junio.xlsx", "2", "no")
    assert (code, kept.exists(), place.posts()) == (130, False, {}), shown
    code, shown = typed(place, "run junio.xlsx", "1", "2")
    assert (code, kept.exists()) == (0, True), shown


def test_a_company_s_answer_is_not_another_s(place, file):
    config = place.folder / "config" / "anular"
    config.mkdir(parents=True)
    (config / "anular.toml").write_text('[profile.norte]\ncompany = "Norte"\n[profile.sur]\ncompany = "Sur"\n')
    assert on_a_terminal(place, ["check", file, "--profile", "norte"], "1")[0] == 0
    assert on_a_terminal(place, ["check", file, "--profile", "norte"], "")[0] == 0
    assert on_a_terminal(place, ["check", file, "--profile", "sur"], "")[0] == 3


def test_a_reason_that_looks_like_names_is_asked_about_for_each_file(place):
    rows = [[1, make_cufe(1), "Muebles del Istmo, S.A.", REASON]]
    file = place.file(rows, headings=["No.", "CUFE", "Razón", "Detalle"])
    assert "motivo-o-nombre" in place.anular("run", file, "--yes").words
    code, shown = on_a_terminal(place, ["check", file], "1")
    assert (code, "Motivo ← C («Muebles del Istmo, S.A.»)" in shown) == (0, True), shown
    code, shown = on_a_terminal(place, ["check", file], "2")
    assert (code, f"2. No: Motivo ← D «Detalle» (por ejemplo «{REASON}»)" in shown) == (0, True), shown
    assert f"Motivo ← D («{REASON}»)" in shown
    code, shown = on_a_terminal(place, ["check", file], "")
    assert (code, f"Motivo ← D («{REASON}»)" in shown) == (0, True), shown


def test_a_column_of_that_name_is_not_remembered_as_the_reason(place):
    rows = [[1, make_cufe(1), OTHER, REASON]]
    file = place.file(rows, headings=["No.", "CUFE", "Motivo", "Razón"])
    code, shown = on_a_terminal(place, ["check", file], "2")
    assert (code, f"Motivo ← D («{REASON}»)" in shown) == (0, True), shown
    code, shown = on_a_terminal(place, ["check", file], "1")
    assert (code, f"Motivo ← C («{OTHER}»)" in shown) == (0, True), shown
    code, shown = on_a_terminal(place, ["check", file], "")
    assert (code, f"Motivo ← C («{OTHER}»)" in shown) == (0, True), shown


def test_a_column_that_resembles_the_address_is_asked_about_once(place):
    rows = [[1, make_cufe(1), REASON, "ana@example.com"]]
    headings = ["No.", "CUFE", "Motivo", "Correo de cobros"]
    file = place.file(rows, headings=headings)
    code, shown = on_a_terminal(place, ["check", file], "")
    assert (code, "1. Correo ← D «Correo de cobros» (por ejemplo «ana@example.com»)" in shown) == (130, True), shown
    code, shown = on_a_terminal(place, ["check", file], "2")
    assert (code, "Correo ← D (" in shown) == (0, False), shown
    code, shown = on_a_terminal(place, ["check", file], "")
    assert (code, "2. Ninguna" in shown, "no se usa" in shown) == (0, False, True), shown
    rows[0][0] = 2
    other = place.file(rows, "otro.xlsx", headings=[*headings, "Total"])
    code, shown = on_a_terminal(place, ["check", other], "1")
    assert (code, "Correo ← D (1 con dirección, 0 sin)" in shown) == (0, True), shown


@pytest.mark.long
def test_the_same_file_with_other_columns_is_no_second_batch(place, file):
    said = ["--yes", "--json", "--columns"]
    first = place.anular("run", file, "--only", "1", *said, "cufe=B,motivo=D")
    assert first.data[0]["outcomes"] == {"ANULADA": 1, "NO ENVIADA": 1}
    for columns in ("cufe=B,motivo=C", "cufe=B,motivo=D,correo=A"):
        again = place.anular("run", file, *said, columns)
        assert (again.code, again.data[0]["refused"]["code"]) == (3, "columnas-otras")
        assert "--columns cufe=B,motivo=D." in again.data[0]["refused"]["message"]
    new = own(place, "nuevo.xlsx", 8)
    both = place.anular("run", new, file, *said, "cufe=B,motivo=C")
    assert (both.code, sent(place)) == (3, [OTHER])
    assert len(place.anular("status", "--json").data) == 1

    rest = place.anular("run", file, *said, "cufe=B,motivo=D")
    assert (rest.code, sent(place)) == (0, [OTHER, OTHER])


def test_the_batch_says_which_columns_it_was_taken_from(place, file):
    done = place.anular("run", file, "--yes", "--json", "--columns", "cufe=B,motivo=Causa")
    words = [str(cell) for row in load_workbook(done.data[0]["workbook"])["Resumen"].values for cell in row if cell]
    assert any("Columnas: cufe=B,motivo=C" in text for text in words)
    assert any("Las columnas se indicaron con --columns cufe=B,motivo=Causa." in text for text in words)


@pytest.mark.long
def test_untouched_corrections_of_such_a_file_are_turned_away_again(place):
    rows = [[1, "abc", None, OTHER], [2, make_cufe(2)[:-1], "corto", OTHER], [3, None, "corto", "0000000205"]]
    file = place.file(rows, headings=HEADINGS)
    book = load_workbook(file)
    book["Hoja1"]["B5"], book["Hoja1"]["D5"] = "#N/A", "0000000205"
    book["Hoja1"]["B5"].data_type = "e"
    book.save(file)
    first = place.anular("run", file, "--yes", "--json", "--columns", "cufe=B,motivo=C").data[0]
    rejected = first["outcomes"]["RECHAZADA"]
    said = "cufe=Código de la factura,motivo=Causa"
    again = place.anular("run", first["corrections"], "--yes", "--json", "--columns", said).data[0]
    assert again["outcomes"] == {"RECHAZADA": rejected}


def test_the_corrections_of_such_a_file_colour_the_cell_and_come_back(place):
    rows = [[1, make_cufe(1)[:-1], REASON, OTHER], [2, make_cufe(2), "corto", OTHER]]
    file = place.file(rows, headings=HEADINGS)
    done = place.anular("run", file, "--yes", "--json", "--columns", "cufe=B,motivo=C")
    path = done.data[0]["corrections"]
    sheet = load_workbook(path)["Corregir"]
    assert [[cell.comment is not None for cell in row] for row in sheet.iter_rows(min_row=2)] == [
        [False, False, True, False, False, False],
        [False, False, False, True, False, False],
    ]
    assert all((cell.fill.fill_type == "solid") is (cell.comment is not None) for row in sheet["B2:E3"] for cell in row)
    book = load_workbook(path)
    book["Corregir"]["C2"], book["Corregir"]["D3"] = make_cufe(1), REASON
    book.save(path)
    again = place.anular("run", path, "--yes", "--json", "--columns", "cufe=Código de la factura,motivo=Causa")
    assert again.data[0]["outcomes"] == {"ANULADA": 2}
    assert again.data[0]["corrects"] == done.data[0]["batch"]


@pytest.mark.long
def test_rows_to_correct_are_not_passed_over_for_those_given_back_beside_them(place):
    rows = [[1, make_cufe(1)[:-1], REASON, OTHER], [2, make_cufe(2, "906"), REASON, OTHER]]
    file = place.file(rows, headings=HEADINGS)
    path = place.anular("run", file, "--yes", "--json", "--columns", "cufe=B,motivo=C").data[0]["corrections"]
    assert load_workbook(path).sheetnames[:2] == ["Corregir", "Devueltas"]
    for command in (["check", path], ["run", path, "--yes"]):
        done = place.anular(*command)
        assert (done.code, "Corregir" in done.err, "--columns cufe=C" in done.err) == (3, True, True), done.words
    done = place.anular("check", path, "--columns", "cufe=C,motivo=D")
    assert "Las filas de la hoja «Devueltas» no se envían con el lote" in " ".join(done.words.split())
    assert "no se leyeron" not in " ".join(done.words.split())


def test_of_several_sheets_the_one_that_is_meant_is_asked_before_its_columns(place):
    path = own(place, "meses.xlsx")
    book = load_workbook(path)
    other = book.copy_worksheet(book["Hoja1"])
    other.title = "Junio"
    other["B2"], other["B3"] = make_cufe(8), make_cufe(9)
    book.save(path)

    refused = place.anular("check", path, "--json").data[0]["refused"]
    assert refused["code"] == "xlsx-varias-hojas"
    assert "Varias hojas tienen códigos CUFE: «Hoja1», «Junio»" in refused["message"]
    code, shown = typed(place, "check meses.xlsx", "2", "1")
    assert code == 0, shown
    assert shown.index("2. Solo la hoja «Junio» (CUFE en ella: 2)") < shown.index("1. Motivo ← C «Causa»")
    assert make_cufe(8) in str([*load_workbook(place.folder / "out" / "meses__revision.xlsx")["Resultados"].values])
    code, shown = typed(place, "check meses.xlsx", "1")  # which column it is, is known by now: the sheet is not
    assert code == 0, shown
