"""File names of published files: safe on every system, never too long, one per batch."""

from __future__ import annotations

import glob
import re
from collections.abc import Callable

LONGEST = 200
"""Bytes of a name (UTF-8): below the 255 of common file systems, to leave space for a number and a temporary name."""

_UNSAFE = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')


def results_name(stem: str, batch: str, number: int = 1) -> str:
    """``<stem>__<batch>__resultados.xlsx``; from ``number`` 2 on with ``(2)`` before the suffix."""
    return _name(stem, f"__{plain(batch)}__resultados", number)


def results_pattern(stem: str) -> tuple[str, Callable[[str], str]]:
    """A glob for every results workbook of inputs called ``stem``, and a function from such a name to its batch.

    The function returns "" for any other name. A stem that had to be cut is matched by its remaining part.
    """
    head = _name(stem, f"__{'x' * 17}__resultados", 1).partition(f"__{'x' * 17}__")[0]
    shape = re.compile(re.escape(head) + r"__(\d{8}-[0-9a-f]{8})__resultados(?: \(\d+\))?\.xlsx")

    def batch(name: str) -> str:
        found = shape.fullmatch(name)
        return found[1] if found else ""

    return f"{glob.escape(head)}__*__resultados*.xlsx", batch


def preview_name(stem: str, number: int = 1) -> str:
    """``<stem>__revision.xlsx``."""
    return _name(stem, "__revision", number)


def corrections_name(stem: str, batch: str, number: int = 1) -> str:
    """``<stem>__<batch>__corregir.xlsx``; without ``batch`` (empty), ``<stem>__corregir.xlsx``."""
    return _name(stem, f"__{plain(batch)}__corregir" if batch else "__corregir", number)


def comparison_name(stem: str, batch: str) -> str:
    """``<stem>__<batch>__comparacion.xlsx``; without ``batch`` (empty), ``<stem>__comparacion.xlsx``."""
    return _name(stem, f"__{plain(batch)}__comparacion" if batch else "__comparacion", 1)


def receipt_name(stem: str, batch: str, *, each: bool = False) -> str:
    """``<stem>__<batch>__constancia.pdf``; with ``each``, the one of each invoice, ``…__constancias.pdf``."""
    return _name(stem, f"__{plain(batch)}__constancia{'s' if each else ''}", 1, ".pdf")


def evidence_name(stem: str, batch: str) -> str:
    """``<stem>__<batch>__evidencia.zip``."""
    return _name(stem, f"__{plain(batch)}__evidencia", 1, ".zip")


def support_name(stem: str, batch: str, number: int = 1) -> str:
    """``<stem>__<batch>__soporte``, a folder."""
    return _name(stem, f"__{plain(batch)}__soporte", number, "")


def _name(stem: str, ending: str, number: int, suffix: str = ".xlsx") -> str:
    tail = ending + (f" ({number})" if number > 1 else "") + suffix
    head = plain(stem).lstrip(".-") or "lote"
    while len((head + tail).encode()) > LONGEST and len(head) > 1:
        head = head[:-1]
    return head + tail


def plain(text: str) -> str:
    """``text`` without path parts, invisible characters, and characters not allowed in a Windows file name."""
    return "".join(c if c.isprintable() else "_" for c in _UNSAFE.sub("_", text)).strip()
