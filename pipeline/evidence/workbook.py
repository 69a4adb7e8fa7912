"""The workbook of a pack against its events: the same rows, in order, saying nothing that the events do not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Any

from pipeline.domain.errors import InputRefused
from pipeline.domain.lifecycle import State
from pipeline.domain.records import Cell, ResultLine
from pipeline.evidence.box import LIMITS, Fault
from pipeline.evidence.members import WORKBOOK
from pipeline.read.limits import Limits
from pipeline.read.xlsx_file import sheet_values
from pipeline.report.inert import fit, visible
from pipeline.report.lines import row_of
from pipeline.report.model import Added
from pipeline.report.words import RESULTS

_OWN = ("fila_origen", "cufe_enviado", "resultado", "plazo", "horas_restantes")
_ANSWERED = ("estado_edoc", "mensaje_edoc", "codigo_dgi", "enviado_en", "consultado_en", "consultas")
"""What the events tell of a row. Of a duplicate of another batch's row only ``_OWN``: that row is not in the pack."""

BOUNDS = Limits(size=LIMITS.size, rows=1_000_000, columns=1_000, unpacked=LIMITS.unpacked)


def compare(book: bytes, headings: Sequence[str], lines: Sequence[ResultLine]) -> Iterator[Fault]:
    """What differs between the sheet ``Resultados`` of ``book`` and ``lines``, drawn from the events."""
    try:
        rows = sheet_values(book, WORKBOOK, BOUNDS, RESULTS)
    except InputRefused as refusal:
        yield Fault("workbook", f"no se puede leer: {refusal.message}", WORKBOOK)
        return
    names = Added.__slots__
    wanted = [*map(_shown, headings), *names]
    if not rows or [_text(value) for value in rows[0]] != [_text(value) for value in wanted]:
        yield Fault("workbook", f"la hoja «{RESULTS}» no tiene los encabezados del lote.", WORKBOOK)
        return
    for found, line in zip_longest(rows[1:], lines):
        if found is None or line is None:
            count = f"{len(rows) - 1} filas y el lote {len(lines)}"
            yield Fault("workbook", f"la hoja «{RESULTS}» tiene {count}.", WORKBOOK)
            return
        yield from _row(found, headings, names, line)


def _row(found: Sequence[Any], headings: Sequence[str], names: Sequence[str], line: ResultLine) -> Iterator[Fault]:
    added, where, width = row_of(line).added, str(line.position), len(headings)
    foreign = line.state is State.DUPLICATE and line.mirrored is None
    for name in _OWN if foreign else (*_OWN, *_ANSWERED):
        here, there = found[width + names.index(name)], getattr(added, name)
        if _text(here) != _text(_shown(there)):
            words = f"en «{name}» dice «{_text(here)}» y según los sucesos es «{_text(_shown(there))}» ({where})."
            yield Fault("workbook", words, WORKBOOK, row=where)
    for heading, here, cell in zip(headings, found[:width], line.cells, strict=False):
        if isinstance(cell, str | int | float) and _text(here) != _text(_shown(cell)):
            yield Fault(
                "workbook", f"la columna original «{heading}» no es la recibida ({where}).", WORKBOOK, row=where
            )


def _shown(value: Cell) -> Cell:
    return fit(visible(value)) if isinstance(value, str) else value


def _text(value: object) -> str:
    """A value without what the way through a workbook changes: kinds of number, and blanks."""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, int | float):
        return f"{value:.15g}"
    return "" if value is None else "".join(str(value).split())
