"""The whole command as a user runs it, on one workbook against a server of 50 ms; and its memory on 100,000 rows."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.material import workbook
from tests.bench.runner import BUILD, ROOT, Figure, Numbers, Scale, build, clean, server, watched_memory

GOAL_MB, GOAL_S = 400.0, 18.0


def run(base: str, path: Path, in_flight: int, *, keep: Path | None = None) -> Numbers:
    """``anular run`` on a new ledger: seconds, and the peak memory of it and of its largest child in MB."""
    with tempfile.TemporaryDirectory(dir=build()) as folder:
        place = keep or Path(folder)
        return _watched(["-m", "pipeline", "run", "--yes", str(path)], _environment(base, place, in_flight))


def _environment(base: str, place: Path, in_flight: int) -> dict[str, str]:
    return clean(
        ANULAR_BASE_URL=base,
        ANULAR_RATE="10000",
        ANULAR_CONCURRENCY=str(in_flight),
        ANULAR_LEDGER=f"sqlite:///{place}/registro.db",
        ANULAR_OUT=str(place),
        XDG_STATE_HOME=str(place / "estado"),  # what this machine sent before is not this measurement's past
    )


def _watched(command: list[str], environment: dict[str, str]) -> Numbers:
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *command],
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
        raise RuntimeError(f"anular {command} ended with {process.returncode}: {words[-3000:]}")
    return {"seconds": seconds, "parent_mb": peaks["parent"], "child_mb": peaks["child"]}


def bench(scale: Scale) -> list[Figure]:
    """One run, then its evidence and the check of that, each a process of its own with a mark on every step."""
    rows = scale.of(100_000, 1_000)
    path = workbook(BUILD / f"lote-{rows}.xlsx", rows)
    with server() as base, tempfile.TemporaryDirectory(dir=build()) as folder:
        place = Path(folder)
        environment = _environment(base, place, 128)

        def steps(*command: str) -> tuple[Numbers, dict[str, float]]:
            target = place / "pasos.json"
            told = _watched(["-m", "tests.bench.steps", str(target), *command], environment)
            return told, json.loads(target.read_text("utf-8"))

        told, peaks = steps("run", "--yes", str(path))
        (book,) = place.glob("*__resultados.xlsx")
        ledger, evidence = steps("report", book.stem.split("__")[1], "--evidence")
        (pack,) = place.glob("*__evidencia.zip")
        checked, of_pack = steps("verify", str(pack))
    all_peaks = {**peaks, **evidence, **of_pack, "hijo (lectura)": round(told["child_mb"], 1)}
    most = max(told["parent_mb"], ledger["parent_mb"], checked["parent_mb"], *all_peaks.values())
    seconds = {"run": told["seconds"], "report --evidence": ledger["seconds"], "verify": checked["seconds"]}
    return [
        Figure(
            "memory",
            f"memoria máxima, {rows:,} filas por todos los pasos",
            "MB",
            {step: [peak] for step, peak in all_peaks.items()},
            "el paso mayor",
            round(most, 1),
            ("<=", GOAL_MB),
        ),
        Figure(
            "memory",
            f"{rows:,} filas por todos los pasos, sin demora del servidor",
            "s",
            {name: [round(value, 2)] for name, value in seconds.items()},
        ),
        Figure(
            "memory",
            f"libro y paquete de evidencia de {rows:,} filas",
            "s",
            {"report --evidence": [round(ledger["seconds"], 2)]},
            "segundos",
            round(ledger["seconds"], 2),
            ("<=", GOAL_S),
        ),
    ]
