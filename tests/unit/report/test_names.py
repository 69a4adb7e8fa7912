from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.report.names import (
    LONGEST,
    LONGEST_PATH,
    corrections_name,
    preview_name,
    results_name,
    results_pattern,
    room,
)


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


@pytest.mark.parametrize("stem", ["lote", "Anulaciones de la Compañía Nacional de Seguros " * 4])
@pytest.mark.parametrize("length", [20, 100, 150])
def test_on_windows_the_whole_path_is_short_enough_for_excel(stem: str, length: int) -> None:
    folder = Path("/" + "x" * (length - 1))
    space = room(folder, windows=True)
    for number in (1, 20):
        name = results_name(stem, "20261120-3f9a2c71", number, space)
        assert len(str(folder / name)) <= LONGEST_PATH
        assert "__20261120-3f9a2c71__resultados" in name
    assert room(folder, windows=False) == LONGEST


def test_the_results_of_a_name_that_was_cut_for_its_folder_are_found_there() -> None:
    space = room(Path("/" + "x" * 149), windows=True)
    name = results_name("Anulaciones de noviembre de la Compañía Nacional", "20261120-3f9a2c71", room=space)
    _, batch_in = results_pattern("Anulaciones de noviembre de la Compañía Nacional", space)
    assert batch_in(name) == "20261120-3f9a2c71"


@pytest.mark.parametrize("stem", ["../../etc/passwd", "..", "-rf", "\u202exslx"])
def test_a_stem_leads_nowhere(stem: str) -> None:
    assert "/" not in results_name(stem, "b")
    assert not results_name(stem, "b").startswith(("-", "."))
    assert "\u202e" not in results_name(stem, "b")
