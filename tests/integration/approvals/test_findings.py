"""Every row of every cause of a checked file is on one of its pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.approvals.findings import ROWS, has_findings, read_findings, write_findings
from pipeline.domain.records import CheckedRow, Position, Problem, Verdict


def wrong(line: int, *codes: str) -> tuple[Problem, ...]:
    return tuple(Problem(code, f"A{line}", "CUFE", f"ñ{line}", "Está mal.") for code in codes)


def refused(line: int, *codes: str) -> CheckedRow:
    return CheckedRow(line, Position(None, line), (), Verdict.REJECTED, problems=wrong(line, *codes))


def good(line: int, *codes: str) -> CheckedRow:
    return CheckedRow(line, Position(None, line), (), Verdict.ACCEPTED, warnings=wrong(line, *codes))


@pytest.mark.parametrize("rows", [1, ROWS - 1, ROWS, ROWS + 1, 3 * ROWS])
def test_page_after_page_shows_each_row_of_a_cause_once_in_order(tmp_path: Path, rows: int):
    write_findings([refused(line, *(["motivo-vacio"] * (line % 2)), "cufe-vacio") for line in range(rows)], tmp_path)
    shown = []
    for page in range(-(-rows // ROWS)):
        some, count, pages = read_findings(tmp_path, "cufe-vacio", page)
        assert (count, pages) == (rows, -(-rows // ROWS))
        shown += [one.place for one in some]
    assert shown == [f"A{line}" for line in range(rows)]
    assert read_findings(tmp_path, "motivo-vacio", 0)[1] == rows // 2


def test_warnings_of_rows_that_are_sent_are_causes_too_and_a_row_counts_once(tmp_path: Path):
    write_findings([good(2, "dia-limite", "dia-limite"), good(3)], tmp_path)
    (one,), count, _ = read_findings(tmp_path, "dia-limite", 0)
    assert (one.place, one.value, count) == ("A2", "ñ2", 1)


@pytest.mark.parametrize(("code", "page"), [("otra", 0), ("cufe-vacio", 1), ("cufe-vacio", -1)])
def test_a_cause_or_page_that_is_not_there_has_no_rows(tmp_path: Path, code: str, page: int):
    assert not has_findings(tmp_path)
    write_findings([refused(2, "cufe-vacio")], tmp_path)
    assert has_findings(tmp_path)
    assert read_findings(tmp_path, code, page)[0] == []
