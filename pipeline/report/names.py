"""File names of published files: safe on every system, never too long, one per batch."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable
from pathlib import Path

LONGEST = 200
"""Bytes of a name (UTF-8): below the 255 of common file systems, to leave space for a number and a temporary name."""

LONGEST_PATH = 218
"""Characters of a whole path on Windows that Excel still opens; Windows itself ends at 260."""
WINDOWS = os.name == "nt"

_UNSAFE = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')


def room(folder: Path, *, windows: bool | None = None) -> int:
    """Bytes that a name in ``folder`` may have; on Windows the whole path counts."""
    if not (WINDOWS if windows is None else windows):
        return LONGEST
    return min(LONGEST, LONGEST_PATH - len(str(folder.absolute())) - 1)


def results_name(stem: str, batch: str, number: int = 1, room: int = LONGEST) -> str:
    """``<stem>__<batch>__resultados.xlsx``; from ``number`` 2 on with ``(2)`` before the suffix."""
    return _name(stem, f"__{plain(batch)}__resultados", number, room=room)


def results_pattern(stem: str, room: int = LONGEST) -> tuple[str, Callable[[str], str]]:
    """A glob for every results workbook of inputs called ``stem``, and a function from such a name to its batch.

    The function returns "" for any other name. A stem that had to be cut is matched by its remaining part.
    """
    head = _name(stem, f"__{'x' * 17}__resultados", 1, room=room).partition(f"__{'x' * 17}__")[0]
    shape = re.compile(re.escape(head) + r"__(\d{8}-[0-9a-f]{8})__resultados(?: \(\d+\))?\.xlsx")

    def batch(name: str) -> str:
        found = shape.fullmatch(name)
        return found[1] if found else ""

    return f"{glob.escape(head)}__*__resultados*.xlsx", batch


def preview_name(stem: str, number: int = 1, room: int = LONGEST) -> str:
    """``<stem>__revision.xlsx``."""
    return _name(stem, "__revision", number, room=room)


def corrections_name(stem: str, batch: str, number: int = 1, room: int = LONGEST) -> str:
    """``<stem>__<batch>__corregir.xlsx``; without ``batch`` (empty), ``<stem>__corregir.xlsx``."""
    return _name(stem, f"__{plain(batch)}__corregir" if batch else "__corregir", number, room=room)


def comparison_name(stem: str, batch: str, room: int = LONGEST) -> str:
    """``<stem>__<batch>__comparacion.xlsx``; without ``batch`` (empty), ``<stem>__comparacion.xlsx``."""
    return _name(stem, f"__{plain(batch)}__comparacion" if batch else "__comparacion", 1, room=room)


def receipt_name(stem: str, batch: str, *, each: bool = False, room: int = LONGEST) -> str:
    """``<stem>__<batch>__constancia.pdf``; with ``each``, the one of each invoice, ``…__constancias.pdf``."""
    return _name(stem, f"__{plain(batch)}__constancia{'s' if each else ''}", 1, ".pdf", room=room)


def evidence_name(stem: str, batch: str, room: int = LONGEST) -> str:
    """``<stem>__<batch>__evidencia.zip``."""
    return _name(stem, f"__{plain(batch)}__evidencia", 1, ".zip", room=room)


def support_name(stem: str, batch: str, number: int = 1, room: int = LONGEST) -> str:
    """``<stem>__<batch>__soporte``, a folder."""
    return _name(stem, f"__{plain(batch)}__soporte", number, "", room=room)


def _name(stem: str, ending: str, number: int, suffix: str = ".xlsx", *, room: int) -> str:
    tail = ending + (f" ({number})" if number > 1 else "") + suffix
    head = plain(stem).lstrip(".-") or "lote"
    while len((head + tail).encode()) > room and len(head) > 1:
        head = head[:-1]
    return head + tail


def plain(text: str) -> str:
    """``text`` without path parts, invisible characters, and characters not allowed in a Windows file name."""
    return "".join(c if c.isprintable() else "_" for c in _UNSAFE.sub("_", text)).strip()
