"""What one commit costs on this disk, by SQLite's modes that lose nothing (reliability.md D10), and by one that does.

Bare sqlite3, three updates and three insertions per commit, as a run with a few requests in flight makes them.
"""

from __future__ import annotations

import tempfile
import time
from functools import partial
from pathlib import Path

from pipeline.ledger.storage.driver import sqlite3
from tests.bench.runner import Figure, Numbers, Scale, build, column, in_turn

MODES = {"DELETE+EXTRA": ("DELETE", "EXTRA"), "WAL+FULL": ("WAL", "FULL"), "sin esperar al disco": ("DELETE", "OFF")}
ROWS, EACH = 2_000, 3


def commits(journal: str, synchronous: str, count: int) -> Numbers:
    """Wall and CPU milliseconds of one commit."""
    with tempfile.TemporaryDirectory(dir=build()) as folder:
        connection = sqlite3.connect(Path(folder, "a.db"), isolation_level=None)
        connection.execute(f"PRAGMA journal_mode={journal}")
        connection.execute(f"PRAGMA synchronous={synchronous}")
        connection.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, code TEXT UNIQUE, body TEXT)")
        values = [(f"{number:05d}", "x" * 300) for number in range(ROWS)]
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO t(code, body) VALUES (?, ?)", values)
        connection.execute("COMMIT")
        cpu, start = time.process_time(), time.perf_counter()
        for number in range(count):
            connection.execute("BEGIN IMMEDIATE")
            for one in range(EACH):
                key = number * EACH + one
                connection.execute("UPDATE t SET body = ? WHERE id = ?", (f"{key}" * 60, key % ROWS + 1))
                connection.execute("INSERT INTO t(code, body) VALUES (?, ?)", (f"n{key}", "y" * 300))
            connection.execute("COMMIT")
        wall, cpu = time.perf_counter() - start, time.process_time() - cpu
        connection.close()
    return {"wall": wall / count * 1000, "cpu": cpu / count * 1000}


def figures(scale: Scale) -> list[Figure]:
    """Both figures: they explain what sending spends on its memory, and have no goal."""
    count = scale.of(1_000, 20)
    ways = {name: partial(commits, *mode, count) for name, mode in MODES.items()}
    told = in_turn(ways, min(scale.turns, 3))
    return [
        Figure("submit", "un guardado en disco", "ms", column(told, "wall")),
        Figure("submit", "un guardado en disco, CPU", "ms", column(told, "cpu")),
    ]
