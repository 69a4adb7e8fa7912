"""Lineage of a batch in words, the same in the workbook and on the terminal: what it corrects, what corrects it."""

from __future__ import annotations

from collections.abc import Sequence


def lineage(corrects: str | None, corrected_in: Sequence[str] = (), *, known: bool) -> list[tuple[str, str]]:
    """Which batch this one corrects, and which batches correct it; ``known``: this ledger holds the former."""
    told = []
    if corrects:
        told.append(("Corrige el lote", corrects if known else f"{corrects} (no consta en este historial)"))
    if corrected_in:
        told.append(("Corregido en el lote", ", ".join(corrected_in)))
    return told
