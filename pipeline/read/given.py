"""Given columns: what a person said with ``--columns``, as letters or as the heading's own text (interface.md 4)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from pipeline.domain.columns import key_of, role_of
from pipeline.domain.problems import refused, shorten
from pipeline.domain.records import column_letters
from pipeline.read.grid import NUMBER_OF

Given = Mapping[str, str]
"""By role, a column's letters or its heading."""

NONE_GIVEN: Given = MappingProxyType({})
NAMES = {"cufe": "cufe", "reason": "motivo", "email": "correo"}
"""How each role is called on the command line."""

_NAME = re.compile(r"(?:^|,)\s*([^=,]+?)\s*=")
_QUOTES = "\"'«»“”"
_SAID = 80


def given_columns(text: str) -> dict[str, str]:
    """``cufe=H,motivo=Concepto,correo=J``: what was said for each role. Raises ``InputRefused`` for anything else.

    A heading may contain commas: a part ends where a known name with ``=`` begins.
    """
    if not text.strip():
        return {}
    found = [(match, role) for match in _NAME.finditer(text) if (role := role_of(match[1])) is not None]
    if not found or found[0][0].start() != 0:
        raise refused("columnas-dichas", said=shorten(text, _SAID))
    given: dict[str, str] = {}
    ends = [match.start() for match, _ in found[1:]] + [len(text)]
    for (match, role), end in zip(found, ends, strict=True):
        said = text[match.end() : end].strip().strip(_QUOTES).strip()
        if role in given or not key_of(said) or said in given.values() or _NAME.search(said):
            raise refused("columnas-dichas", said=shorten(text, _SAID))
        given[role] = said
    return given


def said_columns(given: Given) -> str:
    """``given`` as it is written on the command line."""
    return ",".join(f"{name}={given[role]}" for role, name in NAMES.items() if role in given)


def said_note(columns: str) -> str:
    """Note, for the plan and the workbook, of a table whose ``columns`` were said."""
    return f"Las columnas se indicaron con --columns {columns.strip()}."


def letter_of(said: str) -> int | None:
    """The 0-based column with these letters; None for anything else."""
    return NUMBER_OF.get(said.upper().encode()) if said.isascii() else None


def named_in(said: str, cells: Sequence[str]) -> list[int]:
    """The places of the headings ``cells`` that read like ``said``."""
    return [at for at, cell in enumerate(cells) if key_of(cell) == key_of(said)]


def places_in(given: Given, cells: Sequence[str], where: str) -> dict[str, int]:
    """By role, the 0-based column that was meant among the headings ``cells``.

    Raises ``InputRefused`` when it is not there, when several columns have that heading, when it is the letter of one
    column and the heading of another, and when two roles mean the same column.
    """
    found: dict[str, int] = {}
    for role, said in given.items():
        letter, named = letter_of(said), named_in(said, cells)
        if letter is not None and letter >= len(cells):
            letter = None
        places = sorted({*named, *([] if letter is None else [letter])})
        if not places:
            raise refused("columna-no-esta", where=where, column=shorten(said, _SAID))
        if len(places) > 1:
            shown = " y ".join(f"{column_letters(at)} («{shorten(cells[at].strip(), 40)}»)" for at in places[:2])
            raise refused("columna-ambigua", where=where, said=shorten(said, _SAID), found=shown)
        if places[0] in found.values():
            raise refused("columnas-dichas", said=said_columns(given))
        found[role] = places[0]
    return found
