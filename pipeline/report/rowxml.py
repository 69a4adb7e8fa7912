"""Row XML: one worksheet row as inline text, numbers and truth values, and nothing else.

No code path writes a formula, a link or an error value, so any text of the input or the server stays text
(reliability.md P11). Written by hand instead of an element per cell because a batch has millions of cells.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from functools import lru_cache

from openpyxl.utils import get_column_letter

from pipeline.report.inert import fit, looks_like_formula, visible
from pipeline.report.model import Value

Quote = Callable[[int], int]
"""From a style id to the same look for text that must stay text even if a person edits the cell."""

# Excel reads _x0041_ inside a text as the letter A. Two runs of text keep the six characters apart in every reader.
_ESCAPE_LOOK = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_LETTERS = [get_column_letter(number) for number in range(1, 300)]
_REPEATED = 120
"""Characters of a text that is worth remembering: most cells of a batch have one of a few short texts."""


def row_xml(number: int, cells: Sequence[tuple[Value, int]], quote: Quote, height: float | None = None) -> bytes:
    """Row ``number`` (1-based) with ``cells`` of (value, style id); None with style 0 leaves a gap."""
    size = "" if height is None else f' ht="{height:g}" customHeight="1"'
    parts = [f'<row r="{number}"{size}>']
    for letters, (value, style) in zip(_LETTERS, cells, strict=False):
        if value is None or value == "":
            if style:
                parts.append(f'<c r="{letters}{number}" s="{style}"/>')
        elif isinstance(value, str):
            text, formula = _known(value) if len(value) <= _REPEATED else _written(value)
            if formula:
                style = quote(style)
            parts.append(f'<c r="{letters}{number}" s="{style}" t="inlineStr"><is>{text}</is></c>')
        elif isinstance(value, bool):
            parts.append(f'<c r="{letters}{number}" s="{style}" t="b"><v>{int(value)}</v></c>')
        elif math.isfinite(value):
            parts.append(f'<c r="{letters}{number}" s="{style}"><v>{value!r}</v></c>')
        else:
            parts.append(f'<c r="{letters}{number}" s="{style}" t="inlineStr"><is><t>{value}</t></is></c>')
    parts.append("</row>")
    return "".join(parts).encode()


def text_xml(value: str, *, runs: bool = False) -> str:
    """``value`` as the content of an ``is`` or ``text`` element: inert, fitted; with ``runs`` always as runs."""
    text = fit(visible(value))
    spaced = text[0].isspace() or text[-1].isspace() or "\n" in text or "  " in text
    if "&" in text or "<" in text or ">" in text:
        text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if "\r" in text:
        text = text.replace("\r", "&#13;")
    keep = ' xml:space="preserve"' if spaced else ""
    if runs or ("_x" in text and _ESCAPE_LOOK.search(text)):
        return "".join(f'<r><t xml:space="preserve">{run}</t></r>' for run in _ESCAPE_LOOK.sub("_\0", text).split("\0"))
    return f"<t{keep}>{text}</t>"


def _written(value: str) -> tuple[str, bool]:
    """The content of a text's cell, and whether a spreadsheet could take it for a formula."""
    return text_xml(value), looks_like_formula(value)


_known = lru_cache(512)(_written)
