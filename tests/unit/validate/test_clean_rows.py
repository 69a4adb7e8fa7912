"""Rows that are taken whole columns at a time come out as if each had been looked at by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.domain.eligibility import Rules
from pipeline.domain.lifecycle import State
from pipeline.domain.payload import payload_sha256
from pipeline.domain.records import Position, Seen
from pipeline.read.hidden import Hidden
from pipeline.validate.check import Checked, _Checker, check
from pipeline.validate.clean_rows import Plain
from tests.unit.validate.test_check import NOW, REASON, cufe, sheet_of

RUCS = ("155668001-2-2018", "29-29-29", "8-PE-3824-523", "1F5668001-2-2018")
DAYS = ("20261118", "20261112", "20261101", "20261122", "20261131")
CODES = st.builds(
    cufe, st.integers(0, 3), st.sampled_from(DAYS), st.sampled_from(["1", "2"]), st.sampled_from(RUCS)
) | st.builds(cufe, st.integers(1, 60))
REASONS = (
    REASON,
    f"  {REASON}\n",
    "Cliente devolvió todo",
    "corto",
    "",
    "Error en la anulaciÃ³n",
    "Motivo con \x07 dentro",
)
ADDRESSES = ("", "ana@x.pa", " ana@x.pa ", "a@b", "ana@x.pa; b@x.pa")
CHANGES = (
    lambda code: code,
    lambda code: code,
    lambda code: code,
    str.lower,
    lambda code: f" {code} ",
    lambda code: code.replace("-", "–"),
    lambda code: code[:65] + str((int(code[65]) + 1) % 10),
    lambda code: code[:-1],
    lambda _: "",
)
ROWS = st.tuples(
    st.builds(lambda code, change: change(code), CODES, st.sampled_from(CHANGES)),
    st.sampled_from(REASONS[:2] * 3 + REASONS),
    st.sampled_from(ADDRESSES),
)
RULES = st.builds(
    Rules,
    env_digit=st.sampled_from([None, None, "1", "2"]),
    issuers=st.sampled_from([frozenset(), frozenset({RUCS[0]})]),
    late=st.sampled_from(["warn", "reject", "ignore"]),
    allow_bad_check_digit=st.booleans(),
    accept_formulas=st.booleans(),
    notify_email=st.sampled_from([None, "avisos@x.pa", "avisos"]),
)
WORDS = ("ANULADA", "RECHAZADA", "CONFLICTO", "DUPLICADA", "otra cosa")
KINDS = ("number", "date", "boolean", "error", "formula", "formula-without-value")


def one_by_one(*_: object) -> Plain:
    return Plain([], [], [])


@given(st.data(), st.lists(ROWS, min_size=1, max_size=8), RULES)
@settings(max_examples=40, deadline=None)
def test_every_row_is_judged_as_if_it_were_looked_at_by_itself(
    data: st.DataObject, rows: list[tuple[str, str, str]], rules: Rules
) -> None:
    lines = st.integers(5, 4 + len(rows))
    sheet = sheet_of(
        *([None, *row] for row in rows),
        oddities=data.draw(st.dictionaries(st.tuples(lines, st.integers(1, 3)), st.sampled_from(KINDS), max_size=1)),
        earlier=data.draw(st.dictionaries(lines, st.sampled_from(WORDS), max_size=1)),
        hidden=Hidden(tuple(data.draw(st.sets(lines, max_size=1)))),
    )
    known = data.draw(st.sets(st.sampled_from([code for code, *_ in rows]), max_size=2))
    asked: list[Sequence[str]] = []

    def seen(cufes: Sequence[str]) -> Mapping[str, Seen]:
        asked.append(list(cufes))
        there = [code for code in cufes if code in known]
        sha = [payload_sha256(code, REASON, None) for code in there]
        place = Position("Datos", 8)
        return {code: Seen(code, "L-7", 3, place, said, State.CANCELLED) for code, said in zip(there, sha, strict=True)}

    def judged() -> Checked:
        return check(sheet, rules, NOW, seen)

    with patch("pipeline.validate.check.plain", one_by_one):
        expected = judged()
    assert judged() == expected
    assert asked[1:] == asked[:-1]


def test_only_rows_with_something_to_say_are_looked_at_by_themselves() -> None:
    """Otherwise the property above would say nothing."""
    good = [[None, cufe(number), REASON, "ana@x.pa"] for number in range(1, 9)]
    odd = [[None, "basura", REASON, ""], [None, cufe(20, day="20261101"), REASON, ""], [None, cufe(1), REASON, ""]]
    with patch.object(_Checker, "_draft", autospec=True, side_effect=_Checker._draft) as looked:
        check(sheet_of(*good), Rules(), NOW, lambda _: {})
        assert looked.call_count == 0
        check(sheet_of(*good, *odd), Rules(), NOW, lambda _: {})
    assert [call.args[1] for call in looked.call_args_list] == [0, 8, 9, 10]
