"""Rows with the same problem stand together, under a title that fits each of them."""

from __future__ import annotations

from pipeline.approvals.causes import TITLES, causes
from pipeline.domain.problems import KINDS, problem
from pipeline.domain.records import CheckedRow, Position, Verdict


def row(line: int, *codes: str) -> CheckedRow:
    told = tuple(problem(code, cell=f"A{line}", column="CUFE", value="x") for code in codes)
    return CheckedRow(line, Position(None, line), (), Verdict.REJECTED, problems=told)


def test_every_problem_of_a_row_has_a_title():
    assert set(TITLES) == {code for code, kind in KINDS.items() if kind.scope == "fila"}


def test_a_title_names_no_single_row():
    assert [title for title in TITLES.values() if "{" in title or title.endswith(".")] == []


def test_the_most_frequent_cause_comes_first_and_counts_each_row_once():
    found = causes(
        [row(2, "cufe-vacio"), row(3, "motivo-vacio", "motivo-vacio"), row(4, "motivo-vacio")], each=9, most=9
    )
    assert [(one.code, one.rows, [finding.place for finding in one.findings]) for one in found] == [
        ("motivo-vacio", 2, ["A3", "A4"]),
        ("cufe-vacio", 1, ["A2"]),
    ]


def test_of_many_rows_the_first_are_shown_and_the_others_counted():
    (one,) = causes([row(line, "cufe-vacio") for line in range(100)], each=3, most=9)
    assert ([finding.place for finding in one.findings], one.rows, one.more) == (["A0", "A1", "A2"], 100, 97)


def test_all_causes_together_are_bounded_and_none_is_left_out():
    rows = [row(line, code) for line, code in enumerate([*["cufe-vacio"] * 5, *["motivo-vacio"] * 4])]
    found = causes(rows, each=4, most=6)
    assert [(one.code, one.rows, len(one.findings)) for one in found] == [("cufe-vacio", 5, 4), ("motivo-vacio", 4, 2)]
