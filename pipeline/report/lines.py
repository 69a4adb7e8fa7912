"""Result rows: one ledger line as one row of ``Resultados``. Claims only what the line proves (reliability.md P5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import overload

from pipeline.domain.actions import (
    ASKED,
    CORRECTED,
    CREDIT_NOTE,
    NO_INVOICE,
    RESENT,
    SEE_LEADER,
    SEND_LATER,
    Action,
    recommend,
    says_no,
)
from pipeline.domain.deadline import DEFAULT_HOURS, legal_limit
from pipeline.domain.edoc_states import EDOC_STATES
from pipeline.domain.lifecycle import State
from pipeline.domain.outcomes import BARRED, ELSEWHERE, PREFLIGHT, READY_WORD, Outcome, outcome
from pipeline.domain.records import Repair, ResultLine, Source
from pipeline.report.labels import TONES
from pipeline.report.model import IDLE, Added, Row, Tone, local

WOULD_SEND = replace(
    SEND_LATER,
    title="Lista para enviar",
    words="Ejecute el comando run con este mismo archivo: las envía.",
    person=False,
    urgency=60,
)
"""In a review nothing has failed: a row that may be sent waits for its run (same rule)."""

WOULD_SEND_LATE = replace(
    CREDIT_NOTE,
    title="Lista para enviar, fuera de plazo",
    words="Se enviaría con el comando run, pero el plazo legal venció y la DGI puede rechazarla: entonces corresponde "
    "una nota de crédito (tipo 04) que cite este CUFE.",
)
"""In a review a row past the legal limit that would be sent all the same (same rule)."""


class Rows(Sequence[Row]):
    """The rows of ``Resultados``, created on access, so that a large batch is never in memory twice."""

    def __init__(self, lines: Sequence[ResultLine], *, preview: bool, hours: int) -> None:
        self.lines = lines
        self.preview = preview
        self.hours = hours

    def __len__(self) -> int:
        return len(self.lines)

    def __iter__(self) -> Iterator[Row]:
        return (row_of(line, preview=self.preview, hours=self.hours) for line in self.lines)

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Rows: ...
    def __getitem__(self, index: int | slice) -> Row | Rows:
        if isinstance(index, slice):
            return Rows(self.lines[index], preview=self.preview, hours=self.hours)
        return row_of(self.lines[index], preview=self.preview, hours=self.hours)


def row_of(line: ResultLine, *, preview: bool = False, hours: int = DEFAULT_HOURS) -> Row:
    """The row of ``Resultados`` for ``line``; ``hours`` is the batch's legal limit.

    A duplicate shows the answers of the row it mirrors, but no code sent and no times: it was not sent itself.
    """
    shown = line.mirrored if line.state is State.DUPLICATE and line.mirrored is not None else line
    word = outcome_of(line)
    action = action_of(line, preview=preview)
    ready = line.state is State.READY
    sent = line.sent_cufe is not None
    asked = sent or shown.estado is not None  # of a row that never left, neither is a question
    return Row(
        pos=line.pos,
        cufe=line.cufe,
        cells=line.cells,
        todo=_reviewed(line, action) if preview else IDLE if action.idle else action.words,
        tone=_TONES_BEFORE.get(action, TONES[word]) if preview else TONES[word],
        struck=says_no(line),
        added=Added(
            fila_origen=str(line.position),
            cufe_enviado=line.cufe if preview and ready else line.sent_cufe,
            resultado=word_of(word, preview=preview),
            estado_edoc=shown.estado,
            estado_edoc_descripcion=_description(shown.estado),
            reenviar=_yes_no(action in RESENT) if asked else None,
            consultar=_yes_no(action in ASKED) if asked else None,
            accion_recomendada=action.words,
            regla=action.rule,
            mensaje_edoc=shown.message or None,
            codigo_dgi=shown.dgi,
            fecha_autorizacion=shown.authorised_at,
            enviado_en=line.sent_at,
            consultado_en=line.queried_at,
            consultas=line.queries if sent or line.queries else None,
            plazo=line.deadline.window.value if line.deadline else None,
            horas_restantes=line.deadline.hours_left if line.deadline else None,
            observaciones="\n".join(_remarks(line, preview=preview)) or None,
            vence=None if action.idle else limit_of(line, hours),
        ),
    )


def outcome_of(line: ResultLine) -> Outcome:
    """The value of ``resultado``; a query's 2 means that the invoice is still authorised (edoc-api.md 5)."""
    alive = line.source is Source.QUERY and line.estado == 2
    before, elsewhere = line.note == PREFLIGHT, line.note == ELSEWHERE
    return outcome(line.state, alive=alive, unsent=before, again=line.again, elsewhere=elsewhere)


def action_of(line: ResultLine, *, preview: bool = False) -> Action:
    """The action for ``line``."""
    action = recommend(line)
    return _BEFORE.get(action, action) if preview and line.state is State.READY else action


