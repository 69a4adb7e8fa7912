"""Report model: frozen records with finished texts; printing computes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Protocol

from pipeline.domain.actions import Action
from pipeline.domain.deadline import PANAMA
from pipeline.domain.edoc_states import EdocState
from pipeline.domain.outcomes import Outcome
from pipeline.domain.own_columns import OwnColumns
from pipeline.domain.records import BatchInfo, Cell

Value = str | int | float | bool | None
"""Of a cell."""
IDLE = "Nada"
"""``Qué hacer`` of a row with which nothing is to be done; in a review the reason follows: ``Nada: …``."""


def panama(moment: datetime | None) -> str | None:
    """``2026-11-20 10:00:03 -05:00``, as CSV and JSON lines hold a time: exact, and sorts correctly."""
    return None if moment is None else f"{moment.astimezone(PANAMA):%Y-%m-%d %H:%M:%S} -05:00"


def local(moment: datetime | None, *, seconds: bool = True) -> str:
    """``20/11/2026 10:00:03``, as people in Panama write a time; empty for none."""
    return (
        "" if moment is None else f"{moment.astimezone(PANAMA):{'%d/%m/%Y %H:%M:%S' if seconds else '%d/%m/%Y %H:%M'}}"
    )


class Tone(Enum):
    """Meaning of a row's colour; the value is the text in the legend."""

    DONE = "Anulada"
    WAITS = "Pendiente: se consulta de nuevo"
    PERSON = "Requiere su revisión"
    REFUSED = "Rechazada, devuelta o con error"
    QUIET = "No enviada, duplicada o cerrada"


@dataclass(frozen=True, slots=True)
class Added:
    """What the results add to a row, named and ordered as ``schemas.columns.RESULT_COLUMNS``. Times are aware."""

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
    enviado_en: datetime | None
    consultado_en: datetime | None
    consultas: int | None
    plazo: str | None
    horas_restantes: float | None
    observaciones: str | None
    vence: datetime | None

    def values(self) -> tuple[str | int | float | None, ...]:
        """The values in the order of the columns, times as text: as CSV and JSON lines hold them."""
        values = [getattr(self, name) for name in self.__slots__]
        return tuple(panama(value) if isinstance(value, datetime) else value for value in values)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of ``Resultados``."""

    #: ordinal in the input, from 1
    pos: int
    cufe: str | None
    #: as received
    cells: tuple[Cell, ...]
    added: Added
    #: what to do, as ``Resultados`` says it: begins with ``IDLE`` where nothing is to be done
    todo: str
    tone: Tone
    #: whether the row itself says that it must not be sent
    struck: bool = False

    @property
    def idle(self) -> bool:
        """Whether nothing is to be done."""
        return self.todo == IDLE or self.todo.startswith((f"{IDLE}:", f"{IDLE},"))


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
    #: the outcome as it is printed
    word: str
    rows: int
    #: of all rows, 0..1
    share: float
    tone: Tone
    #: of its invoices; None where the file has no column of amounts
    amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Money:
    """Sum of the invoices' amounts."""

    #: of the column, as the person wrote it
    heading: str
    total: Decimal
    #: invoices without an amount that can be read
    missing: int


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
    #: the first legal limit of these rows (aware); None where none is known
    due: datetime | None


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that need the same action from a person."""

    action: Action
    #: in ``Report.rows``, first legal limit first
    indexes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LogRow:
    """One line of ``Bitácora``."""

    seq: int
    #: aware
    at: datetime
    where: str
    cufe: str | None
    #: the event, and the row's state before and after it, in words
    what: str
    source: str | None
    target: str
    #: what eDoc answered, or a person wrote
    message: str | None
    who: str | None
    #: the same in the program's own codes
    codes: str


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
    #: empty when the batch names none
    company: str
    banner: Banner
    headline: str
    tiles: tuple[Tile, ...]
    todo: tuple[Todo, ...]
    totals: tuple[Total, ...]
    money: Money | None
    checks: tuple[Check, ...]
    #: who approved, and the seal
    proof: tuple[tuple[str, str], ...]
    facts: tuple[tuple[str, str], ...]
    headings: tuple[str, ...]
    own: OwnColumns
    rows: Sequence[Row]
    groups: tuple[Group, ...]
    #: rows past the legal limit, by index in ``rows``
    late: tuple[int, ...]
    states: tuple[EdocState, ...]
    log: Iterable[LogRow]
