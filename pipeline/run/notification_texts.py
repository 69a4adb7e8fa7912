"""Notification texts: what mail, webhook and the note beside a file say of batches.

What was done first, then what falls due with day and hour, what to do, and where the workbook is. No CUFE, no secret.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipeline.domain.actions import CREDIT_NOTE
from pipeline.domain.deadline import PANAMA
from pipeline.domain.errors import AnotherRun, AnularError, InputRefused, Interrupted
from pipeline.domain.outcomes import Outcome
from pipeline.domain.records import BatchInfo, ResultLine
from pipeline.domain.visible import thousands
from pipeline.notify import Notification
from pipeline.report.lines import action_of, limit_of, outcome_of
from pipeline.run.results import Written, batch_data, own_totals, to_correct, todo

MOST_LIMITS = 3
"""Days on which something falls due that are named; the workbook has them all."""

_WORDS: dict[tuple[Outcome, ...], tuple[str, str]] = {
    (Outcome.CANCELLED,): ("anulada", "anuladas"),
    (Outcome.ALREADY,): ("ya anulada", "ya anuladas"),
    (Outcome.RESOLVED,): ("resuelta", "resueltas"),
    (Outcome.WITHDRAWN,): ("retirada", "retiradas"),
    (Outcome.HELD,): ("retenida", "retenidas"),
    (Outcome.NOT_SENT,): ("no enviada", "no enviadas"),
    (Outcome.REJECTED, Outcome.CONFLICT): ("por corregir", "por corregir"),
    (Outcome.RETURNED,): ("devuelta", "devueltas"),
    (Outcome.EDOC_ERROR,): ("con error de eDoc", "con error de eDoc"),
    (Outcome.NOT_FOUND,): ("no encontrada", "no encontradas"),
    (Outcome.STILL_ALIVE,): ("sigue vigente", "siguen vigentes"),
    (Outcome.UNKNOWN,): ("sin resultado conocido", "sin resultado conocido"),
    (Outcome.PENDING,): ("pendiente", "pendientes"),
    (Outcome.DUPLICATE,): ("duplicada", "duplicadas"),
}
"""Outcomes as a subject names them, one and several, in its order: what was done first. ``NO APLICA`` is no invoice."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A legal limit: the invoices that a person has to see to before it, by outcome word."""

    at: datetime
    rows: Mapping[str, int]


def limits_of(lines: Iterable[ResultLine], hours: int) -> tuple[Limit, ...]:
    """What falls due, the first limit first: rows that wait for a person and can still be cancelled."""
    found: dict[datetime, Counter[str]] = {}
    for line in lines:
        action = action_of(line)
        if not action.person or action is CREDIT_NOTE:
            continue
        if (limit := limit_of(line, hours)) is not None:
            found.setdefault(limit, Counter())[outcome_of(line).value] += 1
    return tuple(Limit(at, found[at]) for at in sorted(found))


def outcome_words(rows: Mapping[str, int]) -> list[str]:
    """``["22 anuladas", "5 por corregir"]``: outcomes that occur, what was done first."""
    told = []
    for outcomes, (one, several) in _WORDS.items():
        if number := sum(rows.get(word.value, 0) for word in outcomes):
            told.append(f"{thousands(number)} {one if number == 1 else several}")
    return told


def moment_words(at: datetime) -> str:
    """``el 27/11/2026 a las 14:00``, in Panama."""
    return f"el {at.astimezone(PANAMA):%d/%m/%Y} a las {at.astimezone(PANAMA):%H:%M}"


def limit_words(limits: Sequence[Limit]) -> list[str]:
    """A line for each of the first limits: ``el 27/11/2026 a las 14:00: 3 por corregir``."""
    told = [f"{moment_words(one.at)}: {', '.join(outcome_words(one.rows))}" for one in limits[:MOST_LIMITS]]
    if rest := limits[MOST_LIMITS:]:
        number = sum(sum(one.rows.values()) for one in rest)
        told.append(f"después, {thousands(number)} más hasta {moment_words(rest[-1].at)}")
    return told


