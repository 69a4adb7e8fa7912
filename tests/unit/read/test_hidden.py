"""What a person does not see, counted and named."""

from __future__ import annotations

import pytest

from pipeline.read.hidden import Hidden


@pytest.mark.parametrize(
    ("hidden", "count", "words", "which"),
    [
        (Hidden(), 0, "", ""),
        (Hidden((4,)), 1, "1 fila oculta o filtrada", "fila 4"),
        (Hidden((4, 9)), 2, "2 filas ocultas o filtradas", "filas 4, 9"),
        (Hidden((), ("C",)), 1, "1 columna oculta", "columna C"),
        (Hidden((4,), ("C", "D")), 3, "1 fila oculta o filtrada y 2 columnas ocultas", "fila 4; columnas C, D"),
        (Hidden((), (), ((3, "B"), (4, "A"))), 2, "2 celdas que no se ven", "celdas B3, A4"),
        (
            Hidden((4,), ("C",), ((3, "B"),)),
            3,
            "1 fila oculta o filtrada, 1 columna oculta y 1 celda que no se ve",
            "fila 4; columna C; celda B3",
        ),
        (Hidden(tuple(range(1, 9))), 8, "8 filas ocultas o filtradas", "filas 1, 2, 3, 4, 5 y 3 más"),
    ],
)
def test_hidden_things_are_counted_together_and_named(hidden: Hidden, count: int, words: str, which: str) -> None:
    assert (hidden.count, hidden.words, hidden.which) == (count, words, which)
