"""How high a row is follows from its texts; codes of the same shape are counted once."""

from __future__ import annotations

from textwrap import wrap

import pytest

from pipeline.report.sheets.page import LINE_HEIGHT, fit_height

CODE = "FE01200000000000029-29-29-56763220261118{:010d}9390120123456787"
TEXTS = [
    *(CODE.format(number) for number in (1, 29, 1_234_567_890)),
    "https://ejemplo.test/factura/0123456789-AB-01234567890123456789012345678901234567890123456789",
    "Ver 1234567890123456789012345678901234567890-1 y 2",
    "a-1-b-2-c-3-d-4-e-5-f-6-g-7-h-8-i-9-j-0-k-1-l-2-m-3-n-4-o-5-p-6",
    "x" * 299 + "1",
    "9" * 700,
]


@pytest.mark.parametrize("width", [7, 19, 36, 64])
@pytest.mark.parametrize("text", TEXTS)
def test_a_long_code_is_as_high_as_the_lines_it_breaks_into(text: str, width: int) -> None:
    lines = len(wrap(text, width)) if any(len(word) * 3 > width for word in text.split()) else -(-len(text) // width)

    assert fit_height([(text, width)]) == (None if lines == 1 else min(4.0 + LINE_HEIGHT * lines, 260.0))
