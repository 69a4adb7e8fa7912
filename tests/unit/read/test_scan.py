"""The fast scan of a worksheet takes what it knows to the last character, and then says what the slow one says."""

from __future__ import annotations

from random import Random
from xml.parsers.expat import errors

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.domain.errors import InputRefused
from pipeline.read import fast_scan
from pipeline.read.grid import COLUMNS, Scan
from pipeline.read.strings import refuse_odd_strings, refuse_odd_texts
from pipeline.read.styles import Font, Formatting, Judged, Styles
from tests.fuzz.mutate import mutate_xml

LIMITS = (101_000, 100)
LEFT_TO_THE_READER = {
    errors.codes[errors.XML_ERROR_INVALID_TOKEN],
    errors.codes[errors.XML_ERROR_UNDEFINED_ENTITY],
    errors.codes[errors.XML_ERROR_DUPLICATE_ATTRIBUTE],
}
"""What is no XML within a text, or twice in a tag: the fast scan looks for places, the reader for values."""
CELLS = (
    '<c r="{a}" t="inlineStr"><is><t>texto</t></is></c>',
    '<c r="{a}" s="3" t="inlineStr"><is><t xml:space="preserve"> a &amp; b </t></is></c>',
    '<c r="{a}" t="s"><v>0</v></c>',
    '<c r="{a}" s="1" t="s"><v>0</v></c>',
    '<c r="{a}" s="1"><v>46000.5</v></c>',
    '<c r="{a}"><v>1E-5</v></c>',
    '<c r="{a}" t="b" s="2"><v>1</v></c>',
    '<c r="{a}" s="4"/>',
    '<c r="{a}" />',
    '<c r="{a}" t="str"><f>B1&amp;"x"</f><v>dé x</v></c>',
    '<c r="{a}" t="str"><v>x</v></c>',
    '<c r="{a}"><f t="shared" ref="A1:A9" si="0">B1</f><v>7</v></c>',
    '<c r="{a}" s="1"><f t="shared" si="0"/></c>',
    '<c r="{a}" t="e"><f>1/0</f><v>#DIV/0!</v></c>',
    '<c r="{a}" t="e"><v>#N/A</v></c>',
    '<c r="{a}" t="str"><f t="array" ref="A1:B9">B1</f><v>x</v></c>',
    '<c r="{a}" s="17" t="s"><v>5</v></c>',
)
ODD_CELLS = (
    '<c t="s" r="{a}"><v>0</v></c>',
    "<c r='{a}' t='s'><v>0</v></c>",
    '<c r="{a}"><v> 7</v></c>',
    '<c r="{a}" s="017"><v>7</v></c>',
    '<c r="{a}"><v>&#32;7</v></c>',
    '<c r="{a}"><v>\u00a07</v></c>',
    '<c r="{a}" t="str"><v>x</v><f>B1</f></c>',
    '<c r="{a}" t="inlineStr"><v>x</v></c>',
    '<c r="{a}" t="inlineStr"><is><r><t>x</t></r></is></c>',
    '<c r="{a}" t="inlineStr"><is><t>x<t>y</t></t></is></c>',
    '<c r="{a}"><!-- x --><v>7</v></c>',
    '<c r="{a}" t="e"/>',
    '<c  r="{a}"><v>7</v></c>',
    '<c r="{a}"><v>7</v><v>8</v></c>',
    '<c r="XFD{n}"><v>7</v></c>',
    '<c r="A{n}"><v>7</v></c>',
    '<c r="B9"><v>7</v></c>',
    "<c><v>7</v></c>",
    '<c r="{a}"><v>7</v>',
    "<v>7</v></c>",
)
ATTRIBUTES = (
    "",
    ' spans="1:5" x14ac:dyDescent="0.25"',
    ' hidden="1"',
    ' ht="15.75" customHeight="1"',
    ' ht="0"',
    ' ht="1.5"',
    ' customHeight="1"',
    ' s="17" customFormat="1"',
    ' hidden="true" s="1"',
    ' hidden="false"',
)
ODD_ATTRIBUTES = ("\thidden='1'", ' hidden="&#49;"', " hidden='1'", ' x="<"', ' hidden = "1"')
LETTERS = ("A", "B", "C", "D", "AA", "CV")


@st.composite
def sheets(draw: st.DrawFn, odd: bool) -> bytes:
    number, rows = 0, []
    for _ in range(draw(st.integers(0, 5))):
        number += draw(st.sampled_from((1, 1, 1, 2, 40, 0 if odd else 1)))
        columns = sorted(draw(st.sets(st.sampled_from(LETTERS))), key=lambda one: (len(one), one))
        forms = CELLS + ODD_CELLS if odd and draw(st.integers(0, 3)) == 0 else CELLS
        cells = [draw(st.sampled_from(forms)).format(a=f"{letters}{number}", n=number) for letters in columns]
        if odd and draw(st.integers(0, 9)) == 0:
            cells.reverse()
        more = draw(st.sampled_from(ATTRIBUTES + ODD_ATTRIBUTES * odd))
        gap = draw(st.sampled_from(("", "", "\n", "\r\n  ")))
        rows.append(f'<row r="{number}"{more}>{"".join(cells)}</row>{gap}')
    head = draw(st.sampled_from(("", '<?xml version="1.0"?>\n', '<cols><col min="2" max="3" hidden="1"/></cols>')))
    declared, columns_xml = (head, "") if head.startswith("<?") else ("", head)
    merged = draw(st.sampled_from(("", '<mergeCells count="1"><mergeCell ref="A1:B2"/></mergeCells>')))
    data = f"<sheetData>{''.join(rows)}</sheetData>"
    return f'{declared}<worksheet xmlns="urn:x">{columns_xml}{data}{merged}</worksheet>'.encode()


