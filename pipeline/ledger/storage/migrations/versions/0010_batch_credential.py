"""Under which credential each batch was taken in, kept with the batch and held by the chain (eyes.md 2)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_MARKS = "SELECT DISTINCT attempt.batch, attempt.credential FROM attempt JOIN batch ON batch.id = attempt.batch ORDER BY attempt.batch"
_TELL = (
    "INSERT INTO event (seq, batch, pos, from_, to_, event, utc, run, who, message, note, more, prev, hash) "
    "VALUES (:seq, :batch, 0, 'LEDGER', 'LEDGER', 'credential', :utc, :run, 'anular', :mark, 'esquema 0010', '', "
    ":prev, :hash)"
)
_SEVERAL = "varias"


def upgrade() -> None:
    """Add ``batch.credential``, filled from the attempts of each batch: their one mark, or none.

    The intake's own events cannot say it any more, so each mark goes into the chain in an event of its batch. That
    takes about a second for a million rows, and the file grows by an event for each batch.
    """
    op.add_column("batch", sa.Column("credential", sa.String(32), nullable=True))
    connection = op.get_bind()
    found = list(_found(connection.execute(sa.text(_MARKS)).all()))
    if not found:
        return
    marked = [{"mark": mark, "batch": batch} for batch, mark in found if mark != _SEVERAL]
    if marked:
        connection.execute(sa.text("UPDATE batch SET credential = :mark WHERE id = :batch"), marked)
    connection.execute(sa.text(_TELL), list(_events(connection, found)))


def _found(lines: Any) -> Iterator[tuple[str, str]]:
    """Each batch that has a mark, with its mark; batches from before the marks are left out."""
    for batch, some in groupby(lines, key=lambda line: str(line.batch)):
        marks = [line.credential for line in some]
        if marks != [None]:
            yield batch, str(marks[0]) if len(marks) == 1 else _SEVERAL


def _events(connection: Any, found: list[tuple[str, str]]) -> Iterator[dict[str, Any]]:
    """The events of the marks, hashed as the program did when this step was written, at the time of the newest."""
    last = connection.execute(sa.text("SELECT seq, utc, hash FROM event ORDER BY seq DESC LIMIT 1")).one()
    run = connection.execute(sa.text("SELECT max(id) FROM run")).scalar() or 0
    seq, prev = last.seq, bytes(last.hash)
    for batch, mark in found:
        seq += 1
        chained = [
            *(seq, batch, 0, None, "LEDGER", "LEDGER", "credential", last.utc, run, "anular"),
            *(None, None, None, mark, "esquema 0010", ""),
        ]
        text = json.dumps(chained, ensure_ascii=True, separators=(",", ":")).encode("ascii")
        content = hashlib.sha256(text + hashlib.sha256(b"").digest()).digest()
        values = {"seq": seq, "batch": batch, "utc": last.utc, "run": run, "mark": mark, "prev": prev}
        prev = hashlib.sha256(prev + content).digest()
        yield {**values, "hash": prev}
