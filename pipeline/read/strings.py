"""Texts of a workbook that programs read differently: a tag inside of a text, two texts in one string."""

from __future__ import annotations

import re

from pipeline.domain.problems import refused

# Some programs show what is in there, others do not.
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
_PLAIN = re.compile(rb'<si><t(?: xml:space="preserve"|)>[^<]*</t></si>')


def refuse_odd_texts(content: bytes) -> None:
    """Raises ``InputRefused`` when a text in ``content`` holds a tag, or a string two texts."""
    if _TEXT_ODD.search(content):
        raise refused("xlsx-danado")


def refuse_odd_strings(content: bytes) -> None:
    """The same for a part with the strings of a workbook, and when they hold other tags; any other part is passed over.

    Strings that are one plain text each, nearly all, are seen as an empty one.
    """
    if _SST.search(content, 0, 4096) is None:
        return
    rest = _PLAIN.sub(b"<si/>", content)
    if _TEXT_ODD.search(rest) or _STRINGS_ODD.search(rest):
        raise refused("xlsx-danado")
