"""Factories for the sandbox's tests: codes that ask for a scenario, and a clock that only moves when told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.domain.cufe import Cufe, check_digit
from pipeline.runtime.clock import Clock

NOW = datetime(2026, 11, 20, 14, 30, 0, 250_000, tzinfo=UTC)


class ToldClock(Clock):
    """Stands still between calls of ``tick``; a sleep moves it at once and is remembered."""

    def __init__(self) -> None:
        super().__init__()
        self.moment = NOW
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return (self.moment - NOW).total_seconds()

    def tick(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.tick(seconds)


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def clock() -> ToldClock:
    return ToldClock()


@pytest.fixture
def make_cufe() -> Callable[..., Cufe]:
    """``make_cufe("905", number=7)``: a valid code whose ending asks for scenario 905."""

    def make(code: str = "000", number: int = 1, ruc: str = "155668001-2-2018") -> Cufe:
        text = f"FE012{ruc.zfill(20)}-37078920261119{number:010d}006012003530{code}"
        return Cufe.parse(text + check_digit(text))

    return make
