"""Verification of the ledger (reliability.md P15, F55): the chain of events, and everything that rests on it.

Changes nothing. ``examine`` checks all of it; ``look_over`` is the check of a run before it may write: the file's
own structure, and the whole ledger if that takes about a second, else its newest events.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select

from pipeline.domain.commands import order
from pipeline.domain.errors import StorageTrouble
from pipeline.domain.lifecycle import LIVE_NEVER, MOVES, Event, State
from pipeline.ledger import tables
from pipeline.ledger.chain import GENESIS, fingerprint, head_digest, holds, row_digest
from pipeline.ledger.ledger_events import (
    CREDENTIAL,
    PACKED,
    SEVERAL,
    is_a_deed,
    is_credential,
    is_packed,
    is_support_case,
    owners_recorded,
)
from pipeline.ledger.replay import NOT_TOLD, Replay
from pipeline.ledger.storage.database import Database

_CHUNK = 5_000
_IN = 500  # values in one IN (...)
_WITH_ATTEMPT = (State.READY.value, State.HELD.value)
WHOLE = 5_000
"""Events that a run checks before it writes: all of a ledger up to this size (0.15 s), else as many of the newest."""
MOST_FAULTS = 20


@dataclass(frozen=True, slots=True)
class LedgerFault:
    """Something that differs from what was written."""

    code: str
    #: in Spanish
    words: str
    #: the event where it shows, if any
    seq: int | None = None


@dataclass
class OfBatch:
    """Result of the checks of one batch."""

    #: of its rows
    events: int = 0
    #: the last of them
    last: int = 0
    #: hash of that event
    seal: bytes = GENESIS
    #: event of the newest evidence pack; 0 when there is none
    packed: int = 0
    #: hash of that event
    pack_seal: bytes = GENESIS


@dataclass
class Examination:
    """Result of a verification."""

    events: int = 0
    rows: int = 0
    #: the newest event's hash, which covers all before it
    head: bytes = GENESIS
    faults: list[LedgerFault] = field(default_factory=list)
    #: what was checked of each, as far as the chain holds
    batches: dict[str, OfBatch] = field(default_factory=dict)
    #: batches that an earlier version took in
    older: set[str] = field(default_factory=set)
    #: attempts with events of an earlier version; what its chain does not cover was not compared
    partly_covered: int = 0
    #: batch -> mark of its credential, of those taken in before the chain held it with the batch
    credentials: dict[str, str] = field(default_factory=dict)
    replay: Replay = field(default_factory=Replay, repr=False)
    #: attempt -> state, of the newest events alone
    _last: dict[int, str] = field(default_factory=dict, repr=False)
    _taken: dict[tuple[str, int], tuple[str, bytes | None]] = field(default_factory=dict, repr=False)

    @property
    def good(self) -> bool:
        return not self.faults

    def add(self, code: str, words: str, seq: int | None = None) -> None:
        if len(self.faults) < MOST_FAULTS:  # the first ones show what happened; thousands would hide it
            self.faults.append(LedgerFault(code, words, seq))


def examine(database: Database) -> Examination:
    """Checks the whole ledger. Never raises for what it finds, not even when the file cannot be read."""
    found = Examination()
    try:
        _structure(database, found, "integrity_check")
        with database.still():
            _contents(database, found)
    except StorageTrouble as trouble:
        found.add("unreadable", trouble.message)
    return found


def _contents(database: Database, found: Examination) -> None:
    if _chain(database, found, after=0, prev=GENESIS, whole=True):
        _rows(database, found)
        _attempts(database, found)
        _owners(database, found)
    _one_live(database, found)


class LookedOver:
    """Newest event of each ledger up to which one command has looked it over: what it opens again, for another of its
    companies, is checked from there on. For threads."""

    def __init__(self) -> None:
        self._heads: dict[bytes, tuple[int, bytes]] = {}
        self._firsts: dict[bytes, threading.Lock] = {}

    @contextmanager
    def first(self, database: Database) -> Iterator[None]:
        """Of several who open a ledger for the first time, one looks it over, and the others wait for that."""
        with self._firsts.setdefault(database.key, threading.Lock()) if self.of(database) is None else nullcontext():
            yield

    def of(self, database: Database) -> tuple[int, bytes] | None:
        """Number and hash of that event; None for a ledger that was not looked over yet."""
        return self._heads.get(database.key)

    def add(self, database: Database, seq: int, head: bytes) -> None:
        """Notes up to which event a ledger is found in order."""
        self._heads[database.key] = seq, head


def look_over(database: Database, *, sound: bool = False, before: LookedOver | None = None) -> None:
    """Checks what must be right before a run may write. Raises ``StorageTrouble`` that names the first fault.

    ``sound``: the pages of a large file were found in order recently (``integrity_cache.py``) and are not read again.
    ``before``: what this command looked over before, and does now: of that, the newest event alone is compared.
    """
    if before is None:
        _look_over(database, sound)
        return
    with before.first(database):
        before.add(database, *_look_over(database, sound, before.of(database)))


def _look_over(database: Database, sound: bool, known: tuple[int, bytes] | None = None) -> tuple[int, bytes]:
    """Returns the number and hash of the newest event."""
    try:
        last = database.read(select(func.max(tables.event.c.seq)))[0][0] or 0
        if known is not None:
            found, start = _newest(database, known[0], sound=sound, head=known[1]), known[0]
        elif last <= WHOLE:
            found, start = examine(database), 0
        else:
            found, start = _newest(database, last - WHOLE, sound=sound), last - WHOLE
    except StorageTrouble as trouble:
        found, start = Examination(), 0
        found.add("unreadable", trouble.message)
    if found.faults:
        raise StorageTrouble(
            f"El historial de envíos no está íntegro: {found.faults[0].words} No se envió nada.",
            code="ledger-broken",
            where=database.name,
            remedy="No lo use para enviar. Restaure la última copia buena y declárelo una vez (adopt con --restored) "
            f"o pida ayuda; vea {order('verify')}",
        )
    return start + found.events, found.head


def _newest(database: Database, start: int, *, sound: bool, head: bytes | None = None) -> Examination:
    """Checks what came after the event ``start``, whose hash is ``head`` where it is known."""
    found = Examination()
    _structure(database, found, "" if sound else "quick_check")
    with database.still():
        _newest_contents(database, found, start, head)
    return found


def _newest_contents(database: Database, found: Examination, start: int, head: bytes | None) -> None:
    before = database.read(select(tables.event.c.hash).where(tables.event.c.seq == start))
    if not before:
        found.add("gap", f"falta el evento {start} de la bitácora.", start)
    elif not isinstance(before[0].hash, bytes) or before[0].hash != (head or before[0].hash):
        # SQLite takes any kind of value
        found.add("chain", f"el evento {start} de la bitácora fue alterado.", start)
    elif _chain(database, found, after=start, prev=before[0].hash, whole=False):
        _newest_attempts(database, found)
        _owners(database, found)


def _structure(database: Database, found: Examination, pages: str) -> None:
    """Runs the store's own check, and checks that the tables' rules exist: they can be dropped without a trace."""
    for code, words in database.structure(pages):
        found.add(code, words)


def _chain(database: Database, found: Examination, *, after: int, prev: bytes, whole: bool) -> bool:
    """Checks every event in order: no gap, the hash before, its own hash, a legal move. ``whole``: replays them.

    False at the first one that is not as written: all later events depend on it, so nothing more is proven.
    """
    seq = after
    for line in _events(database, after):
        values = line._mapping
        if line.seq != seq + 1:
            found.add("gap", f"faltan los eventos {seq + 1} a {line.seq - 1} de la bitácora.", seq + 1)
            return False
        seq = line.seq
        if line.prev != prev or not holds(prev, values, line.hash):
            found.add("chain", f"el evento {seq} de la bitácora fue alterado.", seq)
            return False
        if not any(legal(line) for legal in (_is_a_move, is_a_deed, is_packed, is_support_case, is_credential)):
            found.add("move", f"el evento {seq} es un paso que el programa nunca da.", seq)
        elif whole:
            _replayed(found, line)
        prev = line.hash
        found.events += 1
        _remember(found, line, whole=whole)
    found.head = prev
    return True


def _events(database: Database, after: int) -> Iterator[Any]:
    while lines := database.read(
        select(tables.event).where(tables.event.c.seq > after).order_by(tables.event.c.seq).limit(_CHUNK)
    ):
        yield from lines
        after = lines[-1].seq


def _is_a_move(line: Any) -> bool:
    try:
        return MOVES.get((State(line.from_), Event(line.event))) is State(line.to_)
    except ValueError:
        return False


def _replayed(found: Examination, line: Any) -> None:
    try:
        found.replay.see(line._mapping)
    except ValueError:
        found.add("move", f"el evento {line.seq} dice algo que el programa nunca escribe.", line.seq)


def _remember(found: Examination, line: Any, *, whole: bool) -> None:
    if line.batch:
        one = found.batches.setdefault(line.batch, OfBatch())
        if line.pos:
            one.events, one.last, one.seal = one.events + 1, line.seq, line.hash
        elif line.event == PACKED:
            one.packed, one.pack_seal = line.seq, line.hash
        elif line.event == CREDENTIAL:
            found.credentials.setdefault(line.batch, line.message)
    if line.attempt is not None:
        if not whole:
            found._last[line.attempt] = line.to_
    elif line.from_ == State.RECEIVED.value:
        found._taken[line.batch, line.pos] = (line.to_, line.body)


def _rows(database: Database, found: Examination) -> None:
    """Checks that every input row is the one that was taken in, and that every batch has all of its rows."""
    heads = {line.id: line._mapping for line in database.read(select(tables.batch))}
    counts = dict.fromkeys(heads, 0)
    apart = found.credentials
    digests = {batch: head_digest(head, credential_apart=batch in apart) for batch, head in heads.items()}
    after = ("", 0)
    while lines := _some_rows(database, after):
        for line in lines:
            counts[line.batch] = counts.get(line.batch, 0) + 1
            taken = found._taken.get((line.batch, line.pos))
            if taken is None or line.batch not in heads:
                found.add("row", f"la fila {line.line} del lote {line.batch} no consta en la bitácora.")
            elif taken[1] == row_digest(digests[line.batch], line._mapping) and taken[0] == line.state:
                continue
            elif taken[0] == line.state and taken[1] in (None, fingerprint(heads[line.batch], line._mapping)):
                found.older.add(line.batch)  # with None: taken in by a version that stored none
            else:
                row = f"la fila {line.line} del lote {line.batch}"
                head = "los datos del lote (archivo, encabezados, emisores, notas, plazo, quién aprobó, credencial)"
                found.add("row", f"{row}, o {head}, no son los que se recibieron.")
        found.rows += len(lines)
        after = (lines[-1].batch, lines[-1].pos)
    for batch, head in heads.items():
        if counts[batch] != head["n_rows"]:
            found.add("count", f"el lote {batch} tiene {counts[batch]} filas y se recibieron {head['n_rows']}.")
        if batch in apart or batch in found.older:
            told = apart.get(batch)
            if head["credential"] != (None if told == SEVERAL else told):
                found.add("credential", f"el lote {batch} tiene otra credencial que la que dice la bitácora.")


def _some_rows(database: Database, after: tuple[str, int]) -> Any:
    row = tables.row
    beyond = (row.c.batch > after[0]) | ((row.c.batch == after[0]) & (row.c.pos > after[1]))
    return database.read(select(row).where(beyond).order_by(row.c.batch, row.c.pos).limit(_CHUNK))


def _attempts(database: Database, found: Examination) -> None:
    """Checks that every attempt is, column for column, the result of its events."""
    query, after, first = _with_row(), 0, 0
    batch = tables.batch.c
    heads = {line.id: line for line in database.read(select(batch.id, batch.env, batch.credential))}
    unseen = set(found.replay.known)
    while lines := database.read(query.where(tables.attempt.c.id > after).order_by(tables.attempt.c.id).limit(_CHUNK)):
        for line in lines:
            _attempt(found, line, heads.get(line.batch))
            unseen.discard(line.id)
            first += line.n == 1
        after = lines[-1].id
    approved = sum(state in _WITH_ATTEMPT for state, _ in found._taken.values())
    if unseen or first != approved:
        found.add("attempt", "la bitácora habla de otros envíos que los que hay en el historial.")


COLUMNS = {
    "state": "estado en el historial",
    "v": "número de pasos",
    "n": "número de intento",
    "env": "ambiente",
    "cufe": "CUFE",
    "credential": "credencial",
    "epoch": "ejecución",
    "sent_utc": "hora de envío",
    "queried_utc": "hora de consulta",
    "queries": "consultas",
    "misses": "veces que no constaba",
    "next_due": "próxima consulta",
    "estado": "estado de eDoc",
    "source": "servicio que respondió",
    "dgi": "código de la DGI",
    "message": "mensaje",
    "authorised_at": "fecha de autorización",
    "http": "código HTTP",
    "note": "código técnico",
    "possible_duplicate": "reenvío autorizado",
    "preflight": "consulta previa",
    "reason": "motivo corregido",
    "email": "correo corregido",
}
"""Compared columns of an attempt, with their names for people; all others identify the row and its state."""


def _attempt(found: Examination, line: Any, head: Any | None) -> None:
    where = f"el envío {line.n} de la fila {line.pos} del lote {line.batch}"
    stand = found.replay.of(line.id, line.batch, line.pos)
    if stand is None or (stand.batch, stand.pos) != (line.batch, line.pos):
        found.add("attempt", f"{where} no consta en la bitácora.")
        return
    found.partly_covered += stand.old
    told = {"env": head.env if head else "", "cufe": line.row_cufe, "credential": head.credential if head else None}
    if found.credentials.get(line.batch) == SEVERAL:
        told["credential"] = line.credential
    for name, words in COLUMNS.items():
        here = getattr(line, name)
        there = told[name] if name in told else getattr(stand, name)
        if here != there and not (stand.old and name in NOT_TOLD):
            code = "version" if name == "v" else name
            found.add(code, f"{where}: en «{words}» dice «{_shown(here)}» y según la bitácora es «{_shown(there)}».")
            return


def _shown(value: object) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"


_MOST_SHOWN = 80


def _newest_attempts(database: Database, found: Examination) -> None:
    """Checks the states of the attempts in the newest events."""
    told = sorted(found._last)
    for start in range(0, len(told), _IN):
        for line in database.read(_with_row().where(tables.attempt.c.id.in_(told[start : start + _IN]))):
            where = f"el envío {line.n} de la fila {line.pos} del lote {line.batch}"
            if line.state != found._last[line.id]:
                found.add("state", f"{where} dice {line.state} y la bitácora {found._last[line.id]}.")
            elif line.cufe != line.row_cufe:
                found.add("cufe", f"{where} tiene otro CUFE que su fila.")


def _with_row() -> Any:
    return tables.with_rows(tables.attempt, tables.row.c.cufe.label("row_cufe"))


def _owners(database: Database, found: Examination) -> None:
    if not owners_recorded(database):
        found.add("owner", "alguien cambió a mano a qué equipo pertenece el historial de envíos.")


def _one_live(database: Database, found: Examination) -> None:
    attempt = tables.attempt
    query = (
        select(attempt.c.cufe, func.count())
        .where(attempt.c.state.not_in([state.value for state in LIVE_NEVER]))
        .group_by(attempt.c.env, attempt.c.cufe)
        .having(func.count() > 1)
    )
    for cufe, count in database.read(query):
        found.add("live", f"el CUFE {cufe} tiene {count} envíos vigentes a la vez.")
