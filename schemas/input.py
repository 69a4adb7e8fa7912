"""Input schema (pandera): CUFE, reason and e-mail in canonical text, checked a whole column at a time.

It judges a code exactly as ``Cufe.parse`` does (a property test compares them); numpy makes it fast enough for a
hundred thousand rows. The message for a row that fails is not chosen here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import pandera.errors
import pandera.pandas as pa

from pipeline.domain.cufe import LENGTH
from pipeline.domain.fields import CONTROL, EMAIL, EMAIL_MOST, REASON_LEAST, REASON_MOST, SIGN
from pipeline.domain.ruc import has_known_shape

Bools = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.uint8]
"""ASCII codes of characters, one row per place of a code, one column per code."""

_DIGITS, _UPPER, _DASH = "09", "AZ", "--"
# Allowed characters at each place, as ranges (domain.md 1); what depends on two places is checked below.
_ALLOWED: tuple[tuple[int, int, tuple[str, ...]], ...] = (
    (0, 1, ("FF",)),
    (1, 2, ("EE",)),
    (2, 3, ("01",)),
    (3, 4, (_DIGITS,)),
    (4, 5, ("12",)),
    (5, 25, (_DIGITS, _UPPER, _DASH)),
    (25, 26, (_DASH,)),
    (26, 28, (_DIGITS,)),
    (28, 32, (_DIGITS, _UPPER)),
    (32, 53, (_DIGITS,)),
    (53, 54, ("00",)),
    (54, 55, ("14",)),
    (55, 56, ("12",)),
    (56, 66, (_DIGITS,)),
)
_LETTERED = slice(5, 32)
_ZERO = ord("0")
_MONTH_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], np.int32)


def valid_cufes(values: Sequence[str], *, allow_bad_check_digit: bool = False) -> Bools:
    """For each value, whether ``Cufe.parse`` accepts it (domain.md 1)."""
    verdict = np.zeros(len(values), np.bool_)
    places = [place for place, value in enumerate(values) if len(value) == LENGTH and value.isascii()]
    if not places:
        return verdict
    texts = values if len(places) == len(values) else [values[place] for place in places]
    rows = np.frombuffer("".join(texts).encode("ascii"), np.uint8).reshape(len(texts), LENGTH)
    codes: Codes = np.ascontiguousarray(rows.T)
    good = _layout(codes)
    if not allow_bad_check_digit:
        good &= _known_rucs(texts)
        good &= _check_digits(codes)
    verdict[places] = good
    return verdict


def _layout(codes: Codes) -> Bools:
    good: Bools = np.ones(codes.shape[1], np.bool_)
    for start, end, ranges in _ALLOWED:
        good &= _within(codes[start:end], ranges).all(axis=0)
    # From here on non-digits give meaningless numbers, but those codes have failed already.
    good &= (codes[2] == _ZERO) != (codes[3] == _ZERO)  # 01 to 09, or 10
    good &= _real_dates(codes)
    good &= (codes[40:50] != _ZERO).any(axis=0)
    good &= (codes[50:53] != _ZERO).any(axis=0)
    ruc = codes[5:25]
    good &= ((ruc != _ZERO) & (ruc != ord("-"))).any(axis=0)
    return good


def _within(codes: Codes, ranges: Sequence[str]) -> Bools:
    """Which characters are in one of ``ranges`` (first and last); a byte below the first wraps to a large number."""
    found: Bools = np.zeros(codes.shape, np.bool_)
    for one in ranges:
        first, last = map(ord, one)
        found |= codes - np.uint8(first) <= last - first
    return found


def _real_dates(codes: Codes) -> Bools:
    year, month, day = _number(codes, 32, 36), _number(codes, 36, 38), _number(codes, 38, 40)
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    real_month = (month >= 1) & (month <= 12)
    days = _MONTH_DAYS[np.where(real_month, month, 0)] + (leap & (month == 2))
    real: Bools = (year >= 1) & real_month & (day >= 1) & (day <= days)
    return real


def _number(codes: Codes, start: int, end: int) -> npt.NDArray[np.int32]:
    value = np.zeros(codes.shape[1], np.int32)
    for place in range(start, end):
        value = value * 10 + (codes[place].astype(np.int32) - _ZERO)
    return value


def _known_rucs(texts: Sequence[str]) -> Bools:
    rucs = [text[5:25] for text in texts]
    known = {ruc: has_known_shape(ruc.lstrip("0")) for ruc in set(rucs)}
    if all(known.values()):
        return np.ones(len(texts), np.bool_)
    return np.fromiter(map(known.__getitem__, rucs), np.bool_, len(rucs))


def _check_digits(codes: Codes) -> Bools:
    """Whether the last digit is the right check digit; only for codes with the right layout."""
    digits = codes[: LENGTH - 1] - np.uint8(_ZERO)
    lettered = digits[_LETTERED]
    np.copyto(lettered, codes[_LETTERED] % 10, where=lettered > 9)
    twice = digits[LENGTH - 2 : 1 : -2]
    doubled = twice * 2
    doubled[twice > 4] -= 9
    once = digits[LENGTH - 3 : 1 : -2]
    total = doubled.sum(axis=0, dtype=np.int32) + once.sum(axis=0, dtype=np.int32)
    right: Bools = (10 - total % 10) % 10 == codes[LENGTH - 1].astype(np.int32) - _ZERO
    return right


def _each(judge: Callable[[str], bool]) -> Callable[[pd.Series[str]], pd.Series[bool]]:
    """``judge`` for a whole column: equal texts are checked once."""

    def judged(series: pd.Series[str]) -> pd.Series[bool]:
        values = series.tolist()
        known = {value: judge(value) for value in set(values)}
        verdicts = list(map(known.__getitem__, values))
        return pd.Series(verdicts, index=series.index, dtype=bool)

    return judged


def _sendable(value: str) -> bool:
    seen = value.isprintable() or CONTROL.search(value) is None
    return REASON_LEAST <= len(value) <= REASON_MOST and seen and (value.isascii() or SIGN.search(value) is None)


def _address(value: str) -> bool:
    return not value or (len(value) <= EMAIL_MOST and EMAIL.fullmatch(value) is not None)


def input_schema(*, allow_bad_check_digit: bool = False) -> pa.DataFrameSchema:
    """The schema of the canonical input frame: columns ``cufe``, ``reason``, ``email`` (empty: none), all str."""

    def cufes(series: pd.Series[str]) -> pd.Series[bool]:
        verdict = valid_cufes(series.tolist(), allow_bad_check_digit=allow_bad_check_digit)
        return pd.Series(verdict, index=series.index)

    return pa.DataFrameSchema(
        {
            "cufe": pa.Column(None, pa.Check(cufes, name="cufe", ignore_na=False)),
            "reason": pa.Column(None, pa.Check(_each(_sendable), name="reason", ignore_na=False)),
            "email": pa.Column(None, pa.Check(_each(_address), name="email", ignore_na=False)),
        },
        strict=True,
        ordered=True,
    )


def failing(frame: pd.DataFrame, *, allow_bad_check_digit: bool = False) -> dict[str, set[int]]:
    """For each column the index labels of the rows that fail it; every failure of every row (lazy).

    Raises ``pandera.errors.SchemaErrors`` when the frame itself does not fit the schema: that is a bug.
    """
    found: dict[str, set[int]] = {"cufe": set(), "reason": set(), "email": set()}
    try:
        input_schema(allow_bad_check_digit=allow_bad_check_digit).validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as errors:
        cases = errors.failure_cases
        if not set(cases["check"]) <= found.keys():
            raise
        for check, index in zip(cases["check"], cases["index"], strict=True):
            found[check].add(int(index))
    return found
