"""CSV texts, made on the spot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pipeline.domain.cufe import check_digit
from pipeline.domain.errors import InputRefused
from pipeline.read.csv_file import read_csv
from pipeline.read.limits import Limits
from pipeline.read.table import Table


def cufe(number: int = 1) -> str:
    body = f"FE0120000155668001-2-2018-37078920261118{number:010d}006012{number:09d}"
    return body + check_digit(body)


@pytest.fixture
def code() -> Callable[..., str]:
    return cufe


@pytest.fixture
def table() -> Callable[..., Table]:
    """Reads CSV bytes or text."""

    def table(content: bytes | str, **limits: Any) -> Table:
        return read_csv(content if isinstance(content, bytes) else content.encode(), Limits(**limits))

    return table


@pytest.fixture
def refusal(table: Callable[..., Table]) -> Callable[..., InputRefused]:
    """Reads a CSV that has to be refused."""

    def refusal(content: bytes | str, **limits: Any) -> InputRefused:
        with pytest.raises(InputRefused) as caught:
            table(content, **limits)
        return caught.value

    return refusal
