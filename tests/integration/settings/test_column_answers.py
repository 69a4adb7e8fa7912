"""An answer counts for the company and the headings that it was given for, and for no others (interface.md 4)."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest

from pipeline.settings.column_answers import MOST, Answered, NotUnderstood, recalled, remember

HEADINGS = ("Fecha", 'Código "DGI"\n\\', "Concepto", "Aviso", "")
ANSWER = Answered("norte", HEADINGS, {"cufe": 1, "reason": 2, "email": 3}, date(2026, 11, 20))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config" / "columns.toml"


def test_what_was_answered_is_recalled_for_these_headings_of_this_company(path: Path) -> None:
    remember(path, ANSWER)
    assert recalled(path, "norte", HEADINGS) == ANSWER
    assert recalled(path, "norte", [*HEADINGS, "Otra"]) is None
    assert recalled(path, "norte", [HEADINGS[0].upper(), *HEADINGS[1:]]) is None
    assert recalled(path, "norte", [*HEADINGS[::-1]]) is None
    assert recalled(path, "sur", HEADINGS) is None
    assert recalled(path, "", HEADINGS) is None


def test_a_later_answer_takes_the_place_of_an_earlier_one_and_leaves_the_others(path: Path) -> None:
    other = Answered("sur", HEADINGS, {"cufe": 0, "reason": 1}, date(2026, 11, 1))
    later = Answered("norte", HEADINGS, {"cufe": 1, "reason": 3}, date(2026, 12, 1))
    for answer in (ANSWER, other, later):
        remember(path, answer)
    assert recalled(path, "norte", HEADINGS) == later
    assert recalled(path, "sur", HEADINGS) == other
    assert path.read_text("utf-8").count("[[answer]]") == 2


def test_the_file_belongs_to_its_owner_alone_and_the_oldest_answers_go(path: Path) -> None:
    for number in range(MOST + 1):
        remember(path, Answered("", (f"CUFE {number}", "Causa"), {"cufe": 0, "reason": 1}, date(2026, 1, 1)))
    assert os.name == "nt" or path.stat().st_mode & 0o777 == 0o600
    assert recalled(path, "", ("CUFE 0", "Causa")) is None
    assert recalled(path, "", (f"CUFE {MOST}", "Causa")) is not None


@pytest.mark.parametrize(
    "broken",
    [
        "no es TOML",
        "answer = 7",
        '[[answer]]\ncompany = ""\non = 2026-01-01\nheadings = ["a"]\ncufe = 1\n',
        '[[answer]]\ncompany = ""\non = 2026-01-01\nheadings = ["a", "b"]\ncufe = 1\nreason = 3\n',
        '[[answer]]\ncompany = ""\non = 2026-01-01\nheadings = ["a", "b"]\ncufe = 1\nreason = 1\n',
        '[[answer]]\ncompany = ""\non = "hoy"\nheadings = ["a", "b"]\ncufe = 1\nreason = 2\n',
        '[[answer]]\ncompany = 1\non = 2026-01-01\nheadings = ["a", "b"]\ncufe = 1\nreason = 2\n',
        '[[answer]]\ncompany = ""\non = 2026-01-01\nheadings = ["a", "b"]\ncufe = "1"\nreason = 2\n',
    ],
)
def test_a_file_that_is_not_understood_says_nothing_and_is_not_written_over(broken: str, path: Path) -> None:
    path.parent.mkdir()
    path.write_text(broken, "utf-8")
    assert recalled(path, "", ("a", "b")) is None
    with pytest.raises(NotUnderstood):
        remember(path, ANSWER)
    assert path.read_text("utf-8") == broken


def test_what_no_file_can_hold_does_not_stop_the_others(path: Path) -> None:
    remember(path, Answered("", ("CUFE", "😀\x00\x7f"), {"cufe": 0, "reason": 1}, date(2026, 1, 1)))
    with pytest.raises(NotUnderstood):
        remember(path, Answered("", ("CUFE", "a\ud800"), {"cufe": 0, "reason": 1}, date(2026, 1, 1)))
    assert recalled(path, "", ("CUFE", "😀\x00\x7f")) is not None
