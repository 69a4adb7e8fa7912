"""Column values: the rows of the ledger's tables, made from the records of the domain."""

from __future__ import annotations

from typing import Any

from pipeline.domain.approved_by import signature
from pipeline.domain.lifecycle import Event, State, move
from pipeline.domain.payload import payload_sha256
from pipeline.domain.records import BatchInfo, CheckedRow, Source, Verdict
from pipeline.ledger import codec
from pipeline.ledger.moves import Move, Moved

VALIDATED: dict[Verdict, Event] = {
    Verdict.ACCEPTED: Event.ACCEPTED,
    Verdict.HELD: Event.HELD,
    Verdict.REJECTED: Event.REJECTED,
    Verdict.DUPLICATE: Event.DUPLICATED,
    Verdict.CONFLICT: Event.CONFLICTED,
    Verdict.NOT_APPLICABLE: Event.NO_INVOICE,
}


def move_facts(wish: Move, done: Moved) -> dict[str, object]:
    """Fields of the event published for a durable move: codes and numbers, ours and eDoc's.

    Neither CUFE nor message: batch and row lead to both in the ledger (docs/decisions/0080).
    """
    found = wish.finding
    return {
        "batch": wish.batch,
        "row": wish.pos,
        "attempt": wish.attempt,
        "from": wish.source.value,
        "to": done.state.value,
        "why": wish.event.value,
        "http": found.http if found else None,
        "estado": found.estado if found else None,
        "dgi": found.dgi if found else None,
        "note": found.note or None if found else None,
        "next_attempt": done.next_attempt,
    }


def fresh_attempt(env: str, cufe: str, batch: str, pos: int, state: State, n: int, epoch: int) -> dict[str, Any]:
    """Values of a new attempt: the ``n``-th of its row, in ``state``, without query or answer."""
    return {
        "env": env,
        "cufe": cufe,
        "batch": batch,
        "pos": pos,
        "n": n,
        "state": state.value,
        "v": 1,
        "epoch": epoch,
        "queries": 0,
        "misses": 0,
        "note": "",
        "possible_duplicate": 0,
        "preflight": None,
        "reason": None,
        "email": None,
    }


def batch_values(info: BatchInfo, env: str, credential: str | None) -> dict[str, Any]:
    """Values of a batch; ``credential`` is the mark of the one under which it is taken in."""
    return {
        "id": info.id,
        "env": env,
        "sha256": info.sha256,
        "sheet": info.sheet or "",
        "file": info.file,
        "folder": info.folder,
        "headings": codec.cells_to_text(info.headings),
        "n_rows": info.rows,
        "issuers": codec.cells_to_text(info.issuers),
        "notes": codec.cells_to_text(info.notes),
        "deadline_hours": info.deadline_hours,
        "created_utc": codec.to_text(info.created),
        "approved_by": info.approved_by or "",
        "corrects": info.corrects,
        "credential": credential,
    }


def row_values(batch: str, row: CheckedRow) -> dict[str, Any]:
    """Values of an input row as it was validated."""
    return {
        "batch": batch,
        "pos": row.pos,
        "line": row.position.line,
        "cells": codec.cells_to_text(row.cells),
        "state": move(State.RECEIVED, VALIDATED[row.verdict]).value,
        "cufe": row.cufe,
        "reason": _text(row.reason),
        "email": _text(row.email),
        "payload_sha256": payload_sha256(row.cufe, row.reason, row.email) if row.cufe else None,
        "leader_batch": row.leader.batch if row.leader else None,
        "leader_pos": row.leader.pos if row.leader else None,
        "remarks": codec.remarks_to_text(row.problems, row.repairs, row.warnings),
        "deadline_window": row.deadline.window.value if row.deadline else None,
        "hours_left": row.deadline.hours_left if row.deadline else None,
    }


def payload_of(line: Any) -> str:
    """The hash of what an attempt sends. ``line`` has its ``cufe``, ``reason`` and ``email``, and the
    ``payload_sha256`` of its row."""
    if line.reason is None:
        return line.payload_sha256 or ""
    return payload_sha256(line.cufe, line.reason, line.email)


def _text(value: str | None) -> str | None:
    """Text without NUL, which PostgreSQL cannot store; a rejected row keeps the original in its ``cells``."""
    return None if value is None else value.replace("\0", "␀")


def intake_event(info: BatchInfo, row: CheckedRow, at: str, mark: bytes) -> dict[str, Any]:
    """Values of a row's first event; ``mark`` is the digest of the row and its batch, ``approved_by`` included."""
    event = VALIDATED[row.verdict]
    values = event_values(info.id, row.pos, None, State.RECEIVED, event, at, who=signature(info.approved_by))
    values["body"] = mark  # what was approved, held by the chain (verify.py)
    return values


def move_event(wish: Move) -> dict[str, Any]:
    """Values of the event that a move adds to the chain."""
    found = wish.finding
    values = event_values(
        wish.batch, wish.pos, wish.attempt, wish.source, wish.event, codec.to_text(wish.at), who=wish.who
    )
    values["note"] = wish.note
    values["more"] = codec.more_to_text(
        queried=found is not None and found.source is Source.QUERY,
        due=codec.to_text(wish.next_due) if wish.next_due else None,
        authorised_at=found.authorised_at if found is not None else None,
        miss=wish.miss,
        correction=wish.correction,
    )
    if found is not None:
        values.update(
            http=found.http,
            estado=found.estado,
            dgi=found.dgi,
            message=found.message,
            note=wish.note or found.note,
            body=found.body or None,
        )
    return values


def event_values(
    batch: str,
    pos: int,
    attempt: int | None,
    source: State,
    event: Event,
    at: str,
    *,
    who: str | None = None,
    note: str = "",
) -> dict[str, Any]:
    """Values of an event without an answer; raises for an event that ``source`` does not allow."""
    return {
        "batch": batch,
        "pos": pos,
        "attempt": attempt,
        "from_": source.value,
        "to_": move(source, event).value,
        "event": event.value,
        "utc": at,
        "who": who or None,
        "http": None,
        "estado": None,
        "dgi": None,
        "message": None,
        "note": note,
        "body": None,
        "more": "",
    }
