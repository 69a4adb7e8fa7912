"""Codec: values as text in the ledger's columns: times, cells, remarks. Each encoder has a decoder."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, time
from typing import Any

from pipeline.domain.records import Cell, Correction, Problem, Repair

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)


def to_text(moment: datetime) -> str:
    """An aware time as UTC text that sorts like the time: ``2026-11-20T15:00:03.123456Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def to_time(text: str) -> datetime:
    """Decodes it. Raises ``ValueError`` for any other form; ``strptime`` does the same ten times slower."""
    if _TIME.fullmatch(text) is None:
        raise ValueError(f"no time of the ledger: {text!r}")
    return datetime.fromisoformat(text)


def maybe_time(text: str | None) -> datetime | None:
    return None if text is None else to_time(text)


def cells_to_text(cells: Iterable[Cell]) -> str:
    """Verbatim cells as JSON; dates and times as one-key objects, so that they can be decoded as such."""
    return json.dumps(list(cells), default=_tagged, ensure_ascii=True, separators=(",", ":"))


def cells_from_text(text: str) -> tuple[Cell, ...]:
    return tuple(_untagged(value) for value in json.loads(text))


def _tagged(value: object) -> dict[str, str]:
    if isinstance(value, datetime):
        return {"dt": value.isoformat()}
    if isinstance(value, date):
        return {"d": value.isoformat()}
    if isinstance(value, time):
        return {"t": value.isoformat()}
    raise TypeError(f"a cell cannot be a {type(value).__name__}")


def _untagged(value: Any) -> Cell:
    if isinstance(value, dict):
        ((tag, text),) = value.items()
        return _BACK[tag](text)
    assert value is None or isinstance(value, str | int | float | bool)
    return value


_BACK: dict[str, Callable[[str], Cell]] = {
    "dt": datetime.fromisoformat,
    "d": date.fromisoformat,
    "t": time.fromisoformat,
}


def remarks_to_text(problems: Iterable[Problem], repairs: Iterable[Repair], warnings: Iterable[Problem]) -> str:
    """``""`` for the usual row that has none: a hundred thousand of them should cost nothing."""
    lists = [
        [[p.code, p.cell, p.column, p.value, p.message] for p in problems],
        [[r.cell, r.received, r.used, r.what] for r in repairs],
        [[w.code, w.cell, w.column, w.value, w.message] for w in warnings],
    ]
    return json.dumps(lists, ensure_ascii=True, separators=(",", ":")) if any(lists) else ""


def remarks_from_text(text: str) -> tuple[tuple[Problem, ...], tuple[Repair, ...], tuple[Problem, ...]]:
    if not text:
        return (), (), ()
    problems, repairs, warnings = json.loads(text)
    return (
        tuple(Problem(*values) for values in problems),
        tuple(Repair(*values) for values in repairs),
        tuple(Problem(*values) for values in warnings),
    )


def more_to_text(
    *, queried: bool, due: str | None, authorised_at: str | None, miss: bool, correction: Correction | None = None
) -> str:
    """``event.more``: what a move changed besides the columns of its event; ``""`` for the usual move that changed
    nothing. ``queried``: the answer is from the query service; ``due``: when to query next; ``correction``: what a
    resend sends instead of the row's own texts."""
    values = {"query": queried, "due": due, "authorised_at": authorised_at, "miss": miss}
    if correction is not None:
        values |= {"reason": correction.reason, "email": correction.email}
    told = {name: value for name, value in values.items() if value}
    return json.dumps(told, ensure_ascii=True, separators=(",", ":")) if told else ""


def more_from_text(text: str) -> dict[str, Any]:
    """Decodes it. Raises ``ValueError`` for any other text."""
    if not text:
        return {}
    told = json.loads(text)
    if not isinstance(told, dict) or not _MORE.issuperset(told):
        raise ValueError("no such text")
    return told


def correction_of(more: Mapping[str, Any]) -> Correction | None:
    """What a resend sends instead of the row's own texts, from the decoded ``event.more``. Raises ``ValueError``."""
    reason, email = more.get("reason"), more.get("email")
    if reason is None and email is None:
        return None
    if not (isinstance(reason, str) and reason and isinstance(email, str | None)):
        raise ValueError("no correction")
    return Correction(reason, email)


def note_of(note: str, more: str | None) -> str:
    """An event's note as it is printed: with what a corrected resend sends instead of the row's own texts."""
    correction = correction_of(more_from_text(more or "")) if more else None
    if correction is None:
        return note
    email = f"«{correction.email}»" if correction.email else "ninguno"
    return f"{note} Se reenvía con el motivo «{correction.reason}»; correo: {email}."


_MORE = frozenset({"query", "due", "authorised_at", "miss", "reason", "email"})
