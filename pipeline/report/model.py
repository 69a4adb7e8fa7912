"""What a report says, before it is printed anywhere: frozen records, texts ready, nothing left to compute."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from pipeline.domain.actions import Action
from pipeline.domain.edoc_states import EdocState
from pipeline.domain.outcomes import Outcome
from pipeline.domain.records import BatchInfo, Cell


class Tone(Enum):
    """What the colour of a row means; the value is the word of the legend."""

    DONE = "Anulada"
    WAITS = "Pendiente: se consulta de nuevo"
    PERSON = "Una persona debe revisarla"
    REFUSED = "Rechazada, devuelta o con error"
    QUIET = "No enviada, duplicada o cerrada"


@dataclass(frozen=True, slots=True)
class Added:
    """The columns that ``Resultados`` adds to a row, named and ordered as ``schemas.columns.RESULT_COLUMNS``."""

    fila_origen: str
    cufe_enviado: str | None
    resultado: str
    estado_edoc: int | None
    estado_edoc_descripcion: str | None
    reenviar: str | None
    consultar: str | None
    accion_recomendada: str
    regla: str
    mensaje_edoc: str | None
    codigo_dgi: str | None
    fecha_autorizacion: str | None
    enviado_en: str | None
    consultado_en: str | None
    consultas: int | None
    plazo: str | None
    horas_restantes: float | None
    observaciones: str | None

    def values(self) -> tuple[str | int | float | None, ...]:
        """The values in the order of the columns."""
        return tuple(getattr(self, name) for name in self.__slots__)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of ``Resultados``: ordinal in the input, code, cells as received, added columns, colour; ``struck`` when
    it said itself that it is not to be sent."""

    pos: int
    cufe: str | None
    cells: tuple[Cell, ...]
    added: Added
    tone: Tone
    struck: bool = False


@dataclass(frozen=True, slots=True)
class Banner:
    """Which environment this was, in one line, and whether cancellations there bind anybody."""

    words: str
    binding: bool


@dataclass(frozen=True, slots=True)
class Tile:
    """A number worth a glance, with its caption and colour."""

    number: int
    caption: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class Total:
    """How many rows came to an outcome, their share (0..1), what the word means, its colour."""

    outcome: Outcome
    rows: int
    share: float
    meaning: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class Check:
    """A control total: what is counted, how many, and whether it agrees with the rows of the file."""

    words: str
    rows: int
    agrees: bool


@dataclass(frozen=True, slots=True)
class Todo:
    """What to do next for ``rows`` rows."""

    action: Action
    rows: int


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that need the same thing from a person, as indexes into ``Report.rows``, least time left first."""

    action: Action
    indexes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LogRow:
    """One line of ``Bitácora``."""

    seq: int
    at: str
    where: str
    cufe: str | None
    what: str
    source: str | None
    target: str
    http: int | None
    estado: int | None
    message: str | None
    note: str | None
    who: str | None

    def values(self) -> tuple[str | int | None, ...]:
        """The values in the order of the columns."""
        return tuple(getattr(self, name) for name in self.__slots__)


class Printed(Protocol):
    """What the head and foot of every printed page say, of results and corrections alike."""

    @property
    def batch(self) -> BatchInfo: ...
    @property
    def preview(self) -> bool: ...
    @property
    def title(self) -> str: ...
    @property
    def banner(self) -> Banner: ...


@dataclass(frozen=True, slots=True)
class Report:
    """Everything the results workbook prints. ``rows`` and ``log`` may be gone through again and again."""

    batch: BatchInfo
    preview: bool
    title: str
    banner: Banner
    headline: str
    tiles: tuple[Tile, ...]
    todo: tuple[Todo, ...]
    totals: tuple[Total, ...]
    checks: tuple[Check, ...]
    facts: tuple[tuple[str, str], ...]
    headings: tuple[str, ...]
    rows: Sequence[Row]
    groups: tuple[Group, ...]
    states: tuple[EdocState, ...]
    log: Iterable[LogRow]
