"""The fuzz targets without the fuzzer: seeds and a hundred changed inputs each, the same ones every time; some thousand
others where it is long."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from random import Random
from typing import Any

import pytest

from pipeline.domain.errors import InputRefused
from pipeline.read.csv_file import read_csv
from pipeline.read.table import Table
from pipeline.read.xlsx_file import read_xlsx
from tests.fuzz import replay, seeds
from tests.fuzz.mutate import mutate_workbook, mutate_xml
from tests.fuzz.oracle import rfc4180, same_csv, same_workbook
from tests.fuzz.targets import LIMITS, TARGETS, Target, mutants

SLOWEST_S = 20.0
"""Of processor time, on a slow machine; usually it is some hundredths."""


@pytest.mark.parametrize("name", TARGETS)
def test_every_seed_keeps_its_promise(name: str) -> None:
    for seed in TARGETS[name].seeds():
        TARGETS[name].run(seed)


@pytest.mark.parametrize("name", TARGETS)
def test_changed_inputs_keep_it_too_and_none_takes_long(name: str) -> None:
    try_them(TARGETS[name], 100, seed=20_261_120)


@pytest.mark.long
@pytest.mark.parametrize("name", TARGETS)
def test_other_changed_inputs_keep_it_too(name: str, seed: int) -> None:
    try_them(TARGETS[name], 2_000, seed)


def try_them(target: Target, number: int, seed: int) -> None:
    for data in mutants(target, number, seed):
        began = time.process_time()
        try:
            target.run(data)
        except BaseException as error:
            error.add_note(f"the input: {data!r}")
            raise
        assert time.process_time() - began < SLOWEST_S, data


def test_a_good_part_of_the_changed_workbooks_is_still_read() -> None:
    """Changes that only ever break the XML would test the XML parser and nothing behind it."""

    def is_read(data: bytes) -> bool:
        try:
            read_xlsx(data, "lote.xlsx", LIMITS, sheet=None, include_hidden=False)
        except InputRefused:
            return False
        return True

    made = mutants(TARGETS["xlsx"], 200, seed=1)
    assert sum(map(is_read, made)) > 20
    assert len(set(made)) > 150


def test_the_same_seed_makes_the_same_inputs() -> None:
    for target in TARGETS.values():
        assert mutants(target, 20, seed=3) == mutants(target, 20, seed=3)
        assert mutants(target, 20, seed=3) != mutants(target, 20, seed=4)


def test_a_workbook_stays_one_whatever_part_is_changed() -> None:
    for number in range(50):
        changed = mutate_workbook(seeds.workbooks()[number % 6], Random(number))
        assert changed[:2] == b"PK" or number % 50  # rarely the bytes themselves are changed
        assert mutate_xml(b"<a><b/>text</a>", Random(number))


# ------------------------------------------------------------------------------------- the oracles have teeth


@pytest.fixture
def csv_and_table() -> tuple[bytes, Table]:
    data = seeds.csv_files()[0]
    return data, read_csv(data, LIMITS)


def columns_of(rows: list[list[Any]]) -> list[list[Any]]:
    return list(map(list, zip_longest(*rows)))


@pytest.mark.parametrize("harm", ["dropped", "shifted", "merged", "changed"])
def test_the_csv_oracle_notices_a_row_that_is_not_as_it_was(harm: str, csv_and_table: tuple[bytes, Table]) -> None:
    data, table = csv_and_table
    rows: list[list[Any]] = [list(row) for row in table.rows]
    lines = list(table.lines)
    match harm:
        case "dropped":
            rows, lines = rows[:1], lines[:1]
        case "shifted":
            lines = [line + 1 for line in lines]
        case "merged":
            rows[0][2] += rows[1][2]
        case _:
            rows[1][1] = "otro"
    with pytest.raises(AssertionError):
        same_csv(data, replace(table, columns=columns_of(rows), lines=lines))


@pytest.mark.parametrize("harm", ["dropped", "shifted", "changed", "invented"])
def test_the_workbook_oracle_notices_a_row_that_is_not_as_it_was(harm: str) -> None:
    data = seeds.workbooks()[0]
    table = read_xlsx(data, "lote.xlsx", LIMITS, sheet=None, include_hidden=False)
    same_workbook(data, table, strict=True)
    rows: list[list[Any]] = [list(row) for row in table.rows]
    lines = list(table.lines)
    match harm:
        case "dropped":
            rows, lines = [], []
        case "shifted":
            lines = [9]
        case "changed":
            rows[0][1] = "otro"
        case _:
            rows, lines = [*rows, ["x"]], [*lines, 7]
    with pytest.raises(AssertionError):
        same_workbook(data, replace(table, columns=columns_of(rows), lines=lines))


@pytest.mark.parametrize(
    ("text", "records"),
    [
        ("a,b\r\n1,2\n3,4\r", [(1, ["a", "b"]), (2, ["1", "2"]), (3, ["3", "4"])]),
        ('"a\r\nb",""\nc,"d""e"', [(1, ["a\r\nb", ""]), (3, ["c", 'd"e'])]),
        ('\n""\n', [(1, [""]), (2, [""])]),
        ("a,", [(1, ["a", ""])]),
    ],
)
def test_the_letter_of_rfc_4180(text: str, records: list[tuple[int, list[str]]]) -> None:
    assert list(rfc4180(text, ",")) == records


# ------------------------------------------------------------------------------------------------ replaying


def test_a_file_can_be_replayed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "one").write_bytes(seeds.csv_files()[0])
    assert replay.main(["csv", str(tmp_path)]) == 0
    assert "1 inputs, 0 broken" in capsys.readouterr().out


def test_a_broken_promise_is_shown_with_its_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(data: bytes) -> None:
        raise KeyError(data.decode())

    monkeypatch.setitem(TARGETS, "csv", replace(TARGETS["csv"], run=broken))
    (tmp_path / "one").write_bytes(b"boom")
    assert replay.main(["csv", str(tmp_path / "one")]) == 1
    shown = capsys.readouterr().out
    assert "KeyError: 'boom'" in shown
    assert "1 broken" in shown
