"""Summary: ledger lines -> ``Report``. Pure: no file, no clock; same lines, same report (reliability.md P15)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import PurePath

from pipeline.domain.actions import CORRECTED, CREDIT_NOTE, GIVEN_BACK, Action
from pipeline.domain.approved_by import DIGEST_LABEL, digest_of, people
from pipeline.domain.deadline import PANAMA
from pipeline.domain.edoc_states import EDOC_STATES
from pipeline.domain.errors import Bug
from pipeline.domain.lifecycle import SUCCESS, Event, State
from pipeline.domain.outcomes import OPEN, SUCCESSES, Outcome
from pipeline.domain.own_columns import amount_in, own_columns
from pipeline.domain.records import COMPANY, Approval, BatchInfo, Cell, EventLine, ResultLine
from pipeline.domain.visible import thousands
from pipeline.report.labels import (
    EVENT_WORDS,
    FACT_BATCH,
    FACT_ENV,
    FACT_HASH,
    FACT_SEAL,
    STATE_WORDS,
    TONES,
    banner,
    book_of,
    count,
)
from pipeline.report.lineage import lineage
from pipeline.report.lines import WOULD_SEND_LATE, Rows, action_of, limit_of, outcome_of, word_of
from pipeline.report.model import Check, Group, LogRow, Money, Report, Tile, Todo, Tone, Total
from pipeline.report.names import corrections_name
from pipeline.report.review import Review

PREVIEW_ID = "revision"
"""Batch id of a preview: ``anular check`` writes nothing to the ledger, so there is no batch."""

NEVER = datetime.max.replace(tzinfo=UTC)
ZERO = Decimal(0)


def summarise(batch: BatchInfo, lines: Sequence[ResultLine], events: Iterable[EventLine]) -> Report:
    """The content of the results workbook of ``batch``.

    ``lines`` are all rows of the batch in input order; ``events`` its log in order. An iterable that can be read
    repeatedly is kept as it is (flat memory), an iterator is read into a tuple. Raises ``Bug`` when rows
    are missing, repeated or out of order (reliability.md P3): such results must not be published.
    """
    if len(lines) != batch.rows:
        raise Bug(f"batch {batch.id} has {batch.rows} rows, the ledger gave {len(lines)}")
    preview, hours = batch.id == PREVIEW_ID, batch.deadline_hours
    own = own_columns(batch.headings)
    outcomes: Counter[Outcome] = Counter()
    amounts = Amounts(own.amount)
    by_action: dict[Action, _Same] = {}
    elsewhere: Counter[str] = Counter()  # of rows that were corrected in another batch and cancelled there
    settled = waiting = 0
    for index, line in enumerate(lines):
        if line.pos != index + 1:
            raise Bug(f"batch {batch.id}: row {line.pos} stands where row {index + 1} belongs")
        word, action = outcome_of(line), action_of(line, preview=preview)
        outcomes[word] += 1
        amounts.add(word, line.cells)
        same = by_action.setdefault(action, _Same(action))
        same.indexes.append(index)
        if not action.idle and (limit := limit_of(line, hours)) is not None:
            same.limits[index] = limit
        settled += word in SUCCESSES
        if line.fixed_in is not None and line.fixed is not None and line.fixed.state in SUCCESS:
            elsewhere[line.fixed_in.batch or ""] += 1
        waiting += word in OPEN and not action.person
    money = amounts.money(batch.headings)
    to_correct = sum(len(by_action[a].indexes) for a in CORRECTED if a in by_action)
    returned = sum(len(by_action[a].indexes) for a in GIVEN_BACK if a in by_action)
    late = sorted(index for a in (CREDIT_NOTE, WOULD_SEND_LATE) if a in by_action for index in by_action[a].indexes)
    actions = sorted(by_action.values(), key=_Same.urgency)
    people = [same for same in actions if same.action.person]
    todo = sum(len(same.indexes) for same in people)
    late_ready = len(by_action[WOULD_SEND_LATE].indexes) if WOULD_SEND_LATE in by_action else 0
    review = Review(
        invoices=batch.rows - outcomes[Outcome.NOT_APPLICABLE],
        ready=outcomes[Outcome.NOT_SENT],
        late=late_ready,
        to_correct=to_correct,
        doubtful=todo - late_ready - to_correct,
    )
    return Report(
        batch=batch,
        preview=preview,
        title="Revisión previa del lote" if preview else "Resultados de la anulación",
        company=next((note.removeprefix(COMPANY) for note in batch.notes if note.startswith(COMPANY)), ""),
        banner=banner(batch.env, preview=preview),
        headline=review.headline if preview else _headline(batch, outcomes, settled, elsewhere, waiting, todo),
        tiles=review.tiles if preview else _tiles(batch, outcomes, settled, waiting, todo),
        todo=tuple(Todo(same.action, len(same.indexes), same.due) for same in actions if not same.action.idle),
        totals=_totals(batch, outcomes, amounts if money else None, preview=preview),
        money=money,
        checks=_checks(batch, len(lines), outcomes),
        proof=_proof(batch),
        facts=_facts(batch, to_correct, returned, preview=preview),
        headings=batch.headings,
        own=own if money else replace(own, amount=None),
        rows=Rows(lines, preview=preview, hours=hours),
        groups=tuple(Group(same.action, same.by_limit()) for same in people),
        late=tuple(late),
        states=tuple(EDOC_STATES.values()),
        log=Log(tuple(events) if isinstance(events, Iterator) else events),
    )


@dataclass(slots=True)
class _Same:
    """Rows with the same action."""

    action: Action
    #: in input order
    indexes: list[int] = field(default_factory=list)
    #: by index, the legal limits that are known
    limits: dict[int, datetime] = field(default_factory=dict)

    @property
    def due(self) -> datetime | None:
        """The first of the limits."""
        return min(self.limits.values(), default=None)

    def urgency(self) -> tuple[datetime, int, str]:
        """Sort key: what falls due first, what has no limit last."""
        return self.due or NEVER, self.action.urgency, self.action.rule

    def by_limit(self) -> tuple[int, ...]:
        """The indexes in the order of the limits."""
        return tuple(sorted(self.indexes, key=lambda index: self.limits.get(index, NEVER)))


class Amounts:
    """Sums of the invoices' amounts by outcome; ``column`` is where they are, None for nowhere."""

    def __init__(self, column: int | None) -> None:
        self._column = column
        self.sums: dict[Outcome, Decimal] = {}
        self._read = self._filled = self._missing = 0

    def add(self, word: Outcome, cells: Sequence[Cell]) -> None:
        """Adds a row; a line that is not an invoice (a total!) has no part in it."""
        if self._column is None or word is Outcome.NOT_APPLICABLE:
            return
        cell = cells[self._column] if self._column < len(cells) else None
        self._filled += cell is not None and cell != ""
        amount = amount_in(cell)
        if amount is None:
            self._missing += 1
        else:
            self._read += 1
            self.sums[word] = self.sums.get(word, ZERO) + amount

    def money(self, headings: Sequence[str]) -> Money | None:
        """The whole; None where the column holds something else than amounts."""
        if self._column is None or self._read * 2 <= self._filled:
            return None
        return Money(headings[self._column].strip(), sum(self.sums.values(), ZERO), self._missing)


