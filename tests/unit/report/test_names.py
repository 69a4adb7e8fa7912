from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.report.names import LONGEST, corrections_name, preview_name, results_name


def test_a_name_tells_the_input_and_the_batch() -> None:
    assert results_name("lote mensual", "20261120-7f3a") == "lote mensual__20261120-7f3a__resultados.xlsx"
    assert results_name("lote", "b1", 2) == "lote__b1__resultados (2).xlsx"
    assert preview_name("lote") == "lote__revision.xlsx"
    assert corrections_name("lote", "20261120-7f3a") == "lote__20261120-7f3a__corregir.xlsx"
    assert corrections_name("lote", "", 2) == "lote__corregir (2).xlsx"


@settings(max_examples=40)
@given(st.text(st.characters(codec=None), max_size=300), st.integers(1, 20))
def test_any_stem_gives_a_name_that_every_system_takes(stem: str, number: int) -> None:
    name = results_name(stem, "20261120-7f3a", number)
    assert len(name.encode()) <= LONGEST
    assert not set(name) & set('<>:"/\\|?*\x00\n\r')
    assert not name.startswith((".", "-"))
    assert "__20261120-7f3a__resultados" in name
    assert name.endswith(".xlsx")


@pytest.mark.parametrize("stem", ["../../etc/passwd", "..", "-rf", "\u202exslx"])
def test_a_stem_leads_nowhere(stem: str) -> None:
    assert "/" not in results_name(stem, "b")
    assert not results_name(stem, "b").startswith(("-", "."))
    assert "\u202e" not in results_name(stem, "b")
