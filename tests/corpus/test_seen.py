"""Each way in which a row says that it is not to be sent, once, through the reading and the checks (grid.py)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.corpus.grid import Case, ways
from tests.corpus.test_grid import judge


def ones(*outcomes: str, code: str = "") -> Iterator[Case]:
    """A case of each way with one of ``outcomes``, on the row in the middle."""
    found = [way for way in ways() if way.outcome in outcomes and way.code.startswith(code) and way.role == "cufe"]
    return (Case(way, 3, odd=False) for way in found)


def test_what_is_crossed_out_is_rejected(tmp_path: Path) -> None:
    for case in ones("rejected", code="fila-tachada"):
        judge(case, tmp_path)


def test_what_is_not_seen_refuses_the_file(tmp_path: Path) -> None:
    for case in ones("refused"):
        judge(case, tmp_path)


def test_what_says_no_is_rejected(tmp_path: Path) -> None:
    for case in ones("rejected", code="fila-dice-no"):
        judge(case, tmp_path)


def test_what_is_filled_by_one_formula_is_rejected(tmp_path: Path) -> None:
    for case in ones("all rejected"):
        judge(case, tmp_path)


def test_what_may_say_something_else_is_told_or_asked(tmp_path: Path) -> None:
    for case in ones("told", "asked"):
        judge(case, tmp_path)
