"""What one program wrote and another reads, the program sees: the same values at the same places, no row more or less.

The writers are openpyxl, XlsxWriter, the csv module, and XML and CSV spelled by hand in every legal way; the readers
that decide are openpyxl in full mode, Python's csv module and a parser that follows RFC 4180 to the letter.
"""

from __future__ import annotations

import csv
import io
from datetime import date
from random import Random
from typing import Any
from xml.sax.saxutils import escape

import openpyxl
import pytest
import xlsxwriter  # type: ignore[import-untyped]
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.domain.errors import InputRefused
from pipeline.domain.problems import KINDS
from pipeline.domain.records import column_letters
from pipeline.read.csv_file import read_csv
from pipeline.read.limits import Limits
from pipeline.read.table import Table
from pipeline.read.xlsx_file import read_xlsx
from tests.fuzz.mutate import mutate_workbook
from tests.fuzz.oracle import NoOracle, same_csv, same_workbook
from tests.fuzz.seeds import HEAD, MAIN, REASON, cufe, pack, parts_of, workbooks

EXAMPLES = settings(max_examples=50, deadline=None)
HEADINGS = ["CUFE", "Motivo", "Uno", "Ñandú 李", "=Tres"]
LIMITS = Limits()

texts = st.one_of(
    st.text(
        st.characters(min_codepoint=32, exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=25
    ),
    st.text("01234567890ABCDEF-_x;,\"'=+@# \t\n&<>]é", max_size=20),
    st.sampled_from(["0012", "=1+1", "-", "#N/A", "TRUE", "1E5", "_x0041_", "_x000D_", "]]>", " a "]),
    st.just(33_000).map("x".__mul__),
).filter(lambda text: "x005F_" not in text)  # openpyxl takes these characters out of any text
values = st.one_of(
    st.none(),
    texts,
    st.integers(-(2**53) + 1, 2**53 - 1),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.booleans(),
    st.dates(date(1950, 1, 1), date(2050, 1, 1)),
)
rows_of_values = st.lists(st.one_of(st.none(), st.lists(values, min_size=3, max_size=3)), max_size=6)


def grid(data: list[list[Any] | None], above: int, left: int) -> list[list[Any]]:
    """Title rows, header and rows as they stand on the sheet; None among ``data`` is a gap."""
    rows: list[list[Any]] = [["título"], *[[]] * (above - 1)] if above else []
    rows.append([*[None] * left, *HEADINGS])
    rows.append([*[None] * left, cufe(1), REASON])
    for number, mine in enumerate(data, start=2):
        rows.append([] if mine is None else [*[None] * left, cufe(number), REASON, *mine])
    return rows


def read(content: bytes) -> Table:
    return read_xlsx(content, "lote.xlsx", LIMITS, sheet=None, include_hidden=False)


def check(content: bytes, rows: list[list[Any]], above: int, left: int) -> None:
    table = read(content)
    assert table.header.line == above + 1
    assert table.header.headings[left:] == tuple(HEADINGS)
    assert table.lines == [line for line, row in enumerate(rows, 1) if row and line > above + 1]
    same_workbook(content, table, strict=True)


# ------------------------------------------------------------------------------------------------- workbooks


@given(rows_of_values, st.integers(0, 4), st.integers(0, 3))
@EXAMPLES
def test_what_openpyxl_writes_is_read_as_it_reads_it(data: list[list[Any] | None], above: int, left: int) -> None:
    rows = grid(data, above, left)
    book = openpyxl.Workbook()
    page: Any = book.active
    for line, row in enumerate(rows, 1):
        for place, value in enumerate(row, 1):
            cell = page.cell(line, place, value[:32_767] if isinstance(value, str) else value)
            cell.data_type = "s" if isinstance(value, str) else cell.data_type
    target = io.BytesIO()
    book.save(target)
    check(target.getvalue(), rows, above, left)


@given(rows_of_values, st.integers(0, 4), st.integers(0, 3), st.booleans())
@EXAMPLES
def test_what_xlsxwriter_writes_is_read_as_openpyxl_reads_it(
    data: list[list[Any] | None], above: int, left: int, inline: bool
) -> None:
    rows = grid(data, above, left)
    target = io.BytesIO()
    options = {"in_memory": True, "constant_memory": inline, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(target, options) as book:
        page = book.add_worksheet()
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        for line, row in enumerate(rows):
            for place, value in enumerate(row):
                if isinstance(value, date):
                    page.write_datetime(line, place, value, day)
                elif value is not None and value != "":
                    page.write(line, place, value[:32_767] if isinstance(value, str) else value)
    check(target.getvalue(), rows, above, left)


@given(rows_of_values, st.integers(0, 4), st.integers(0, 3), st.integers(0, 2**32))
@example([["0000", False, "000<"]], 3, 1, 934482)  # a string with «<» in a CDATA section of its own
@EXAMPLES
def test_xml_spelled_in_any_legal_way_is_read_as_openpyxl_reads_it(
    data: list[list[Any] | None], above: int, left: int, seed: int
) -> None:
    rows = grid(data, above, left)
    check(spelled(rows, Random(seed)), rows, above, left)


@pytest.mark.parametrize("seed", range(8))
def test_xml_changed_in_any_way_is_read_as_openpyxl_reads_it_or_refused(seed: int) -> None:
    """Changes that may well be illegal: a refusal has a code, and nothing is read that another program does not see."""
    rng = Random(seed)
    taken, refusals = 0, set()
    for _ in range(60):
        content = mutate_workbook(rng.choice(workbooks()), rng)
        try:
            same_workbook(content, read(content))
            taken += 1
        except InputRefused as error:
            refusals.add(error.code)
        except NoOracle:
            continue
    assert taken > 5
    assert refusals <= KINDS.keys()


def spelled(rows: list[list[Any]], rng: Random) -> bytes:
    """``rows`` as a workbook whose XML is legal and odd: order, quotes, spacing, prefixes, references, CDATA."""
    x = rng.choice(("", "x:"))
    strings: list[str] = []
    lines = []
    for number, row in enumerate(rows, 1):
        addressed = rng.random() < 0.7
        cells = [_cell(x, number, place, value, addressed, strings, rng) for place, value in enumerate(row)]
        if not row and rng.random() < 0.5:
            continue  # a gap; the next row says where it stands
        lines.append(_tag(f"{x}row", {"r": str(number), "spans": "1:9"}, rng, "".join(cells)))
    space = _space(rng)
    name = f'xmlns{":x" if x else ""}="{MAIN}"'
    sheet = f"{HEAD}<{x}worksheet {name}>{space}<{x}sheetData>{space.join(lines)}</{x}sheetData>{space}</{x}worksheet>"
    shared = f'{HEAD}<sst xmlns="{MAIN}">{space.join(f"<si>{text}</si>" for text in strings)}</sst>'
    return pack(parts_of(sheet, strings=shared))


def _cell(x: str, number: int, place: int, value: Any, addressed: bool, strings: list[str], rng: Random) -> str:
    given_at = {"r": f"{column_letters(place)}{number}"} if addressed else {}
    if value is None or value == "":
        return "" if addressed and rng.random() < 0.5 else _tag(f"{x}c", given_at, rng, "")
    if isinstance(value, bool):
        return _tag(f"{x}c", {**given_at, "t": "b"}, rng, f"<{x}v>{int(value)}</{x}v>")
    if isinstance(value, date):
        value = value.isoformat()
    if not isinstance(value, str):
        return _tag(f"{x}c", given_at, rng, f"<{x}v>{value!r}</{x}v>")
    value = value[:32_767]
    text = _text(value, rng)
    match rng.randrange(4):
        case 0:
            plain = _text(value, rng, cdata=False)  # refused in a value, see test_fast_scan.py
            return _tag(f"{x}c", {**given_at, "t": "str"}, rng, f"<{x}v>{plain}</{x}v>")
        case 1:
            strings.append(f'<t xml:space="preserve">{text}</t>')
            return _tag(f"{x}c", {**given_at, "t": "s"}, rng, f"<{x}v>{len(strings) - 1}</{x}v>")
        case 2:
            cut = rng.randint(0, len(value))
            both = value[:cut], value[cut:]
            runs = "".join(f'<{x}r><{x}t xml:space="preserve">{_text(t, rng)}</{x}t></{x}r>' for t in both)
            return _tag(f"{x}c", {**given_at, "t": "inlineStr"}, rng, f"<{x}is>{runs}</{x}is>")
        case _:
            inside = f'<{x}is><{x}t xml:space="preserve">{text}</{x}t></{x}is>'
            return _tag(f"{x}c", {**given_at, "t": "inlineStr"}, rng, inside)


def _tag(name: str, attributes: dict[str, str], rng: Random, inside: str) -> str:
    pairs = list(attributes.items())
    rng.shuffle(pairs)
    said = "".join(f"{_gap(rng) or ' '}{key}{_gap(rng)}={_gap(rng)}{_quoted(value, rng)}" for key, value in pairs)
    if not inside and rng.random() < 0.5:
        return f"<{name}{said}{_gap(rng)}/>"
    return f"<{name}{said}{_gap(rng)}>{_space(rng)}{inside}{_space(rng)}</{name}{_gap(rng)}>"


def _space(rng: Random) -> str:
    return rng.choice(("", "", "", "", "\n", "\n\t ", " ", "<!-- nota -->"))


def _gap(rng: Random) -> str:
    return rng.choice(("", "", "", " ", "\n"))


def _quoted(value: str, rng: Random) -> str:
    return rng.choice((f'"{value}"', f"'{value}'"))


def _text(text: str, rng: Random, *, cdata: bool = True) -> str:
    """``text`` with references, CDATA and comments where they may stand."""
    if len(text) > 100 or rng.random() < 0.5:
        return escape(text)
    pieces = []
    for char in text:
        match rng.randrange(8):
            case 0:
                pieces.append(f"&#{ord(char)};")
            case 1:
                pieces.append(f"&#x{ord(char):X};")
            case 2 if cdata and char != "]":
                pieces.append(f"<![CDATA[{char}]]>")
            case 3 if rng.random() < 0.1:
                pieces.append(escape(char) + "<!-- x -->")
            case _:
                pieces.append(escape(char))
    return "".join(pieces)


# ------------------------------------------------------------------------------------------------------- CSV


fields = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12),
    st.text("ab;,|\t\"\n\r '", max_size=10),
)


@given(
    st.lists(st.one_of(st.none(), st.tuples(fields, fields)), max_size=6),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.integers(0, 2**32),
)
@EXAMPLES
def test_csv_quoted_in_any_legal_way_is_read_as_others_read_it(
    data: list[tuple[str, str] | None], delimiter: str, end: str, encoding: str, seed: int
) -> None:
    rng = Random(seed)

    def field(text: str) -> str:
        needs = any(mark in text for mark in (delimiter, '"', "\n", "\r"))
        return '"' + text.replace('"', '""') + '"' if needs or rng.random() < 0.3 else text

    rows = [["CUFE", "Motivo", "Uno"], [cufe(1), REASON, "a"]]
    rows += [[cufe(n), *pair] if pair is not None else [] for n, pair in enumerate(data, 2)]
    text = "".join(delimiter.join(map(field, row)) + end for row in rows)
    content = text.encode(encoding)
    table = read_csv(content, LIMITS)
    assert table.rows == [row for row in rows[1:] if row]
    same_csv(content, table)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    begins, seen = 1, []
    for record in reader:
        seen.append((begins, record))
        begins = reader.line_num + 1
    assert list(zip(table.lines, table.rows, strict=True)) == [(line, row) for line, row in seen[1:] if row]
