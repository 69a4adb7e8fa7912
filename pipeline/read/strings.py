"""Texts of a workbook: those that programs read differently (a tag inside, two texts in one), and the fonts of runs."""

from __future__ import annotations

import re
from xml.parsers import expat

from pipeline.domain.problems import refused
from pipeline.read.styles import Font, Styles

# Some programs show the content of these tags, others do not.
_TEXT_ODD = re.compile(
    rb"<(?:\w+:)?t(?:\s[^>]*(?<!/))?>(?:[^<]|<!\[CDATA\[.*?\]\]>|<!--.*?-->|<\?.*?\?>)*+<(?!/)|</(?:\w+:)?t\s*>\s*<(?:\w+:)?t[\s>/]",
    re.DOTALL,
)
_SST = re.compile(rb"<(?:\w+:)?sst[\s/>]")
_STRING_TAGS = (
    rb"sst|si|t|r|rPr|rPh|phoneticPr|b|i|u|strike|outline|shadow|condense|extend|color|sz|rFont|family|charset|scheme"
    rb"|vertAlign|extLst|ext"
)
_STRINGS_ODD = re.compile(rb"<(?![/!?]|(?:\w+:)?(?:" + _STRING_TAGS + rb")[\s/>])")
_NO_TAG = re.compile(rb"<!\[CDATA\[.*?\]\]>|<!--.*?-->|<\?.*?\?>", re.DOTALL)
_PLAIN = re.compile(rb'<si><t(?: xml:space="preserve"|)>[^<]*</t></si>')


def refuse_odd_texts(content: bytes) -> None:
    """Raises ``InputRefused`` when a text in ``content`` contains a tag, or a string has two texts."""
    if _TEXT_ODD.search(content):
        raise refused("xlsx-danado")


def refuse_odd_strings(content: bytes) -> None:
    """The same for a part with a workbook's strings, also when they contain other tags; any other part is skipped.

    A string of one plain text, as nearly all are, counts as empty.
    """
    if _SST.search(content, 0, 4096) is None:
        return
    rest = _PLAIN.sub(b"<si/>", content)
    odd = _STRINGS_ODD.search(rest) and _STRINGS_ODD.search(_NO_TAG.sub(b"", rest))  # "<" in a CDATA is a character
    if _TEXT_ODD.search(rest) or odd:
        raise refused("xlsx-danado")


def is_strings(content: bytes) -> bool:
    """Whether a part holds the strings of a workbook."""
    return _SST.search(content, 0, 4096) is not None


def runs_that_matter(content: bytes, styles: Styles) -> dict[int, frozenset[Font]]:
    """By string number in ``content``, the fonts of runs that strike it through or may hide it."""
    if b"rPr" not in content:  # nearly always
        return {}
    watcher = _Runs(styles)
    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = watcher.start, watcher.end
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise refused("xlsx-danado") from error
    return watcher.found


class _Runs:
    """Collects the fonts of runs, string by string."""

    def __init__(self, styles: Styles) -> None:
        self.found: dict[int, frozenset[Font]] = {}
        self._styles = styles
        self._matters: dict[Font, bool] = {}
        self._string = -1
        self._parts: list[tuple[str, dict[str, str]]] | None = None

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        if name == "si":
            self._string += 1
        elif name == "rPr":
            self._parts = []
        elif self._parts is not None:
            self._parts.append((name, attributes))

    def end(self, tag: str) -> None:
        if self._parts is None or tag.rpartition(":")[2] != "rPr":
            return
        font, self._parts = self._styles.font(self._parts), None
        if font not in self._matters:
            self._matters[font] = self._styles.may_matter(font)
        if self._matters[font]:
            self.found[self._string] = self.found.get(self._string, frozenset()) | {font}
