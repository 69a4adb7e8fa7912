"""RUC: taxpayer number, its shape, and the check digits (DV) of legal entities (domain.md 1).

The DV is a warning, never a blocker. The shape check adds to the CUFE's check digit, which maps letters to digits
(``P`` counts like ``0``) and so cannot see a letter typed into a number.

>>> dv("29-29-29")
'56'
>>> has_known_shape("8-PE-3824-00523"), has_known_shape("1F5668001-2-2018")
(True, False)
"""

from __future__ import annotations

import re

# Digits in three groups; or PE, E, N in first place; or a province (1..13), with NT, PE, AV, PI joined or after a dash.
_SHAPE = re.compile(r"(?:[0-9]{1,10}|PE|E|N|(?:1[0-3]|[1-9])-?(?:NT|PE|AV|PI))-[0-9]{1,5}-[0-9]{1,6}")
_WITHIN = re.compile(rf"(?<![0-9-]){_SHAPE.pattern}(?![0-9-])")
_JURIDICAL = re.compile(r"([0-9]{1,10})-([0-9]{1,4})-([0-9]{1,6})")

# Old registers (before 5 in the third digit) are renumbered in two digits; the table is the authority's.
_OLD: dict[str, str] = {
    "00": "00",
    **{str(n): f"{n - 9:02d}" for n in range(10, 19)},
    **{str(n): f"{n - 18:02d}" for n in range(19, 23)},
    "23": "07",
    "24": "08",
    "25": "09",
    **{str(n): f"{n - 24:02d}" for n in range(26, 34)},
    **{str(n): f"{n - 33:02d}" for n in range(34, 43)},
    **{str(n): f"{n - 42:02d}" for n in range(43, 49)},
    "49": "07",
}


def bare(ruc: str) -> str:
    """``ruc`` in the form of ``Cufe.ruc``: upper case, no spaces, no padding zeros."""
    return "".join(ruc.split()).upper().lstrip("0")


def has_known_shape(ruc: str) -> bool:
    """Whether ``ruc`` (without padding) has one of the authority's forms."""
    return _SHAPE.fullmatch(ruc) is not None


def rucs_in(text: str) -> list[str]:
    """RUCs within a text, such as the holder's name in a certificate: everything that has the shape of one."""
    return [bare(found) for found in _WITHIN.findall(text.upper())]


def dv(ruc: str) -> str | None:
    """The two check digits of ``ruc``; None where the rule does not apply (letters, other shapes)."""
    match = _JURIDICAL.fullmatch(ruc)
    if match is None:
        return None
    a, b, c = match.groups()
    text = a.zfill(10) + b.zfill(4) + c.zfill(6)
    old = text[3] == "0" and text[4] == "0" and text[5] < "5"
    if old:
        text = text[:5] + _OLD.get(text[5:7], text[5:7]) + text[7:]
    first = _digit(text, old=old)
    return first + _digit(text + first, old=old)


def _digit(text: str, *, old: bool) -> str:
    weight, total = 2, 0
    for char in reversed(text):
        if old and weight == 12:
            old, weight = False, weight - 1
        total += weight * int(char)
        weight += 1
    rest = total % 11
    return str(11 - rest) if rest > 1 else "0"