def first_held(limits: Sequence[Limit]) -> datetime | None:
    """The first limit of a row that waits for a person's approval; None when none does."""
    return next((one.at for one in limits if one.rows.get(Outcome.HELD.value)), None)


def subject_words(rows: Mapping[str, int], limits: Sequence[Limit]) -> list[str]:
    """``outcome_words`` with the limit beside what is held: it is not sent before a person approves it."""
    told = outcome_words(rows)
    until = first_held(limits)
    if until is None:
        return told
    return [f"{one} (vence {moment_words(until)})" if " retenida" in one else one for one in told]


@dataclass(frozen=True, slots=True)
class Digest:
    """What a notification says of one batch, without its rows: many batches of a run are not in memory at once."""

    batch: BatchInfo
    totals: Mapping[str, int]
    limits: tuple[Limit, ...]
    todo: tuple[str, ...]
    workbook: Path
    #: where the rows to correct are, in words
    corrections: tuple[str, ...]
    #: the batch in the form of ``--json``
    data: Mapping[str, object]


def digest(written: Written, code: int) -> Digest:
    """Digest of a batch whose results were just ``written``."""
    limits = limits_of(written.lines, written.batch.deadline_hours)
    return Digest(
        written.batch,
        own_totals(written.lines),
        limits,
        tuple(todo(written.report)),
        written.workbook,
        tuple(to_correct(written)),
        {**batch_data(written, code), "due": due_data(limits)},
    )


def due_data(limits: Sequence[Limit]) -> list[dict[str, object]]:
    """What falls due, for a machine."""
    return [{"at": one.at.isoformat(), "outcomes": dict(one.rows)} for one in limits]


def notification(digests: Sequence[Digest], trouble: AnularError | None = None) -> Notification:
    """Notification of a finished run: its batches, and what ended it early, if anything did."""
    rows: Counter[str] = Counter()
    for one in digests:
        rows.update(one.totals)
    limits = sorted((limit for one in digests for limit in one.limits), key=lambda limit: limit.at)
    told = [*subject_words(rows, limits), *trouble_words([trouble] if trouble else [])]
    lines = [f"✗ {trouble.sentence} [{trouble.code}]", ""] if trouble is not None else []
    for one in digests:
        lines += [*_of_batch(one), ""]
    return Notification(
        ", ".join(told) or "nada que anular",
        lines,
        [dict(one.data) for one in digests] if trouble is None or digests else [_trouble_data(trouble)],
        tuple(one.workbook for one in digests),
    )


def _of_batch(one: Digest) -> list[str]:
    info = one.batch
    lines = [f"Lote {info.id} ({info.file}, {info.env}): {', '.join(outcome_words(one.totals)) or 'ninguna factura'}."]
    if one.limits:
        lines += ["Vence:", *(f"  - {words}" for words in limit_words(one.limits))]
    if one.todo:
        lines += ["Qué hacer:", *(f"  - {words}" for words in one.todo)]
    return [*lines, f"Libro de resultados: {one.workbook}", *one.corrections]


def trouble_words(troubles: Sequence[AnularError]) -> list[str]:
    """What ended a run early, as a subject says it."""
    told, others = [], 0
    for one in troubles:
        if isinstance(one, Interrupted):
            told.append("se interrumpió")
        elif isinstance(one, AnotherRun):
            told.append("otra ejecución lo impidió")
        elif isinstance(one, InputRefused):
            told.append("archivo rechazado, no se envió nada")
        elif one.code == "queue-waiting":
            told.append("hay lotes olvidados en la cola")
        else:
            others += 1
    if others:
        told.append("se detuvo antes de terminar" if others == 1 else f"{others} problemas lo detuvieron")
    return list(dict.fromkeys(told))


def _trouble_data(trouble: AnularError) -> dict[str, object]:
    return {"error": trouble.code, "exit_code": trouble.exit_code}