class Log:
    """The lines of ``Bitácora``, created one by one during iteration."""

    def __init__(self, events: Iterable[EventLine]) -> None:
        self._events = events

    def __iter__(self) -> Iterator[LogRow]:
        return (_log_row(event) for event in self._events)


def _headline(
    batch: BatchInfo,
    outcomes: Counter[Outcome],
    settled: int,
    elsewhere: Counter[str],
    waiting: int,
    todo: int,
) -> str:
    invoices = batch.rows - outcomes[Outcome.NOT_APPLICABLE]
    rows = count(invoices, "factura", "facturas")
    if settled == invoices:
        return f"Completo: {rows}, todo anulado."
    parts = [f"{thousands(settled)} de {rows} {'quedó anulada' if settled == 1 else 'quedaron anuladas'}"]
    parts += [f"{thousands(number)} más en la corrección {name}" for name, number in sorted(elsewhere.items())]
    if waiting:
        parts.append(f"{thousands(waiting)} en espera de respuesta")
    parts.append(f"{thousands(todo)} por hacer" if todo else "nada por hacer")
    return "; ".join(parts) + "."


def _tiles(batch: BatchInfo, outcomes: Counter[Outcome], settled: int, waiting: int, people: int) -> tuple[Tile, ...]:
    rest = batch.rows - outcomes[Outcome.NOT_APPLICABLE] - settled - waiting - people
    return (
        Tile(settled, "anuladas", Tone.DONE),
        Tile(waiting, "pendientes de respuesta", Tone.WAITS),
        Tile(people, "requieren su revisión", Tone.PERSON),
        Tile(rest, "sin nada que hacer", Tone.QUIET),
    )


def _totals(
    batch: BatchInfo, outcomes: Counter[Outcome], amounts: Amounts | None, *, preview: bool
) -> tuple[Total, ...]:
    return tuple(
        Total(
            outcome=word,
            word=word_of(word, preview=preview),
            rows=outcomes[word],
            share=outcomes[word] / batch.rows,
            tone=Tone.WAITS if preview and word is Outcome.NOT_SENT else TONES[word],
            amount=amounts.sums.get(word, ZERO) if amounts and word is not Outcome.NOT_APPLICABLE else None,
        )
        for word in Outcome
        if outcomes[word]
    )


