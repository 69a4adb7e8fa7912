"""Reading and validating a workbook: ours, pandas with calamine and a bare pandera schema, pandas with openpyxl."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from tests.bench.material import NOW, workbook
from tests.bench.runner import BUILD, Figure, Numbers, Scale, apart, column, in_turn, over


def anular(path: str, rows: int) -> Numbers:
    """The first two steps with all their checks, from the bytes on the disk to a verdict for every row."""
    from pipeline.domain.eligibility import Rules
    from pipeline.domain.records import Verdict
    from pipeline.read.limits import Limits
    from pipeline.read.sheet import read_sheet
    from pipeline.validate.check import check

    start = time.perf_counter()
    sheet = read_sheet(Path(path), limits=Limits(rows=max(rows, 100_000)))
    reading = time.perf_counter() - start
    found = check(sheet, Rules(), NOW, lambda _: {})
    seconds = time.perf_counter() - start
    assert found.counts[Verdict.ACCEPTED] == rows, found.counts
    return {"seconds": seconds, "reading": reading, "validating": seconds - reading}


def _schema() -> Any:
    import pandera.pandas as pa

    return pa.DataFrameSchema(
        {
            "CUFE": pa.Column(str, pa.Check.str_matches(r"^FE[0-9A-Z-]{64}$")),
            "Motivo": pa.Column(str, pa.Check.str_length(15, 250)),
            "Correo": pa.Column(str, pa.Check.str_matches(r"^[^@\s]+@[^@\s]+\.[^@\s]+$")),
        }
    )


def pandas(path: str, rows: int, engine: str = "calamine") -> Numbers:
    """What two libraries do by themselves: no guard, no positions, no check digit, no duplicates, no words."""
    import pandas as pd

    schema = _schema()
    start = time.perf_counter()
    frame = pd.read_excel(path, engine=engine, dtype=str, keep_default_na=False)  # type: ignore[call-overload]
    reading = time.perf_counter() - start
    schema.validate(frame, lazy=True)
    seconds = time.perf_counter() - start
    assert len(frame) == rows
    return {"seconds": seconds, "reading": reading, "validating": seconds - reading}


WAYS: dict[str, Callable[..., Numbers]] = {
    "anular": anular,
    "calamine": pandas,
    "openpyxl": partial(pandas, engine="openpyxl"),
}


def bench(scale: Scale) -> list[Figure]:
    rows = scale.of(100_000, 2_000)
    path = workbook(BUILD / f"lote-{rows}.xlsx", rows)
    run = partial(apart, "tests.bench.files", path=str(path), rows=rows)
    ways = {name: partial(run, name) for name in WAYS}
    told = in_turn(ways, min(scale.turns, 3), warm=not scale.quick)
    seconds = column(told, "seconds")
    parts = {way: column(told, way) for way in ("reading", "validating", "peak_mb")}
    return [
        Figure(
            "files",
            f"leer y validar {rows:,} filas",
            "s",
            seconds,
            "anular ÷ (calamine + pandera)",
            over(seconds, "anular", "calamine"),
            ("<=", 1.5),
            parts,
        )
    ]
