"""The vectorised verdicts are those of the pure functions, value by value."""

from __future__ import annotations

import string

import pandas as pd
import pandera.errors
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.domain.cufe import Cufe, check_digit
from pipeline.domain.errors import CufeInvalid
from pipeline.domain.fields import canonical_email, canonical_reason, email_mistake, reason_mistake
from schemas.input import failing, valid_cufes

VALID = (
    "FE0120000155668001-2-2018-3707892023061300000002050060120035300326",
    "FE011000008-PE-3824-00523-2800012017071500000151340010117450183432",
    "FE01200000000000029-29-29-5676322018101525982740639300126729580548",
    "FE01200000045400-2-299934-0900002022050500000000389990117686690628",
)


def parsed(text: str, *, allow_bad_check_digit: bool) -> bool:
    try:
        Cufe.parse(text, allow_bad_check_digit=allow_bad_check_digit)
    except CufeInvalid:
        return False
    return True


def frame(cufe: str = VALID[0], reason: str = "Error en el monto", email: str = "") -> pd.DataFrame:
    return pd.DataFrame({"cufe": [cufe], "reason": [reason], "email": [email]}, dtype=object)


chars = st.sampled_from(string.digits + string.ascii_uppercase + "-") | st.characters()
changes = st.lists(st.tuples(st.integers(0, 65), chars), max_size=3)
dates = st.tuples(st.integers(0, 9999), st.integers(0, 13), st.integers(0, 32)).map(
    lambda d: f"{d[0]:04}{d[1]:02}{d[2]:02}"
)


@st.composite
def nearly_valid(draw: st.DrawFn) -> str:
    """A valid code with a few characters or its date exchanged, mostly with its check digit made right again."""
    text = draw(st.sampled_from(VALID))
    if draw(st.booleans()):
        text = text[:32] + draw(dates) + text[40:]
    for place, char in draw(changes):
        text = text[:place] + char + text[place + 1 :]
    if draw(st.booleans()):
        text = text[:65] + check_digit(text)
    return text[: draw(st.sampled_from([66, 66, 66, 65]))]


@given(st.lists(nearly_valid() | st.text(max_size=70), max_size=12), st.booleans())
@settings(max_examples=60, deadline=None)
def test_the_verdict_on_a_code_is_that_of_the_parser(texts: list[str], waived: bool) -> None:
    expected = [parsed(text, allow_bad_check_digit=waived) for text in texts]
    assert valid_cufes(texts, allow_bad_check_digit=waived).tolist() == expected


def test_every_day_of_two_leap_cycles_is_judged_like_the_calendar() -> None:
    days = [
        f"{year}{month:02}{day:02}" for year in (1900, 2000, 2023, 2024) for month in range(14) for day in range(33)
    ]
    texts = [VALID[0][:32] + day + VALID[0][40:65] for day in days]
    texts = [text + check_digit(text) for text in texts]
    expected = [parsed(text, allow_bad_check_digit=False) for text in texts]
    assert sum(expected) == 365 + 366 + 365 + 366
    assert valid_cufes(texts).tolist() == expected


def test_valid_rows_fail_nothing() -> None:
    rows = pd.concat([frame(code) for code in VALID], ignore_index=True)
    assert failing(rows) == {"cufe": set(), "reason": set(), "email": set()}


def test_every_column_of_a_row_is_reported_at_once() -> None:
    rows = pd.concat([frame(), frame("x", "corto", "a@b"), frame(email="no")], ignore_index=True)
    assert failing(rows) == {"cufe": {1}, "reason": {1}, "email": {1, 2}}


def test_an_empty_frame_fails_nothing() -> None:
    assert failing(frame().iloc[:0]) == {"cufe": set(), "reason": set(), "email": set()}


def test_a_waived_check_digit_passes_here() -> None:
    wrong = VALID[0][:65] + "0"
    assert failing(frame(wrong))["cufe"] == {0}
    assert failing(frame(wrong), allow_bad_check_digit=True)["cufe"] == set()


def test_a_frame_of_another_shape_is_a_bug() -> None:
    with pytest.raises(pandera.errors.SchemaErrors):
        failing(frame().drop(columns="email"))


reasons = st.text(max_size=40) | st.text(alphabet="ab \t\x07\u200b", min_size=10, max_size=30)
addresses = st.emails() | st.text(max_size=30) | st.text(alphabet="ab@.-; ", max_size=12)


@given(st.lists(st.tuples(reasons, addresses), min_size=8, max_size=8))
@settings(max_examples=15, deadline=None)
def test_the_verdict_on_a_reason_and_an_address_is_that_of_their_words(texts: list[tuple[str, str]]) -> None:
    rows = [(canonical_reason(reason), canonical_email(email)) for reason, email in texts]
    wrong = failing(pd.concat([frame(reason=reason, email=email) for reason, email in rows], ignore_index=True))
    assert wrong["reason"] == {place for place, (reason, _) in enumerate(rows) if reason_mistake(reason)}
    assert wrong["email"] == {place for place, (_, email) in enumerate(rows) if email_mistake(email)}
