"""Outside text made safe to show: characters that act on a terminal, a workbook or its reader become visible signs.

Cell values, server messages and file names come from outside. Control characters, ANSI escapes, lone surrogates and
characters that change the reading direction are replaced by something visible; nothing is dropped silently
(reliability.md P11).
"""

from __future__ import annotations

import re

_BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_UNSAFE = re.compile(f"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\u2028\u2029{_BIDI}]")


def visible(text: str) -> str:
    """``text`` with every such character replaced by a visible sign.

    C0 controls become their pictures (``\\x1b`` -> ``␛``), the others their code point (``⟨U+202E⟩``). Tab, line feed
    and carriage return stay: cells may hold them.
    """
    if text.isprintable() or not _UNSAFE.search(text):
        return text
    return _UNSAFE.sub(_sign, text)


def one_line(text: str) -> str:
    """``visible`` text without line breaks or tabs: for headers, file names, lists and lines on a terminal."""
    return " ".join(visible(text).split())


def escaped_json(document: str) -> str:
    """The same JSON ``document`` with those characters as ``\\uXXXX``: they can only occur in its strings."""
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", document)


def _sign(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else f"⟨U+{code:04X}⟩"


def thousands(number: int) -> str:
    """``1,234``: thousands separator as in Panama."""
    return f"{number:,}"


def duration(seconds: float) -> str:
    """``45 s``, ``5 min``, ``3 min 20 s``, ``2 h 5 min``."""
    whole = max(0, round(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    if minutes:
        return f"{minutes} min {left} s" if left else f"{minutes} min"
    return f"{left} s"
