"""What the reading process tells: any table comes through whole, and anything else is nonsense."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import datetime, time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.domain.errors import InputRefused
from pipeline.domain.problems import refused
from pipeline.domain.records import Cell
from pipeline.read.header import Header
from pipeline.read.hidden import Hidden
from pipeline.read.limits import Limits
from pipeline.read.protocol import Nonsense, decode, encode, encode_refusal
from pipeline.read.table import Table

CELLS: st.SearchStrategy[Cell] = st.one_of(
    st.none(),
    st.text(max_size=20),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.datetimes(),
    st.dates(),
    st.times(),
)


TEXTS: st.SearchStrategy[Cell] = st.text(max_size=6) | st.sampled_from(["", "a\x1fb", "a\nb", "\r", "=", "\ud800", "é"])
KINDS = (CELLS, TEXTS, TEXTS | st.none(), st.text("ab", min_size=1) | st.none())


@st.composite
def tables(draw: st.DrawFn) -> Table:
    width = draw(st.integers(2, 5))
    kept = tuple(draw(st.sets(st.integers(0, width - 1), min_size=2).map(sorted)))
    line = draw(st.integers(1, 10))
    numbers = sorted(draw(st.sets(st.integers(line + 1, 200), min_size=1, max_size=6)))
    headings = tuple(draw(st.text(max_size=9)) for _ in kept)
    outcome = draw(st.none() | st.integers(0, width - 1))
    reasons = draw(st.none() | st.integers(0, width - 1))
    remarks = draw(st.none() | st.integers(0, width - 1))
    header = Header(line, headings, kept, {"cufe": 0, "reason": 1}, outcome, width, reasons, remarks)
    count = len(numbers)
    columns = [
        draw(st.sampled_from(KINDS).flatmap(lambda kind: st.lists(kind, min_size=count, max_size=count)))
        for _ in range(width)
    ]
    places = draw(st.sets(st.tuples(st.sampled_from(numbers), st.integers(0, 1))))
    oddities = {place: draw(st.sampled_from(["number", "date", "error", "formula"])) for place in places}
    notes = tuple(draw(st.lists(st.text(max_size=9), max_size=2)))
    hidden = Hidden(
        tuple(draw(st.lists(st.sampled_from(numbers)))),
        tuple(draw(st.lists(st.sampled_from("ABC")))),
        ((numbers[0], "B"),),
    )
    sheet, blank = draw(st.none() | st.text()), draw(st.integers(0, 9))
    origin = draw(st.sampled_from(["", "20261120-7f3a0001"]))
    return Table(
        header,
        numbers,
        columns,
        sheet,
        blank,
        notes,
        oddities,
        hidden,
        origin,
        struck=tuple(draw(st.lists(st.tuples(st.sampled_from(numbers), st.integers(0, 1)), max_size=2))),
        said_no={place: draw(st.text(max_size=9)) for place in places},
        doubts=notes,
        distant=tuple(numbers[draw(st.integers(0, count)) :]),
        views=tuple(draw(st.lists(st.text(max_size=9), max_size=2))),
    )


@pytest.fixture
def table() -> Table:
    header = Header(1, ("CUFE", "Motivo"), (0, 1), {"cufe": 0, "reason": 1}, None, 2)
    columns: list[list[Cell]] = [["FE01", 3.5], [None, datetime.fromisoformat("2026-11-20T09:30:00")]]
    return Table(header, [2, 5], columns, "Hoja1", 2, ("una nota",), {(5, 0): "number"})


@given(tables())
def test_every_table_comes_through_as_it_was(table: Table) -> None:
    again = decode(encode(table), Limits())
    assert again == table
    kinds = [[type(cell) for cell in column] for column in again.columns]
    assert kinds == [[type(cell) for cell in column] for column in table.columns]


def test_no_field_of_a_table_is_forgotten(table: Table) -> None:
    """A field added to Table has to be told as well: here each one is changed and has to arrive changed."""
    other: dict[str, Any] = {
        "header": replace(table.header, line=1, headings=("A", "B")),
        "lines": [3, 5],
        "columns": [["x", True], ["y", time(9, 30)]],
        "sheet": None,
        "blank_rows": 7,
        "notes": (),
        "origin": "20261120-7f3a0001",
        "oddities": {},
        "hidden": Hidden((5,), ("C",), ((2, "B"),)),
        "struck": ((5, 1),),
        "said_no": {(5, 0): "no anular"},
        "doubts": ("una duda",),
        "distant": (5,),
        "views": ("Vista de Ana",),
    }
    assert {field.name for field in fields(Table)} == other.keys()
    for name, value in other.items():
        changed = replace(table, **{name: value})
        assert decode(encode(changed), Limits()) == changed != table


def test_a_refusal_comes_through_with_its_words() -> None:
    refusal = refused("csv-columnas", where="línea 7", count=4, wanted=3)
    with pytest.raises(InputRefused) as caught:
        decode([encode_refusal(refusal)], Limits())
    assert (caught.value.code, caught.value.sentence) == (refusal.code, refusal.sentence)
    assert caught.value.where == "línea 7"


def test_half_an_answer_is_none(table: Table) -> None:
    """Cut after any byte: never a table with fewer rows."""
    whole = b"".join(encode(table))
    for end in range(len(whole)):
        with pytest.raises(Nonsense):
            decode(whole[:end].splitlines(keepends=True), Limits())


def changed(table: Table, line: int, change: Callable[[Any], Any]) -> list[bytes]:
    """The answer with one line put through ``change``."""
    lines = [json.loads(one) for one in encode(table)]
    lines[line] = change(lines[line])
    return [json.dumps(one).encode() + b"\n" for one in lines]


def within(*path: str, value: Any) -> Callable[[Any], Any]:
    def change(said: Any) -> Any:
        target = said
        for name in path[:-1]:
            target = target[name]
        target[path[-1]] = value
        return said

    return change


@pytest.mark.parametrize(
    ("line", "change"),
    [
        (0, lambda _: []),
        (0, lambda _: {"refused": {"code": "sin-filas"}}),
        (0, lambda _: {"refused": {"code": "no-such-code", "message": "", "where": "", "remedy": ""}}),
        (0, lambda _: {"refused": {"code": "cufe-vacio", "message": "", "where": "", "remedy": ""}}),
        (0, within("table", "sheet", value=7)),
        (0, within("table", "header", "width", value=3)),
        (0, within("table", "header", "width", value=-1)),
        (0, within("table", "header", "line", value="1")),
        (0, within("table", "header", "kept", value=[0, 2])),
        (0, within("table", "header", "kept", value=[0])),
        (0, within("table", "header", "outcome", value=2)),
        (0, within("table", "header", "roles", "cufe", value=2)),
        (0, within("table", "header", "headings", value=["CUFE", None])),
        (0, within("table", "header", "headings", value=["CUFE", "x" * 100_001])),
        (0, within("table", "lines", value=[])),
        (0, within("table", "lines", value=[[2, 2]])),
        (0, within("table", "lines", value=[[2, 1], [5, 2]])),
        (0, within("table", "lines", value=[[2, 1], [2, 1]])),
        (0, within("table", "lines", value=[[1, 1], [5, 1]])),
        (0, within("table", "lines", value=[[5, 1], [2, 1]])),
        (0, within("table", "lines", value=[[2, 2], [3, 1]])),
        (0, within("table", "lines", value=[[2, 3], [5, -1]])),
        (0, within("table", "lines", value=[[2, 0], [4, 2]])),
        (0, within("table", "lines", value=[[True, 1], [5, 1]])),
        (0, within("table", "lines", value=[[2, 1], [5.0, 1]])),
        (0, within("table", "lines", value=[[2, 1, 1], [5, 1]])),
        (0, within("table", "lines", value=[2, 5])),
        (0, within("table", "lines", value=[[2, 10**12]])),
        (1, lambda _: ["FE01"]),
        (1, lambda _: ["FE01", 3.5, None]),
        (1, lambda _: ["FE01", ["a"]]),
        (1, lambda _: ["FE01", {"a": 1}]),
        (1, lambda _: ["FE01", {"date": "20 de noviembre"}]),
        (1, lambda _: ["FE01", {"date": "2026-11-20", "time": "10:00"}]),
        (1, lambda _: ["FE01", float("nan")]),
        (1, lambda _: {"date": "2026-11-20"}),
        (1, lambda _: "FE"),
        (2, lambda _: {"end": {"rows": 2}}),
        (2, lambda _: {"end": {}}),
        (3, within("end", "rows", value=1)),
        (3, within("end", "blank", value=-1)),
        (3, within("end", "notes", value=[1])),
        (3, within("end", "hidden", "rows", value=[4])),
        (3, within("end", "hidden", "columns", value=[4])),
        (3, within("end", "oddities", value=[[4, 0, "number"]])),
        (3, within("end", "oddities", value=[[5, 2, "number"]])),
        (3, within("end", "oddities", value=[[5, 0, "nonsense"]])),
    ],
)
def test_what_a_table_cannot_be_is_nonsense(table: Table, line: int, change: Callable[[Any], Any]) -> None:
    with pytest.raises(Nonsense):
        decode(changed(table, line, change), Limits())


@pytest.mark.parametrize(
    "line", [b"=a\n", b"=a\x1fb\x1fc\n", b"-\n", b"=a\x1f\xff\n", b"=a\x1fb", b"~a\x1fb\n", b"=\n", b"\n", b""]
)
def test_texts_that_are_too_few_or_too_many_or_cut_off_are_nonsense(table: Table, line: bytes) -> None:
    whole = list(encode(table))
    assert decode([whole[0], b"-a\x1f\n", *whole[2:]], Limits()).columns[0] == ["a", None]
    with pytest.raises(Nonsense):
        decode([whole[0], line, *whole[2:]], Limits())


@pytest.mark.parametrize(
    "said", [b"", b"\n", b"null\n", b"[" * 100_000 + b"\n", b"\xff\xfe\n", b"Segmentation fault\n"]
)
def test_what_is_no_answer_at_all_is_nonsense(said: bytes) -> None:
    with pytest.raises(Nonsense):
        decode(said.splitlines(keepends=True), Limits())


def test_more_rows_than_the_limit_or_words_after_the_end_are_nonsense(table: Table) -> None:
    with pytest.raises(Nonsense):
        decode(encode(table), Limits(rows=1))
    with pytest.raises(Nonsense):
        decode([*encode(table), b"{}\n"], Limits())


def test_a_value_that_is_no_cell_is_never_told(table: Table) -> None:
    wrong: Any = [["FE01"], [object()]]
    with pytest.raises(TypeError):
        list(encode(replace(table, columns=wrong, lines=[2])))
