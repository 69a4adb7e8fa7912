"""Help and settings: the template passes the check, no secret is shown."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from openpyxl import load_workbook

from pipeline.settings.model import Settings
from tests.support import reading
from tests.support.pages import House
from tests.web.test_proposals import cufe, text


def test_w21_the_template_is_read_when_it_is_filled_in(house: House, tmp_path: Path):
    answer = house.client("ana").get("/ayuda/plantilla.xlsx")
    book = load_workbook(io.BytesIO(answer.content))
    sheet = book.worksheets[0]
    head = next(row for row in sheet.iter_rows() if any(cell.value == "CUFE" for cell in row))
    places = {cell.value: cell.column for cell in head if cell.value}
    line = int(head[0].row or 0) + 1
    sheet.cell(line, places["CUFE"], cufe(1))
    sheet.cell(line, places["Motivo"], "Factura emitida con el monto equivocado")
    book.save(tmp_path / "plantilla.xlsx")
    assert list(reading.read_sheet(tmp_path / "plantilla.xlsx").text["cufe"]) == [cufe(1)]


@pytest.mark.parametrize(
    ("day", "words"),
    [
        ("18/11/2026", "Está en plazo"),
        ("01/11/2026", "Ya venció"),
        ("ayer", "Escriba una fecha como 18/11/2026."),
    ],
)
def test_the_deadline_is_worked_out(house: House, day: str, words: str):
    assert words in text(house.client("ana").get("/ayuda", {"emision": day}))


def test_every_result_and_message_is_explained(house: House):
    shown = text(house.client("marta").get("/ayuda"))
    for word in ("ANULADA", "RESULTADO DESCONOCIDO", "cufe-verificador"):
        assert word in shown
    assert "--" not in shown


@pytest.mark.parametrize("house", [{"webhook_url": "https://avisos.example/T0KEN/secreto"}], indirect=True)
def test_w20_the_settings_show_no_secret(house: House):
    shown = house.client("admin").get("/configuracion").content.decode()
    assert "ANULAR_RATE" in shown
    assert "T0KEN" not in shown
    assert house.client("ana").get("/configuracion").status_code == 403
    assert "ANULAR_PASSWORD" in shown
    assert len(Settings.model_fields) > 50
