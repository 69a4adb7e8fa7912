"""The whole command as a user runs it, on one workbook against a server of 50 ms; and its memory on 100,000 rows."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.material import workbook
from tests.bench.runner import BUILD, ROOT, Figure, Numbers, Scale, build, clean, server, watched_memory


def run(base: str, path: Path, in_flight: int, *, keep: Path | None = None) -> Numbers:
    """``anular run`` on a new ledger: seconds, and the peak memory of it and of its largest child in MB."""
    with tempfile.TemporaryDirectory(dir=build()) as folder:
        place = keep or Path(folder)
        environment = clean(
            ANULAR_BASE_URL=base,
            ANULAR_RATE="10000",
            ANULAR_CONCURRENCY=str(in_flight),
            ANULAR_LEDGER=f"sqlite:///{place}/registro.db",
            ANULAR_OUT=str(place),
        )
        start = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "pipeline", "run", "--yes", str(path)],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        with watched_memory(process.pid) as peaks:
            _, words = process.communicate()
        seconds = time.perf_counter() - start
        if process.returncode:
            raise RuntimeError(f"anular run ended with {process.returncode}: {words[-3000:]}")
        return {"seconds": seconds, "parent_mb": peaks["parent"], "child_mb": peaks["child"]}


def bench(scale: Scale) -> list[Figure]:
    rows = scale.of(100_000, 1_000)
    path = workbook(BUILD / f"lote-{rows}.xlsx", rows)
    with server() as base:
        told = run(base, path, 128)
    memory = {"anular": [round(told["parent_mb"], 1)], "hijo (lectura)": [round(told["child_mb"], 1)]}
    seconds = {"anular": [round(told["seconds"], 2)]}
    return [
        Figure(
            "memory",
            f"memoria máxima, {rows:,} filas por todos los pasos",
            "MB",
            memory,
            "anular",
            memory["anular"][0],
            ("<=", 400.0),
        ),
        Figure("memory", f"{rows:,} filas por todos los pasos, sin demora del servidor", "s", seconds),
    ]
