"""A month of cancellations as the ledger would hold it: every outcome, every colour, hostile text among it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from pipeline.domain.cufe import check_digit
from pipeline.domain.deadline import deadline
from pipeline.domain.lifecycle import Event, State
from pipeline.domain.records import (
    BatchInfo,
    Cell,
    EventLine,
    Leader,
    Position,
    Problem,
    Repair,
    ResultLine,
    Source,
)

NOON = datetime(2026, 11, 20, 15, 0, 0, tzinfo=UTC)
HEADINGS = ("N.º", "Cliente", "CUFE", "Monto", "Fecha factura", "Motivo", "Correo", "Nota")
CLIENTS = ("Ferretería El Clavo, S.A.", "Panadería Ñandú", "Clínica San Fernando", "Taller Hermanos Pérez")
REASONS = (
    "Error en el monto facturado al cliente",
    "Factura emitida a nombre de otro cliente; se emite de nuevo",
    "Devolución total de la mercancía",
    "Duplicada por error del sistema de caja",
)

Batch = tuple[BatchInfo, list[ResultLine], list[EventLine]]

# What each of the special rows went through: state and what was answered.
SPECIAL: tuple[tuple[State, dict[str, object]], ...] = (
    (State.ALREADY_CANCELLED, {"estado": 11, "dgi": "0622", "message": "Ya existe un evento para el documento."}),
    (State.PENDING, {"estado": 5, "message": "Recibido. En proceso de autorización.", "queries": 12}),
    (State.PENDING, {"estado": 20, "message": "Sin comunicación con el PAC.", "queries": 40}),
    (State.PENDING, {"estado": 7, "message": "No recibido por la DGI.", "queries": 3}),
    (State.UNKNOWN, {"http": 502, "note": "bad-gateway", "queries": 2}),
    (State.REVIEW, {"estado": 18, "source": Source.QUERY, "message": "Documento no encontrado.", "queries": 6}),
    (State.REVIEW, {"estado": 2, "source": Source.QUERY, "message": "Autorizado", "queries": 60}),
    (State.NEEDS_CORRECTION, {"estado": 6, "dgi": "1601", "message": "RUC del emisor mal formado."}),
    (State.RETURNED, {"estado": 15, "message": "Documento duplicado en eDoc.", "queries": 1}),
    (State.NEEDS_SUPPORT, {"estado": 4, "message": "Error interno: código 0x80131500. Contacte a soporte."}),
    (State.NOT_FOUND, {"estado": 18, "message": "Documento no encontrado."}),
    (State.REJECTED_INPUT, {}),
    (State.CONFLICT, {}),
    (State.HELD, {}),
    (State.READY, {}),
    (State.WITHDRAWN, {"decided_by": "Ana Ruiz", "decided_why": "El cliente pagó la factura"}),
    (
        State.CLOSED_BY_PERSON,
        {"http": 504, "decided_by": "Ana Ruiz", "decided_why": "Consta anulada en el portal", "queries": 6},
    ),
    (
        State.NEEDS_SUPPORT,
        {"estado": 4, "message": '=HYPERLINK("http://x";"clic") \x1b[31mrojo\x1b[0m \ud800 \u202e_x0041_'},
    ),
)
NOT_SENT = {State.REJECTED_INPUT, State.CONFLICT, State.HELD, State.READY, State.WITHDRAWN, State.DUPLICATE}


def cufe(number: int, issued: date) -> str:
    """A valid, fictional test document."""
    head = f"FE01200000000000029-29-29-567632{issued:%Y%m%d}{number:010d}001012{number * 7919 % 10**9:09d}"
    return head + check_digit(head + "0")


def _line(pos: int, state: State, **known: object) -> ResultLine:
    issued = date(2026, 11, 20) - timedelta(days=pos % 9)
    code = cufe(pos, issued)
    cells: tuple[Cell, ...] = (
        pos,
        CLIENTS[pos % 4],
        code,
        round(37.35 * pos, 2),
        issued,
        REASONS[pos % 4],
        "cobros@ejemplo.com.pa" if pos % 3 else None,
        "=1+1" if pos == 7 else "0012" if pos == 8 else None,
    )
    sent = state not in NOT_SENT
    return ResultLine(
        pos=pos,
        position=Position("Facturas", pos + 3),
        cells=cells,
        state=state,
        cufe=code,
        sent_cufe=code if sent else None,
        reason=REASONS[pos % 4],
        deadline=deadline(issued, NOON),
        attempts=1 if sent else 0,
        http=known.pop("http", 200) if sent else None,  # type: ignore[arg-type]
        sent_at=NOON + timedelta(seconds=pos / 5) if sent else None,
        queried_at=NOON + timedelta(seconds=300 + pos) if known.get("queries") else None,
        source=known.pop("source", Source.CANCELLATION) if sent else None,  # type: ignore[arg-type]
        **known,  # type: ignore[arg-type]
    )


def _special(pos: int, state: State, known: dict[str, object]) -> ResultLine:
    details = dict(known)
    cell = f"Facturas!C{pos + 3}"
    if state is State.REJECTED_INPUT:
        details["problems"] = (
            Problem(
                "digito-verificador",
                cell,
                "CUFE",
                "FE01…",
                "el dígito verificador no corresponde: termina en 3, debería ser 8",
            ),
            Problem(
                "motivo-corto",
                f"Facturas!F{pos + 3}",
                "Motivo",
                "Error",
                "el motivo tiene 5 caracteres; el mínimo es 15",
            ),
        )
    if state is State.CONFLICT:
        details["problems"] = (
            Problem("conflicto", cell, "CUFE", "FE01…", "el mismo CUFE aparece con otro motivo en la fila 40"),
        )
    if state is State.HELD:
        details["problems"] = (
            Problem(
                "resultado-previo",
                cell,
                "resultado",
                "ANULADA",
                "el archivo dice ANULADA y este historial de envíos no tiene evidencia",
            ),
        )
    if state is State.PENDING:
        details["next_due"] = NOON + timedelta(minutes=30)
    return _line(pos, state, **details)


def full_batch(rows: int = 120, env: str = "sandbox") -> Batch:
    """``rows`` lines: mostly cancelled, then one of everything else, then duplicates."""
    lines: list[ResultLine] = []
    plain = rows - len(SPECIAL) - 3
    for pos in range(1, plain + 1):
        line = _line(
            pos,
            State.CANCELLED,
            estado=2,
            dgi="0600",
            message="Evento registrado",
            authorised_at="2026-11-20T10:00:04-05:00",
        )
        lines.append(line)
    for offset, (state, known) in enumerate(SPECIAL, start=1):
        lines.append(_special(plain + offset, state, known))
    code = lines[2].cufe or ""
    lines[2] = _line(
        3,
        State.CANCELLED,
        estado=2,
        dgi="0600",
        repairs=(Repair("Facturas!C6", code.replace("-", "–"), code, "guiones tipográficos cambiados por guiones"),),
    )
    for extra, leader in enumerate((lines[0], lines[plain + 1], lines[plain + 9])):
        pos = plain + len(SPECIAL) + 1 + extra
        lines.append(
            _line(
                pos,
                State.DUPLICATE,
                leader=Leader(None if extra else "20261101-09c4", leader.pos, leader.position),
                mirrored=leader,
            )
        )
    events = [
        EventLine(
            seq=line.pos,
            at=NOON + timedelta(seconds=line.pos / 5),
            pos=line.pos,
            position=line.position,
            source=State.SENDING if line.sent_cufe else State.RECEIVED,
            target=line.state,
            event=Event.CANCELLED if line.state is State.CANCELLED else Event.UNCLEAR,
            cufe=line.cufe,
            http=line.http,
            estado=line.estado,
            message=line.message,
            note=line.note,
            who=line.decided_by,
        )
        for line in lines
    ]
    info = BatchInfo(
        id="20261120-7f3a",
        file="anulaciones_noviembre.xlsx",
        sha256="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        env=env,
        sheet="Facturas",
        rows=rows,
        headings=HEADINGS,
        created=NOON - timedelta(minutes=2),
        approved_by="Ana Ruiz",
        started=NOON,
        ended=NOON + timedelta(minutes=7, seconds=13),
        issuers=("29-29-29",),
        notes=("Se saltaron 2 filas de título antes del encabezado.",),
    )
    return info, lines, events


@pytest.fixture
def batch() -> Batch:
    """The realistic batch of 120 rows."""
    return full_batch()


@pytest.fixture
def make_batch() -> Callable[..., Batch]:
    """``make_batch(rows=…, env=…)``."""
    return full_batch
