"""One CUFE, several rows: which row leads, which mirror it, and which contradict each other (interface.md 5).

Same CUFE, reason and e-mail: the first row leads and the others are duplicates of it. Another reason or e-mail:
nobody can tell which was meant, so none of them is sent. What the ledger already holds comes before the file. And
what an earlier results workbook says happened, while this ledger holds no trace of it, waits for a person; so does a
row that was set aside there, because it is in another batch or because a person took it back (decision 0031).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from pipeline.domain.outcomes import Outcome
from pipeline.domain.payload import payload_sha256
from pipeline.domain.records import Leader, Position, Seen, Verdict

NEVER_SENT = frozenset({Outcome.REJECTED.value, Outcome.NOT_SENT.value, Outcome.NOT_APPLICABLE.value})
"""Earlier outcomes that prove nothing was sent: such rows may be taken again."""

SET_ASIDE = frozenset({Outcome.CONFLICT.value, Outcome.WITHDRAWN.value})
"""Earlier outcomes of rows that were not sent for a reason that stands elsewhere: another batch, or a person."""


class Basis(Enum):
    """What a ruling rests on."""

    ALONE = "alone"
    FILE = "file"
    LEDGER = "ledger"
    NO_TRACE = "no trace"
    SET_ASIDE = "set aside"
    DOCUMENT = "document"


@dataclass(frozen=True, slots=True)
class Entry:
    """A row that could be sent. ``earlier`` is what a results workbook said of it; empty: nothing."""

    pos: int
    position: Position
    cufe: str
    reason: str
    email: str | None
    earlier: str = ""


@dataclass(frozen=True, slots=True)
class Ruling:
    """What becomes of an entry, and why; ``word`` is the earlier outcome that makes it wait for a person."""

    verdict: Verdict
    basis: Basis
    leader: Leader | None = None
    word: str = ""


SAME_DOCUMENT = Ruling(Verdict.CONFLICT, Basis.DOCUMENT)
"""Another code of the same fiscal document stands in the file, or was sent: nobody can tell which is meant."""

ALONE = Ruling(Verdict.ACCEPTED, Basis.ALONE)
"""A row that nothing speaks against."""


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
    """The first earlier outcome that speaks against sending; empty when none does.

    ``DUPLICADA`` mirrors another row: beside that row it says nothing of its own, alone it may mirror a sent one.
    """
    for entry in entries:
        word = " ".join(entry.earlier.split())
        if word.upper() == Outcome.DUPLICATE.value and len(entries) > 1:
            continue
        if word and word.upper() not in NEVER_SENT:
            return word
    return ""


def believed(earlier: Mapping[int, str], *, known: bool) -> dict[int, str]:
    """What of an earlier results workbook's words, by row, still has to be heeded.

    Where the ledger holds that very batch (``known``) it knows better why a row was in conflict, and what is no word of
    ours was typed there by somebody: neither counts. What says that a row was sent, or taken back, always does: a
    ledger that was restored from a copy may know less than the workbook.
    """
    if not known:
        return dict(earlier)
    return {row: word for row, word in earlier.items() if " ".join(word.split()).upper() in _HEEDED}


_HEEDED = frozenset(word.value.upper() for word in Outcome) - {Outcome.CONFLICT.value}
