"""Small lines and batches, made on the spot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.domain.lifecycle import State
from pipeline.domain.records import BatchInfo, Position, ResultLine

CUFE = "FE01200000000000029-29-29-5676322018101525982740639300126729580548"
NOON = datetime(2026, 11, 20, 15, 0, 3, tzinfo=UTC)
# States that a row can only be in after its cancellation was sent.
SENT = {
    State.SENDING,
    State.UNKNOWN,
    State.PENDING,
    State.CANCELLED,
    State.NEEDS_SUPPORT,
    State.NEEDS_CORRECTION,
    State.RETURNED,
    State.NOT_FOUND,
    State.REVIEW,
    State.CLOSED_BY_PERSON,
    State.CLOSED_RESEND,
}

MakeLine = Callable[..., ResultLine]
MakeBatch = Callable[..., BatchInfo]


@pytest.fixture
def make_line() -> MakeLine:
    """``make_line(state, pos=1, …)``: a line as the ledger would give it."""

    def make(state: State, pos: int = 1, **known: Any) -> ResultLine:
        known.setdefault("cells", (CUFE, "Error en el monto facturado"))
        known.setdefault("position", Position("Hoja1", pos + 1))
        known.setdefault("cufe", CUFE)
        known.setdefault("sent_cufe", CUFE if state in SENT else None)
        return ResultLine(pos=pos, state=state, **known)

    return make


@pytest.fixture
def make_batch() -> MakeBatch:
    """``make_batch(lines, …)``: the batch that these lines make up."""

    def make(lines: Sequence[ResultLine], **known: Any) -> BatchInfo:
        facts: dict[str, Any] = {
            "id": "20261120-7f3a",
            "file": "lote.xlsx",
            "sha256": "0" * 64,
            "env": "sandbox",
            "sheet": "Hoja1",
            "rows": len(lines),
            "headings": ("CUFE", "Motivo"),
            "created": NOON,
        }
        return BatchInfo(**(facts | known))

    return make
