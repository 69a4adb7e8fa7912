"""Report model: frozen records with finished texts; printing computes nothing."""

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
    """Meaning of a row's colour; the value is the text in the legend."""

    DONE = "Anulada"
    WAITS = "Pendiente: se consulta de nuevo"
    PERSON = "Requiere su revisión"
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
    """One row of ``Resultados``."""

    #: ordinal in the input, from 1
    pos: int
    cufe: str | None
    #: as received
    cells: tuple[Cell, ...]
    added: Added
    tone: Tone
    #: whether the row itself says that it must not be sent
    struck: bool = False


@dataclass(frozen=True, slots=True)
class Banner:
    """The environment, in one line."""

    words: str
    #: whether cancellations there have legal effect
    binding: bool


@dataclass(frozen=True, slots=True)
class Tile:
    """A key figure with its caption and colour."""

    number: int
    caption: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class Total:
    """Rows of one outcome."""

    outcome: Outcome
    rows: int
    #: of all rows, 0..1
    share: float
    #: of the outcome, in Spanish
    meaning: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class Check:
    """A control total."""

    #: what is counted
    words: str
    rows: int
    #: whether it agrees with the rows of the file
    agrees: bool


@dataclass(frozen=True, slots=True)
class Todo:
    """Next thing to do for ``rows`` rows."""

    action: Action
    rows: int


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that need the same action from a person."""

    action: Action
    #: in ``Report.rows``, least time left first
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
    """Header and footer of every printed page, for results and corrections."""

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
    """Everything that the results workbook prints. ``rows`` and ``log`` can be iterated repeatedly."""

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
