"""The results workbook as other programs open it: every reader that this machine has sees the same rows.

LibreOffice, and the independent reader that comes with the locked environment.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import python_calamine

from pipeline.domain.lifecycle import State
from pipeline.domain.records import BatchInfo, Position, ResultLine
from pipeline.report.publish import publish
from pipeline.report.summary import summarise
from tests.support.dialects import soffice

CUFE = "FE01200000000000029-29-29-5676322018101525982740639300126729580548"
SHEETS = ("Resumen", "Resultados", "Pendientes de acción", "Estados eDoc", "Bitácora")
STATES = [state for state in State if state is not State.DUPLICATE]
TEXTS = ('=HYPERLINK("http://x")', "_x0041_", "0012", "ñandú; «dos»\nlíneas", "+1", "@x", "<b>&amp;</b>")
Table = list[list[str]]
Reader = Callable[[Path, Path], dict[str, Table]]


def by_calamine(workbook: Path, _: Path) -> dict[str, Table]:
    book = python_calamine.load_workbook(workbook)
    return {
        name: [[str(value) for value in row] for row in book.get_sheet_by_name(name).to_python()]
        for name in book.sheet_names
    }


def by_libreoffice(workbook: Path, folder: Path) -> dict[str, Table]:
    every_sheet = "csv:Text - txt - csv (StarCalc):59,34,76,1,,0,false,true,false,false,false,-1"
    soffice("--convert-to", every_sheet, "--outdir", folder, workbook)
    tables = {}
    for path in folder.glob(f"{workbook.stem}-*.csv"):
        with path.open(encoding="utf-8", newline="") as stream:
            tables[path.stem.removeprefix(f"{workbook.stem}-")] = list(csv.reader(stream, delimiter=";"))
    return tables


READERS: list[Reader] = [by_calamine, by_libreoffice]


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    moment = datetime(2026, 11, 20, 15, 0, 0, tzinfo=UTC)
    turned_away = {State.RECEIVED, State.REJECTED_INPUT, State.CONFLICT, State.HELD, State.READY, State.WITHDRAWN}
    turned_away.add(State.NOT_APPLICABLE)
    lines = [
        ResultLine(
            pos=pos,
            position=Position("Facturas", pos + 1),
            cells=(CUFE, TEXTS[pos % len(TEXTS)]),
            state=state,
            cufe=CUFE,
            sent_cufe=None if state in turned_away else CUFE,
            message=TEXTS[pos % len(TEXTS)],
        )
        for pos, state in enumerate(STATES, start=1)
    ]
    batch = BatchInfo(
        id="20261120-7f3a",
        file="lote.xlsx",
        sha256="0" * 64,
        env="sandbox",
        sheet="Facturas",
        rows=len(lines),
        headings=("CUFE", "Nota"),
        created=moment,
    )
    return publish(summarise(batch, lines, ()), tmp_path / "out", "lote")


@pytest.mark.parametrize("reader", READERS)
def test_every_sheet_and_row_is_seen_by_other_programs(reader: Reader, workbook: Path, tmp_path: Path) -> None:
    tables = reader(workbook, tmp_path)
    assert set(tables) == set(SHEETS)
    head, *rows = tables["Resultados"]
    own = head.index("CUFE")
    assert [row[own] for row in rows] == [CUFE] * len(STATES)
    assert [row[own + 1] for row in rows] == [TEXTS[pos % len(TEXTS)] for pos in range(1, len(STATES) + 1)]
    place = head.index("Fila")
    assert [row[place] for row in rows] == [f"Facturas, fila {pos + 1}" for pos in range(1, len(STATES) + 1)]
    assert rows[STATES.index(State.CANCELLED)][head.index("Resultado")] == "ANULADA"
    assert any("AMBIENTE DE PRUEBAS" in cell for row in tables["Resumen"] for cell in row)