def _checks(batch: BatchInfo, shown: int, outcomes: Counter[Outcome]) -> tuple[Check, ...]:
    summed = outcomes.total()
    ledger = {word: number for word, number in batch.counts.items() if number}
    here = {word.value: number for word, number in outcomes.items()}
    others = outcomes[Outcome.NOT_APPLICABLE]
    apart = (
        Check("De ellas, facturas", summed - others, summed == batch.rows),
        Check("De ellas, renglones que no son facturas", others, summed == batch.rows),
    )
    return (
        Check("Filas leídas del archivo", batch.rows, True),
        *(apart if others else ()),
        Check("Filas en la hoja «Resultados»", shown, shown == batch.rows),
        Check("Suma de los totales por resultado", summed, summed == batch.rows),
        *((Check("Totales según el historial de envíos", sum(ledger.values()), ledger == here),) if ledger else ()),
    )


def _proof(batch: BatchInfo) -> tuple[tuple[str, str], ...]:
    by, digest = batch.approved_by, digest_of(batch.approved_by)
    label = "Preparado y aprobado" if digest else "Aprobado por"
    facts = [
        (label, f"{people(by)}, al cargarlo: {_shown(batch.created)}" if by else ""),
        (DIGEST_LABEL, digest),
        *(fact for one in batch.approvals for fact in _approved(one)),
        (FACT_SEAL, f"{batch.seal.hash} (evento {batch.seal.seq})" if batch.seal else ""),
    ]
    return tuple((label, value) for label, value in facts if value)


def _facts(batch: BatchInfo, to_correct: int, returned: int, *, preview: bool) -> tuple[tuple[str, str], ...]:
    facts = [
        ("Archivo", batch.file),
        (FACT_HASH, batch.sha256),
        ("Hoja", batch.sheet or ""),
        (FACT_BATCH, "" if preview else batch.id),
        *lineage(batch.corrects, batch.corrected_in, known=batch.corrects_known),
        (FACT_ENV, batch.env),
        ("Emisores (RUC)", ", ".join(batch.issuers)),
        ("Revisado" if preview else "Recibido", _shown(batch.created)),
        ("Primer evento", _shown(batch.started)),
        ("Último evento", _shown(batch.ended)),
        ("Plazo legal aplicado", f"{batch.deadline_hours} horas desde la emisión"),
        ("Libro de correcciones", _corrections(batch, to_correct, returned, preview=preview)),
        *(("Nota de lectura", note) for note in batch.notes if not note.startswith(COMPANY)),
    ]
    return tuple((label, value) for label, value in facts if value)


def _approved(one: Approval) -> tuple[tuple[str, str], ...]:
    words = f"{people(one.who) or 'sin nombre'}, {_shown(one.at)}: {count(one.rows, 'fila', 'filas')}"
    return (("Retenido al llegar; lo aprobó", words), (DIGEST_LABEL, digest_of(one.who)))


def _shown(moment: datetime | None) -> str:
    """``20/11/2026 10:00:03 (hora de Panamá)``."""
    return f"{moment.astimezone(PANAMA):%d/%m/%Y %H:%M:%S} (hora de Panamá)" if moment else ""


def _corrections(batch: BatchInfo, wrong: int, returned: int, *, preview: bool) -> str:
    """The name of the corrections workbook; empty when there is none."""
    name = corrections_name(PurePath(batch.file).stem, "" if preview else batch.id)
    return f"{name}, con {book_of(wrong, returned)}" if wrong or returned else ""


def _log_row(event: EventLine) -> LogRow:
    worded = " " in event.note  # a person's reason, or a rule; the program's own codes are one word
    said = [text for text in (event.message or "", event.note if worded else "") if text]
    return LogRow(
        seq=event.seq,
        at=event.at,
        where=str(event.position) if event.position else "(lote)",
        cufe=event.cufe,
        what=EVENT_WORDS[event.event],
        source=STATE_WORDS[event.source] if event.source else None,
        target=STATE_WORDS[event.target],
        message="\n".join(said) or None,
        who=people(event.who) or None,
        codes=_codes(event.source, event.target, event.event, event.http, event.estado, "" if worded else event.note),
    )


@lru_cache(10_000)
def _codes(source: State | None, target: State, event: Event, http: int | None, estado: int | None, note: str) -> str:
    parts = [
        event.value,
        f"{source.value} → {target.value}" if source else target.value,
        "" if estado is None else f"estado {estado}",
        "" if http is None else f"HTTP {http}",
        note,
    ]
    return " · ".join(part for part in parts if part)
