"""What a run says it waits for."""

from __future__ import annotations

import pytest

from pipeline.run.progress import waiting_words


@pytest.mark.parametrize(
    ("pending", "others", "seconds", "books", "words"),
    [
        (1, 0, 300, 1, "Esperando a la DGI por 1 factura, hasta 5 min; puede cerrar: el libro ya está escrito"),
        (2, 1, 90, 2, "Esperando a la DGI por 2 facturas y consultando 1 más en eDoc, hasta 1 min 30 s; "
         "puede cerrar: los libros ya están escritos"),
        (0, 1, 60, 0, "Consultando 1 factura en eDoc, hasta 1 min"),
        (1234, 0, 7200, 0, "Esperando a la DGI por 1,234 facturas, hasta 2 h"),
    ],
    ids=["one", "two books", "no book", "thousands"],
)  # fmt: skip
def test_a_wait_says_for_what_how_long_and_whether_anybody_has_to_stay(pending, others, seconds, books, words) -> None:
    assert waiting_words(pending, others, seconds, books) == words
