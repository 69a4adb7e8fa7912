"""A row as a person names it: as the results show it, or by its number."""

from __future__ import annotations

import pytest

from pipeline.domain.errors import WrongUsage
from pipeline.domain.records import Position
from pipeline.domain.row_labels import RowLabel, row_label


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("21", RowLabel("", 21)),
        (" 021 ", RowLabel("", 21)),
        ("fila 21", RowLabel("", 21)),
        ("Fila21", RowLabel("", 21)),
        ("la fila 21", RowLabel("", 21)),
        ("línea 21", RowLabel("", 21)),
        ("LINEA 21", RowLabel("", 21)),
        ("Noviembre, fila 21", RowLabel("Noviembre", 21)),
        ("«Noviembre, fila 21»", RowLabel("Noviembre", 21)),
        ("noviembre,21", RowLabel("noviembre", 21)),
        ("Noviembre fila 21", RowLabel("Noviembre", 21)),
        ("Anulaciones nov-2026, fila 21", RowLabel("Anulaciones nov-2026", 21)),
        ("Ventas, 2026, fila 3", RowLabel("Ventas, 2026", 3)),
        ("Fila 9, fila 3", RowLabel("Fila 9", 3)),
    ],
)
def test_a_row_is_named_as_the_results_show_it_or_by_its_number(text, label):
    assert row_label(text) == label


@pytest.mark.parametrize("position", [Position(None, 7), Position("Hoja1", 7), Position("Nov, 1, fila 2", 7)])
def test_what_the_results_show_is_always_understood(position):
    label = row_label(str(position))

    assert (label.line, label.is_of(position.sheet)) == (7, True)


@pytest.mark.parametrize(
    "text", ["", " ", "fila", "-3", "21, 22", "21-23", "2 1", "todas", "21.5", "fila 21 y 22", "99999999"]
)
def test_what_names_no_single_row_is_refused_with_an_example(text):
    with pytest.raises(WrongUsage, match="columna «Fila»") as refused:
        row_label(text)

    assert refused.value.code == "row-label"


@pytest.mark.parametrize(
    ("text", "sheet", "fits"),
    [
        ("21", "Noviembre", True),
        ("21", None, True),
        ("noviembre , fila 21", "Noviembre", True),
        ("Octubre, fila 21", "Noviembre", False),
        ("Octubre, fila 21", None, False),
    ],
)
def test_a_label_with_another_sheet_is_not_of_the_batch(text, sheet, fits):
    assert row_label(text).is_of(sheet) is fits
