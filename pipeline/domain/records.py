"""Records that pass between the steps: frozen dataclasses, without behaviour except their own text."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import Enum

from pipeline.domain.deadline import Deadline
from pipeline.domain.lifecycle import Event, State

# Value of an input cell, as a person sees it. Kept so that it comes back unchanged in the results.
Cell = str | int | float | bool | datetime | date | time | None


@dataclass(frozen=True, slots=True)
class Position:
    """Place of a row in the input."""

    #: worksheet; None for CSV
    sheet: str | None
    #: row or line as the person sees it, from 1
    line: int

    def __str__(self) -> str:
        return f"línea {self.line}" if self.sheet is None else f"{self.sheet}, fila {self.line}"

    def cell(self, column: int) -> str:
        """Address of the cell in 0-based ``column``: ``Hoja1!B17``, or ``línea 17, columna 2`` in a CSV."""
        if self.sheet is None:
            return f"línea {self.line}, columna {column + 1}"
        return f"{self.sheet}!{column_letters(column)}{self.line}"


def column_letters(column: int) -> str:
    """0 -> ``A``, 25 -> ``Z``, 26 -> ``AA``."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row is not sent, or a warning about it."""

    #: stable, from ``domain/problems.py``
    code: str
    #: its address
    cell: str
    #: the heading as the person wrote it
    column: str
    #: as received, shortened
    value: str
    #: in Spanish
    message: str

    def __str__(self) -> str:
        return f"{self.cell}: {self.message} [{self.code}]"


@dataclass(frozen=True, slots=True)
class Repair:
    """A repair of pasted text."""

    #: its address
    cell: str
    #: the value before the repair
    received: str
    #: the value after it
    used: str
    #: what was repaired, in Spanish
    what: str

    def __str__(self) -> str:
        return f"{self.cell}: {self.what}; recibido «{self.received}», usado «{self.used}»"


class Verdict(Enum):
    """Verdict of validation on a row (interface.md 5)."""

    ACCEPTED = "accepted"  # may be sent
    HELD = "held"  # valid, but a person has to decide first
    REJECTED = "rejected"  # its data are wrong
    DUPLICATE = "duplicate"  # same CUFE and payload as an earlier row; mirrors that row
    CONFLICT = "conflict"  # same CUFE with another reason or e-mail, or the same document under another CUFE
    NOT_APPLICABLE = "not-applicable"  # not an invoice: a total, a note, a signature


@dataclass(frozen=True, slots=True)
class Leader:
    """The row that a duplicate mirrors."""

    #: its batch id; None for the same file
    batch: str | None
    #: its ordinal there, from 1
    pos: int
    position: Position


@dataclass(frozen=True, slots=True)
class Seen:
    """Earlier row of a CUFE in the ledger: the row of its live attempt and that row's payload."""

    cufe: str
    batch: str
    pos: int
    position: Position
    payload_sha256: str
    state: State


@dataclass(frozen=True, slots=True)
class CheckedRow:
    """One input row after validation."""

    #: its ordinal among the data rows of the file, from 1
    pos: int
    position: Position
    cells: tuple[Cell, ...]
    verdict: Verdict
    cufe: str | None = None
    reason: str | None = None
    email: str | None = None
    leader: Leader | None = None
    problems: tuple[Problem, ...] = ()
    repairs: tuple[Repair, ...] = ()
    warnings: tuple[Problem, ...] = ()
    deadline: Deadline | None = None


@dataclass(frozen=True, slots=True)
class Correction:
    """What a resend sends instead of the row's own texts, after eDoc or the authority gave the document back."""

    #: the whole reason, corrected or not
    reason: str
    #: the whole address; None for none
    email: str | None


@dataclass(frozen=True, slots=True)
class Cancellation:
    """Cancellation to be sent for one row (edoc-api.md 3), with the ledger's handle on its attempt."""

    #: with ``version`` the compare-and-set handle
    attempt: int
    version: int
    #: 1 for the first try
    number: int
    batch: str
    pos: int
    cufe: str
    reason: str
    email: str | None
    #: until the deadline when it was taken in; None when not known
    hours_left: float | None = None
    late: bool = False
    #: a person authorised it after an unclear outcome
    possible_duplicate: bool = False
    #: the state that the query before sending returned, and to which that person agreed
    preflight: int | None = None
    #: that person corrected its reason or address
    corrected: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    """A held row that waits for a person."""

    #: with ``version`` the compare-and-set handle
    attempt: int
    version: int
    batch: str
    pos: int
    cufe: str = ""


@dataclass(frozen=True, slots=True)
class Tally:
    """Row counts of a ledger."""

    #: by outcome
    rows: dict[str, int]
    #: when the oldest row that is still followed was sent (UTC, aware); None when there is none
    oldest: datetime | None
    #: the first legal limit of a row that waits for a person's approval (aware); None when there is none
    held_until: datetime | None = None


class Source(Enum):
    """The service that an answer came from; the same state means different things (edoc-api.md 5)."""

    CANCELLATION = "cancellation"
    QUERY = "query"


