"""The results workbook from a ledger, beside openpyxl in write-only mode with the very same cells in memory already."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from tests.bench import past
from tests.bench.material import ENV
from tests.bench.runner import BUILD, Figure, Numbers, Scale, apart, column, in_turn, over


def anular(ledger: str) -> Numbers:
    """``anular report``: read from the ledger, written, read back and compared, synchronised, put in place."""
    from pipeline.ledger.storage.location import open_ledger
    from pipeline.ledger.views import Views
    from pipeline.run.results import write_results

    database = open_ledger(f"sqlite:///{ledger}")
    views = Views(database, ENV)
    (info,) = views.batches()
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        start = time.perf_counter()
        written = write_results(info, views, Path(folder))
        seconds = time.perf_counter() - start
        size = written.workbook.stat().st_size
    database.close()
    return {"seconds": seconds, "size": size}


def openpyxl(ledger: str, *, frame: bool = False) -> Numbers:
    """The cells of the two large sheets as plain values; gathering them is not counted."""
    from pipeline.ledger.storage.location import open_ledger
    from pipeline.ledger.views import Views
    from pipeline.report.printed import first_values, last_values
    from pipeline.report.sheets.log import values_of
    from pipeline.report.summary import summarise

    database = open_ledger(f"sqlite:///{ledger}")
    views = Views(database, ENV)
    (info,) = views.batches()
    report = summarise(info, views.lines(info), views.log(info))
    sheets: dict[str, list[list[Any]]] = {
        "Resultados": [[*first_values(row), *row.cells, *last_values(row)] for row in report.rows],
        "Bitácora": [list(values_of(event)) for event in report.log],
    }
    database.close()
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        start = time.perf_counter()
        (_with_pandas if frame else _write_only)(sheets, Path(folder, "resultados.xlsx"))
        seconds = time.perf_counter() - start
        size = Path(folder, "resultados.xlsx").stat().st_size
    return {"seconds": seconds, "size": size}


def _write_only(sheets: dict[str, list[list[Any]]], path: Path) -> None:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(path)


def _with_pandas(sheets: dict[str, list[list[Any]]], path: Path) -> None:
    import pandas as pd

    with pd.ExcelWriter(path, engine="openpyxl") as writer:
        for title, rows in sheets.items():
            pd.DataFrame(rows).to_excel(writer, sheet_name=title, index=False)


WAYS: dict[str, Callable[..., Numbers]] = {
    "anular": anular,
    "openpyxl write-only": openpyxl,
    "DataFrame.to_excel": partial(openpyxl, frame=True),
}


def bench(scale: Scale) -> list[Figure]:
    rows = scale.of(30_000, 500)  # more turns instead: per row it costs the same (growth)
    ledger = past.ledger(rows, 1)
    run = partial(apart, "tests.bench.reporting", ledger=str(ledger))
    ways = {name: partial(run, name) for name in WAYS if scale.quick or name != "DataFrame.to_excel"}
    told = in_turn(ways, min(scale.turns, 3))
    if not scale.quick:  # minutes, and nobody doubts the answer: once
        told["DataFrame.to_excel"] = [run("DataFrame.to_excel")]
    seconds = column(told, "seconds")
    more = {"peak_mb": column(told, "peak_mb"), "size": column(told, "size")}
    return [
        Figure(
            "reporting",
            f"libro de resultados de {rows:,} filas",
            "s",
            seconds,
            "anular ÷ openpyxl write-only",
            over(seconds, "anular", "openpyxl write-only"),
            ("<=", 1.25),
            more,
        )
    ]
