"""Workbook comparison: a pack's workbook must have the same rows as its events, in order, and claim nothing more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Any

from pipeline.domain.lifecycle import State
from pipeline.domain.records import Cell, ResultLine
from pipeline.evidence.format import WORKBOOK
from pipeline.evidence.sheet import Odd, sheet_rows
from pipeline.evidence.unzip import LIMITS, PackFault
from pipeline.read.limits import Limits
from pipeline.report.inert import fit, visible
from pipeline.report.labels import RESULTS
from pipeline.report.lines import row_of
from pipeline.report.model import Added

_OWN = ("fila_origen", "cufe_enviado", "resultado", "plazo", "horas_restantes")
_ANSWERED = ("estado_edoc", "mensaje_edoc", "codigo_dgi", "enviado_en", "consultado_en", "consultas")
"""Columns that the events prove. For a duplicate of another batch's row only ``_OWN``: that row is not in the pack."""

BOUNDS = Limits(size=LIMITS.size, rows=1_000_000, columns=1_000, unpacked=LIMITS.unpacked)


def compare(book: bytes, headings: Sequence[str], lines: Iterator[ResultLine], count: int) -> Iterator[PackFault]:
    """The differences between the sheet ``Resultados`` of ``book`` and the ``count`` ``lines``, made from the events.

    Both are read side by side, a row at a time.
    """
    rows, names = sheet_rows(book, RESULTS, BOUNDS), Added.__slots__
    wanted = [*map(_shown, headings), *names]
    try:
        if [_text(value) for value in next(rows, [])] != [_text(value) for value in wanted]:
            yield PackFault("workbook", f"la hoja «{RESULTS}» no tiene los encabezados del lote.", WORKBOOK)
            return
        for number, (found, line) in enumerate(zip_longest(rows, lines), start=1):
            if found is None or line is None:
                shown = number + sum(1 for _ in rows) if found is not None else number - 1
                yield PackFault("workbook", f"la hoja «{RESULTS}» tiene {shown} filas y el lote {count}.", WORKBOOK)
                return
            if len(found) > len(wanted):
                yield PackFault("workbook", f"tiene más celdas que encabezados ({line.position}).", WORKBOOK)
            yield from _row([*found, *[""] * (len(wanted) - len(found))], headings, names, line)
    except Odd:
        yield PackFault("workbook", "no se puede leer: no es un libro como los que escribe anular.", WORKBOOK)


def _row(found: Sequence[Any], headings: Sequence[str], names: Sequence[str], line: ResultLine) -> Iterator[PackFault]:
    added, where, width = row_of(line).added, str(line.position), len(headings)
    foreign = line.state is State.DUPLICATE and line.mirrored is None
    for name in _OWN if foreign else (*_OWN, *_ANSWERED):
        here, there = found[width + names.index(name)], getattr(added, name)
        if _text(here) != _text(_shown(there)):
            words = f"en «{name}» dice «{_text(here)}» y según los eventos es «{_text(_shown(there))}» ({where})."
            yield PackFault("workbook", words, WORKBOOK, row=where)
    for heading, here, cell in zip(headings, found[:width], line.cells, strict=False):
        if isinstance(cell, str | int | float) and _text(here) != _text(_shown(cell)):
            yield PackFault(
                "workbook", f"la columna original «{heading}» no es la recibida ({where}).", WORKBOOK, row=where
            )


def _shown(value: Cell) -> Cell:
    return fit(visible(value)) if isinstance(value, str) else value


def _text(value: object) -> str:
    """A value without differences that a workbook makes by itself: kinds of number, and blanks."""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, int | float):
        return f"{value:.15g}"
    return "" if value is None else "".join(str(value).split())
