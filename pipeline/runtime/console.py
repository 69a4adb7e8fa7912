"""Console: how text leaves the program, whatever page of characters the system prefers."""

from __future__ import annotations

import io
from typing import TextIO


def in_utf_8(stream: TextIO) -> None:
    """Makes UTF-8 of a stream that is no terminal: a file, a pipe, another program. There Windows would write its own
    page of characters, in which JSON is none."""
    if isinstance(stream, io.TextIOWrapper) and not stream.isatty():
        stream.reconfigure(encoding="utf-8")


def spelled_out(text: str, encoding: str | None) -> str:
    """``text`` with an escape for each character that ``encoding`` does not have."""
    page = encoding or "ascii"
    return text.encode(page, "backslashreplace").decode(page)
