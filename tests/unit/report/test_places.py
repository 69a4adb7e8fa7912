"""The place of a row is never the part of the workbook that is cut off."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from pipeline.domain.records import Position
from pipeline.report.sheets.page import place_width


@pytest.mark.parametrize("sheet", [None, "Hoja1", "Anulaciones nov-2026", "Una hoja con el nombre más larg"])
@pytest.mark.parametrize("rows", [1, 120, 100_000])
def test_the_longest_place_of_a_batch_fits_its_column(sheet, rows):
    report = SimpleNamespace(batch=SimpleNamespace(sheet=sheet, rows=rows))

    assert place_width(report) >= max(18, len(str(Position(sheet, rows + 1_000))))
