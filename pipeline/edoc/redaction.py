"""Redaction: removes secrets from what a server sends back, in every form in which it may return them.

The forms (reliability.md P12, eyes.md 5): as sent, in UTF-8 or Latin-1; in base64, alone or inside something longer,
with or without padding, in both alphabets; and each of these with letters escaped as in JSON, an address or HTML.
Upper and lower case of ASCII letters count as equal.
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterable, Iterator

STRUCK = b"[secreto]"
WITHHELD = b"[respuesta retirada: repetia un secreto]"

_SHORTEST = 4
"""Letters. A shorter secret occurs by chance in ordinary words and numbers; removing it would destroy them."""
_LAYERS = 4
"""How many nested escapes are undone in the search (a JSON text inside a page inside a JSON text)."""

_ESCAPED = re.compile(
    rb"""\\u(?P<json>[0-9a-f]{4})|%(?P<address>[0-9a-f]{2})|\\(?P<plain>["/\\])"""
    rb"""|&\#x0*(?P<hex>[0-9a-f]{1,5});?|&\#0*(?P<number>[0-9]{1,6});?|&(?P<name>[a-z]{2,8});""",
    re.IGNORECASE | re.VERBOSE,
)
_NAMES = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos", "/": "sol", "+": "plus", "=": "equals"}


class Redaction:
    """Removes a few secrets from bytes. The search is cheap; only a hit costs time."""

    def __init__(self, secrets: Iterable[str]) -> None:
        texts = {text for secret in secrets for text in _texts(secret) if len(text) >= _SHORTEST}
        self._texts = sorted(texts, key=len, reverse=True)
        self._needles = {text: {needle.lower() for needle in _encoded(text)} for text in texts}
        self._patterns: dict[str, re.Pattern[bytes]] = {}

    def strike(self, body: bytes) -> bytes:
        """``body`` without the secrets. If one remains, in a form that cannot be removed alone, the answer is
        withheld."""
        found = self._found(body)
        for text in found:
            body = self._pattern(text).sub(STRUCK, body)
        return WITHHELD if found and self._found(body) else body

    def _pattern(self, text: str) -> re.Pattern[bytes]:
        """Compiled on first use: all patterns together take as long as a small run."""
        if text not in self._patterns:
            self._patterns[text] = re.compile(b"".join(map(_any_form, text)), re.IGNORECASE)
        return self._patterns[text]

    def _found(self, body: bytes) -> list[str]:
        """The texts that are in ``body``, the longest first."""
        layers = [body.lower()]
        for _ in range(_LAYERS):
            plain = _ESCAPED.sub(_letter, layers[-1]).lower()
            if plain == layers[-1]:
                break
            layers.append(plain)
        return [text for text in self._texts if any(needle in low for low in layers for needle in self._needles[text])]


def _texts(secret: str) -> Iterator[str]:
    """The texts that reveal ``secret``, escapes aside."""
    yield secret
    yield secret.replace(" ", "+")  # as a form field encodes a blank
    for raw in _encoded(secret):
        for alphabet in (base64.b64encode, base64.urlsafe_b64encode):
            yield alphabet(raw).rstrip(b"=").decode("ascii")
            for shift in range(3):
                core = _core(alphabet(b"\0" * shift + raw), shift, len(raw)).decode("ascii")
                if len(core) >= 2 * _SHORTEST:  # a shorter one is found by chance
                    yield core


def _core(encoded: bytes, shift: int, length: int) -> bytes:
    """The base64 letters that depend only on ``length`` bytes, when ``shift`` bytes (modulo 3) come before them."""
    return encoded[-(-8 * shift // 6) : 8 * (shift + length) // 6]


def _encoded(text: str) -> Iterator[bytes]:
    for encoding in ("utf-8", "latin-1"):
        try:
            yield text.encode(encoding)
        except UnicodeEncodeError:
            continue


def _letter(escape: re.Match[bytes]) -> bytes:
    kind = escape.lastgroup or ""
    value = escape[kind].decode("ascii")
    if kind == "plain":
        return value.encode()
    if kind == "address":
        return bytes.fromhex(value)
    text = html.unescape(f"&{value};") if kind == "name" else _character(int(value, 10 if kind == "number" else 16))
    return text.encode("utf-8", "surrogatepass") if len(text) == 1 else escape[0]


def _character(code: int) -> str:
    return chr(code) if code <= 0x10FFFF else ""


def _any_form(letter: str) -> bytes:
    """A pattern for one letter: plain or escaped."""
    code = ord(letter)
    forms = [re.escape(raw) for raw in _encoded(letter)]
    forms += [b"".join(b"%%%02x" % byte for byte in raw) for raw in _encoded(letter)]
    forms += [rb"\\u%04x" % code, rb"&#x0*%x;?" % code, rb"&#0*%d;?" % code]
    forms += [rb"\\" + re.escape(letter.encode())] if letter in '"/\\' else []
    forms += [b"&%s;" % _NAMES[letter].encode()] if letter in _NAMES else []
    return b"(?:" + b"|".join(dict.fromkeys(forms)) + b")"
