"""Duplicates: for rows with one CUFE, which row leads, which mirror it, and which are in conflict (interface.md 5).

Same CUFE, reason and e-mail: the first row leads and the others are its duplicates. Another reason or e-mail: it
is not known which was meant, so none is sent. What the ledger already holds comes before the file. A row that an
earlier results workbook reports as sent, while this ledger has no trace of it, waits for a person; so does a row
that was set aside there, because it is in another batch or because a person withdrew it (decision 0031).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from pipeline.domain.outcomes import READY_WORD, Outcome
from pipeline.domain.payload import payload_sha256
from pipeline.domain.records import Leader, Position, Seen, Verdict

NEVER_SENT = frozenset({Outcome.REJECTED.value, Outcome.NOT_SENT.value, Outcome.NOT_APPLICABLE.value, READY_WORD})
"""Earlier outcomes, and the word of a review, that prove nothing was sent: such rows may be taken in again."""

SET_ASIDE = frozenset({Outcome.CONFLICT.value, Outcome.WITHDRAWN.value})
"""Earlier outcomes of rows that were not sent because of another batch or a person's decision."""


class Basis(Enum):
    """Basis of a ruling."""

    ALONE = "alone"
    FILE = "file"
    LEDGER = "ledger"
    NO_TRACE = "no trace"
    SET_ASIDE = "set aside"
    DOCUMENT = "document"


@dataclass(frozen=True, slots=True)
class Entry:
    """A row that could be sent."""

    pos: int
    position: Position
    cufe: str
    reason: str
    email: str | None
    #: its outcome in an earlier results workbook; empty when none
    earlier: str = ""


@dataclass(frozen=True, slots=True)
class Ruling:
    """The decision about an entry, and why."""

    verdict: Verdict
    basis: Basis
    leader: Leader | None = None
    #: the earlier outcome because of which it waits for a person; empty otherwise
    word: str = ""


SAME_DOCUMENT = Ruling(Verdict.CONFLICT, Basis.DOCUMENT)
"""Another code of the same fiscal document is in the file, or was sent: it is not known which is meant."""

ALONE = Ruling(Verdict.ACCEPTED, Basis.ALONE)
"""A row without any objection."""


def rule(entries: Sequence[Entry], seen: Mapping[str, Seen]) -> list[Ruling]:
    """A ruling for each of ``entries``, which all have the same CUFE, in input order."""
    first = entries[0]
    if any((entry.reason, entry.email) != (first.reason, first.email) for entry in entries):
        return [Ruling(Verdict.CONFLICT, Basis.FILE)] * len(entries)
    if known := seen.get(first.cufe):
        leader = Leader(known.batch, known.pos, known.position)
        same = payload_sha256(first.cufe, first.reason, first.email) == known.payload_sha256
        return [Ruling(Verdict.DUPLICATE if same else Verdict.CONFLICT, Basis.LEDGER, leader)] * len(entries)
    word = _against(entries)
    basis = Basis.SET_ASIDE if word.upper() in SET_ASIDE else Basis.NO_TRACE
    head = Ruling(Verdict.HELD, basis, word=word) if word else ALONE
    if len(entries) == 1:
        return [head]
    mirror = Ruling(Verdict.DUPLICATE, Basis.FILE, Leader(None, first.pos, first.position))
    return [head, *[mirror] * (len(entries) - 1)]


def _against(entries: Sequence[Entry]) -> str:
    """The first earlier outcome that forbids sending; empty when none does.

    ``DUPLICADA`` mirrors another row. If that row is present it adds nothing; alone it may mirror a sent one.
    """
    for entry in entries:
        word = " ".join(entry.earlier.split())
        if word.upper() == Outcome.DUPLICATE.value and len(entries) > 1:
            continue
        if word and word.upper() not in NEVER_SENT:
            return word
    return ""


def believed(earlier: Mapping[int, str], *, known: bool) -> dict[int, str]:
    """The outcomes of an earlier results workbook, by row, that still count.

    If the ledger holds that same batch (``known``), it knows better why a row was in conflict, and an outcome that is
    not one of ours was typed by somebody: neither counts. An outcome that says that a row was sent or withdrawn always
    counts: a ledger restored from a copy may know less than the workbook.
    """
    if not known:
        return dict(earlier)
    return {row: word for row, word in earlier.items() if " ".join(word.split()).upper() in _HEEDED}


_HEEDED = frozenset(word.value.upper() for word in Outcome) - {Outcome.CONFLICT.value}
