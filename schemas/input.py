"""The input as a pandera schema: CUFE, reason and e-mail in canonical text, checked a whole column at a time.

The verdict on a code is that of ``Cufe.parse``, value by value (a property test holds them together); numpy makes it
fast enough for a hundred thousand rows. Which words a failing row gets is not decided here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import pandera.errors
import pandera.pandas as pa

from pipeline.domain.cufe import LENGTH
from pipeline.domain.fields import CONTROL, EMAIL, EMAIL_MOST, REASON_LEAST, REASON_MOST
from pipeline.domain.ruc import has_known_shape

Bools = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.uint32]

_DIGITS, _UPPER, _DASH = "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "-"
# What may stand at each place (domain.md 1); type, emission and what depends on two places are checked below.
_ALLOWED: tuple[tuple[int, int, str], ...] = (
    (0, 1, "F"),
    (1, 2, "E"),
    (2, 3, "01"),
    (3, 4, _DIGITS),
    (4, 5, "12"),
    (5, 25, _DIGITS + _UPPER + _DASH),
    (25, 26, _DASH),
    (26, 28, _DIGITS),
    (28, 32, _DIGITS + _UPPER),
    (32, 53, _DIGITS),
    (53, 54, "0"),
    (54, 55, "1234"),
    (55, 56, "12"),
    (56, 66, _DIGITS),
)


def _masks() -> npt.NDArray[np.bool_]:
    allowed = np.zeros((LENGTH, 128), np.bool_)
    for start, end, chars in _ALLOWED:
        for char in chars:
            allowed[start:end, ord(char)] = True
    return allowed


_MASKS = _masks()
_WEIGHT_ONE = np.array([c - 48 if 48 <= c <= 57 else c % 10 for c in range(128)], np.int64)
_WEIGHT_TWO = np.where(_WEIGHT_ONE > 4, _WEIGHT_ONE * 2 - 9, _WEIGHT_ONE * 2)
_MONTH_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], np.int64)


def valid_cufes(values: Sequence[str], *, allow_bad_check_digit: bool = False) -> Bools:
    """For each value whether ``Cufe.parse`` takes it (domain.md 1)."""
    verdict = np.zeros(len(values), np.bool_)
    places = np.flatnonzero(np.fromiter((len(value) == LENGTH for value in values), np.bool_, len(values)))
    if not len(places):
        return verdict
    texts = [value for value in values if len(value) == LENGTH]
    codes: Codes = np.array(texts, dtype=f"U{LENGTH}").view(np.uint32).reshape(len(texts), LENGTH)
    good: Bools = np.asarray((codes < 128).all(axis=1))
    good[good] = _layout(codes[good])
    if not allow_bad_check_digit:
        good[good] = _known_rucs([text for text, fine in zip(texts, good, strict=True) if fine])
        good[good] = _check_digits(codes[good])
    verdict[places] = good
    return verdict


def _layout(codes: Codes) -> Bools:
    good: Bools = np.ones(len(codes), np.bool_)
    for place in range(LENGTH):
        good &= _MASKS[place][codes[:, place]]
    # From here on what is no digit gives nonsense numbers, but those rows have failed already.
    kind = _number(codes, 2, 4)
    good &= (kind >= 1) & (kind <= 10)
    good &= _real_dates(codes)
    good &= _number(codes, 40, 50) > 0
    good &= _number(codes, 50, 53) > 0
    ruc = codes[:, 5:25]
    good &= ((ruc != ord("0")) & (ruc != ord("-"))).any(axis=1)
    return good


def _real_dates(codes: Codes) -> Bools:
    year, month, day = _number(codes, 32, 36), _number(codes, 36, 38), _number(codes, 38, 40)
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    real_month = (month >= 1) & (month <= 12)
    days = _MONTH_DAYS[np.where(real_month, month, 0)] + (leap & (month == 2))
    real: Bools = (year >= 1) & real_month & (day >= 1) & (day <= days)
    return real


def _number(codes: Codes, start: int, end: int) -> npt.NDArray[np.int64]:
    value = np.zeros(len(codes), np.int64)
    for place in range(start, end):
        value = value * 10 + (codes[:, place].astype(np.int64) - 48)
    return value


def _known_rucs(texts: Sequence[str]) -> Bools:
    rucs = [text[5:25] for text in texts]
    known = {ruc: has_known_shape(ruc.lstrip("0")) for ruc in set(rucs)}
    return np.fromiter((known[ruc] for ruc in rucs), np.bool_, len(rucs))


def _check_digits(codes: Codes) -> Bools:
    total = np.zeros(len(codes), np.int64)
    for place in range(2, LENGTH - 1):
        weights = _WEIGHT_TWO if (LENGTH - 2 - place) % 2 == 0 else _WEIGHT_ONE
        total += weights[codes[:, place]]
    right: Bools = (10 - total % 10) % 10 == codes[:, LENGTH - 1].astype(np.int64) - 48
    return right


def _matches(pattern: re.Pattern[str], series: pd.Series[str]) -> pd.Series[bool]:
    return pd.Series([pattern.fullmatch(value) is not None for value in series], index=series.index, dtype=bool)


def _sendable(series: pd.Series[str]) -> pd.Series[bool]:
    verdicts = [
        REASON_LEAST <= len(value) <= REASON_MOST and (value.isprintable() or CONTROL.search(value) is None)
        for value in series
    ]
    return pd.Series(verdicts, index=series.index, dtype=bool)


def _addresses(series: pd.Series[str]) -> pd.Series[bool]:
    known = {value: not value or (len(value) <= EMAIL_MOST and bool(EMAIL.fullmatch(value))) for value in set(series)}
    return pd.Series([known[value] for value in series], index=series.index, dtype=bool)


def input_schema(*, allow_bad_check_digit: bool = False) -> pa.DataFrameSchema:
    """The schema of the canonical input frame: columns ``cufe``, ``reason``, ``email`` (empty: none), all str."""

    def cufes(series: pd.Series[str]) -> pd.Series[bool]:
        verdict = valid_cufes(series.tolist(), allow_bad_check_digit=allow_bad_check_digit)
        return pd.Series(verdict, index=series.index)

    return pa.DataFrameSchema(
        {
            "cufe": pa.Column(None, pa.Check(cufes, name="cufe")),
            "reason": pa.Column(None, pa.Check(_sendable, name="reason")),
            "email": pa.Column(None, pa.Check(_addresses, name="email")),
        },
        strict=True,
        ordered=True,
    )


def failing(frame: pd.DataFrame, *, allow_bad_check_digit: bool = False) -> dict[str, set[int]]:
    """For each column the index labels of the rows that fail it; every failure of every row (lazy).

    Raises ``pandera.errors.SchemaErrors`` when the frame itself is not as the schema wants it: that is a bug.
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
