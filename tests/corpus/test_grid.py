"""A grid of workbooks: nothing goes that a reader would not cancel, and what is refused passes once it is mended."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.domain.eligibility import Rules
from pipeline.domain.errors import InputRefused
from pipeline.domain.records import Verdict
from pipeline.read.sheet import Sheet
from pipeline.run import questions
from pipeline.validate.check import check
from tests.corpus.entry import NOW
from tests.corpus.grid import LINES, Case, cases
from tests.corpus.test_corpus import nothing_seen
from tests.support.reading import read_sheet

GRID = cases()
EVERY = 23
"""The fast suite takes one case of so many: of every kind of outcome some."""


def sheet_of(data: bytes, folder: Path) -> Sheet:
    path = folder / "lote.xlsx"
    path.write_bytes(data)
    return read_sheet(path)


def sent(sheet: Sheet) -> dict[int, tuple[str, ...]]:
    """The codes of each row's problems, by line; none: it is sent."""
    checked = check(sheet, Rules(), NOW, nothing_seen)
    assert all((row.verdict is Verdict.ACCEPTED) == (not row.problems) for row in checked.rows)
    return {row.position.line: tuple(problem.code for problem in row.problems) for row in checked.rows}


def judge(case: Case, folder: Path) -> None:
    way = case.way
    if way.outcome == "refused":
        with pytest.raises(InputRefused) as caught:
            sheet_of(case.made, folder)
        assert caught.value.code == way.code
        assert caught.value.remedy
    else:
        sheet = sheet_of(case.made, folder)
        found = sent(sheet)
        against = {line for line, codes in found.items() if codes}
        asked = [one for one in (questions.far_rows([sheet]), questions.views([sheet])) if one is not None]
        if way.outcome == "rejected":
            assert found == {line: (way.code,) if line == case.line else () for line in LINES}
        elif way.outcome == "all rejected":
            assert against == set(LINES)
        elif way.outcome == "told":
            assert (len(sheet.doubts), against, asked) == (1, set(), [])
            assert sheet.doubts[0] in sheet.notes
        else:
            assert [one[1].code if isinstance(one, tuple) else one.code for one in asked] == [way.code]
    mended = sheet_of(case.mended, folder)
    assert sent(mended) == dict.fromkeys(LINES, ())
    assert (mended.doubts, mended.distant, mended.views) == ((), (), ())


def test_the_grid_is_large() -> None:
    assert len({case.made for case in GRID}) >= 300


@pytest.mark.parametrize("case", GRID[::EVERY], ids=str)
def test_some_of_the_grid(case: Case, tmp_path: Path) -> None:
    judge(case, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("case", GRID, ids=str)
def test_the_whole_grid(case: Case, tmp_path: Path) -> None:
    judge(case, tmp_path)
