"""Colours of a workbook: rgb, theme with tint, palette index or automatic, converted to the colour on the screen."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from colorsys import hls_to_rgb, rgb_to_hls
from dataclasses import dataclass
from xml.etree.ElementTree import Element

Colour = tuple[int, int, int]

BLACK: Colour = (0, 0, 0)
WHITE: Colour = (255, 255, 255)

_SAME = 16
"""Largest difference between the parts of two colours that look the same to the eye."""

_FOREGROUND, _BACKGROUND = 64, 65  # ECMA-376 18.8.27: the system's own colours
_RGB = re.compile(r"(?:[0-9A-Fa-f]{2})?([0-9A-Fa-f]{6})")
_PALETTE_START = 8
_PALETTE_WORDS = (
    "000000 FFFFFF FF0000 00FF00 0000FF FFFF00 FF00FF 00FFFF 800000 008000 000080 808000 800080 008080 C0C0C0 808080 "
    "9999FF 993366 FFFFCC CCFFFF 660066 FF8080 0066CC CCCCFF 000080 FF00FF FFFF00 00FFFF 800080 800000 008080 0000FF "
    "00CCFF CCFFFF CCFFCC FFFF99 99CCFF FF99CC CC99FF FFCC99 3366FF 33CCCC 99CC00 FFCC00 FF9900 FF6600 666699 969696 "
    "003366 339966 003300 333300 993300 993366 333399 333333"
)
# A theme's colours in the order of their numbers (ECMA-376 18.8.3): light and dark are swapped.
_THEME_ORDER = ("lt1", "dk1", "lt2", "dk2", *(f"accent{n}" for n in range(1, 7)), "hlink", "folHlink")
_OFFICE = "FFFFFF 000000 E7E6E6 44546A 4472C4 ED7D31 A5A5A5 FFC000 5B9BD5 70AD47 0563C1 954F72"


def rgb(text: str) -> Colour | None:
    """The colour ``FF1F3A5F`` or ``1F3A5F``; spreadsheets do not show the transparency. None for anything else."""
    match = _RGB.fullmatch(text)
    return None if match is None else (int(match[1][:2], 16), int(match[1][2:4], 16), int(match[1][4:], 16))


def _all(words: str) -> list[Colour]:
    return [colour for word in words.split() if (colour := rgb(word)) is not None]


_PALETTE = [*_all(_PALETTE_WORDS)[:_PALETTE_START], *_all(_PALETTE_WORDS)]


def alike(one: Colour, other: Colour) -> bool:
    """Whether text in one colour is invisible on the other."""
    return all(abs(a - b) <= _SAME for a, b in zip(one, other, strict=True))


@dataclass(frozen=True)
class Palette:
    """The numbered colours of one workbook."""

    theme: Sequence[Colour]
    indexed: Mapping[int, Colour]

    def of(self, element: Element | None) -> Colour | None:
        """The colour of ``element`` (``color``, ``fgColor`` …); None if it cannot be determined."""
        return None if element is None else self.named(element.attrib)

    def named(self, attributes: Mapping[str, str]) -> Colour | None:
        """The same, from the attributes alone."""
        base: Colour | None = None
        if "rgb" in attributes:
            base = rgb(attributes["rgb"])
        elif "theme" in attributes:
            number = _number(attributes["theme"])
            base = self.theme[number] if number is not None and number < len(self.theme) else None
        elif "indexed" in attributes:
            number = _number(attributes["indexed"])
            base = None if number is None else self.index(number)
        return None if base is None else tinted(base, attributes.get("tint", ""))

    def index(self, number: int) -> Colour | None:
        """The palette colour with this number; the system colours are black on white."""
        if number in (_FOREGROUND, _BACKGROUND):
            return BLACK if number == _FOREGROUND else WHITE
        return self.indexed.get(number)


def palette_of(theme: Element | None, styles: Element | None) -> Palette:
    """The palette of a workbook, from the roots of its theme and styles; None for a missing part."""
    indexed = dict(enumerate(_PALETTE))
    for element in _named(styles, "indexedColors"):
        own = [rgb(one.attrib.get("rgb", "")) for one in element if _local(one.tag) == "rgbColor"]
        indexed |= {number: colour for number, colour in enumerate(own) if colour is not None}
    colours = dict(zip(_THEME_ORDER, _all(_OFFICE), strict=True))
    for scheme in _named(theme, "clrScheme"):
        for slot in scheme:
            for value in slot:
                found = rgb(value.attrib.get("lastClr", "") or value.attrib.get("val", "")) or _SYSTEM.get(
                    value.attrib.get("val", "")
                )
                if found is not None and _local(slot.tag) in colours:
                    colours[_local(slot.tag)] = found
    return Palette([colours[slot] for slot in _THEME_ORDER], indexed)


_SYSTEM = {"window": WHITE, "windowText": BLACK}


def tinted(colour: Colour, tint: str) -> Colour:
    """``colour`` lightened or darkened by ``tint``, -1 to 1 (ECMA-376 18.8.19: applies to its luminance)."""
    try:
        share = float(tint) if tint else 0.0
    except ValueError:
        return colour
    if not -1.0 <= share <= 1.0 or share == 0.0:
        return colour
    hue, light, full = rgb_to_hls(*(part / 255 for part in colour))
    light = light * (1 + share) if share < 0 else light * (1 - share) + share
    red, green, blue = (round(part * 255) for part in hls_to_rgb(hue, min(1.0, max(0.0, light)), full))
    return red, green, blue


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else None


def _named(root: Element | None, name: str) -> list[Element]:
    return [] if root is None else [element for element in root.iter() if _local(element.tag) == name]


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
