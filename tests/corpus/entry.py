"""What an entry of the corpus is: a number and a name of reliability.md 4, a recipe for the bytes, what must come out.

Expectations speak of what a person sees: the rows by line, each row's problems with their cell, or the one refusal.
What an expectation does not name must not be there: no note, no problem, no repair, no warning.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pipeline.domain.cufe import check_digit
from pipeline.domain.eligibility import Rules

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
REASON = "Anulación: error en el monto"


def cufe(number: int = 1, *, env: str = "2", ruc: str = "155668001-2-2018") -> str:
    """A valid synthetic code, issued two days before ``NOW``."""
    body = f"FE012{ruc.zfill(20)}-37078920261118{number:010d}00601{env}{number:09d}"
    return body + check_digit(body)


A, B, C, D = (cufe(number) for number in (1, 2, 3, 4))

Row = tuple[Any, ...]
Found = tuple[str, str]


@dataclass(frozen=True)
class Refused:
    """The file as a whole: code of ``problems.py``, where (exactly), and words that the sentence must hold."""

    code: str
    where: str = ""
    says: str = ""


@dataclass(frozen=True)
class Read:
    """The table, exactly.

    ``rows`` by physical line, or how many there are when only that matters. ``problems`` (code, cell) and
    ``warnings`` (code) by line; ``repairs`` by line the beginning of what was done; ``held`` and ``mirrors`` are the
    lines that are no accepted or rejected rows; ``others`` those that are no invoice; ``notes`` a piece of each note.
    """

    rows: Mapping[int, Row] | int
    problems: Mapping[int, tuple[Found, ...]] = field(default_factory=dict)
    warnings: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    repairs: Mapping[int, str] = field(default_factory=dict)
    mirrors: tuple[int, ...] = ()
    others: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Entry:
    """One line of the table. ``options`` are those of ``read_sheet``, ``rules`` those of ``check``."""

    number: int
    name: str
    says: str
    make: Callable[[], bytes]
    expected: Refused | Read
    options: Mapping[str, Any]
    rules: Rules

    def __str__(self) -> str:
        return f"{self.number} {self.name}: {self.says}"


class Theme:
    """The entries of one file of recipes, gathered by ``@theme(number, name, says, expected)`` on each recipe."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def __call__(
        self,
        number: int,
        name: str,
        says: str,
        expected: Refused | Read,
        *,
        options: Mapping[str, Any] | None = None,
        rules: Rules | None = None,
    ) -> Callable[[Callable[[], bytes]], Callable[[], bytes]]:
        def keep(make: Callable[[], bytes]) -> Callable[[], bytes]:
            self.entries.append(Entry(number, name, says, make, expected, options or {}, rules or Rules()))
            return make

        return keep

    def add(self, number: int, name: str, says: str, data: bytes, expected: Refused | Read, **more: Any) -> None:
        """An entry whose bytes need no recipe of their own."""
        self(number, name, says, expected, **more)(lambda: data)
