"""Text that can only ever be text: what stands in a cell is shown, never obeyed (reliability.md P11).

Originals, server messages and names come from outside. Control characters, ANSI escapes, lone surrogates and
characters that turn the reading direction are replaced by something visible; nothing is dropped silently.
"""

from __future__ import annotations

import re

MAX_CELL = 32_767
"""Characters that Excel takes in one cell; what is longer is cut and says so."""

_BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_UNSAFE = re.compile(f"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\u2028\u2029{_BIDI}]")
_FORMULA_START = frozenset("=+-@\t\r\n")


def visible(text: str) -> str:
    """``text`` with every character that acts instead of showing replaced by a visible sign.

    C0 controls become their pictures (``\\x1b`` -> ``␛``), the others their code point (``⟨U+202E⟩``). Tab, line feed
    and carriage return stay: cells may hold them.
    """
    if text.isprintable() or not _UNSAFE.search(text):
        return text
    return _UNSAFE.sub(_sign, text)


def one_line(text: str) -> str:
    """``visible`` text without line breaks or tabs: for headers, file names and lists."""
    return " ".join(visible(text).split())


def fit(text: str) -> str:
    """``text`` within ``MAX_CELL``, with a mark that says how long it was."""
    if len(text) <= MAX_CELL and (len(text) <= MAX_CELL // 2 or _utf16_length(text) <= MAX_CELL):
        return text
    mark = f"… [recortado: eran {len(text)} caracteres]"
    room = MAX_CELL - len(mark)
    cut = text[:room]
    while _utf16_length(cut) > room:  # Excel counts characters beyond U+FFFF twice
        cut = cut[: len(cut) - (_utf16_length(cut) - room + 1) // 2]
    return cut + mark


def looks_like_formula(text: str) -> bool:
    """Whether a spreadsheet could take ``text`` for a formula if it were typed or read from a CSV (OWASP)."""
    return text[:1] in _FORMULA_START


def _sign(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else f"⟨U+{code:04X}⟩"


def _utf16_length(text: str) -> int:
    return len(text) + sum(1 for c in text if c > "\uffff")
