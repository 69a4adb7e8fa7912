from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.report.inert import visible
from pipeline.report.model import Value
from pipeline.report.rowxml import row_xml


def written(*values: Value, height: float | None = None) -> ElementTree.Element:
    """The row that these values make, parsed; style 1, or 101 where the text looks like a formula."""
    return ElementTree.fromstring(row_xml(7, [(v, 1) for v in values], lambda style: style + 100, height))


def texts(row: ElementTree.Element) -> list[str]:
    return ["".join(t.text or "" for t in cell.iter("t")) for cell in row]


@settings(max_examples=40)
@given(st.lists(st.text(st.characters(codec=None), min_size=1, max_size=40), min_size=1, max_size=5))
def test_any_text_comes_back_as_text_and_nothing_else(values: list[str]) -> None:
    row = written(*values)
    assert texts(row) == [visible(value) for value in values]
    assert {cell.get("t") for cell in row} == {"inlineStr"}
    assert {node.tag for node in row.iter()} <= {"row", "c", "is", "t", "r"}


@settings(max_examples=40)
@given(st.integers() | st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_comes_back_as_itself(number: float) -> None:
    cell = written(number)[0]
    assert cell.get("t") is None
    assert float(cell.findtext("v") or "") == float(number)


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), float("-inf")])
def test_what_is_not_a_number_is_written_as_text(odd: float) -> None:
    assert texts(written(odd)) == [str(odd)]


def test_truth_values_are_truth_values() -> None:
    assert [(c.get("t"), c.findtext("v")) for c in written(True, False)] == [("b", "1"), ("b", "0")]


def test_an_escape_look_alike_is_split_so_that_no_reader_decodes_it() -> None:
    runs = written("_x0041__x000D_")[0].findall("is/r/t")
    assert [run.text for run in runs] == ["_", "x0041__", "x000D_"]


@pytest.mark.parametrize("text", ["\ra", "a\r", " a", "a ", "a\nb", "a  b"])
def test_white_space_that_readers_would_trim_is_kept(text: str) -> None:
    """A carriage return is written as a reference, which is no white space to look at."""
    node = written(text).find("c/is/t")
    assert node is not None
    assert (node.text, node.get("{http://www.w3.org/XML/1998/namespace}space")) == (text, "preserve")


def test_text_that_looks_like_a_formula_gets_the_style_that_keeps_it_text() -> None:
    assert [cell.get("s") for cell in written("=1+1", "+1", "-1", "@x", "uno")] == ["101"] * 4 + ["1"]


def test_empty_cells_keep_their_style_or_leave_a_gap() -> None:
    row = ElementTree.fromstring(row_xml(3, [(None, 0), ("", 4), ("x", 0)], int))
    assert [(cell.get("r"), cell.get("s")) for cell in row] == [("B3", "4"), ("C3", "0")]


def test_a_height_is_written_in_points() -> None:
    assert written("x", height=29.5).attrib == {"r": "7", "ht": "29.5", "customHeight": "1"}
