"""VML check: the drawing for the comments contains comment boxes and nothing else (reliability.md P11).

It is the one part of our workbooks that is not spreadsheet XML: older spreadsheets show no comment without it. So it
is checked against a list of elements, attributes and name spaces, and no value may look like an address.
"""

from __future__ import annotations

import re

from pipeline.domain.errors import Bug

_ELEMENTS = (
    "xml o:shapelayout o:idmap v:shapetype v:stroke v:path v:shape v:fill v:shadow v:textbox div x:ClientData "
    "x:MoveWithCells x:SizeWithCells x:AutoFill x:Row x:Column"
)
_ATTRIBUTES = (
    "xmlns:v xmlns:o xmlns:x v:ext data id coordsize o:spt path joinstyle gradientshapeok o:connecttype type style "
    "fillcolor o:insetmode color2 color obscured ObjectType"
)
_SPACES = "urn:schemas-microsoft-com:vml urn:schemas-microsoft-com:office:office urn:schemas-microsoft-com:office:excel"
_ALLOWED, _ALLOWED_WITH = frozenset(_ELEMENTS.split()), frozenset(_ATTRIBUTES.split())
_ALLOWED_SPACES = frozenset(_SPACES.split())
_LEADS_OUT = re.compile(r"url|http|file|script|mailto|//|\\\\", re.IGNORECASE)


def only_boxes(element: str, attributes: dict[str, str]) -> None:
    """Raises ``Bug`` for an element that a comment's box does not need."""
    spaces = {value for name, value in attributes.items() if name.startswith("xmlns:")}
    others = [value for name, value in attributes.items() if not name.startswith("xmlns:")]
    known = element in _ALLOWED and attributes.keys() <= _ALLOWED_WITH and spaces <= _ALLOWED_SPACES
    if not known or any(_LEADS_OUT.search(value) for value in others):
        raise Bug(f"the drawing of the comments holds {element} {attributes}")
