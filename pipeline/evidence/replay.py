"""The rows of a batch from its events alone: what the ledger must say of each when nothing else is believed.

The same rules by which ``ledger/store.py`` writes an attempt, read from the chain. ``fecha_autorizacion`` and the next
query are not in the events (the first only inside the raw answer), so nothing is said of them here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from pipeline.domain.lifecycle import Event, State
from pipeline.domain.records import Leader, ResultLine, Source
from pipeline.ledger.views import result_line

_NO_ANSWER = frozenset({Event.CLAIMED, Event.RECOVERED, Event.RETRY, Event.OUT_OF_TIME, Event.RESOLVED})
_NO_ANSWER |= {Event.APPROVED, Event.WITHDRAWN}
"""Moves that rest on no answer of eDoc."""


def replay(
    head: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], events: Iterable[Mapping[str, Any]]
) -> list[ResultLine]:
    """Every row of the batch in input order, as its ``events`` left it. Raises ``ValueError`` for unknown words."""
    newest: dict[int, SimpleNamespace] = {}
    for event in events:
        if event["batch"] != head["id"]:
            continue
        if event["attempt"] is None:
            if event["to_"] in (State.READY.value, State.HELD.value):
                newest[event["pos"]] = _attempt(event["to_"])
        elif (attempt := newest.get(event["pos"])) is not None:
            newest[event["pos"]] = _moved(attempt, event)
    sheet = head["sheet"] or None
    plain = [result_line(SimpleNamespace(**row), newest.get(row["pos"]), sheet) for row in rows]
    by_pos = {line.pos: line for line in plain}
    return [_mirrored(line, row, by_pos) for line, row in zip(plain, rows, strict=True)]


def _attempt(state: str, *, n: int = 1, again: int = 0) -> SimpleNamespace:
    empty = dict.fromkeys(
        ("sent_utc", "estado", "source", "dgi", "message", "authorised_at", "http", "queried_utc", "next_due")
    )
    return SimpleNamespace(state=state, n=n, possible_duplicate=again, note="", queries=0, **empty)


def _moved(attempt: SimpleNamespace, event: Mapping[str, Any]) -> SimpleNamespace:
    kind, source = Event(event["event"]), State(event["from_"])
    if kind is Event.RETRY:
        again = 1 if source is State.CLOSED_RESEND else attempt.possible_duplicate
        return _attempt(event["to_"], n=attempt.n + 1, again=again)
    attempt.state = event["to_"]
    if kind is Event.CLAIMED:
        attempt.sent_utc = event["utc"]
        return attempt
    attempt.note = event["note"]
    if event["to_"] == State.READY.value:  # the query before the sending: not an answer to it
        return attempt
    for name in ("estado", "dgi", "message", "http"):
        if event[name] is not None:
            setattr(attempt, name, event[name])
    queried = source is not State.SENDING and kind not in _NO_ANSWER
    if event["estado"] is not None:
        attempt.source = (Source.QUERY if queried else Source.CANCELLATION).value
    if queried and source is not State.READY:
        attempt.queried_utc = event["utc"]
        attempt.queries += 1
    return attempt


def _mirrored(line: ResultLine, row: Mapping[str, Any], by_pos: Mapping[int, ResultLine]) -> ResultLine:
    """A duplicate of a row of the same file shows that row's answers; of another batch only that it is one."""
    from dataclasses import replace

    if row["leader_pos"] is None or row["leader_batch"] is not None:
        return line
    leader = by_pos[row["leader_pos"]]
    return replace(line, leader=Leader(None, leader.pos, leader.position), mirrored=leader)