_BEFORE = {SEND_LATER: WOULD_SEND, CREDIT_NOTE: WOULD_SEND_LATE}
_TONES_BEFORE = {WOULD_SEND: Tone.WAITS, WOULD_SEND_LATE: Tone.PERSON}


def word_of(word: Outcome, *, preview: bool = False) -> str:
    """The outcome as it is printed; in a review a row that was not sent yet is ready for it."""
    return READY_WORD if preview and word is Outcome.NOT_SENT else word.value


def _reviewed(line: ResultLine, action: Action) -> str:
    """``Qué hacer`` in a review: what is wrong with the row, in words."""
    if action is WOULD_SEND:
        return f"{IDLE}: se enviará con el comando run."
    if action is SEE_LEADER:
        return f"{IDLE}: repite {_leading(line)}." if line.leader is not None else f"{IDLE}: repite otra fila."
    if action is NO_INVOICE:
        return f"{IDLE}: este renglón no es una factura."
    wrong = "\n".join(dict.fromkeys(problem.message for problem in line.problems))
    if action.idle:
        return f"{IDLE}, si no se debe anular: {wrong}"
    if action is WOULD_SEND_LATE or not wrong:
        return action.words
    return wrong if action in CORRECTED else f"{wrong}\n{action.words.removeprefix('No se envió. ')}"


def limit_of(line: ResultLine, hours: int) -> datetime | None:
    """The legal limit of the document of ``line``: its earlier bound (domain.md 4); None without a valid code."""
    code = line.sent_cufe or line.cufe
    return None if code is None else legal_limit(code, hours)


def _description(estado: int | None) -> str | None:
    if estado is None:
        return None
    known = EDOC_STATES.get(estado)
    return known.meaning if known else "Estado desconocido: consultar y llamar a soporte de eDoc"


def _yes_no(value: bool) -> str:
    return "SI" if value else "NO"


def _remarks(line: ResultLine, *, preview: bool = False) -> list[str]:
    remarks = [str(problem) for problem in line.problems]
    remarks += [_repaired(repair, sent=line.sent_cufe is not None) for repair in line.repairs]
    remarks += [f"Aviso. {warning}" for warning in line.warnings]
    if line.note.startswith(BARRED):
        remarks.append(f"No se envió por las {line.note}")
    if line.leader is not None:
        remarks.append(_mirrors(line, preview=preview))
    if line.fixed is not None and line.fixed_in is not None:
        where = f"{line.fixed_in.batch} ({line.fixed_in.position})"
        remarks.append(f"Corregida en el lote {where}: {outcome_of(line.fixed).value}.")
    if line.attempts > 1:
        remarks.append(f"Intentos de envío: {line.attempts}.")
    remarks += _corrected(line)
    if line.state in (State.UNKNOWN, State.REVIEW, State.SENDING):
        remarks.append(_last_answer(line))
    if line.next_due is not None and line.state in (State.UNKNOWN, State.PENDING):
        remarks.append(f"Próxima consulta a partir del {local(line.next_due, seconds=False)}.")
    if line.decided_by:
        remarks.append(f"Decisión de {line.decided_by}: {line.decided_why or 'sin motivo escrito'}.")
    return remarks


def _repaired(repair: Repair, *, sent: bool) -> str:
    """A repair as text; «enviado» only when the row was sent."""
    used = "enviado" if sent else "leído como"
    return f"Reparado. {repair.cell}: {repair.what}; recibido «{repair.received}», {used} «{repair.used}»"


def _corrected(line: ResultLine) -> Iterator[str]:
    """What a resend sends instead of the texts of its row; both are shown."""
    if line.correction is None:
        return
    verb = "Se reenvió" if line.sent_cufe is not None else "Se autorizó reenviar"
    if line.correction.reason != line.reason:
        yield f"{verb} con otro motivo: «{line.correction.reason}» (antes «{line.reason}»)."
    if (line.correction.email or None) != (line.email or None):
        before, after = (f"«{one}»" if one else "ninguno" for one in (line.email, line.correction.email))
        yield f"{verb} con otro correo: {after} (antes {before})."


def _leading(line: ResultLine) -> str:
    """Where the row is that ``line`` repeats."""
    leader = line.leader
    assert leader is not None
    return (
        f"{leader.position} de este archivo" if leader.batch is None else f"{leader.position} del lote {leader.batch}"
    )


def _mirrors(line: ResultLine, *, preview: bool) -> str:
    where = _leading(line)
    if line.mirrored is None:
        return f"Repite {where}."
    return f"Repite {where}, cuyo resultado es {word_of(outcome_of(line.mirrored), preview=preview)}."


def _last_answer(line: ResultLine) -> str:
    http = f"HTTP {line.http}" if line.http is not None else "sin respuesta HTTP"
    code = f", código «{line.note}»" if line.note and not line.note.startswith(BARRED) else ""
    if line.note == PREFLIGHT and line.state is State.REVIEW:
        return f"Consulta previa al envío: {http}."
    return f"Última respuesta: {http}{code}."
