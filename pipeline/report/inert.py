"""Inert text: the content of a cell is shown and never executed (reliability.md P11)."""

from __future__ import annotations

from pipeline.domain.visible import one_line, visible

__all__ = ["MAX_CELL", "fit", "looks_like_formula", "one_line", "visible"]

MAX_CELL = 32_767
"""Most characters in one Excel cell; longer text is cut, with a note that says so."""

_FORMULA_START = frozenset("=+-@\t\r\n")


def fit(text: str) -> str:
    """``text`` within ``MAX_CELL``; if cut, a mark gives its original length."""
    if len(text) <= MAX_CELL and (len(text) <= MAX_CELL // 2 or _utf16_length(text) <= MAX_CELL):
        return text
    mark = f"… [recortado: eran {len(text)} caracteres]"
    room = MAX_CELL - len(mark)
    cut = text[:room]
    while _utf16_length(cut) > room:  # Excel counts characters beyond U+FFFF twice
        cut = cut[: len(cut) - (_utf16_length(cut) - room + 1) // 2]
    return cut + mark


def looks_like_formula(text: str) -> bool:
    """Whether a spreadsheet could take ``text`` for a formula when typed or read from a CSV (OWASP)."""
    return text[:1] in _FORMULA_START


def _utf16_length(text: str) -> int:
    return len(text) + sum(1 for c in text if c > "\uffff")
