"""Printed values: what ``Resultados`` shows before and after the person's own columns of a row.

The same values as in CSV and JSON lines, for people: times as dates of the workbook, and nothing twice.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

from pipeline.domain.deadline import PANAMA
from pipeline.report.model import Row, Value

_EPOCH = datetime(1899, 12, 30, tzinfo=UTC)
_DAY_S = 86_400
_PANAMA_S = -5 * 3_600


def serial_of(moment: datetime | None) -> float | None:
    """The date of a workbook for ``moment`` (aware): Panama's time, whole seconds."""
    if moment is None:
        return None
    seconds = (moment - _EPOCH).total_seconds() // 1 + _PANAMA_S
    return seconds / _DAY_S


def first_values(row: Row) -> tuple[Value, ...]:
    """The values of ``FIRST_COLUMNS``."""
    return row.added.resultado, row.todo, serial_of(row.added.vence)


def last_values(row: Row) -> tuple[Value, ...]:
    """The values of ``LAST_COLUMNS``; the code sent only where no cell of the row holds exactly that."""
    added = row.added
    return (
        added.fila_origen,
        None if added.cufe_enviado in row.cells else added.cufe_enviado,
        added.estado_edoc,
        added.estado_edoc_descripcion,
        added.reenviar,
        added.consultar,
        added.mensaje_edoc,
        added.codigo_dgi,
        _answered(added.fecha_autorizacion) if added.fecha_autorizacion else None,
        serial_of(added.enviado_en),
        serial_of(added.consultado_en),
        added.consultas,
        added.observaciones,
        added.regla,
    )


def review_values(row: Row) -> tuple[Value, ...]:
    """The values of ``REVIEW_COLUMNS``."""
    place, code = last_values(row)[:2]
    return place, code, row.added.observaciones, row.added.regla


@lru_cache(10_000)
def _answered(text: str) -> Value:
    """eDoc's time as a date. What is no time stays text."""
    try:
        found = answered_time(text)
        return serial_of(found) if found is not None else text
    except OverflowError:
        return text


def answered_time(text: str) -> datetime | None:
    """eDoc's time of an authorisation: with an offset that moment, without one as answered, in Panama's time; None for
    what is no time."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    found = moment.replace(tzinfo=PANAMA) if moment.tzinfo is None else moment
    return found if found.year > 1900 and len(text) > len("2026-11-20") else None
