"""What ``anular find`` answers: the stable keys of ``--json``, and the same in words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from pipeline.cli import console
from pipeline.cli.render import corrected_words, status_facts
from pipeline.domain import outcomes
from pipeline.domain.approved_by import people
from pipeline.domain.commands import order
from pipeline.domain.cufe import Cufe
from pipeline.domain.errors import CufeInvalid
from pipeline.domain.lookup import Wanted
from pipeline.domain.outcomes import Outcome
from pipeline.domain.records import BatchInfo, EventLine
from pipeline.domain.visible import one_line, thousands
from pipeline.ledger.search import FoundRow
from pipeline.report.labels import EVENT_WORDS
from pipeline.report.lines import row_of
from pipeline.report.model import local
from pipeline.report.names import results_name, room
from pipeline.run.figures import counts_data, ordered, path_text

_SHOWN = 12


def data(wish: Wanted, rows: Sequence[FoundRow], batches: Sequence[BatchInfo], left_out: int) -> dict[str, Any]:
    """The answer of ``find``; ``left_out``: how many more there are."""
    return {
        "text": wish.text,
        "looked_for": list(wish.kinds),
        "rows": [_row_data(one) for one in rows],
        "batches": [{**counts_data(info), "received": _utc(info.created), "workbook": _book(info)} for info in batches],
        "left_out": left_out,
    }


def _row_data(one: FoundRow) -> dict[str, Any]:
    line, added = one.line, row_of(one.line).added
    return {
        "batch": one.batch.id,
        "file": one.batch.file,
        "env": one.batch.env,
        "row": str(line.position),
        "line": line.position.line,
        "cufe": line.cufe,
        "outcome": added.resultado,
        "action": added.accion_recomendada,
        "rule": added.regla,
        "estado": added.estado_edoc,
        "message": added.mensaje_edoc,
        "reason": line.reason,
        "received": _utc(one.batch.created),
        "sent": _utc(line.sent_at),
        "queried": _utc(line.queried_at),
        "authorised": added.fecha_autorizacion,
        "attempts": line.attempts,
        "decided_by": line.decided_by,
        "remarks": added.observaciones,
        "workbook": _book(one.batch),
        "events": [_event_data(event) for event in one.log],
    }


def _event_data(event: EventLine) -> dict[str, Any]:
    return {
        "seq": event.seq,
        "at": _utc(event.at),
        "event": event.event.value,
        "words": EVENT_WORDS[event.event],
        "to": event.target.value,
        "http": event.http,
        "estado": event.estado,
        "message": event.message,
        "note": event.note,
        "who": event.who,
    }


def show_row(out: Console, one: FoundRow) -> None:
    """One invoice: what became of it, what to do, its events."""
    line, added = one.line, row_of(one.line).added
    facts = [("Resultado", added.resultado), ("Qué hacer", added.accion_recomendada), *_document(line.cufe)]
    facts += [("Motivo", line.reason)] if line.reason else []
    facts += [("Recibida", local(one.batch.created))]
    facts += [("Enviada", local(line.sent_at))] if line.sent_at else []
    facts += [("Consultada", local(line.queried_at))] if line.queried_at else []
    facts += [("Autorizada", _answered(added.fecha_autorizacion))] if added.fecha_autorizacion else []
    if added.estado_edoc is not None:
        facts.append(("Estado eDoc", f"{added.estado_edoc}, {added.estado_edoc_descripcion}"))
    facts += [("Mensaje de eDoc", added.mensaje_edoc)] if added.mensaje_edoc else []
    facts += [("Observaciones", added.observaciones)] if added.observaciones else []
    facts += [("Libro", book)] if (book := _book(one.batch)) else []
    console.facts(out, f"Lote {one.batch.id} · {one.batch.file} · {line.position}", facts)
    out.print("  Eventos")
    for event in one.log[:_SHOWN]:
        out.print(f"    {local(event.at)}  {_event_words(event)}", markup=False)
    if len(one.log) > _SHOWN:
        out.print(f"    … y {thousands(len(one.log) - _SHOWN)} eventos más (hoja «Bitácora» del libro)", markup=False)


def show_batch(out: Console, info: BatchInfo) -> None:
    """One batch: what became of its rows, and what to do."""
    facts = [*status_facts(info), ("Código de verificación", info.sha256)]
    facts += [("Último evento", local(info.ended))] if info.ended else []
    facts += [("Libro", book)] if (book := _book(info)) else [("Libro", f"escríbalo con {order('report', info.id)}")]
    console.facts(out, f"Lote {info.id}", facts)
    console.counts(out, "Resultados", ordered(info.counts), corrected_words(info))
    console.listing(out, "Qué hacer", todo(info))


def todo(info: BatchInfo) -> list[str]:
    """What is to be done about a batch, from its counts alone."""
    counts = {word: info.counts.get(word.value, 0) for word in Outcome}
    facts = []
    if waiting := sum(counts[word] for word in outcomes.OPEN):
        facts.append(f"{thousands(waiting)} sin resultado definitivo: consulte con {order('poll', info.id)}")
    if counts[Outcome.HELD]:
        facts.append(f"{thousands(counts[Outcome.HELD])} esperan aprobación: {order('release', info.id)}")
    if counts[Outcome.NOT_SENT]:
        facts.append(f"{thousands(counts[Outcome.NOT_SENT])} no se enviaron: ejecute otra vez el mismo archivo.")
    elsewhere = -sum(number for number in info.shift.values() if number < 0)  # they have their outcome in a correction
    if person := sum(counts[word] for word in _PERSON) - elsewhere:
        need = "requiere" if person == 1 else "requieren"
        facts.append(f"{thousands(person)} {need} su revisión: hoja «Pendientes de acción» del libro de resultados.")
    if elsewhere:
        orders = ", ".join(order("find", batch) for batch in info.corrected_in)
        facts.append(f"{thousands(elsewhere)} con su resultado en otro lote, el de su corrección: {orders}")
    return facts or ["Nada: no queda nada pendiente."]


_PERSON = (Outcome.RETURNED, Outcome.EDOC_ERROR, Outcome.NOT_FOUND, Outcome.REJECTED, Outcome.CONFLICT)


def _document(cufe: str | None) -> list[tuple[str, str]]:
    if cufe is None:
        return []
    try:
        code = Cufe.parse(cufe, allow_bad_check_digit=True)
    except CufeInvalid:
        return [("CUFE", cufe)]
    number = code.number.lstrip("0")
    words = f"número {number}, punto {code.point}, sucursal {code.branch}, del {code.issued_on:%d/%m/%Y}"
    return [("CUFE", cufe), ("Documento", words), ("Emisor", f"RUC {code.ruc} DV {code.dv}")]


def _event_words(event: EventLine) -> str:
    facts = [EVENT_WORDS[event.event]]
    facts += [f"estado {event.estado}"] if event.estado is not None else []
    facts += [one_line(event.message)] if event.message else []
    facts += [one_line(event.note)] if event.note and event.who else []
    facts += [people(event.who)] if event.who else []
    return " · ".join(facts)


def _book(info: BatchInfo) -> str | None:
    """Where the results workbook is, if it is there."""
    path = Path(info.folder) / results_name(Path(info.file).stem, info.id, room=room(Path(info.folder)))
    return path_text(path) if path.is_file() else None


def _answered(text: str) -> str:
    """eDoc's time in Panama's; what is no time with an offset stays as it was answered."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return text
    return text if moment.tzinfo is None else local(moment)


def _utc(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