@dataclass(frozen=True, slots=True)
class Finding:
    """Result of one exchange with eDoc, ready to be recorded."""

    source: Source
    #: what it proves for our life cycle
    event: Event
    #: status; None without an answer
    http: int | None = None
    estado: int | None = None
    dgi: str | None = None
    message: str | None = None
    authorised_at: str | None = None
    #: raw bytes as received, at most 64 KiB
    body: bytes = b""
    #: short machine text for the record (``read-timeout``, ``duplicate-keys``)
    note: str = ""
    #: False counts for the breaker
    understood: bool = True
    #: Spanish sentence, when the run has to end after this is recorded
    stop: str | None = None
    #: seconds that the whole credential has to wait
    pause: float | None = None
    #: True when the body of a status that is not read (401, 429, 5xx) has a state or a code: then it proves nothing
    claims: bool = False


@dataclass(frozen=True, slots=True)
class Tracked:
    """A row that polling follows."""

    attempt: int
    version: int
    batch: str
    pos: int
    cufe: str
    state: State
    #: when the intent was recorded
    since: datetime
    #: how many queries were made in all
    queries: int
    #: how many of them answered 18 in the settle schedule
    misses: int
    #: when to query again
    next_due: datetime | None
    #: when the last query was made
    queried_at: datetime | None = None
    #: the last state, which came from ``last_source``
    last_estado: int | None = None
    last_source: Source | None = None
    #: the state that a query returned right before sending
    preflight: int | None = None
    #: whether eDoc certainly received the cancellation, because it answered that request with a state
    answered: bool = False


@dataclass(frozen=True, slots=True)
class ResultLine:
    """One input row as the ledger knows it: everything that the report may show."""

    pos: int
    position: Position
    cells: tuple[Cell, ...]
    state: State
    cufe: str | None = None
    sent_cufe: str | None = None
    reason: str | None = None
    email: str | None = None
    #: the row that a duplicate mirrors
    leader: Leader | None = None
    #: the line of that row (one level)
    mirrored: ResultLine | None = None
    #: where a rejected row was corrected: its row in a batch that came from the corrections workbook
    fixed_in: Leader | None = None
    #: the line of that row now (one level; of one that repeats another, the line of that one)
    fixed: ResultLine | None = None
    problems: tuple[Problem, ...] = ()
    repairs: tuple[Repair, ...] = ()
    warnings: tuple[Problem, ...] = ()
    deadline: Deadline | None = None
    attempts: int = 0
    #: whether its newest attempt is a resend that a person authorised
    again: bool = False
    #: what that attempt sends instead of ``reason`` and ``email``
    correction: Correction | None = None
    estado: int | None = None
    source: Source | None = None
    dgi: str | None = None
    message: str | None = None
    authorised_at: str | None = None
    http: int | None = None
    note: str = ""
    sent_at: datetime | None = None
    queried_at: datetime | None = None
    queries: int = 0
    next_due: datetime | None = None
    decided_by: str | None = None
    decided_why: str | None = None


@dataclass(frozen=True, slots=True)
class EventLine:
    """One move in the log, with its evidence."""

    seq: int
    #: UTC
    at: datetime
    #: which row; None for the batch
    pos: int | None
    position: Position | None
    #: state before; ``target`` the state after
    source: State | None
    target: State
    event: Event
    cufe: str | None = None
    http: int | None = None
    estado: int | None = None
    message: str | None = None
    note: str = ""
    who: str | None = None


COMPANY = "Empresa: "
"""Start of the batch note that names the company."""

COLUMNS = "Columnas: "
"""Start of the batch note that says which columns of the file were read, as ``--columns`` is written."""


@dataclass(frozen=True, slots=True)
class Approval:
    """A person's release of rows that were held on arrival."""

    who: str
    #: UTC, aware
    at: datetime
    #: how many
    rows: int


@dataclass(frozen=True, slots=True)
class Seal:
    """The last event of a batch's rows; its hash covers all events before it."""

    #: its number
    seq: int
    #: hex
    hash: str


@dataclass(frozen=True, slots=True)
class BatchInfo:
    """A batch as the ledger knows it. All times are aware UTC."""

    id: str
    file: str
    sha256: str
    env: str
    sheet: str | None
    rows: int
    headings: tuple[str, ...]
    created: datetime
    approved_by: str | None = None
    #: first event; ``ended`` the last
    started: datetime | None = None
    ended: datetime | None = None
    issuers: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    deadline_hours: int = 182
    #: where its results workbook is written
    folder: str = ""
    #: rows by outcome
    counts: dict[str, int] = field(default_factory=dict)
    #: the batch whose corrections workbook it came from
    corrects: str | None = None
    #: whether this ledger holds that batch
    corrects_known: bool = False
    #: batches that came from its own corrections workbook
    corrected_in: tuple[str, ...] = ()
    #: how ``counts`` change when its rejected rows count as what became of them in their correction
    shift: dict[str, int] = field(default_factory=dict)
    #: last event of its rows
    seal: Seal | None = None
    #: who released held rows
    approvals: tuple[Approval, ...] = ()
