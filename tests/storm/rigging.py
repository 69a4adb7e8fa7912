"""What a test does to a process of the program before it starts: listen to its commits, spoil its disk, shorten its patience."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Callable, Sequence
from typing import Any


def warm() -> None:
    """Imports what the commands import late, so that a fork has it."""
    import alembic.command
    import openpyxl
    import pandera.pandas
    import python_calamine
    import sqlalchemy.dialects.sqlite

    import pipeline.answers
    import pipeline.validate
    import pipeline.vault
    import schemas.results

    assert all((alembic.command, openpyxl, pandera.pandas, python_calamine, sqlalchemy.dialects.sqlite))
    assert all((pipeline.answers, pipeline.vault, schemas.results))


def rig(spec: dict[str, Any]) -> None:
    """Applies ``acks`` and ``rig`` of a spec to this process."""
    if spec.get("acks"):
        _tell(spec["acks"])
    for name, *arguments in spec.get("rig", []):
        _RIGS[name](*arguments)


def _tell(path: str) -> None:
    """One line ``attempt version state batch pos`` for each move, written when its commit has returned and not before."""
    from pipeline import wiring
    from pipeline.ledger.store import Move, Moved, Store

    pipe = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)

    class Telling(Store):
        def apply(self, moves: Sequence[Move]) -> list[Moved]:
            moved = super().apply(moves)
            lines = "".join(
                f"{wish.attempt} {done.version} {done.state.value} {wish.batch} {wish.pos}\n"
                for wish, done in zip(moves, moved, strict=True)
            )
            os.write(pipe, lines.encode())
            return moved

    wiring.Store = Telling  # type: ignore[misc]


def _largest_file(size: int) -> None:
    """Writing beyond ``size`` bytes fails, as on a full disk."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def _failing_commit(nth: int, words: str) -> None:
    """From the ``nth`` COMMIT of this process on SQLite fails and says ``words``."""
    import sqlite3
    from sqlite3 import dbapi2

    real, count = sqlite3.connect, 0

    class Spoiled(sqlite3.Connection):
        def commit(self) -> None:
            nonlocal count
            count += self.in_transaction
            if self.in_transaction and count >= nth:
                self.rollback()
                raise sqlite3.OperationalError(words)
            super().commit()

    dbapi2.connect = lambda *a, **more: real(*a, **{**more, "factory": Spoiled})  # type: ignore[assignment]


def _patience(seconds: float) -> None:
    """How long requests in flight may go on after SIGTERM."""
    from pipeline.stop import Stop

    Stop.__init__.__defaults__ = (seconds,)


def _stale_after(seconds: float) -> None:
    from dataclasses import replace

    from pipeline import wiring

    real = wiring.send_rules
    wiring.send_rules = lambda settings: replace(real(settings), stale_after=seconds)


def _busy(milliseconds: int) -> None:
    """How long the ledger waits for somebody else's lock."""
    from pipeline.ledger import engine

    engine.BUSY_MS = milliseconds
    engine.PRAGMAS = tuple(
        f"PRAGMA busy_timeout={milliseconds}" if "busy_timeout" in pragma else pragma for pragma in engine.PRAGMAS
    )


_RIGS: dict[str, Callable[..., None]] = {
    "largest-file": _largest_file,
    "failing-commit": _failing_commit,
    "patience": _patience,
    "stale-after": _stale_after,
    "busy": _busy,
}
