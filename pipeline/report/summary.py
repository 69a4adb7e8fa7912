"""Summary: ledger lines -> ``Report``. Pure: no file, no clock; same lines, same report (reliability.md P15)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePath

from pipeline.domain.actions import CORRECTED, Action
from pipeline.domain.edoc_states import EDOC_STATES
from pipeline.domain.errors import Bug
from pipeline.domain.outcomes import OPEN, SUCCESSES, Outcome
from pipeline.domain.records import COMPANY, Approval, BatchInfo, EventLine, ResultLine
from pipeline.domain.visible import thousands
from pipeline.report.labels import (
    EVENT_WORDS,
    FACT_BATCH,
    FACT_ENV,
    FACT_HASH,
    FACT_SEAL,
    MEANINGS,
    PREVIEW_MEANINGS,
    STATE_WORDS,
    TONES,
    banner,
    count,
    lineage,
)
from pipeline.report.lines import Rows, action_of, outcome_of, panama
from pipeline.report.model import Check, Group, LogRow, Report, Tile, Todo, Tone, Total
from pipeline.report.names import corrections_name

PREVIEW_ID = "revision"
"""Batch id of a preview: ``anular check`` writes nothing to the ledger, so there is no batch."""


def summarise(batch: BatchInfo, lines: Sequence[ResultLine], events: Iterable[EventLine]) -> Report:
    """The content of the results workbook of ``batch``.

    ``lines`` are all rows of the batch in input order; ``events`` its log in order. An iterable that can be read
    repeatedly is kept as it is (flat memory), an iterator is read into a tuple. Raises ``Bug`` when rows
    are missing, repeated or out of order (reliability.md P3): such results must not be published.
    """
    _every_row_once(batch, lines)
    preview = batch.id == PREVIEW_ID
    outcomes: Counter[Outcome] = Counter()
    by_action: dict[str, tuple[Action, list[int]]] = {}
    settled = waiting = 0
    for index, line in enumerate(lines):
        word, action = outcome_of(line), action_of(line, preview=preview)
        outcomes[word] += 1
        by_action.setdefault(action.rule, (action, []))[1].append(index)
        settled += word in SUCCESSES
        waiting += word in OPEN and not action.person
    to_correct = sum(len(by_action[a.rule][1]) for a in CORRECTED if a.rule in by_action)
    people = sum(len(indexes) for action, indexes in by_action.values() if action.person)
    actions = sorted(by_action.values(), key=lambda entry: (entry[0].urgency, entry[0].rule))
    return Report(
        batch=batch,
        preview=preview,
        title="Revisión previa del lote" if preview else "Resultados de la anulación",
        banner=banner(batch.env, preview=preview),
        headline=_headline(batch, outcomes, settled, preview=preview),
        tiles=_tiles(batch, outcomes, settled, waiting, people, preview=preview),
        todo=tuple(Todo(action, len(indexes)) for action, indexes in actions if action.person or action.urgency < 90),
        totals=_totals(batch, outcomes, preview=preview),
        checks=_checks(batch, len(lines), outcomes),
        facts=_facts(batch, to_correct, preview=preview),
        headings=batch.headings,
        rows=Rows(lines, preview=preview),
        groups=tuple(
            Group(action, tuple(sorted(indexes, key=lambda i: _hours(lines[i]))))
            for action, indexes in actions
            if action.person
        ),
        states=tuple(EDOC_STATES.values()),
        log=Log(tuple(events) if isinstance(events, Iterator) else events),
    )


class Log:
    """The lines of ``Bitácora``, created one by one during iteration."""

    def __init__(self, events: Iterable[EventLine]) -> None:
        self._events = events

    def __iter__(self) -> Iterator[LogRow]:
        return (_log_row(event) for event in self._events)


def _every_row_once(batch: BatchInfo, lines: Sequence[ResultLine]) -> None:
    if len(lines) != batch.rows:
        raise Bug(f"batch {batch.id} has {batch.rows} rows, the ledger gave {len(lines)}")
    for expected, line in enumerate(lines, start=1):
        if line.pos != expected:
            raise Bug(f"batch {batch.id}: row {line.pos} stands where row {expected} belongs")


def _headline(batch: BatchInfo, outcomes: Counter[Outcome], settled: int, *, preview: bool) -> str:
    invoices = batch.rows - outcomes[Outcome.NOT_APPLICABLE]
    rows = count(invoices, "fila", "filas")
    if preview:
        return f"No se envió nada. Con el comando run se enviarían {thousands(outcomes[Outcome.NOT_SENT])} de {rows}."
    if settled == invoices:
        return f"Completo: {rows}, todo anulado."
    return f"{thousands(settled)} de {rows} {'quedó anulada' if settled == 1 else 'quedaron anuladas'}."


def _tiles(
    batch: BatchInfo, outcomes: Counter[Outcome], settled: int, waiting: int, people: int, *, preview: bool
) -> tuple[Tile, ...]:
    rest = batch.rows - outcomes[Outcome.NOT_APPLICABLE] - settled - waiting - people
    if preview:
        ready = outcomes[Outcome.NOT_SENT]
        return (
            Tile(ready, "se enviarían", Tone.DONE),
            Tile(people, "requieren su revisión", Tone.PERSON),
            Tile(rest - ready, "repiten otra fila", Tone.QUIET),
            Tile(0, "enviadas", Tone.QUIET),
        )
    return (
        Tile(settled, "anuladas", Tone.DONE),
        Tile(waiting, "pendientes de respuesta", Tone.WAITS),
        Tile(people, "requieren su revisión", Tone.PERSON),
        Tile(rest, "sin nada que hacer", Tone.QUIET),
    )


def _totals(batch: BatchInfo, outcomes: Counter[Outcome], *, preview: bool) -> tuple[Total, ...]:
    meanings = {**MEANINGS, **PREVIEW_MEANINGS} if preview else MEANINGS
    return tuple(
        Total(word, outcomes[word], outcomes[word] / batch.rows if batch.rows else 0.0, meanings[word], TONES[word])
        for word in Outcome
        if word is not Outcome.NOT_APPLICABLE or outcomes[word]
    )


def _checks(batch: BatchInfo, shown: int, outcomes: Counter[Outcome]) -> tuple[Check, ...]:
    summed = outcomes.total()
    ledger = {word: number for word, number in batch.counts.items() if number}
    here = {word.value: number for word, number in outcomes.items()}
    return (
        Check("Filas leídas del archivo", batch.rows, True),
        Check("Filas en la hoja «Resultados»", shown, shown == batch.rows),
        Check("Suma de los totales por resultado", summed, summed == batch.rows),
        *((Check("Totales según el historial de envíos", sum(ledger.values()), ledger == here),) if ledger else ()),
    )


def _facts(batch: BatchInfo, to_correct: int, *, preview: bool) -> tuple[tuple[str, str], ...]:
    facts = [
        *(("Empresa", note.removeprefix(COMPANY)) for note in batch.notes if note.startswith(COMPANY)),
        ("Archivo", batch.file),
        (FACT_HASH, batch.sha256),
        ("Hoja", batch.sheet or ""),
        (FACT_BATCH, "" if preview else batch.id),
        *lineage(batch.corrects, batch.corrected_in, known=batch.corrects_known),
        (FACT_ENV, batch.env),
        ("Emisores (RUC)", ", ".join(batch.issuers)),
        ("Aprobado por", batch.approved_by or ""),
        *(("Retenido al llegar; lo aprobó", _approved(one)) for one in batch.approvals),
        ("Revisado" if preview else "Recibido", panama(batch.created) or ""),
        ("Primer evento", panama(batch.started) or ""),
        ("Último evento", panama(batch.ended) or ""),
        (FACT_SEAL, f"{batch.seal.hash} (evento {batch.seal.seq})" if batch.seal else ""),
        ("Plazo legal aplicado", f"{batch.deadline_hours} horas desde la emisión"),
        ("Libro de correcciones", _corrections(batch, to_correct, preview=preview)),
        *(("Nota de lectura", note) for note in batch.notes if not note.startswith(COMPANY)),
    ]
    return tuple((label, value) for label, value in facts if value)


def _approved(one: Approval) -> str:
    return f"{one.who or 'sin nombre'}, {panama(one.at)}: {count(one.rows, 'fila', 'filas')}"


def _corrections(batch: BatchInfo, rows: int, *, preview: bool) -> str:
    """The name of the corrections workbook; empty when there is none."""
    name = corrections_name(PurePath(batch.file).stem, "" if preview else batch.id)
    return f"{name}, con {count(rows, 'fila', 'filas')}" if rows else ""


def _hours(line: ResultLine) -> tuple[float, int]:
    """Sort key: least time left first; rows without a deadline after the others; then input order."""
    return (line.deadline.hours_left if line.deadline else float("inf"), line.pos)


def _log_row(event: EventLine) -> LogRow:
    return LogRow(
        seq=event.seq,
        at=panama(event.at) or "",
        where=str(event.position) if event.position else "(lote)",
        cufe=event.cufe,
        what=EVENT_WORDS[event.event],
        source=f"{STATE_WORDS[event.source]} · {event.source.value}" if event.source else None,
        target=f"{STATE_WORDS[event.target]} · {event.target.value}",
        http=event.http,
        estado=event.estado,
        message=event.message or None,
        note=event.note or None,
        who=event.who,
    )
