from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.domain.records import CheckedRow, Leader, Position, Verdict
from pipeline.report.preview import lines_of, preview_batch
from pipeline.report.summary import summarise


def checked(pos: int, verdict: Verdict, leader: Leader | None = None) -> CheckedRow:
    return CheckedRow(pos, Position(None, pos + 1), ("FE…", "motivo"), verdict, leader=leader)


@pytest.mark.parametrize(
    ("verdict", "word"),
    [
        (Verdict.ACCEPTED, "LISTA PARA ENVIAR"),
        (Verdict.HELD, "RETENIDA"),
        (Verdict.REJECTED, "RECHAZADA"),
        (Verdict.DUPLICATE, "DUPLICADA"),
        (Verdict.CONFLICT, "CONFLICTO"),
        (Verdict.NOT_APPLICABLE, "NO APLICA"),
    ],
)
def test_a_verdict_shows_as_its_word(verdict: Verdict, word: str) -> None:
    lines = lines_of([checked(1, verdict)])
    batch = preview_batch(
        file="l.csv",
        sha256="0" * 64,
        env="lab",
        sheet=None,
        rows=1,
        headings=("a", "b"),
        now=datetime(2026, 11, 20, tzinfo=UTC),
    )
    assert summarise(batch, lines, ()).rows[0].added.resultado == word


def test_a_duplicate_mirrors_the_row_it_repeats() -> None:
    rows = [checked(1, Verdict.ACCEPTED), checked(2, Verdict.DUPLICATE, Leader(None, 1, Position(None, 2)))]
    first, second = lines_of(rows)
    assert second.mirrored is first


def test_a_duplicate_of_an_earlier_batch_mirrors_nothing_here() -> None:
    rows = [checked(1, Verdict.DUPLICATE, Leader("b0", 1, Position(None, 2)))]
    assert lines_of(rows)[0].mirrored is None
