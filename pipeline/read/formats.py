"""Number formats applied to texts: shown as it is, shown as something else, or hidden (ECMA-376 18.8.31)."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PIECE = re.compile(
    r'"(?P<quoted>[^"]*)"?|\\(?P<escaped>.)|\*(?P<filler>.)|_(?P<room>.)|\[(?P<brackets>[^\]]*)\]?|(?P<sign>.)',
    re.DOTALL,
)
_TEXT_SECTION = 3
_GENERAL = re.compile(r"general|estándar", re.IGNORECASE)
_COLOUR = re.compile(r"colou?r\s*([0-9]{1,2})", re.IGNORECASE)
_WORDS = {"black": 8, "white": 9, "red": 10, "green": 11, "blue": 12, "yellow": 13, "magenta": 14, "cyan": 15}
_FIRST_NUMBERED = 7  # [Color1] is the palette's number 8


@dataclass(frozen=True, slots=True)
class TextFormat:
    """Effect of a number format on a text."""

    #: whether the text is shown as it is
    plain: bool
    #: palette number of the format's colour; None for that of the font
    colour: int | None = None


AS_IT_IS = TextFormat(plain=True)


def text_format(code: str) -> TextFormat:
    """The effect of number format ``code`` on a text."""
    sections = _sections(code)
    if len(sections) > _TEXT_SECTION:
        section = sections[_TEXT_SECTION]
    elif any(kind == "sign" and piece == "@" for kind, piece in sections[-1]):
        section = sections[-1]
    else:
        return AS_IT_IS  # says nothing about texts
    colour, shown = None, ""
    for kind, piece in section:
        if kind == "brackets":
            colour = _colour(piece) if colour is None else colour
        elif kind != "room":
            shown += piece if kind == "sign" else "\0" if piece.strip() else " "
    return TextFormat(plain=shown.strip() == "@" or _GENERAL.fullmatch(shown.strip()) is not None, colour=colour)


def _sections(code: str) -> list[list[tuple[str, str]]]:
    """The pieces of each section: kind and text."""
    sections: list[list[tuple[str, str]]] = [[]]
    for match in _PIECE.finditer(code):
        kind = match.lastgroup or "sign"
        if kind == "sign" and match[0] == ";":
            sections.append([])
        else:
            sections[-1].append((kind, match[kind]))
    return sections


def _colour(word: str) -> int | None:
    if match := _COLOUR.fullmatch(word.strip()):
        return int(match[1]) + _FIRST_NUMBERED
    return _WORDS.get(word.strip().casefold())
