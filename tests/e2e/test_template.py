"""``anular template``: a book to fill in, never over another file (interface.md 2)."""

from __future__ import annotations

import pytest
from openpyxl import load_workbook

from tests.e2e.conftest import make_cufe

REASON = "Factura emitida con el monto equivocado"


def test_the_template_that_was_filled_in_passes_check_and_is_sent(place):
    done = place.anular("template", "--json")
    path = place.folder / "plantilla.xlsx"
    assert (done.code, done.data) == (0, {"template": str(path)})
    assert "sin-filas" in place.anular("check", path).words

    book = load_workbook(path)
    book["Anulaciones"].append([make_cufe(1), REASON, "ana@example.com", "F-1", "Cliente", 107.5])
    book["Anulaciones"].append([make_cufe(2), REASON, None, "F-2", "Cliente", 50])
    book.save(path)
    checked = place.anular("check", path)
    assert checked.code == 0
    assert "Correo ← C (1 con dirección, 1 sin)" in checked.words
    assert place.anular("run", path, "--yes", "--json").data[0]["outcomes"] == {"ANULADA": 2}


@pytest.mark.long
def test_another_file_is_never_written_over(place):
    path = place.folder / "mía.xlsx"
    path.write_bytes(b"trabajo de alguien")
    refused = place.anular("template", path)
    assert (refused.code, "template-exists" in refused.words) == (2, True)
    assert path.read_bytes() == b"trabajo de alguien"
    assert place.anular("template", place.folder / "mía nueva.xlsx").code == 0


def test_a_name_or_a_folder_that_does_not_do_is_told(place):
    assert "«anular template plantilla.xlsx»" in place.anular("template", "plantilla.csv").words
    refused = place.anular("template", place.folder / "no hay" / "p.xlsx")
    assert (refused.code, "template-not-written" in refused.words) == (2, True)


def test_it_names_the_company_of_the_profile(place):
    config = place.folder / "config" / "anular"
    config.mkdir(parents=True)
    (config / "anular.toml").write_text('[profile.norte]\ncompany = "Comercial Norte"\n')
    assert place.anular("template", "--profile", "norte").code == 0
    tips = load_workbook(place.folder / "plantilla.xlsx")["Recomendaciones"]
    assert tips["A1"].value == "Plantilla de anulaciones de Comercial Norte"
