"""Text decoding, strict: bytes that are not certain are refused (interface.md 4)."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.domain.problems import refused

_SAMPLES = 3
_NON_ASCII = re.compile(rb"[\x80-\xff]")
_LINE_END = re.compile(rb"\r\n|\r|\n")
_WORD = re.compile(r"\w*[^\W\x00-\x7f]\w*")
_ANY_WORD = re.compile(r"[^\s,;|]*[^\x00-\x7f][^\s,;|]*")
_WORD_SHOWN = 40
_PARTS = (b" ", b"\t", b",", b";", b"|", b"\r", b"\n", b'"')
_SPANISH = frozenset("áéíóúüñÁÉÍÓÚÜÑ¿¡")
_LETTER = "A-Za-zÀ-ÖØ-öø-ÿ"
# Where Mac Roman and the code pages 850 and 437 have Spanish letters, Windows-1252 has signs that never occur inside a
# word, and letters that do not occur between two capitals.
_SIGNS = "—‡ŽœŠƒ„¢£¡‚¤¥µ\u00a0\u0080-\u009f"
_FOREIGN = re.compile(rf"(?<=[{_LETTER}])[{_SIGNS}](?=[{_LETTER}]|\W|\Z)|(?<=[A-Z])[àéÖçêîòè](?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Text:
    """Decoded text without a byte order mark."""

    content: str
    #: what the person should know about the decoding
    notes: tuple[str, ...] = ()
    #: whether it was read as Windows-1252
    guessed: bool = False

    def refuse_foreign(self, texts: Iterable[tuple[int, str]]) -> None:
        """Raises ``InputRefused`` when one of ``texts`` (line, text) has signs inside words where another program's
        letters were read as Windows-1252 (eyes.md 1)."""
        if not self.guessed:
            return
        for line, text in texts:
            if not text.isascii() and (found := _FOREIGN.search(text)):
                start, end = text.rfind(" ", 0, found.start()) + 1, text.find(" ", found.end())
                word = text[start : end if end >= 0 else None]
                raise _foreign(word.encode("cp1252", "replace"), word, f"línea {line}")


def decode(data: bytes) -> Text:
    """UTF-8, UTF-16 with a mark, or Windows-1252 where UTF-8 is impossible (then with a note).

    Raises ``InputRefused``: NUL characters, UTF-16 without a mark, two encodings mixed, none that fits.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = _utf16(data)
    elif b"\x00" in data:
        raise _nul(data)
    else:
        text = _eight_bits(data)
    if "\x00" in text.content:
        raise refused("csv-nul", where=f"línea {_line_of(text.content, text.content.index(chr(0)))}")
    return text


def _utf16(data: bytes) -> Text:
    try:
        return Text(data.decode("utf-16"))
    except UnicodeDecodeError as error:
        raise refused("csv-utf16-danado") from error


def _nul(data: bytes) -> Exception:
    """The refusal of NULs: UTF-16 without its mark if every second byte is one; else with the first such line."""
    head = data[:4096]
    if max(head[0::2].count(0), head[1::2].count(0)) > len(head) // 4:
        return refused("csv-utf16")
    return refused("csv-nul", where=f"línea {_line_of_byte(data, data.index(0))}")


def _eight_bits(data: bytes) -> Text:
    try:
        return Text(data.decode("utf-8").removeprefix("\ufeff"))  # utf-8-sig reports error positions without the mark
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data":  # everything before is UTF-8: cut off in the middle of a character
            raise refused("csv-incompleto", where=f"línea {_line_of_byte(data, error.start)}") from error
        _refuse_mixture(data, error.start)
    try:
        content = data.decode("cp1252")
    except UnicodeDecodeError as error:
        start = max(data.rfind(sign, 0, error.start) for sign in _PARTS) + 1
        word = re.split(rb"[\s,;|]", data[start : start + 200], maxsplit=1)[0]
        shown = word.decode("cp1252", "replace")
        raise _foreign(word, shown, f"línea {_line_of_byte(data, error.start)}") from error
    words = list(dict.fromkeys(_WORD.findall(content) or _ANY_WORD.findall(content)))[:_SAMPLES]
    shown = ", ".join(f"«{word[:_WORD_SHOWN]}»" for word in words)
    note = f"El archivo no es UTF-8: se leyó como Windows-1252. Revise estas palabras: {shown}."
    return Text(content, (note,), guessed=True)


def _foreign(word: bytes, shown: str, where: str) -> Exception:
    """The refusal of a file with a ``word`` saved by a program other than Windows."""
    mac, dos = (sum(char in _SPANISH for char in word.decode(codec, "replace")) for codec in ("mac_roman", "cp850"))
    program = "«CSV (Macintosh)»" if mac > dos else "«CSV (MS-DOS)»"
    return refused("csv-codificacion", where=where, program=program, words=f"«{shown[:_WORD_SHOWN]}»")


def _refuse_mixture(data: bytes, first_bad: int) -> None:
    """Raises when some line with accents is UTF-8 while the byte at ``first_bad`` is not."""
    if data.startswith(codecs.BOM_UTF8):
        raise refused("csv-mezcla", where=f"línea {_line_of_byte(data, first_bad)}")
    for line in _LINE_END.split(data):
        if _NON_ASCII.search(line):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                continue
            raise refused("csv-mezcla", where=f"línea {_line_of_byte(data, first_bad)}")


def _line_of_byte(data: bytes, place: int) -> int:
    return len(_LINE_END.findall(data, 0, place)) + 1


def _line_of(text: str, place: int) -> int:
    return len(re.findall(r"\r\n|\r|\n", text[:place])) + 1
