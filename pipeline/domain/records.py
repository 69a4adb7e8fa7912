"""The records that pass between the steps: frozen, documented, without behaviour beyond their own words."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import Enum

from pipeline.domain.deadline import Deadline
from pipeline.domain.lifecycle import Event, State

# What a cell of the input held, as a person sees it. Kept so that it comes back unchanged in the results.
Cell = str | int | float | bool | datetime | date | time | None


@dataclass(frozen=True, slots=True)
class Position:
    """Where a row stands in the input: worksheet (None for CSV) and 1-based row or line, as the person sees it."""

    sheet: str | None
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
    """Why a row is not sent, or what a person should know of it.

    ``code`` is stable and stands in ``domain/problems.py``; ``message`` is Spanish; ``value`` as received
    (shortened); ``cell`` is the address, ``column`` the heading as the person wrote it.
    """

    code: str
    cell: str
    column: str
    value: str
    message: str

    def __str__(self) -> str:
        return f"{self.cell}: {self.message} [{self.code}]"


@dataclass(frozen=True, slots=True)
class Repair:
    """A paste damage that was mended: the value as received and as used, and what was done, in Spanish."""

    cell: str
    received: str
    used: str
    what: str

    def __str__(self) -> str:
        return f"{self.cell}: {self.what}; recibido «{self.received}», usado «{self.used}»"


class Verdict(Enum):
    """What validation says of a row (interface.md 5)."""

    ACCEPTED = "accepted"  # may be sent
    HELD = "held"  # valid, but a person has to decide first
    REJECTED = "rejected"  # its data are wrong
    DUPLICATE = "duplicate"  # same CUFE and same payload as an earlier row; mirrors that row
    CONFLICT = "conflict"  # same CUFE with another reason or e-mail, or the same document under another CUFE
    NOT_APPLICABLE = "not-applicable"  # no invoice at all: a total, a note, a signature


@dataclass(frozen=True, slots=True)
class Leader:
    """The row that a duplicate mirrors: batch id (None: the same file), ordinal and position there."""

    batch: str | None
    pos: int
    position: Position


@dataclass(frozen=True, slots=True)
class Seen:
    """What the ledger already holds for a CUFE: the row of its live attempt and that row's payload."""

    cufe: str
    batch: str
    pos: int
    position: Position
    payload_sha256: str
    state: State


@dataclass(frozen=True, slots=True)
class CheckedRow:
    """One input row after validation. ``pos`` is its 1-based ordinal among the data rows of the file."""

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
class Cancellation:
    """What is sent for one row (edoc-api.md 3), with the ledger's handle on its attempt.

    ``attempt`` and ``version`` are the compare-and-set handle; ``number`` is 1 for the first try.
    ``possible_duplicate``: a person authorised it after an unclear outcome; ``preflight`` is the state that the query
    before the sending answered, and that this person agreed to.
    """

    attempt: int
    version: int
    number: int
    batch: str
    pos: int
    cufe: str
    reason: str
    email: str | None
    hours_left: float | None = None
    late: bool = False
    possible_duplicate: bool = False
    preflight: int | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A row that was held on arrival and waits for a person: the handle on its attempt, its batch, ordinal and code."""

    attempt: int
    version: int
    batch: str
    pos: int
    cufe: str = ""


@dataclass(frozen=True, slots=True)
class Tally:
    """How a ledger stands: rows by outcome word, and when the oldest row that is still followed was sent (UTC, aware;
    None when there is none)."""

    rows: dict[str, int]
    oldest: datetime | None


class Source(Enum):
    """Which service an answer came from; the same state means different things (edoc-api.md 5)."""

    CANCELLATION = "cancellation"
    QUERY = "query"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one exchange with eDoc showed, ready to be recorded.

    ``event`` is what it proves for our life cycle; ``http`` None when nothing was answered; ``body`` raw
    bytes as received (at most 64 KiB); ``note`` a short machine word for the record (``read-timeout``,
    ``duplicate-keys``); ``understood`` False counts for the breaker; ``stop`` a Spanish sentence when the run
    has to end after it is recorded; ``pause`` seconds that the whole credential has to wait; ``claims`` True when the
    body of a status that is read for nothing (401, 429, 5xx) carries a state or a code: then it proves nothing at all.
    """

    source: Source
    event: Event
    http: int | None = None
    estado: int | None = None
    dgi: str | None = None
    message: str | None = None
    authorised_at: str | None = None
    body: bytes = b""
    note: str = ""
    understood: bool = True
    stop: str | None = None
    pause: float | None = None
    claims: bool = False


@dataclass(frozen=True, slots=True)
class Tracked:
    """A row that polling follows: its attempt and what is known so far.

    ``last_estado`` with ``last_source``; ``since`` when the intent was recorded; ``misses`` how many queries
    answered 18 in the settle schedule; ``queries`` how many were made in all, the last at ``queried_at``;
    ``next_due`` when to ask again; ``preflight`` the state that a query answered right before the sending;
    ``answered`` whether eDoc is known to have taken in its cancellation, because it answered that request with a state.
    """

    attempt: int
    version: int
    batch: str
    pos: int
    cufe: str
    state: State
    since: datetime
    queries: int
    misses: int
    next_due: datetime | None
    queried_at: datetime | None = None
    last_estado: int | None = None
    last_source: Source | None = None
    preflight: int | None = None
    answered: bool = False


@dataclass(frozen=True, slots=True)
class ResultLine:
    """One input row as the ledger knows it: everything that the report may show of it.

    ``again`` when its newest attempt is a resend that a person authorised.
    For a duplicate, ``leader`` names the row it mirrors and ``mirrored`` holds that row's line (one level).
    """

    pos: int
    position: Position
    cells: tuple[Cell, ...]
    state: State
    cufe: str | None = None
    sent_cufe: str | None = None
    reason: str | None = None
    email: str | None = None
    leader: Leader | None = None
    mirrored: ResultLine | None = None
    problems: tuple[Problem, ...] = ()
    repairs: tuple[Repair, ...] = ()
    warnings: tuple[Problem, ...] = ()
    deadline: Deadline | None = None
    attempts: int = 0
    again: bool = False
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
    """One move in the log: when (UTC), which row (None: the batch), from, to, and the evidence."""

    seq: int
    at: datetime
    pos: int | None
    position: Position | None
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
"""Begins the note of a batch that says whose it is."""


@dataclass(frozen=True, slots=True)
class Approval:
    """A person's release of rows that were held on arrival: who, when (UTC, aware), and how many rows."""

    who: str
    at: datetime
    rows: int


@dataclass(frozen=True, slots=True)
class Seal:
    """The last event of a batch's rows: its number and its hash (hex), which stands for all events before it."""

    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class BatchInfo:
    """A batch as the ledger knows it. Times are aware UTC, ``started``/``ended`` first and last event.

    ``folder`` is where its results workbook is written; ``counts`` rows by outcome word. ``corrects`` is the batch
    whose corrections workbook it came from (``corrects_known``: this ledger holds that one), ``corrected_in`` the
    batches that came from its own. ``seal`` is that of its rows' events; ``approvals`` say who released held rows.
    """

    id: str
    file: str
    sha256: str
    env: str
    sheet: str | None
    rows: int
    headings: tuple[str, ...]
    created: datetime
    approved_by: str | None = None
    started: datetime | None = None
    ended: datetime | None = None
    issuers: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    deadline_hours: int = 182
    folder: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    corrects: str | None = None
    corrects_known: bool = False
    corrected_in: tuple[str, ...] = ()
    seal: Seal | None = None
    approvals: tuple[Approval, ...] = ()
