"""Our own files given back untouched: a row that was turned away is turned away again (decisions 0030 and 0031)."""

from __future__ import annotations

from pathlib import Path

import pytest
import xlsxwriter  # type: ignore[import-untyped]
from openpyxl import load_workbook

from tests.support.books import rows_of

REASON = "Factura emitida con el monto equivocado"


@pytest.fixture
def file(place, cufe):
    """Three rows turned away for what their values do not show: a formula, the same in the address, and a row that is
    crossed out."""
    path = place.folder / "lote.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("Hoja1")
        sheet.write_row(0, 0, ["No.", "CUFE", "Motivo", "Correo"])
        sheet.write_row(1, 0, [1, cufe(1)])
        sheet.write_formula(1, 2, '=CONCATENATE("Factura ","equivocada")', value=REASON)
        sheet.write_row(2, 0, [2, cufe(2), REASON])
        sheet.write_formula(2, 3, "=A1", value="uno@empresa.example")
        struck = book.add_format({"font_strikeout": True})
        sheet.write_row(3, 0, [3, cufe(3), REASON], struck)
    return path


def sendable(place, path):
    done = place.anular("check", path, "--json")
    return done.data[0]["accepted"], {one["code"] for one in done.data[0]["problems"]}


def test_a_review_given_back_sends_nothing_that_it_rejected(place, file):
    review = place.anular("check", file, "--json").data[0]["workbook"]

    assert sendable(place, review) == (0, {"rechazada-antes", "fila-tachada"})


@pytest.mark.parametrize("kind", ["workbook", "csv"])
def test_results_given_back_send_nothing_that_they_rejected(place, file, kind):
    batch = place.anular("run", file, "--yes", "--json").data[0]
    place.anular("report", batch["batch"], "--csv")
    path = Path(batch["workbook"])

    assert batch["outcomes"] == {"RECHAZADA": 3}
    given = path if kind == "workbook" else path.with_suffix(".csv")
    assert sendable(place, given)[0] == 0
    assert place.anular("run", given, "--yes", "--json").data[0]["outcomes"] == {"RECHAZADA": 3}
    assert place.posts() == {}


def test_the_corrections_of_a_review_given_back_hold_nothing_that_passes_by_itself(place, file):
    review = place.anular("check", file, "--json").data[0]["workbook"]
    fixes = place.anular("check", review, "--json").data[0]["corrections"]
    rows = {row["No."]: row for row in rows_of(fixes, "Corregir")}

    assert rows[1]["Motivo"] == rows[2]["Correo"] == "(corregir)"
    assert sendable(place, fixes)[0] == 0


def test_a_row_whose_remark_was_removed_is_taken(place, file):
    review = place.anular("check", file, "--json").data[0]["workbook"]
    book = load_workbook(review)
    sheet = book["Resultados"]
    column = [cell.value for cell in sheet[1]].index("Observaciones") + 1
    sheet.cell(2, column).value = None
    book.save(review)

    assert sendable(place, review)[0] == 1
