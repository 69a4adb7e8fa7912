"""Reason and notification e-mail: canonical text and mistakes (domain.md 3)."""

from __future__ import annotations

import re

from pipeline.domain.pasted import INVISIBLE, Mistake

REASON_LEAST, REASON_MOST = 15, 1000
EMAIL_MOST = 100

# Line ends and tabs are white space; every other control character, and what changes text direction, is refused.
# A character beyond the first plane counts as one, as in the API.
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
SIGN = re.compile("[\u2400-\u2421]|⟨U\\+([0-9A-F]{4,6})⟩")
"""What our own workbooks show for a control character (domain/visible.py): given back, it stands for that character."""
EMAIL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:(?![Xx][Nn]--)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
)

LOST = "\ufffd"
"""The character that programs write for one that they could not read."""
MAYBE_SHOWN = 80


def _as_windows_shows(byte: int) -> str:
    """A byte as Windows-1252 shows it; its five unused bytes as the control character of that number."""
    try:
        return bytes([byte]).decode("cp1252")
    except UnicodeDecodeError:
        return chr(byte)


_BYTE_OF = {_as_windows_shows(byte): byte for byte in range(0x80, 0x100)}
_LATER = "".join(re.escape(char) for char, byte in _BYTE_OF.items() if byte < 0xC0)
# Western European letters are two bytes that begin with C2 or C3; quotes, dashes and the euro are three with E2.
_DAMAGED = re.compile(f"[ÂÃ][{_LATER}]|â[{_LATER}]{{2}}")

_ZERO_WIDTH = dict.fromkeys(map(ord, INVISIBLE.replace("\u200c", "").replace("\u200d", "")))  # joiners: emoji need them
_HAS_ZERO_WIDTH = re.compile(f"[{''.join(map(chr, _ZERO_WIDTH))}]")
_SPACES = re.compile(r"[^\S\x0b\x0c\x1c-\x1f\x85\u2028\u2029]+")


def canonical_reason(text: str) -> str:
    """``text`` as it is counted and sent: trimmed, white space collapsed, zero-width characters removed.

    Control characters stay, so that they can be refused by name.
    """
    if _HAS_ZERO_WIDTH.search(text):
        text = text.translate(_ZERO_WIDTH)
    return _SPACES.sub(" ", text).strip(" ")


def canonical_email(text: str) -> str:
    """``text`` without white space around it. Nothing inside is repaired: an address is not guessed."""
    return text.strip().strip(INVISIBLE).strip()


def reason_mistake(text: str) -> Mistake | None:
    """The mistake in the canonical reason ``text``; None when it may be sent."""
    if control := CONTROL.search(text) or SIGN.search(text):
        return Mistake("motivo-control", {"point": _point(control), "place": str(control.start() + 1)})
    if not text:
        return Mistake("motivo-vacio", {})
    if len(text) < REASON_LEAST:
        return Mistake("motivo-corto", {"count": str(len(text))})
    if len(text) > REASON_MOST:
        return Mistake("motivo-largo", {"count": str(len(text))})
    return None


def _point(control: re.Match[str]) -> str:
    """The code point, in hexadecimal, of the character that was found, or of the one that its sign stands for."""
    if len(control[0]) > 1:
        return str(control[1])
    code = ord(control[0])
    return "007F" if code == 0x2421 else f"{code - 0x2400 if 0x2400 <= code <= 0x2420 else code:04X}"


def email_mistake(text: str) -> Mistake | None:
    """The mistake in the canonical e-mail ``text``; None when it is empty or may be sent."""
    if not text:
        return None
    if text.count("@") > 1:
        return Mistake("correo-varios", {})
    if len(text) > EMAIL_MOST:
        return Mistake("correo-largo", {"count": str(len(text))})
    return None if EMAIL.fullmatch(text) else Mistake("correo-invalido", {})


def reason_doubt(written: str) -> Mistake | None:
    """A warning about a reason that may be sent; ``written`` is the text in the cell.

    The cell's text is needed because half of a damaged letter may be a zero-width character (``í`` ends in U+00AD).
    """
    if written.isascii():
        return None
    if LOST in written:
        return Mistake("texto-perdido", {"count": str(written.count(LOST))})
    maybe = damaged_accents(written)
    return None if maybe is None else Mistake("texto-sospechoso", {"maybe": maybe[:MAYBE_SHOWN]})


def damaged_accents(text: str) -> str | None:
    """The probable text before its UTF-8 was read as Windows-1252; None when there is no sign of that.

    Each damaged letter is repaired separately, so that a correct letter next to it does not hide the damage.
    """
    mended = _DAMAGED.sub(_mend, text)
    return mended if mended != text else None


def _mend(match: re.Match[str]) -> str:
    try:
        return bytes(_BYTE_OF[char] for char in match[0]).decode("utf-8")
    except UnicodeDecodeError:
        return match[0]
