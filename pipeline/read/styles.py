"""Cell styles: which strike a text through, and which hide it from a person.

Each style is judged once; the scan of a worksheet only looks for cells with one of those that matter, so a workbook
without any costs nothing. A style counts as it is in ``cellXfs``. Where it says that a part does not apply
(``applyFont="0"``) programs differ, so it also counts with that part of its parent in ``cellStyleXfs``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar
from xml.etree.ElementTree import Element

from pipeline.read.colours import BLACK, WHITE, Colour, Palette, alike, palette_of
from pipeline.read.formats import AS_IT_IS, TextFormat, text_format

SMALLEST = 2.0
"""Points: text of this size or smaller is not readable."""

_OFF = ("0", "false", "off")
_PARTS = (("applyFont", "fontId"), ("applyFill", "fillId"), ("applyNumberFormat", "numFmtId"))
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Font:
    """Appearance of letters."""

    struck: bool = False
    small: bool = False
    #: None when it cannot be determined
    colour: Colour | None = BLACK


@dataclass(frozen=True, slots=True)
class Judged:
    """Effect of a style, or of a run of text in it."""

    #: the text is struck through
    struck: bool = False
    #: a person cannot see it
    unseen: bool = False

    def __or__(self, other: Judged) -> Judged:
        return Judged(self.struck or other.struck, self.unseen or other.unseen)

    def __bool__(self) -> bool:
        return self.struck or self.unseen


NOTHING = Judged()


@dataclass(frozen=True)
class Styles:
    """The styles of a workbook that matter."""

    #: by style number
    judged: Mapping[int, Judged] = field(default_factory=dict)
    #: background colours of every style, for runs of a text
    grounds: Sequence[tuple[Colour, ...]] = ()
    palette: Palette = field(default_factory=lambda: palette_of(None, None))

    def run(self, font: Font, style: int) -> Judged:
        """The effect of a run of letters in ``font`` in a cell of this ``style``."""
        ground = self.grounds[style] if style < len(self.grounds) else (WHITE,)
        return Judged(font.struck, font.small or _lost(font.colour, ground))

    def may_matter(self, font: Font) -> bool:
        """Whether a run in ``font`` is struck through, or invisible on the background of any style."""
        return any(self.run(font, style) for style in range(len(self.grounds))) or bool(
            self.run(font, len(self.grounds))
        )

    def font(self, parts: Iterable[tuple[str, Mapping[str, str]]]) -> Font:
        """The font from the elements of ``font`` or ``rPr``: their names and attributes."""
        struck, small = False, False
        colour: Colour | None = BLACK
        for name, said in parts:
            if name == "strike":
                struck = said.get("val", "1").strip().casefold() not in _OFF
            elif name == "sz":
                small = _size(said.get("val", "")) <= SMALLEST
            elif name == "color" and said.keys() - {"auto"}:
                colour = self.palette.named(said)
        return Font(struck, small, colour)


NO_STYLES = Styles()


@dataclass(frozen=True)
class Formatting:
    """What a workbook says about the appearance of its cells."""

    styles: Styles = NO_STYLES
    #: by number, the fonts of the shared texts of which a part may be struck through or unseen
    strings: Mapping[int, frozenset[Font]] = field(default_factory=dict)

    def of(self, style: int, string: int | None = None) -> Judged:
        """The effect on a cell of this ``style`` with shared text number ``string``."""
        said = self.styles.judged.get(style, NOTHING)
        for font in self.strings.get(string, ()) if string is not None else ():
            said |= self.styles.run(font, style)
        return said


NO_FORMATTING = Formatting()


def styles_of(root: Element | None, theme: Element | None) -> Styles:
    """The styles in the part with this ``root``, with the colours of ``theme``; None for a missing part."""
    if root is None:
        return NO_STYLES
    found = Styles(palette=palette_of(theme, root))
    fonts = [found.font((_local(part.tag), part.attrib) for part in one) for one in _children(root, "fonts", "font")]
    fills = [_ground(one, found.palette) for one in _children(root, "fills", "fill")]
    formats = {
        _number(one.attrib.get("numFmtId", "")): text_format(one.attrib.get("formatCode", ""))
        for one in _children(root, "numFmts", "numFmt")
    }
    parents = _children(root, "cellStyleXfs", "xf")
    judged, grounds = {}, []
    for number, xf in enumerate(_children(root, "cellXfs", "xf")):
        own = xf.attrib
        grounds.append(_at(fills, own.get("fillId", ""), (WHITE,)))
        said = _judge(own, fonts, fills, formats, found.palette)
        if left := [part for applies, part in _PARTS if own.get(applies, "1").strip().casefold() in _OFF]:
            parent = _at(parents, own.get("xfId", ""), xf).attrib
            inherited = {part: parent[part] for part in left if part in parent}
            said |= _judge({**own, **inherited}, fonts, fills, formats, found.palette)
        if said:
            judged[number] = said
    return Styles(judged, grounds, found.palette)


def _judge(
    xf: Mapping[str, str],
    fonts: Sequence[Font],
    fills: Sequence[tuple[Colour, ...]],
    formats: Mapping[int, TextFormat],
    palette: Palette,
) -> Judged:
    font, ground = _at(fonts, xf.get("fontId", ""), Font()), _at(fills, xf.get("fillId", ""), (WHITE,))
    shown = formats.get(_number(xf.get("numFmtId", "")), AS_IT_IS)
    colour = font.colour if shown.colour is None else palette.index(shown.colour)
    return Judged(font.struck, font.small or not shown.plain or _lost(colour, ground))


def _lost(colour: Colour | None, ground: Sequence[Colour]) -> bool:
    """Whether letters of this colour are invisible on one of the background colours."""
    return colour is not None and all(alike(colour, behind) for behind in ground)


def _ground(fill: Element, palette: Palette) -> tuple[Colour, ...]:
    """The background colours: white without a fill, both of a pattern, all of a gradient."""
    for kind in fill:
        if _local(kind.tag) == "gradientFill":
            stops = [palette.of(part) for stop in kind for part in stop if _local(part.tag) == "color"]
            return tuple(stop for stop in stops if stop is not None) or (WHITE,)
        if _local(kind.tag) == "patternFill":
            pattern = kind.attrib.get("patternType", "none")
            if pattern == "none":
                return (WHITE,)
            named = {_local(part.tag): part for part in kind}
            front = palette.of(named.get("fgColor")) or BLACK
            return (front,) if pattern == "solid" else (front, palette.of(named.get("bgColor")) or WHITE)
    return (WHITE,)


def _children(root: Element, table: str, name: str) -> list[Element]:
    """The elements ``name`` of the first ``table`` directly below ``root``."""
    for element in root:
        if _local(element.tag) == table:
            return [one for one in element if _local(one.tag) == name]
    return []


def _at(values: Sequence[_T], number: str, otherwise: _T) -> _T:
    place = _number(number or "0")
    return values[place] if place < len(values) else otherwise


def _number(text: str) -> int:
    """A number of a table; anything else counts as larger than any."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else 10**9


def _size(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("inf")


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