WHITE_FONT = Font(colour=(255, 255, 255))
FORMATTING = Formatting(
    Styles({1: Judged(struck=True), 17: Judged(unseen=True)}, grounds=[((255, 255, 255),)] * 18),
    {5: frozenset({WHITE_FONT})},
)


def fast(content: bytes) -> Scan | None:
    return fast_scan._fast(content, *LIMITS, FORMATTING)


def slow(content: bytes) -> Scan:
    return fast_scan._slow(content, "Hoja1", *LIMITS, FORMATTING)


def exactly(content: bytes) -> tuple[Scan | None, int | None]:
    """What the slow scan says; None and the code of what is wrong with the XML, when that is it."""
    try:
        return slow(content), None
    except InputRefused as refusal:
        return None, getattr(refusal.__cause__, "code", None)


def says_the_same(content: bytes) -> bool:
    """Whether the fast scan has an opinion; raises ``AssertionError`` when it is another than the slow one's.

    It may count cells that hold nothing, and calls ``hidden=""`` hidden: both are on the safe side.
    """
    try:
        found = fast(content)
    except InputRefused:
        with pytest.raises(InputRefused):
            slow(content)
        return True
    if found is None:
        return False
    exact, code = exactly(content)
    if exact is None:
        assert code in LEFT_TO_THE_READER
        return True
    assert (found.formulas, found.errors, found.merged) == (exact.formulas, exact.errors, exact.merged)
    assert found.hidden_columns == exact.hidden_columns
    assert found.hidden_rows >= exact.hidden_rows
    assert found.last_row >= exact.last_row
    assert found.last_column >= exact.last_column
    return True


@given(sheets(odd=False))
@settings(max_examples=80, deadline=None)
def test_a_sheet_as_programs_write_it_is_scanned_fast_and_exactly(content: bytes) -> None:
    assert says_the_same(content)


@given(sheets(odd=True))
@settings(max_examples=100, deadline=None)
def test_whatever_the_fast_scan_takes_it_sees_as_the_slow_one_does(content: bytes) -> None:
    says_the_same(content)


def test_a_few_changed_bytes_never_make_them_disagree() -> None:
    """Two thousand sheets with something in their XML exchanged, dropped or doubled, the same ones every time."""
    rows = "".join(
        f'<row r="{n}"{ATTRIBUTES[n % len(ATTRIBUTES)]}>'
        + "".join(CELLS[(n * 3 + place) % len(CELLS)].format(a=f"{LETTERS[place]}{n}") for place in range(3))
        + "</row>"
        for n in range(1, 12)
    )
    content = f'<worksheet xmlns="urn:x"><sheetData>{rows}</sheetData></worksheet>'.encode()
    taken = sum(says_the_same(mutate_xml(content, Random(number))) for number in range(2000))
    assert 100 < taken < 1900


def test_columns_that_turn_up_late_are_found_and_too_many_turns_are_left_to_the_slow_scan() -> None:
    def sheet(steps: int) -> bytes:
        rows = [f'<row r="{n}"><c r="A{n}"><v>7</v></c></row>' for n in range(1, 40_000)]
        for step in range(1, steps + 1):
            n = 4_000 * step
            rows[n - 1] = f'<row r="{n}"><c r="A{n}"><v>7</v></c><c r="{chr(65 + step)}{n}"><v>7</v></c></row>'
        return f'<worksheet xmlns="urn:x"><sheetData>{"".join(rows)}</sheetData></worksheet>'.encode()

    found = fast(sheet(3))
    assert found is not None
    assert (found.last_row, found.last_column) == (39_999, 4)
    assert fast(sheet(9)) is None
    assert slow(sheet(9)).last_column == 10


@pytest.mark.parametrize("beyond", ['<row r="101001"/>', '<row r="4"><c r="CW4"><v>1</v></c></row>'])
def test_what_lies_beyond_the_limits_is_left_to_the_slow_scan(beyond: str) -> None:
    assert fast(f'<worksheet xmlns="urn:x"><sheetData>{beyond}</sheetData></worksheet>'.encode()) is None


def test_a_cell_is_known_by_row_and_column() -> None:
    content = (
        b'<worksheet xmlns="urn:x"><sheetData><row r="7"><c r="C7" t="e"><v>#N/A</v></c></row></sheetData></worksheet>'
    )
    found = fast(content)
    assert found is not None
    assert found.errors == {7 * COLUMNS + 2: "#N/A"}


STRINGS = ("<si><t>a</t></si>", '<si><t xml:space="preserve"> a </t></si>', "<si><r><t>a</t></r></si>", "<si/>")
ODD_STRINGS = (
    "<si><t>a<t>b</t></t></si>",
    "<si><t>a</t><t>b</t></si>",
    "<t><si><t>a</t></si></t>",
    "<si><is><t>a</t></is></si>",
    "<si><t>a<!-- <si><t>x</t></si> --></t></si>",
    "<si><t>a<![CDATA[<si><t>x</t></si>]]>b<i/></t></si>",
)


@given(st.lists(st.sampled_from(STRINGS + ODD_STRINGS), max_size=6))
def test_strings_are_odd_or_not_whatever_plain_ones_stand_around_them(strings: list[str]) -> None:
    """A plain string more or less changes nothing: ``refuse_odd_strings`` does not look at those."""

    def odd(content: str) -> bool:
        try:
            refuse_odd_strings(f"<sst>{content}</sst>".encode())
        except InputRefused:
            return True
        return False

    def odd_texts(content: str) -> bool:
        try:
            refuse_odd_texts(content.encode())
        except InputRefused:
            return True
        return "<is>" in content

    assert odd("".join(strings)) == odd_texts("".join(strings))
