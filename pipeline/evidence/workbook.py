"""Workbook comparison: a pack's workbook must have the same rows as its events, in order, and claim nothing more."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from pipeline.domain.columns import FIRST_COLUMNS, LAST_COLUMNS, RESULT_COLUMNS
from pipeline.domain.deadline import DEFAULT_HOURS
from pipeline.domain.lifecycle import State
from pipeline.domain.records import Cell, ResultLine
from pipeline.evidence.format import WORKBOOK
from pipeline.evidence.sheet import Odd, sheet_rows
from pipeline.evidence.unzip import LIMITS, PackFault
from pipeline.read.limits import Limits
from pipeline.report.inert import fit, visible
from pipeline.report.labels import RESULTS
from pipeline.report.lines import row_of
from pipeline.report.model import Row, Value
from pipeline.report.printed import first_values, last_values

_PRINTED = (*FIRST_COLUMNS, *LAST_COLUMNS)
_OWN = ("resultado", "vence", "fila_origen", "cufe_enviado")
_ANSWERED = ("estado_edoc", "mensaje_edoc", "codigo_dgi", "enviado_en", "consultado_en", "consultas")
"""Columns that the events prove. For a duplicate of another batch's row only the former: its row is not in the pack."""

_NAMED = tuple(name for name in RESULT_COLUMNS if name != "vence")
_NAMED_OWN = ("fila_origen", "cufe_enviado", "resultado", "plazo", "horas_restantes")
"""The same for a workbook of an earlier version: the names as headings, after the person's own columns."""

BOUNDS = Limits(size=LIMITS.size, rows=1_000_000, columns=1_000, unpacked=LIMITS.unpacked)


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where a layout of ``Resultados`` has what."""

    headings: tuple[str, ...]
    #: of the person's first column
    start: int
    #: of each other column, by name
    places: dict[str, int]
    #: columns that the events prove of any row
    own: tuple[str, ...]
    #: the values of a row by name, as this layout shows them
    values: Callable[[Row], dict[str, Value]]


def _layouts(headings: Sequence[str]) -> tuple[_Layout, _Layout]:
    """The layout of today, and that of earlier versions."""
    shown, first, width = tuple(_text(_shown(heading)) for heading in headings), len(FIRST_COLUMNS), len(headings)
    before, after = ([_text(heading) for heading in table.values()] for table in (FIRST_COLUMNS, LAST_COLUMNS))
    places = [*range(first), *range(first + width, first + width + len(after))]
    today = _Layout((*before, *shown, *after), first, dict(zip(_PRINTED, places, strict=True)), _OWN, _as_printed)
    named = dict(zip(_NAMED, range(width, width + len(_NAMED)), strict=True))
    return today, _Layout((*shown, *_NAMED), 0, named, _NAMED_OWN, _as_named)


def _as_printed(row: Row) -> dict[str, Value]:
    return dict(zip(_PRINTED, (*first_values(row), *last_values(row)), strict=True))


def _as_named(row: Row) -> dict[str, Value]:
    return dict(zip(RESULT_COLUMNS, row.added.values(), strict=True))


def compare(
    book: bytes, headings: Sequence[str], lines: Iterator[ResultLine], count: int, hours: int = DEFAULT_HOURS
) -> Iterator[PackFault]:
    """The differences between the sheet ``Resultados`` of ``book`` and the ``count`` ``lines``, made from the events;
    ``hours`` is the batch's legal limit.

    Both are read side by side, a row at a time.
    """
    rows = sheet_rows(book, RESULTS, BOUNDS)
    try:
        heads = tuple(_text(value) for value in next(rows, []))
        layout = next((one for one in _layouts(headings) if one.headings == heads), None)
        if layout is None:
            yield PackFault("workbook", f"la hoja «{RESULTS}» no tiene los encabezados del lote.", WORKBOOK)
            return
        for number, (found, line) in enumerate(zip_longest(rows, lines), start=1):
            if found is None or line is None:
                shown = number + sum(1 for _ in rows) if found is not None else number - 1
                yield PackFault("workbook", f"la hoja «{RESULTS}» tiene {shown} filas y el lote {count}.", WORKBOOK)
                return
            if len(found) > len(heads):
                yield PackFault("workbook", f"tiene más celdas que encabezados ({line.position}).", WORKBOOK)
            yield from _row([*found, *[""] * (len(heads) - len(found))], headings, layout, line, hours)
    except Odd:
        yield PackFault("workbook", "no se puede leer: no es un libro como los que escribe anular.", WORKBOOK)


def _row(
    found: Sequence[Any], headings: Sequence[str], layout: _Layout, line: ResultLine, hours: int
) -> Iterator[PackFault]:
    wanted, where = layout.values(row_of(line, hours=hours)), str(line.position)
    foreign = line.state is State.DUPLICATE and line.mirrored is None
    for name in layout.own if foreign else (*layout.own, *_ANSWERED):
        here, there = found[layout.places[name]], wanted[name]
        if _text(here) != _text(_shown(there)):
            title = {**FIRST_COLUMNS, **LAST_COLUMNS}[name] if layout.start else name
            words = f"en «{title}» dice «{_text(here)}» y según los eventos es «{_text(_shown(there))}» ({where})."
            yield PackFault("workbook", words, WORKBOOK, row=where)
    own = found[layout.start : layout.start + len(headings)]
    for heading, here, cell in zip(headings, own, line.cells, strict=False):
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
